//! CSV: one object a row, with the names in the first row. Rows are read like Python's `csv.DictReader`.

use std::io::Read;
use std::ops::ControlFlow;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::lines::unreadable;
use super::separated::{Mark, Separated};
use super::{Decoder, Decoding, Encoded, Encoding, Items, MAX_ITEM, wrong};
use crate::json;

/// Bytes that are read at a time.
const CHUNK: usize = 64 * 1024;

/// CSV whose first row has the names of the columns. All values are texts.
///
/// A short row has nulls at its end. Values beyond the last column become a list under the name `null`. The last of two
/// columns with one name counts. A line break within a value becomes a line feed. Empty lines are ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Csv {
    delimiter: char,
    encoding: Option<Encoding>,
    nulls: Vec<String>,
}

impl Default for Csv {
    fn default() -> Self {
        Self { delimiter: ',', encoding: None, nulls: Vec::new() }
    }
}

impl Csv {
    /// Columns separated by commas.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The separator between columns: any character but a quotation mark or a line break. Default: a comma.
    #[must_use]
    pub fn delimiter(self, delimiter: impl Into<char>) -> Self {
        Self { delimiter: delimiter.into(), ..self }
    }

    /// The encoding of the text. Default: UTF-8, or the response's.
    #[must_use]
    pub fn encoding(self, encoding: Encoding) -> Self {
        Self { encoding: Some(encoding), ..self }
    }

    /// Texts that mean null, such as `""` or `"NA"`. Default: none.
    #[must_use]
    pub fn nulls<S: Into<String>>(self, nulls: impl IntoIterator<Item = S>) -> Self {
        Self { nulls: nulls.into_iter().map(Into::into).collect(), ..self }
    }
}

impl Decoder for Csv {
    fn decode(&self, encoded: Encoded<'_>, items: &mut Items<'_>) -> Decoding {
        let text = encoded.text(self.encoding.as_ref())?;
        let (delimiter, mark, text): (u8, _, Box<dyn Read + '_>) = match u8::try_from(self.delimiter) {
            Ok(delimiter) if delimiter.is_ascii() => (delimiter, None, text),
            _ => {
                let mark = Mark::of(self.delimiter);
                (Mark::BYTE, Some(mark), Box::new(Separated::new(text, mark)))
            }
        };
        let mut rows = Rows {
            reader: ReaderBuilder::new().delimiter(delimiter).build(),
            mark,
            text,
            chunk: vec![0; CHUNK],
            filled: 0,
            at: 0,
            fields: vec![0; 4096],
            ends: vec![0; 64],
            number: 0,
        };
        let Some(names) = rows.next()? else { return Ok(ControlFlow::Continue(())) };
        if names.len() == 1 && names.get(0).is_some_and(is_markup) {
            return Err(wrong("it is XML or a web page, and no CSV").into());
        }
        let columns = Columns::of(&names);
        let mut item = Vec::new();
        while let Some(row) = rows.next()? {
            item.clear();
            columns.write(&row, &self.nulls, &mut item);
            if items.push(std::str::from_utf8(&item)?)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// Whether a line is no name of a column, but the beginning of XML or HTML: storages answer so instead of with an
/// error's status.
fn is_markup(line: &str) -> bool {
    let tag = line.trim_start_matches('\u{feff}').trim_start().strip_prefix('<');
    tag.is_some_and(|tag| tag.starts_with(|first: char| first.is_ascii_alphabetic() || "!?".contains(first)))
}

/// The rows of a text.
struct Rows<R> {
    reader: Reader,
    /// Stands for a delimiter of several bytes.
    mark: Option<Mark>,
    text: R,
    chunk: Vec<u8>,
    filled: usize,
    at: usize,
    /// The fields of a row, one after the other, and the end of each.
    fields: Vec<u8>,
    ends: Vec<usize>,
    number: u64,
}

/// One row.
struct Row<'r> {
    text: &'r str,
    ends: &'r [usize],
}

impl<'r> Row<'r> {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, column: usize) -> Option<&'r str> {
        let end = *self.ends.get(column)?;
        let start = column.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start..end)
    }
}

