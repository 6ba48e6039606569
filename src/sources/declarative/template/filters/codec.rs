//! Hashes, base64 and URLs.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ring::{digest, hmac};
use sha2::{Digest as _, Sha224};

use super::super::args::{CallArgs, text};
use super::super::compare::used;
use super::super::error::{Fault, Result};
use super::super::text::str_of;
use super::super::value::Value;
use super::unsupported;

/// The characters that `urllib.parse.quote` never changes.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~');
const PATH: &AsciiSet = &QUERY.remove(b'/');

/// `quote`, or `quote_plus` for a query.
pub(crate) fn quote(value: &str, query: bool) -> String {
    if query {
        utf8_percent_encode(value, QUERY).to_string().replace("%20", "+")
    } else {
        utf8_percent_encode(value, PATH).to_string()
    }
}

pub(super) fn call(name: &str, value: &Value, args: CallArgs) -> Result<Value> {
    let made = match name {
        "urlencode" => {
            args.none(name)?;
            urlencode(value)?
        }
        "hash" => {
            let [kind, salt] = args.bind(name, ["hash_type", "salt"], 0)?;
            let kind = kind.map(|kind| text(&kind, name)).transpose()?;
            let mut bytes = str_of(value)?.into_bytes();
            if let Some(salt) = salt.filter(Value::truth) {
                bytes.extend(str_of(&salt)?.into_bytes());
            }
            hash(kind.as_deref().unwrap_or("md5"), &bytes)?
        }
        "hmac" => {
            let [key, kind] = args.bind(name, ["key", "hash_type"], 1)?;
            let kind = kind.map(|kind| str_of(&kind)).transpose()?;
            if kind.as_deref().is_some_and(|kind| kind != "sha256") {
                return Err(Fault::value("Hash type is not allowed. Allowed types: sha256"));
            }
            let key = hmac::Key::new(hmac::HMAC_SHA256, str_of(&key.unwrap_or(Value::None))?.as_bytes());
            hex(hmac::sign(&key, str_of(value)?.as_bytes()).as_ref())
        }
        _ => {
            args.none(name)?;
            let given = match value {
                Value::Undefined(missing) => return Err(used(missing)),
                _ => value.as_str().ok_or_else(|| {
                    let message = format!("'{}' object has no attribute 'encode'", value.type_name());
                    Fault::other("AttributeError", message)
                })?,
            };
            match name {
                "base64encode" => STANDARD.encode(&**given),
                "base64decode" => String::from_utf8(decode(given)?)
                    .map_err(|_| Fault::other("UnicodeDecodeError", "the base64 content is not UTF-8"))?,
                // Despite its name, it does this.
                _ if given.is_ascii() => STANDARD.encode(&**given),
                _ => return Err(Fault::other("UnicodeEncodeError", "'ascii' codec can't encode a character")),
            }
        }
    };
    Ok(Value::str(made))
}

fn urlencode(value: &Value) -> Result<String> {
    let pairs = match value {
        Value::Str(text) | Value::Markup(text) => return Ok(quote(text, false)),
        Value::None
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Big(_)
        | Value::Float(_)
        | Value::DateTime(_)
        | Value::Date(_)
        | Value::Delta(_) => return Ok(quote(&str_of(value)?, false)),
        Value::Dict(_) => value.entries().unwrap_or_default(),
        _ => {
            let pair = |item: Value| {
                let [key, value]: [Value; 2] =
                    item.iterate()?.try_into().map_err(|_| Fault::value("a pair is expected to unpack"))?;
                Ok((key, value))
            };
            value.iterate()?.into_iter().map(pair).collect::<Result<_>>()?
        }
    };
    let mut out = String::new();
    for (at, (key, value)) in pairs.iter().enumerate() {
        if at > 0 {
            out.push('&');
        }
        let _ = write!(out, "{}={}", quote(&str_of(key)?, true), quote(&str_of(value)?, true));
    }
    Ok(out)
}

/// The bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

fn hash(kind: &str, bytes: &[u8]) -> Result<String> {
    let algorithm = match kind {
        "md5" => return Ok(hex(&Md5::digest(bytes))),
        "sha224" => return Ok(hex(&Sha224::digest(bytes))),
        "sha1" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        "sha256" => &digest::SHA256,
        "sha384" => &digest::SHA384,
        "sha512" => &digest::SHA512,
        "blake2b" | "blake2s" | "sha3_224" | "sha3_256" | "sha3_384" | "sha3_512" => return Err(unsupported("hash")),
        _ => return Err(Fault::other("AttributeError", "No hashing function of this name")),
    };
    Ok(hex(digest::digest(algorithm, bytes).as_ref()))
}

/// `base64.b64decode`: ignores other characters; the padding must be complete.
fn decode(text: &str) -> Result<Vec<u8>> {
    let wrong = |message: &str| Fault::other("Error", message);
    let (mut out, mut bits, mut place, mut padding) = (Vec::new(), 0u32, 0, 0);
    for byte in text.bytes() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                padding += 1;
                if place >= 2 && place + padding >= 4 {
                    return Ok(out);
                }
                continue;
            }
            _ => continue,
        };
        padding = 0;
        bits = bits << 6 | u32::from(digit);
        place = (place + 1) % 4;
        if place != 1 {
            let shift = (4 - place) % 4 * 2;
            out.push((bits >> shift) as u8);
        }
    }
    match place {
        0 => Ok(out),
        1 => {
            Err(wrong("Invalid base64-encoded string: number of data characters cannot be 1 more than a multiple of 4"))
        }
        _ => Err(wrong("Incorrect padding")),
    }
}
