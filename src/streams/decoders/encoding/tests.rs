//! Every encoding is what Python's codec of that name is. `.ci/encodings.py` writes the facts.

use sha2::{Digest, Sha256};

use super::*;

fn read(encoding: &str, otherwise: Option<&str>, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let encoding = Encoding::named(encoding).unwrap();
    let otherwise = otherwise.map(|name| Encoding::named(name).unwrap());
    let mut text = Vec::new();
    let reader = encoding.to_utf8(Box::new(bytes), otherwise).unwrap().read_to_end(&mut text);
    reader.map(|_| text).map_err(|error| error.to_string())
}

#[test]
fn texts_of_every_encoding_become_utf8() {
    for (encoding, otherwise, bytes, text) in [
        ("utf-8", None, &b"\xef\xbb\xbfa\xc3\xa9"[..], "aé"),
        ("utf-8-sig", None, b"\xef\xbb\xbfa", "a"),
        ("utf-8", None, b"\xff\xfea\0\xe9\0", "aé"),
        ("utf-8", None, b"\xff\xfe\0\0a\0\0\0", "a"),
        ("UTF-16", None, b"a\0\x3d\xd8\x00\xde", "a\u{1f600}"),
        ("utf_16_be", None, b"\xfe\xff\0a", "a"),
        ("utf-32", None, b"\0\0\xfe\xff\0\0\0a\0\x01\xf6\0", "a\u{1f600}"),
        ("utf-32-le", None, b"\xff\xfe\0\0a\0\0\0", "a"),
        ("utf-7", None, b"+/v8-a+AOk-b +2D3eAA", "aéb \u{1f600}"),
        ("latin-1", None, b"\xef\xbb\xbf", "ï»¿"),
        ("iso-8859-1", None, b"\xe9\x80", "é\u{80}"),
        ("windows-1252", None, b"\xe9\x80", "é€"),
        ("cp1251", None, b"\xc6", "Ж"),
        ("cp037", None, b"\xc1\xc2\x6b\xf1\x25", "AB,1\n"),
        ("utf-8", Some("latin-1"), b"a\xe9b", "aéb"),
        ("utf-8", Some("latin-1"), b"a\xc3\xa9b\xe9", "aébé"),
        ("utf-8", Some("latin-1"), b"a\xc3\xa9", "aé"),
        ("utf-8", Some("latin-1"), b"a\xc3", "aÃ"),
        ("utf-8", Some("utf-16-le"), b"a\0", "a"),
        ("utf-8", Some("cp037"), b"a", "a"),
        ("utf-8", Some("iso2022_jp"), b"a\x1b$B", "a\x1b$B"),
        ("utf-8", Some("shift_jis"), b"a\x93\xfa\x96\x7b", "a日本"),
        ("utf-8", None, b"", ""),
        ("gb18030", None, b"", ""),
        ("utf-8", None, b"\xc3", "\u{0}"),
    ] {
        let expected = if text == "\0" { b"\xc3".to_vec() } else { text.as_bytes().to_vec() };
        assert_eq!(read(encoding, otherwise, bytes), Ok(expected), "{encoding} {bytes:?}");
    }
}

/// What Python makes of a text with characters of each kind that an encoding has.
#[test]
fn long_texts_may_be_cut_anywhere() {
    for line in include_str!("samples.txt").lines() {
        let mut parts = line.splitn(3, ' ');
        let (name, hex, text) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
        let bytes: Vec<u8> =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        let expected = text.replace("\\n", "\n").replace("\\e", "\x1b");
        assert_eq!(read(name, None, &bytes).map(|text| String::from_utf8(text).unwrap()), Ok(expected), "{name}");
        // In two pieces, wherever they meet.
        let encoding = Encoding::named(name).unwrap();
        for at in 0..bytes.len() {
            let Some(mut converter) = encoding.0.converter() else { continue };
            let (mut out, mut whole) = (Vec::new(), Vec::new());
            let done = converter.convert(&bytes[..at], false, &mut out).unwrap();
            assert_eq!(converter.convert(&bytes[done..], true, &mut out), Ok(bytes.len() - done), "{name} {at}");
            encoding.0.converter().unwrap().convert(&bytes, true, &mut whole).unwrap();
            assert_eq!(out, whole, "{name} {at}");
        }
    }
}