impl<R: Read> Rows<R> {
    fn next(&mut self) -> anyhow::Result<Option<Row<'_>>> {
        let (mut length, mut count) = (0, 0);
        self.number += 1;
        loop {
            if self.at == self.filled {
                self.filled = self.text.read(&mut self.chunk).map_err(|error| unreadable(error, self.number - 1))?;
                self.at = 0;
            }
            let input = &self.chunk[self.at..self.filled];
            let (result, read, written, ended) =
                self.reader.read_record(input, &mut self.fields[length..], &mut self.ends[count..]);
            self.at += read;
            length += written;
            count += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.fields.len() >= MAX_ITEM => {
                    let (number, most) = (self.number, MAX_ITEM / (1024 * 1024));
                    let hint = "a quotation mark may not be closed, or the delimiter is another one";
                    return Err(wrong(format!("row {number} is longer than {most} MiB: {hint}")).into());
                }
                ReadRecordResult::OutputFull => self.fields.resize(self.fields.len() * 2, 0),
                // Each of them needs at least one byte of the row.
                ReadRecordResult::OutputEndsFull if self.ends.len() >= MAX_ITEM / 8 => {
                    return Err(wrong(format!("row {} has millions of columns", self.number)).into());
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(None),
            }
        }
        if let Some(mark) = self.mark {
            mark.unmark(&mut self.fields, &mut length, &mut self.ends[..count]);
        }
        let text = std::str::from_utf8(&self.fields[..length]).map_err(|_| {
            let hint = "it may be compressed, or in another encoding, which can be set";
            wrong(format!("row {} is not UTF-8: {hint}", self.number))
        })?;
        Ok(Some(Row { text, ends: &self.ends[..count] }))
    }
}

/// The names of the columns, and the index of the value for each in a row.
struct Columns {
    /// Each name, as JSON with its colon, and the last column that has it.
    names: Vec<(Vec<u8>, usize)>,
    count: usize,
}

impl Columns {
    fn of(row: &Row<'_>) -> Self {
        let mut places = std::collections::HashMap::new();
        let mut names: Vec<(Vec<u8>, usize)> = Vec::new();
        for (column, name) in (0..row.len()).map(|column| (column, row.get(column).unwrap_or_default())) {
            let place = *places.entry(name).or_insert(names.len());
            if let Some((_, last)) = names.get_mut(place) {
                *last = column;
                continue;
            }
            let mut text = Vec::new();
            write_text(&mut text, name);
            text.push(b':');
            names.push((text, column));
        }
        Self { names, count: row.len() }
    }

    fn write(&self, row: &Row<'_>, nulls: &[String], out: &mut Vec<u8>) {
        out.push(b'{');
        for (n, (name, column)) in self.names.iter().enumerate() {
            if n > 0 {
                out.push(b',');
            }
            out.extend_from_slice(name);
            match row.get(*column).filter(|value| !nulls.iter().any(|null| null == value)) {
                Some(value) => write_text(out, value),
                None => out.extend_from_slice(b"null"),
            }
        }
        if row.len() > self.count {
            out.extend_from_slice(if self.names.is_empty() { b"\"null\":[" } else { b",\"null\":[" });
            for column in self.count..row.len() {
                if column > self.count {
                    out.push(b',');
                }
                write_text(out, row.get(column).unwrap_or_default());
            }
            out.push(b']');
        }
        out.push(b'}');
    }
}

/// A value as JSON. Its line breaks are line feeds.
fn write_text(out: &mut Vec<u8>, text: &str) {
    match text.contains('\r') {
        true => json::write_string(out, &text.replace("\r\n", "\n").replace('\r', "\n")),
        false => json::write_string(out, text),
    }
}
