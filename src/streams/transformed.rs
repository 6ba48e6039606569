//! The result of a record: most are written as one, some not at all, a few as several.

use super::Record;

/// The result of [`super::HttpStream::transform`]. A record, an `Option` and a `Vec` of records convert into it:
///
/// ```
/// use source_http::streams::{Record, Transformed};
///
/// let order = Record::from_text(r#"{"id":1,"lines":[{"n":1},{"n":2}]}"#);
/// let lines: Vec<Record> = ["{\"n\":1}", "{\"n\":2}"].into_iter().map(Record::from_text).collect();
/// assert_eq!(Transformed::from(order).into_iter().count(), 1);
/// assert_eq!(Transformed::from(lines).into_iter().count(), 2);
/// assert_eq!(Transformed::from(None).into_iter().count(), 0);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Transformed<'a> {
    /// It is dropped.
    Nothing,
    /// It is written as this.
    One(Record<'a>),
    /// These replace it, in this order.
    Several(Vec<Record<'a>>),
}

impl<'a> Transformed<'a> {
    /// Only those records for which this is true.
    #[must_use]
    pub fn filter(self, mut keeps: impl FnMut(&Record<'a>) -> bool) -> Self {
        match self {
            Self::One(record) if !keeps(&record) => Self::Nothing,
            Self::Several(mut records) => {
                records.retain(|record| keeps(record));
                Self::Several(records)
            }
            other => other,
        }
    }
}

impl<'a> From<Record<'a>> for Transformed<'a> {
    fn from(record: Record<'a>) -> Self {
        Self::One(record)
    }
}

impl<'a> From<Option<Record<'a>>> for Transformed<'a> {
    fn from(record: Option<Record<'a>>) -> Self {
        record.map_or(Self::Nothing, Self::One)
    }
}

impl<'a> From<Vec<Record<'a>>> for Transformed<'a> {
    fn from(records: Vec<Record<'a>>) -> Self {
        Self::Several(records)
    }
}

impl<'a> IntoIterator for Transformed<'a> {
    type Item = Record<'a>;
    type IntoIter = IntoIter<'a>;

    fn into_iter(self) -> IntoIter<'a> {
        let (one, several) = match self {
            Self::Nothing => (None, Vec::new()),
            Self::One(record) => (Some(record), Vec::new()),
            Self::Several(records) => (None, records),
        };
        IntoIter { one, several: several.into_iter() }
    }
}

/// The records that a record has become.
#[derive(Debug)]
pub struct IntoIter<'a> {
    one: Option<Record<'a>>,
    several: std::vec::IntoIter<Record<'a>>,
}

impl<'a> Iterator for IntoIter<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        self.one.take().or_else(|| self.several.next())
    }
}