#[test]
fn an_invalid_byte_is_reported_with_its_place() {
    for (encoding, bytes, at) in [
        ("ascii", &b"ab\xe9"[..], 2),
        ("cp1252", b"a\x81", 1),
        ("utf-16-le", b"a\0\x00\xdc", 2),
        ("utf-16-le", b"a\0b", 2),
        ("utf-16-le", b"a\0\x3d\xd8", 2),
        ("utf-32-le", b"a\0\0\0\0\xd8\0\0", 4),
        ("utf-32-be", b"\0\0\0a\0\0", 4),
        ("utf-7", b"a+AOkA", 6),
        ("utf-7", b"a\xe9", 1),
        ("utf-7", b"a+!", 1),
        ("utf-7", b"+2D0-", 4),
        ("shift_jis", b"a\x93", 1),
        ("shift_jis", b"a\x81\x20", 1),
        ("euc_jp", b"\x8f\xa1\xa1", 0),
        ("gb18030", b"a\x81\x30\x81", 1),
        ("gb18030", b"a\xff", 1),
        ("gb18030", b"\xe3\x32\x9a\x36", 0),
        ("euc_kr", b"\xa4\xd4\xa4\xa1\xa4\xbf\xa4", 0),
        ("iso2022_jp", b"a\x1b$Z", 1),
        ("iso2022_jp", b"a\x1b$B!", 4),
        ("iso2022_kr", b"\x1b$)C\x0e\x7f\x7f", 5),
        ("hz", b"~{VP~", 4),
        ("hz", b"~x", 0),
        ("unicode_escape", b"a\\x4", 1),
        ("unicode_escape", b"a\\", 1),
        ("unicode_escape", b"\\U00110000", 0),
    ] {
        let problem = read(encoding, None, bytes).unwrap_err();
        assert!(problem.contains(&format!("byte {at} is not a character")), "{encoding} {problem}");
    }
}

#[test]
fn every_name_of_python_is_known() {
    let mut encodings = 0;
    for line in include_str!("names.txt").lines() {
        let mut names = line.split(' ').map(|name| (name, Encoding::named(name)));
        let (_, encoding) = names.next().unwrap();
        assert!(encoding.is_some(), "{line}");
        for (name, other) in names {
            assert_eq!(other, encoding, "{name}");
            assert_eq!(Encoding::named(&name.to_uppercase().replace('_', "-")), encoding, "{name}");
        }
        encodings += 1;
    }
    assert_eq!(encodings, 108);
    for name in ["rot13", "base64_codec", "hex", "zlib", "bz2", "uu", "idna", "punycode", "undefined", "", "-", "utf-9"]
    {
        assert_eq!(Encoding::named(name), None, "{name}");
    }
    for text in [BYTES, PAIRS] {
        let mut names: Vec<&str> = text.split_ascii_whitespace().filter(|name| *name != "-").collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "a name has one encoding");
    }
}

#[test]
fn the_numbers_of_tables_are_those_of_their_names() {
    assert_eq!(BYTES.lines().count(), tables::BYTES);
    assert!(BYTES.starts_with("ascii ") && PAIRS.lines().count() == 21);
    for (name, number) in [
        ("euc_jp", tables::EUC_JP),
        ("euc_jis_2004", tables::EUC_JIS_2004),
        ("euc_jisx0213", tables::EUC_JISX0213),
        ("gb2312", tables::GB2312),
        ("gb18030", tables::GB18030),
        ("euc_kr", tables::EUC_KR),
    ] {
        assert_eq!(Encoding::named(name), Some(Encoding(Kind::Pairs(number))), "{name}");
    }
}

/// What each sequence of bytes becomes: for encodings of tables all of one and two bytes.
#[test]
fn every_sequence_of_bytes_is_what_python_makes_of_it() {
    for line in include_str!("digests.txt").lines() {
        let (name, digest) = line.split_once(' ').unwrap();
        let Some(encoding) = Encoding::named(name).filter(|encoding| *encoding != Encoding::default()) else {
            continue;
        };
        let mut hash = Sha256::new();
        let mut out = Vec::new();
        for_each_sequence(name, &mut |sequence| {
            out.clear();
            let is_text = encoding.0.converter().unwrap().convert(sequence, true, &mut out).is_ok();
            hash.update(if is_text { &out[..] } else { b"?" });
            hash.update(b"\n");
        });
        let found = hash.finalize();
        let expected = (0..8).map(|at| u8::from_str_radix(&digest[at * 2..at * 2 + 2], 16).unwrap());
        assert!(expected.eq(found[..8].iter().copied()), "{name}");
    }
}

fn for_each_sequence(name: &str, take: &mut dyn FnMut(&[u8])) {
    (0..=255).for_each(|byte| take(&[byte]));
    if PAIRS.lines().any(|names| names.split(' ').next() == Some(&name.replace('_', ""))) {
        (0x8000..=0xffff_u16).for_each(|pair| take(&pair.to_be_bytes()));
    }
    if name.starts_with("euc_j") {
        (0x8000..=0xffff_u16).for_each(|pair| take(&[&[0x8f][..], &pair.to_be_bytes()].concat()));
    }
    if name == "gb18030" {
        for number in (0..126 * 10 * 126 * 10).step_by(7) {
            let parts =
                [number / 12600 + 0x81, number / 1260 % 10 + 0x30, number / 10 % 126 + 0x81, number % 10 + 0x30];
            take(&parts.map(|part| u8::try_from(part).unwrap()));
        }
    }
    let escapes: &[&str] = match name {
        "hz" => &["~{"],
        _ if name.starts_with("iso2022") => &["$@", "$A", "$B", "$C", "$D", "$O", "$P", "$Q", "$(D", "(B", "(I", "(J"],
        _ => &[],
    };
    for escape in escapes {
        let start = if name == "hz" { (*escape).to_owned() } else { format!("\x1b{escape}") };
        for (first, second) in (0x20..0x80).flat_map(|first| (0x20..0x80).map(move |second| (first, second))) {
            take(&[start.as_bytes(), &[first, second]].concat());
        }
    }
}
