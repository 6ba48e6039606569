use std::io::Write;

use ::zip::write::{SimpleFileOptions, ZipWriter};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

/// The items of some bytes, and the warnings, or the problem.
fn decode(decoder: &dyn Decoder, bytes: &[u8]) -> Result<(Vec<String>, Vec<String>), Undecodable> {
    let mut found = Vec::new();
    let mut take = |item: &str| {
        assert!(serde_json::from_str::<serde_json::Value>(item).is_ok(), "{item}");
        found.push(item.to_owned());
        Ok(ControlFlow::Continue(()))
    };
    let mut items = Items::new(&mut take);
    let result = decoder.decode(Encoded::of_bytes(bytes), &mut items);
    let warnings = items.into_warnings();
    result.map(|_| (found, warnings)).map_err(undecodable)
}

#[track_caller]
fn items(decoder: &dyn Decoder, bytes: impl AsRef<[u8]>) -> Vec<String> {
    let (items, warnings) = decode(decoder, bytes.as_ref()).unwrap();
    assert_eq!(warnings, [""; 0]);
    items
}

#[track_caller]
fn problem(decoder: &dyn Decoder, bytes: impl AsRef<[u8]>) -> (String, bool) {
    let undecodable = decode(decoder, bytes.as_ref()).unwrap_err();
    (undecodable.problem, undecodable.retry)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(io::Cursor::new(Vec::new()));
    for (name, content) in files {
        if let Some(name) = name.strip_suffix('/') {
            archive.add_directory(name, SimpleFileOptions::default()).unwrap();
        } else {
            archive.start_file(*name, SimpleFileOptions::default()).unwrap();
            archive.write_all(content).unwrap();
        }
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn a_row_of_csv_is_an_object_of_texts() {
    let csv = Csv::new();
    for (text, rows) in [
        (
            "id,name,e\n1,\"a, b\",\n2,é,x\n",
            &[r#"{"id":"1","name":"a, b","e":""}"#, r#"{"id":"2","name":"é","e":"x"}"#][..],
        ),
        ("id,name\r\n1,a\r\n\r\n\r\n2,b", &[r#"{"id":"1","name":"a"}"#, r#"{"id":"2","name":"b"}"#]),
        ("a,b\n1\n", &[r#"{"a":"1","b":null}"#]),
        ("a,b\n1,2,3,4\n", &[r#"{"a":"1","b":"2","null":["3","4"]}"#]),
        ("id,x,id\n1,2,3\n4,5\n", &[r#"{"id":"3","x":"2"}"#, r#"{"id":null,"x":"5"}"#]),
        ("a\n\"x\r\ny\rz\"\n", &[r#"{"a":"x\ny\nz"}"#]),
        ("a\n\"say \"\"hi\"\"\"\n", &[r#"{"a":"say \"hi\""}"#]),
        ("a,b\nx\"y\",\"q\"z\n", &[r#"{"a":"x\"y\"","b":"qz"}"#]),
        ("a\n\"open\n", &[r#"{"a":"open\n"}"#]),
        ("a\n\0\n", &[r#"{"a":"\u0000"}"#]),
        ("\u{feff}a\n1\n", &[r#"{"a":"1"}"#]),
        ("\na\n1\n", &[r#"{"a":"1"}"#]),
        ("a,b\n", &[]),
        ("", &[]),
    ] {
        assert_eq!(items(&csv, text), rows, "{text:?}");
    }
    let options = Csv::new().delimiter(b'\t').encoding(Encoding::named("latin-1").unwrap()).nulls(["", "-"]);
    assert_eq!(
        items(&options, b"id\tname\n1\t\xe9\n2\t-\n3\t\n"),
        [r#"{"id":"1","name":"é"}"#, r#"{"id":"2","name":null}"#, r#"{"id":"3","name":null}"#]
    );
}

#[test]
fn a_delimiter_may_be_any_character() {
    let rows = [r#"{"id":"1","na§me":"a","e":"é€x"}"#, r#"{"id":"2","na§me":"","e":null}"#];
    for delimiter in ['§', '€', '\u{1f600}', '\u{a7}', 'é', '\u{1}'] {
        let csv = "id|\"na§me\"|e\n1|a|\"é€x\"\n2|\n".replace('|', &delimiter.to_string());
        let decoder = Csv::new().delimiter(delimiter);
        assert_eq!(items(&decoder, &csv), rows, "{delimiter}");
    }
    let sjis = Csv::new().delimiter('、').encoding(Encoding::named("shift_jis").unwrap());
    assert_eq!(items(&sjis, b"a\x81\x41b\n\x93\xfa\x81\x41\"\x81\x41\"\n"), [r#"{"a":"日","b":"、"}"#]);
    let (told, _) = problem(&Csv::new().delimiter('§'), b"a\xffb\n1\n");
    assert!(told.starts_with("row 1 is not UTF-8"), "{told}");
    // Rows of a length that no chunk has.
    let row = format!("{}§\"{}\"\n", "é".repeat(999), "x§".repeat(500));
    let long = format!("a§b\n{}", row.repeat(200));
    let found = items(&Csv::new().delimiter('§'), &long);
    let expected = format!(r#"{{"a":"{}","b":"{}"}}"#, "é".repeat(999), "x§".repeat(500));
    assert!(found.len() == 200 && found.iter().all(|row| *row == expected));
}

#[test]
fn unreadable_csv_is_reported_with_its_row() {
    let (told, retry) = problem(&Csv::new(), b"a\n1\n\xff\n");
    assert!(told.starts_with("row 3 is not UTF-8") && !retry, "{told}");
    let long = [b"a\n\"".to_vec(), vec![b'x'; MAX_ITEM + 1]].concat();
    let (told, retry) = problem(&Csv::new(), &long);
    assert!(told.starts_with("row 2 is longer than 32 MiB: a quotation mark may not be closed") && !retry, "{told}");
    let wide = [b"a\n".to_vec(), vec![b','; MAX_ITEM / 4]].concat();
    let (told, _) = problem(&Csv::new(), &wide);
    assert!(told.contains("row 2 has millions of columns"), "{told}");
}

#[test]
fn json_lines_are_handed_out_as_they_were_sent() {
    let lines = "{\"id\": 1.10}\r\n\n  [2]\n5\n\"\\ud800\"\n{\"last\":true}";
    let found = [r#"{"id": 1.10}"#, "[2]", "5", "\"\\ud800\"", r#"{"last":true}"#];
    let mut seen = Vec::new();
    let mut take = |item: &str| {
        seen.push(item.to_owned());
        Ok(ControlFlow::Continue(()))
    };
    let mut items = Items::new(&mut take);
    assert!(JsonLines::new().decode(Encoded::of_bytes(lines.as_bytes()), &mut items).unwrap().is_continue());
    assert_eq!(seen, found);
}

#[test]
fn a_line_that_is_not_json_fails_or_is_ignored_with_a_warning() {
    let (strict, lenient) = (JsonLines::new(), JsonLines::new().skip_bad_lines());
    assert_eq!(problem(&strict, "{}\nno\n{}\n"), ("line 2 is not JSON".to_owned(), false));
    let (found, warnings) = decode(&lenient, b"{}\nno\n{}\n").unwrap();
    assert_eq!((found.len(), warnings), (2, vec!["Line 2 of the response is not JSON. It is left out.".to_owned()]));
    let (_, warnings) = decode(&lenient, b"{}\nno\nno\n").unwrap();
    assert_eq!(warnings, ["2 lines of the response are not JSON, line 2 first. They are left out."]);
    for decoder in [&strict, &lenient] {
        assert_eq!(problem(decoder, "{}\n{\"a\":"), ("it ends within line 2, which is not JSON".to_owned(), true));
        let (found, warnings) = decode(decoder, b"{\"a\": NaN, \"b\": \"NaN\"}\n").unwrap();
        assert_eq!((found, warnings.len()), (vec![r#"{"a": null, "b": "NaN"}"#.to_owned()], 1));
        assert_eq!(problem(decoder, b"{}\n\xff\n").0, "line 2 is not UTF-8");
    }
    assert_eq!(problem(&lenient, "<html>\n</html>\n"), ("none of its lines is JSON".to_owned(), true));
}

#[test]
fn lines_of_text_are_objects_of_one_member() {
    let found = items(&TextLines::new("record"), "a\nb\r\n\nsay \"x\"");
    assert_eq!(found, [r#"{"record":"a"}"#, r#"{"record":"b"}"#, r#"{"record":""}"#, r#"{"record":"say \"x\""}"#]);
}

#[test]
fn json_and_the_items_in_it_are_found() {
    assert_eq!(items(&Json, "[{\"id\":1}, 2]"), ["{\"id\":1}", "2"]);
    assert_eq!(items(&Json, " {\"id\": 1.50}"), ["{\"id\": 1.50}"]);
    assert!(problem(&Json, "<html>").1 && problem(&Json, "").1);
    let rows = JsonItems::at(["data", "rows"]);
    assert_eq!(
        items(&rows, "{\"meta\":1,\"data\":{\"rows\":[{\"id\":1,\"d\":1.50},null]}}"),
        ["{\"id\":1,\"d\":1.50}", "null"]
    );
    assert!(problem(&rows, "{\"data\":{\"rows\":[{\"id\":1},{\"id\":").1, "it may have been cut");
    let latin = JsonItems::at(["r"]).encoding(Encoding::named("latin-1").unwrap());
    assert_eq!(items(&latin, b"{\"r\":[\"\xe9\"]}"), ["\"é\""]);
}

#[test]
fn xml_is_the_object_that_xmltodict_makes_of_it() {
    for (text, object) in [
        ("<r><i><id>1</id></i><next>n1</next></r>", r#"{"r":{"i":{"id":"1"},"next":"n1"}}"#),
        ("<r><i>1</i><i a='x'>2</i><i/></r>", r##"{"r":{"i":["1",{"@a":"x","#text":"2"},null]}}"##),
        ("<r/>", r#"{"r":null}"#),
        ("<r> \n </r>", r#"{"r":null}"#),
        ("<r x='1'/>", r#"{"r":{"@x":"1"}}"#),
        ("<r>a<b/>c</r>", r##"{"r":{"b":null,"#text":"ac"}}"##),
        ("<r>\n  a &lt; &#x41;&amp;  \n</r>", r#"{"r":"a < A&"}"#),
        ("<r><![CDATA[<a>]]> b</r>", r#"{"r":"<a> b"}"#),
        ("<n:r xmlns:n='u' n:a='1'><!-- no --><n:x>1</n:x></n:r>", r#"{"n:r":{"@xmlns:n":"u","@n:a":"1","n:x":"1"}}"#),
        (
            "<?xml version='1.0'?>\n<!DOCTYPE r>\n<r a='x\ny &quot;'>1</r>\n<!-- end -->",
            r##"{"r":{"@a":"x y \"","#text":"1"}}"##,
        ),
        ("<r>x\r\ny</r>", r#"{"r":"x\ny"}"#),
    ] {
        assert_eq!(items(&Xml, text), [object], "{text}");
    }
    assert_eq!(items(&Xml, b"<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><r>\xe9</r>"), [r#"{"r":"é"}"#]);
    assert_eq!(items(&Xml, "\u{feff}<r>é</r>"), [r#"{"r":"é"}"#]);
    assert_eq!(items(&Xml, " \n"), [""; 0]);
}

#[test]
fn invalid_or_excessive_xml_is_reported() {
    for (text, words) in [
        ("<r>", "its XML ends within the element `r`"),
        ("<r></x>", "not well-formed XML"),
        ("<r/><r/>", "more than one element at the top"),
        ("<r/>x", "text outside of all elements"),
        ("text", "text outside of all elements"),
        ("<r>&nope;</r>", "not well-formed XML"),
        ("<r a='1' a='2'/>", "not well-formed XML"),
        ("<!DOCTYPE r [<!ENTITY a \"b\"><!ENTITY c \"&a;&a;\">]><r>&c;</r>", "declares entities of its own"),
        ("<!-- nothing -->", "there is no element in it"),
    ] {
        let told = problem(&Xml, text).0;
        assert!(told.contains(words), "{text}: {told}");
    }
    let told = problem(&Xml, "<a>".repeat(100_000)).0;
    assert_eq!(told, "more than 256 elements of its XML are nested");
    assert_eq!(problem(&Xml, b"<r>\xff</r>").0, "it is not UTF-8 at byte 3");
}

#[test]
fn gzip_is_undone_and_other_bodies_are_passed_on() {
    let lines = Gzip::new(JsonLines::new());
    let packed = gzip(b"{\"id\":1}\n");
    assert_eq!(items(&lines, &packed), [r#"{"id":1}"#]);
    assert_eq!(items(&lines, "{\"id\":1}\n"), [r#"{"id":1}"#]);
    assert_eq!(items(&lines, ""), [""; 0]);
    assert_eq!(items(&Gzip::new(lines.clone()), gzip(&packed)), [r#"{"id":1}"#]);
    let two = [packed.clone(), gzip(b"{\"id\":2}\n"), vec![0; 100_000]].concat();
    assert_eq!(items(&lines, &two), [r#"{"id":1}"#, r#"{"id":2}"#], "members follow each other, then zeros");
    let rubbish = [packed.clone(), b"rubbish and more of it".to_vec()].concat();
    assert!(problem(&lines, &rubbish).0.contains("broken"));
    for end in [3, packed.len() / 2, packed.len() - 1] {
        let (told, retry) = problem(&lines, &packed[..end]);
        assert!(told.contains("ends too early") && retry, "{end}: {told}");
    }
    let mut garbled = packed;
    let last = garbled.len() - 5;
    garbled[last] ^= 1;
    assert!(problem(&lines, &garbled).1, "the checksum is verified");
}

#[test]
fn each_file_of_an_archive_is_decoded_in_its_order() {
    let zipped = archive(&[("b/", b""), ("b/b.csv", b"id\n1\n"), ("a.csv", b"id,x\n2,y\n")]);
    assert_eq!(items(&Zip::new(Csv::new()), &zipped), [r#"{"id":"1"}"#, r#"{"id":"2","x":"y"}"#]);
    let zipped = gzip(&archive(&[("a.json", b"[1]")]));
    assert_eq!(items(&Gzip::new(Zip::new(Json)), zipped), ["1"]);
    assert_eq!(items(&Zip::new(Json), archive(&[])), [""; 0]);
    let bad = archive(&[("a.json", b"{}"), ("b.json", b"oops")]);
    let (told, retry) = problem(&Zip::new(Json), bad);
    assert!(told.starts_with("the file `b.json` in the ZIP archive cannot be read: it is not valid JSON") && retry);
    let whole = archive(&[("a.csv", b"id\n1\n")]);
    for bytes in [&b"nope"[..], &whole[..whole.len() - 10], b""] {
        assert!(problem(&Zip::new(Csv::new()), bytes).0.contains("not a ZIP archive"));
    }
}

/// What Python writes: bzip2, and LZMA.
const BZIP2: &str = "504b03042e0000000c000000215c369eb5c73c0000001000000005000000612e637376425a6839314159265359f45e9a540000065\
    99400101004300014200040002008002000220d03208069a682315e692d480e5e2ee48a70a121e8bd34a8504b01022e032e0000000c000000215c\
    369eb5c73c00000010000000050000000000000000000000800100000000612e637376504b05060000000001000100330000005f0000000000";
const LZMA: &str = "504b03043f0002000e000000215c369eb5c7240000001000000005000000612e637376090405005d0000800000349901861e75a97b24\
    82d61e5cf6d2fc45c2e7a74dfffeffc800504b01023f033f0002000e000000215c369eb5c724000000100000000500000000000000000000008001\
    00000000612e637376504b0506000000000100010033000000470000000000";

fn unhexed(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn files_of_an_archive_may_be_packed_with_bzip2_and_lzma() {
    for hex in [BZIP2, LZMA] {
        let zipped = unhexed(hex);
        assert_eq!(items(&Zip::new(Csv::new()), &zipped), [r#"{"id":"1","x":"é"}"#, r#"{"id":"2","x":"b"}"#]);
        for at in 35..71 {
            let mut garbled = zipped.clone();
            garbled[at] ^= 0x55;
            // Some bits count for nothing, and a byte of its version neither; all else is noticed.
            match decode(&Zip::new(Csv::new()), &garbled) {
                Ok((rows, _)) => assert_eq!(rows[0], r#"{"id":"1","x":"é"}"#, "{at}"),
                Err(error) => assert!(error.problem.contains("in the ZIP archive"), "{at}: {error:?}"),
            }
        }
    }
    let mut greedy = unhexed(LZMA);
    greedy[40..44].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    assert_eq!(items(&Zip::new(Csv::new()), &greedy).len(), 2, "a file of 16 bytes needs no more, whatever it states");
    let sizes = greedy.windows(4).enumerate().filter(|(_, bytes)| *bytes == 16_u32.to_le_bytes());
    let sizes: Vec<usize> = sizes.map(|(at, _)| at).collect();
    for at in sizes {
        greedy[at..at + 4].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    }
    let (told, retry) = problem(&Zip::new(Csv::new()), &greedy);
    assert!(told.contains("file 1 in the ZIP archive") && told.contains("2047 MiB of memory") && !retry, "{told}");
    for (method, words) in [(9, "Deflate64: only stored files"), (93, "Zstd: only stored files")] {
        let mut other = unhexed(BZIP2);
        let places: Vec<usize> = [b"PK\x03\x04", b"PK\x01\x02"]
            .map(|start| other.windows(4).position(|bytes| bytes == start).unwrap())
            .to_vec();
        other[places[0] + 8] = method;
        other[places[1] + 10] = method;
        let (told, _) = problem(&Zip::new(Csv::new()), &other);
        assert!(told.contains(words), "{told}");
    }
}

#[test]
fn a_satisfied_receiver_is_given_no_more() {
    let zipped = archive(&[("a.csv", b"id\n1\n2\n"), ("b.csv", b"id\n3\n")]);
    let gzipped = gzip(b"{\"a\":1}\n{\"a\":2}\n");
    let decoders: [(&dyn Decoder, &[u8]); 5] = [
        (&Zip::new(Csv::new()), &zipped),
        (&Gzip::new(JsonLines::new()), &gzipped),
        (&TextLines::new("x"), b"1\n2\n"),
        (&JsonItems::at(["a"]), b"{\"a\":[1,2],\"b\":["),
        (&Json, b"[1,2"),
    ];
    for (decoder, bytes) in decoders {
        let mut count = 0;
        let mut take = |_: &str| {
            count += 1;
            Ok(ControlFlow::Break(()))
        };
        assert!(decoder.decode(Encoded::of_bytes(bytes), &mut Items::new(&mut take)).unwrap().is_break());
        assert_eq!(count, 1, "{decoder:?}");
        let mut fail = |_: &str| anyhow::bail!("no room");
        let error = decoder.decode(Encoded::of_bytes(bytes), &mut Items::new(&mut fail)).unwrap_err();
        assert_eq!(error.to_string(), "no room", "{decoder:?}");
    }
}
