//! Files of CSV rows, made while they are sent. One in gzip is a single stream of the same thousand rows, which are compressed
//! once: compression would take longer than what is measured.

use std::io;

use flate2::{Compress, Compression, Crc, FlushCompress};
use source_http_testkit::Reply;

const NAMES: &str = "id,amount,currency,description\n";
/// A stream of gzip without a name and a time.
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// The last block of a stream, without content.
const LAST: [u8; 2] = [3, 0];

fn row(number: u64) -> String {
    format!("{number:012},{:08},usd,\"{:<71}\"\n", number % 10_000, "A row, as files have them")
}

fn rows(from: u64, upto: u64) -> String {
    (from..upto).map(row).collect::<Vec<_>>().concat()
}

/// A file of this many rows of 100 bytes, of which a portion is made at a time, after a line of names.
pub(crate) fn plain(count: u64, portion: u64) -> Reply {
    let length = NAMES.len() as u64 + row(0).len() as u64 * count;
    Reply::streamed("text/csv", length, move |out| {
        out.write_all(NAMES.as_bytes())?;
        let portions = (0..count).step_by(usize::try_from(portion).unwrap_or(1));
        portions.into_iter().try_for_each(|from| out.write_all(rows(from, count.min(from + portion)).as_bytes()))
    })
}

/// A file of this many rows in gzip. Rows have the ids of the first portion, again and again.
pub(crate) fn gzipped(count: u64, portion: u64) -> io::Result<Reply> {
    let (times, rest) = (count / portion, count % portion);
    let blocks = [(NAMES.to_owned(), 1), (rows(0, portion), times), (rows(0, rest), 1)];
    let (mut sum, mut packed) = (Crc::new(), Vec::new());
    for (text, times) in blocks {
        let mut of_text = Crc::new();
        of_text.update(text.as_bytes());
        (0..times).for_each(|_| sum.combine(&of_text));
        packed.push((block(text.as_bytes())?, times));
    }
    let tail = [sum.sum().to_le_bytes(), sum.amount().to_le_bytes()].concat();
    let ends = (HEAD.len() + LAST.len() + tail.len()) as u64;
    let length = packed.iter().map(|(block, times)| block.len() as u64 * times).sum::<u64>() + ends;
    Ok(Reply::streamed("application/gzip", length, move |out| {
        out.write_all(&HEAD)?;
        for (block, times) in &packed {
            (0..*times).try_for_each(|_| out.write_all(block))?;
        }
        out.write_all(&LAST)?;
        out.write_all(&tail)
    }))
}

/// A text as blocks of a stream that need none of those before them.
fn block(text: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = Vec::with_capacity(text.len() + 1024);
    Compress::new(Compression::default(), false).compress_vec(text, &mut packed, FlushCompress::Full)?;
    Ok(packed)
}
