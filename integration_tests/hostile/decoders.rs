//! What must hold for any input of a decoder.

use std::io::{Seek, SeekFrom, Write};
use std::ops::ControlFlow;

use serde_json::Value;
use source_http::http::{Body, HeaderMap, Response, StatusCode};
use source_http::streams::decoders::{
    Csv, Decoder, Encoded, Encoding, Gzip, Items, Json, JsonItems, JsonLines, TextLines, Xml, Zip,
};
use source_http::streams::{Page, Records};

/// The body of a response. The first byte chooses the decoder.
pub fn decoders(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let encoding = |name| Encoding::named(name).expect("a known encoding");
    match kind % 18 {
        0 => check(&Csv::new(), bytes),
        1 => check(&Csv::new().delimiter(b'\t').encoding(encoding("cp1252")).nulls(["", "-"]), bytes),
        2 => check(&JsonLines::new(), bytes),
        3 => check(&JsonLines::new().skip_bad_lines(), bytes),
        4 => check(&Json, bytes),
        5 => check(&JsonItems::at(["data", "item", "rows"]), bytes),
        6 => check(&JsonItems::at(["data"]).encoding(encoding("utf-16")), bytes),
        7 => check(&TextLines::new("record"), bytes),
        8 => check(&Xml, bytes),
        9 => check(&Gzip::new(JsonLines::new()), bytes),
        10 => check(&Gzip::new(Gzip::new(Csv::new())), bytes),
        11 => check(&Zip::new(Csv::new()), bytes),
        12 => check(&Csv::new().delimiter('§').encoding(encoding("shift_jis_2004")), bytes),
        13 => check(&Csv::new().delimiter('€').encoding(encoding("iso2022_jp_2")), bytes),
        14 => check(&JsonItems::at(["data"]).encoding(encoding("gb18030")), bytes),
        15 => check(&Csv::new().encoding(encoding("utf-7")), bytes),
        16 => check(&Csv::new().encoding(encoding("unicode_escape")), bytes),
        _ => check(&Csv::new().delimiter('é'), bytes),
    }
}

fn check<D: Decoder + Clone + 'static>(decoder: &D, bytes: &[u8]) {
    let mut items = Vec::new();
    let mut take = |item: &str| {
        // Numbers of any size and texts with any escape are JSON, but not all of them are values here.
        serde_json::from_str::<&serde_json::value::RawValue>(item).expect("an item is JSON");
        items.push(item.to_owned());
        Ok(ControlFlow::Continue(()))
    };
    let result = decoder.decode(Encoded::of_bytes(bytes), &mut Items::new(&mut take));
    if result.is_err() {
        items.clear();
    }
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).and_then(|()| file.seek(SeekFrom::Start(0))).expect("written");
    let in_memory = records(decoder, Body::Memory(bytes.to_vec().into()));
    let on_disk = records(decoder, Body::Spooled { file, length: bytes.len() as u64 });
    assert_eq!(in_memory, on_disk, "memory and disk differ");
    if let Some(records) = in_memory {
        assert!(result.is_ok(), "records of a body that cannot be decoded");
        let objects = items.iter().all(|item| item.trim_start().starts_with('{'));
        assert!(!objects || records.len() == items.len(), "a record was lost");
    }
}

/// The records of a response, if it can be decoded.
fn records<D: Decoder + Clone + 'static>(decoder: &D, body: Body) -> Option<Vec<String>> {
    let request = "GET http://a.com".to_owned();
    let response = Response { request, status: StatusCode::OK, headers: HeaderMap::new(), body };
    let records = Records::decoded(&response, decoder.clone()).ok()?;
    let page = Page::new(response, records);
    let mut texts = Vec::new();
    let walked = page.for_each(&mut |record| {
        let mut line = Vec::new();
        record.write_one_line(&mut line);
        assert!(!line.contains(&b'\n'), "a record breaks its line");
        texts.push(String::from_utf8(line).expect("a record is text"));
        Ok(ControlFlow::Continue(()))
    });
    assert!(matches!(walked, Ok(ControlFlow::Continue(()))), "what was decoded cannot be decoded again: {walked:?}");
    assert_eq!(texts.len(), page.len(), "records were miscounted");
    assert_eq!(page.get::<Value>(&["a"]), None);
    Some(texts)
}
