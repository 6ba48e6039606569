//! Records rendered in advance, reused with other ids.

use std::ops::Range;

use source_http_testkit::{Reply, json_text};
use stripe_mock::StripeMock;

/// How many records are rendered: enough that no two consecutive pages are equal.
const RECORDS: u64 = 1_000;
/// The most records of a list before its ids would be those of the next one.
const LIST: u64 = 100_000_000;

/// Records of one kind in one style, with the separators of a list.
pub(crate) struct Reel {
    text: Vec<u8>,
    between: &'static str,
    records: Vec<Record>,
}

/// Where a record is in the text, and where in the text are the digits of its id.
struct Record {
    span: Range<usize>,
    digits: Vec<Range<usize>>,
}

impl Reel {
    /// Records of that kind: objects of the mock Stripe.
    pub(crate) fn new(kind: &str, pretty: bool) -> Self {
        let mock = StripeMock::builder().count(kind, RECORDS).start();
        let between = if pretty { ",\n    " } else { "," };
        let (mut text, mut records) = (String::new(), Vec::new());
        for (object, id) in mock.objects(kind).iter().zip(mock.ids(kind)) {
            if !text.is_empty() {
                text.push_str(between);
            }
            let start = text.len();
            match pretty {
                true => text.push_str(&json_text::pretty(object, 2)),
                false => text.push_str(object),
            }
            let of_id = id.trim_end_matches(|letter: char| letter.is_ascii_digit()).len()..id.len();
            let found = text[start..].match_indices(&*id);
            let digits = found.map(|(at, _)| start + at + of_id.start..start + at + of_id.end).collect();
            records.push(Record { span: start..text.len(), digits });
        }
        Self { text: text.into_bytes(), between, records }
    }

    /// A page of these records of a list, between `open` and `close`.
    pub(crate) fn page(&self, open: &str, list: u64, numbers: Range<u64>, close: &str) -> Reply {
        let count = numbers.end.saturating_sub(numbers.start);
        let length = usize::try_from(self.length(count)).unwrap_or_default();
        let mut body = Vec::with_capacity(open.len() + length + close.len() + self.text.len() / self.records.len());
        body.extend_from_slice(open.as_bytes());
        self.append(&mut body, list, numbers, false);
        body.extend_from_slice(close.as_bytes());
        Reply::shared("application/json", body)
    }

    /// Appends these records of a list. `goes_on` means that there is one before them.
    pub(crate) fn append(&self, out: &mut Vec<u8>, list: u64, mut numbers: Range<u64>, mut goes_on: bool) {
        while numbers.start < numbers.end {
            if goes_on {
                out.extend_from_slice(self.between.as_bytes());
            }
            goes_on = true;
            let first = self.place(numbers.start);
            let run = usize::try_from(numbers.end - numbers.start).unwrap_or(usize::MAX);
            let records = &self.records[first..self.records.len().min(first.saturating_add(run))];
            let (Some(head), Some(tail)) = (records.first(), records.last()) else { return };
            let base = out.len();
            out.extend_from_slice(&self.text[head.span.start..tail.span.end]);
            for record in records {
                for digits in &record.digits {
                    let place = base + digits.start - head.span.start;
                    write_number(&mut out[place..place + digits.len()], list * LIST + numbers.start);
                }
                numbers.start += 1;
            }
        }
    }

    /// The bytes of the first N records of a list, with separators.
    pub(crate) fn length(&self, count: u64) -> u64 {
        let between = self.between.len() as u64;
        let upto = |record: usize| self.records[record].span.start as u64;
        let rounds = count / self.records.len() as u64;
        let whole = rounds * (self.text.len() as u64 + between);
        (whole + upto(self.place(count))).saturating_sub(between)
    }

    fn place(&self, number: u64) -> usize {
        usize::try_from(number % self.records.len() as u64).unwrap_or_default()
    }
}

/// Writes a number over digits, its last ones that fit.
fn write_number(digits: &mut [u8], mut number: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
}
