//! A response as bytes: its key, the final URL after redirects, its head in HTTP/1.1 form, and its body, in one gzip
//! stream, whose checksum covers everything. A changed file gives an error and never a wrong response.

use std::io::{self, BufRead, BufReader, Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use super::cache_key::CacheKey;
use crate::buffers::Buffer;
use crate::http::body::BodyError;
use crate::http::{Body, HeaderMap, HeaderName, HeaderValue, HttpRequest, Response, StatusCode};
use crate::protocol::Redactor;

/// Headers that are never kept: they contain credentials.
const SECRET: [&str; 2] = ["set-cookie", "set-cookie2"];

/// The bytes of a response to a request. `None` if its body is longer than `max_bytes`, or contains a secret. Only the
/// final URL of the request is kept: its own URL may contain secrets.
pub(super) fn encode(
    key: &CacheKey,
    request: &HttpRequest,
    response: &Response,
    max_bytes: u64,
    redactor: &Redactor,
) -> io::Result<Option<Vec<u8>>> {
    if response.body.len() > max_bytes {
        return Ok(None);
    }
    let mut head = Vec::new();
    let led_to = if response.request == request.describe() { "" } else { &response.request };
    write!(head, "{led_to}\r\n{}\r\n", response.status.as_u16())?;
    for (name, value) in response.headers.iter().filter(|(name, _)| !SECRET.contains(&name.as_str())) {
        write!(head, "{name}:")?;
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    let spooled;
    let body = match &response.body {
        Body::Memory(bytes) => &**bytes,
        Body::Spooled { .. } => {
            let mut bytes = Vec::new();
            response.body.reader()?.read_to_end(&mut bytes)?;
            spooled = bytes;
            spooled.as_slice()
        }
    };
    if [&head, body].into_iter().any(|bytes| redactor.finds(&String::from_utf8_lossy(bytes))) {
        return Ok(None);
    }
    let mut entry = GzEncoder::new(Vec::new(), Compression::fast());
    entry.write_all(key.as_bytes())?;
    entry.write_all(&head)?;
    entry.write_all(body)?;
    entry.finish().map(Some)
}

/// The stored response to a request.
pub(super) fn decode(key: &CacheKey, entry: &[u8], request: &HttpRequest, max_bytes: u64) -> io::Result<Response> {
    let mut entry = BufReader::new(GzDecoder::new(entry));
    let mut kept_for = [0; 32];
    entry.read_exact(&mut kept_for)?;
    if kept_for != *key.as_bytes() {
        return Err(damaged());
    }
    let led_to = String::from_utf8(line(&mut entry)?).map_err(|_| damaged())?;
    let status = StatusCode::from_bytes(&line(&mut entry)?).map_err(|_| damaged())?;
    let mut headers = HeaderMap::new();
    loop {
        let line = line(&mut entry)?;
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|byte| *byte == b':').ok_or_else(damaged)?;
        let name = HeaderName::from_bytes(&line[..colon]).map_err(|_| damaged())?;
        headers.append(name, HeaderValue::from_bytes(&line[colon + 1..]).map_err(|_| damaged())?);
    }
    let body = Body::read(Buffer::default(), entry, None, max_bytes).map_err(|error| match error {
        BodyError::Read(error) | BodyError::Spool(error) => error,
        BodyError::TooLong => damaged(),
    })?;
    let mut response = Response::new(request, status, headers, body);
    if !led_to.is_empty() {
        response.request = led_to;
    }
    Ok(response)
}

/// Reads any bytes as an entry of the cache's file, before compression: for fuzzing. A response found in them must come
/// back unchanged when it is stored and read again.
///
/// # Panics
/// If it does not.
#[doc(hidden)]
pub fn read_entry(bytes: &[u8]) {
    use super::Credential;
    use crate::http::RequestOptions;

    const MAX: u64 = 1024 * 1024;
    let Ok(url) = "http://a.com/x".parse() else { return };
    let request = HttpRequest::get(url);
    let key = CacheKey::new(b"", &request, &RequestOptions::default(), &Credential::Unsigned);
    let compressed = |bytes: &[&[u8]]| {
        let mut entry = GzEncoder::new(Vec::new(), Compression::fast());
        bytes.iter().try_for_each(|part| entry.write_all(part)).and_then(|()| entry.finish()).unwrap_or_default()
    };
    // As given, and with the key of the request in front, which chance would not find.
    let _ = decode(&key, bytes, &request, MAX);
    let Ok(response) = decode(&key, &compressed(&[key.as_bytes(), bytes]), &request, MAX) else { return };
    let again = encode(&key, &request, &response, MAX, &Redactor::default()).ok().flatten().unwrap_or_default();
    let again = decode(&key, &again, &request, MAX).map(|again| (again.request, again.status, again.body.len()));
    let Ok(again) = again else { panic!("an entry of ours cannot be read: {response:?}") };
    assert_eq!(again, (response.request, response.status, response.body.len()));
}

/// A line without its end.
fn line(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    line.strip_suffix(b"\r\n").map(<[u8]>::to_vec).ok_or_else(damaged)
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a response in it is damaged")
}

#[cfg(test)]
mod tests {
    use super::super::Credential;
    use super::*;
    use crate::http::RequestOptions;
    use crate::http::response::tests::response;

    fn key(url: &str) -> (CacheKey, HttpRequest) {
        let request = HttpRequest::get(url.parse().unwrap());
        (CacheKey::new(b"", &request, &RequestOptions::default(), &Credential::Unsigned), request)
    }

    fn text(response: &Response) -> String {
        let mut text = String::new();
        response.body.reader().unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn a_response_comes_back_as_it_was_but_without_cookies() {
        let headers = [("link", "<a:b>"), ("x-two", "1"), ("x-two", " 2"), ("x-none", ""), ("set-cookie", "s=1")];
        let original = response(206, &headers, "line\r\n\r\nline: ü");
        let (key, request) = key("http://a.com/x");
        let entry = encode(&key, &request, &original, 100, &Redactor::default()).unwrap().unwrap();
        let again = decode(&key, &entry, &request, 100).unwrap();
        assert_eq!((again.status, again.request.as_str()), (original.status, "GET http://a.com/x"));
        assert_eq!(text(&again), "line\r\n\r\nline: ü");
        let mut expected = original.headers.clone();
        expected.remove("set-cookie");
        assert_eq!(again.headers, expected);
    }

    #[test]
    fn the_target_of_a_redirect_is_kept_and_the_requested_url_is_not() {
        let (key, request) = key("http://a.com/x?key=topsecret");
        let mut original = response(200, &[], "");
        for shown in ["GET http://b.com/y/", "GET http://a.com/x?key=topsecret"] {
            original.request = shown.to_owned();
            let entry = encode(&key, &request, &original, 100, &Redactor::default()).unwrap().unwrap();
            assert_eq!(decode(&key, &entry, &request, 100).unwrap().request, shown);
            let mut plain = Vec::new();
            GzDecoder::new(entry.as_slice()).read_to_end(&mut plain).unwrap();
            assert!(!String::from_utf8_lossy(&plain).contains("topsecret"));
        }
    }

    #[test]
    fn a_response_that_repeats_a_secret_is_not_kept() {
        let (key, request) = key("http://a.com/x");
        let redactor = Redactor::default();
        redactor.add("top/secret");
        let kept = |headers: &'static [(&'static str, &'static str)], body: &'static str, led_to: &str| {
            let mut original = response(200, headers, body);
            original.request = led_to.to_owned();
            encode(&key, &request, &original, 100, &redactor).unwrap().is_some()
        };
        assert!(kept(&[("link", "<a>"), ("set-cookie", "top/secret")], "{}", "GET http://a.com/y"));
        assert!(!kept(&[("link", "<a?key=top%2fsecret>")], "{}", "GET http://a.com/y"));
        assert!(!kept(&[], r#"{"you":"top\/secret"}"#, "GET http://a.com/y"));
        assert!(!kept(&[], "{}", "GET http://a.com/y?key=top%2Fsecret"));
    }

    #[test]
    fn a_body_past_the_limit_is_not_kept_and_one_on_disk_is() {
        let (key, request) = key("http://a.com/x");
        let long: Vec<u8> = (0..5_000_000u32).map(|n| (n % 251) as u8).collect();
        let mut original = response(200, &[], "");
        original.body =
            Body::read(Buffer::default(), long.as_slice(), None, u64::MAX).map_err(|_| "unreadable").unwrap();
        assert!(matches!(original.body, Body::Spooled { .. }));
        assert_eq!(encode(&key, &request, &original, 4_999_999, &Redactor::default()).unwrap(), None);
        let entry = encode(&key, &request, &original, 5_000_000, &Redactor::default()).unwrap().unwrap();
        let again = decode(&key, &entry, &request, 5_000_000).unwrap();
        let mut bytes = Vec::new();
        again.body.reader().unwrap().read_to_end(&mut bytes).unwrap();
        assert!(bytes == long);
    }

    #[test]
    fn damage_and_the_wrong_key_are_noticed() {
        let (own, request) = key("http://a.com/x");
        let original = response(200, &[("a", "b")], &"body ".repeat(20));
        let entry = encode(&own, &request, &original, 1000, &Redactor::default()).unwrap().unwrap();
        assert!(decode(&key("http://a.com/y").0, &entry, &request, 1000).is_err());
        for length in 0..entry.len() {
            assert!(decode(&own, &entry[..length], &request, 1000).is_err(), "cut to {length}");
        }
        // Some bits have no meaning, such as the time in gzip's header. Only their changes may pass.
        let mut passed = 0;
        for at in 0..entry.len() {
            let mut entry = entry.clone();
            entry[at] ^= 0x10;
            if let Ok(again) = decode(&own, &entry, &request, 1000) {
                assert_eq!((text(&again), &again.headers), (text(&original), &original.headers), "changed at {at}");
                passed += 1;
            }
        }
        assert!(passed < 10, "{passed} changes of {} were not noticed", entry.len());
    }
}
