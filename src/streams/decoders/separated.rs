//! CSV with a delimiter of several bytes: one byte stands for it, since the reader of CSV knows no others.

use std::io::{self, Read};

use memchr::memchr_iter;
use memchr::memmem::Finder;

use super::lines::read_more;

/// Another byte that is never in UTF-8.
const NO_TEXT: u8 = 0xfe;

/// A character that one byte stands for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    bytes: [u8; 4],
    length: usize,
}

impl Mark {
    /// The byte that stands for it, which is never in UTF-8.
    pub(super) const BYTE: u8 = 0xff;

    pub(super) fn of(char: char) -> Self {
        let mut bytes = [0; 4];
        char.encode_utf8(&mut bytes);
        Self { bytes, length: char.len_utf8() }
    }

    fn text(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Writes the character again where it is a part of a field, in the fields of a row.
    pub(super) fn unmark(&self, fields: &mut Vec<u8>, length: &mut usize, ends: &mut [usize]) {
        let marks: Vec<usize> = memchr_iter(Self::BYTE, &fields[..*length]).collect();
        if marks.is_empty() {
            return;
        }
        for end in ends {
            *end += marks.partition_point(|mark| mark < end) * (self.length - 1);
        }
        let mut whole = Vec::with_capacity(fields.len() + marks.len() * self.length);
        let mut start = 0;
        for mark in marks {
            whole.extend_from_slice(&fields[start..mark]);
            whole.extend_from_slice(self.text());
            start = mark + 1;
        }
        whole.extend_from_slice(&fields[start..*length]);
        *length = whole.len();
        whole.resize(whole.len().max(fields.len()), 0);
        *fields = whole;
    }
}

/// A text with the byte of a mark instead of its character.
pub(super) struct Separated<R> {
    reader: R,
    mark: Mark,
    finder: Finder<'static>,
    /// The text that was read. Its last character may be incomplete.
    input: Vec<u8>,
    output: Vec<u8>,
    at: usize,
    is_over: bool,
}

impl<R: Read> Separated<R> {
    pub(super) fn new(reader: R, mark: Mark) -> Self {
        let finder = Finder::new(mark.text()).into_owned();
        Self { reader, mark, finder, input: Vec::new(), output: Vec::new(), at: 0, is_over: false }
    }

    fn fill(&mut self) -> io::Result<()> {
        let kept = self.input.len();
        self.is_over = read_more(&mut self.reader, &mut self.input)? == 0;
        // In a text that is not UTF-8, the byte is no delimiter: it remains invalid.
        self.input[kept..].iter_mut().filter(|byte| **byte == Mark::BYTE).for_each(|byte| *byte = NO_TEXT);
        self.output.clear();
        self.at = 0;
        let mut start = 0;
        for place in self.finder.find_iter(&self.input) {
            self.output.extend_from_slice(&self.input[start..place]);
            self.output.push(Mark::BYTE);
            start = place + self.mark.length;
        }
        let mut end = self.input.len();
        if !self.is_over {
            // The beginning of the character may be at the end of the input.
            let begun = |length: &usize| self.input[start..].ends_with(&self.mark.bytes[..*length]);
            end -= (1..self.mark.length).rev().find(begun).unwrap_or_default();
        }
        self.output.extend_from_slice(&self.input[start..end]);
        self.input.drain(..end);
        Ok(())
    }
}

impl<R: Read> Read for Separated<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.output.len() && !self.is_over && !buffer.is_empty() {
            self.fill()?;
        }
        let rest = &self.output[self.at..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.at += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_becomes_a_byte_wherever_the_reads_end() {
        for (char, text, marked) in [
            ('§', "a§b§§c", &b"a\xffb\xff\xffc"[..]),
            ('€', "€1€", b"\xff1\xff"),
            ('\u{1f600}', "x\u{1f600}y\u{1f601}", b"x\xffy\xf0\x9f\x98\x81"),
            ('é', "aè", b"a\xc3\xa8"),
        ] {
            for at in 0..=text.len() {
                let (first, second) = text.as_bytes().split_at(at);
                let mut found = Vec::new();
                Separated::new(first.chain(second), Mark::of(char)).read_to_end(&mut found).unwrap();
                assert_eq!(found, marked, "{text} {at}");
            }
        }
        let mut found = Vec::new();
        Separated::new(&b"\xff\xc2"[..], Mark::of('§')).read_to_end(&mut found).unwrap();
        assert_eq!(found, b"\xfe\xc2", "what is not UTF-8 remains so");
    }

    #[test]
    fn fields_get_the_character_back() {
        let mut fields = b"a\xffb\xffc____".to_vec();
        let (mut length, mut ends) = (5, [2, 3, 4, 5]);
        Mark::of('€').unmark(&mut fields, &mut length, &mut ends);
        assert_eq!(&fields[..length], "a€b€c".as_bytes());
        assert_eq!(ends, [4, 5, 8, 9]);
    }
}
