//! A slice: the part of a stream that one chain of requests reads. It has three parts, because only one of them
//! identifies it. A state keyed by the other two, too, would lose the slice when its window or a field of its parent
//! changes.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// A marker's member: how far the slices before it have come.
pub(crate) const PROGRESS: &str = "parent_progress";
/// An extra field of a slice: when the parent changed, in seconds since the epoch.
pub(crate) const CHANGED: &str = "__changed";
/// In a state, the extra fields of a slice, beside the members of its other parts.
const EXTRA: &str = "__extra";
/// The most members of a part that are compared one by one.
const FEW: usize = 8;

/// A part of a stream that one chain of requests reads: a time window, a parent's record, a region. Made by
/// [`super::Cursor::stream_slices`] or [`super::HttpStream::stream_slices`]. States may store it, so it should be
/// small.
///
/// | part | meaning | example |
/// | --- | --- | --- |
/// | partition | identifies the slice, the same in each read. A slice's state is keyed by it alone. | a region, a
/// parent's id |
/// | span | the part of the cursor's values to read | the first and last day of a week |
/// | extra fields | other values for requests and records | the currency of a parent |
///
/// ```
/// use serde_json::json;
/// use source_http::streams::Slice;
///
/// let slice = Slice::of_partition([("customer", "cus_1")])
///     .with_span([("from", "2026-11-01"), ("to", "2026-11-07")])
///     .with_extra([("currency", "eur")]);
/// assert_eq!(slice.get("to"), Some(&json!("2026-11-07")));
/// assert_eq!(slice.partition().len(), 1);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Slice {
    partition: Map<String, Value>,
    span: Map<String, Value>,
    extra: Map<String, Value>,
}

impl Slice {
    /// The whole stream: no part has any member.
    #[must_use]
    pub fn whole() -> Self {
        Self::default()
    }

    /// A slice identified by these members.
    #[must_use]
    pub fn of_partition<N: Into<String>, V: Into<Value>>(members: impl IntoIterator<Item = (N, V)>) -> Self {
        Self::whole().with_partition(members)
    }

    /// A span of the cursor's values, of no partition.
    #[must_use]
    pub fn of_span<N: Into<String>, V: Into<Value>>(members: impl IntoIterator<Item = (N, V)>) -> Self {
        Self::whole().with_span(members)
    }

    /// A marker: it needs no request, and only says how far the slices before it have come.
    /// [`super::Cursor::get_updated_state`] gets it once all of those were read to their ends, with their newest cursor
    /// value since the last marker. For streams whose slices come from something with a state, such as a parent that is
    /// read incrementally: see [`super::ParentStream::slices_from`].
    #[must_use]
    pub fn marker(progress: Map<String, Value>) -> Self {
        Self::of_span([(PROGRESS, progress)])
    }

    /// The same slice with these members added to its partition.
    #[must_use]
    pub fn with_partition<N: Into<String>, V: Into<Value>>(
        mut self,
        members: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.partition.extend(members.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// The same slice with these members added to its span.
    #[must_use]
    pub fn with_span<N: Into<String>, V: Into<Value>>(mut self, members: impl IntoIterator<Item = (N, V)>) -> Self {
        self.span.extend(members.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// The same slice with these extra fields added.
    #[must_use]
    pub fn with_extra<N: Into<String>, V: Into<Value>>(mut self, members: impl IntoIterator<Item = (N, V)>) -> Self {
        self.extra.extend(members.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// The slice without an extra field.
    #[must_use]
    pub(crate) fn without_extra(mut self, name: &str) -> Self {
        self.extra.remove(name);
        self
    }

    /// A member, from the partition, otherwise from the span, otherwise from the extra fields.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        member(&self.partition, name).or_else(|| member(&self.span, name)).or_else(|| member(&self.extra, name))
    }

    /// All members: those of the partition, of the span and the extra fields, in this order.
    pub fn members(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.partition.iter().chain(&self.span).chain(&self.extra)
    }

    /// The identifying part; empty if the stream has no partitions.
    #[must_use]
    pub fn partition(&self) -> &Map<String, Value> {
        &self.partition
    }

    /// The span of the cursor's values; empty if all of them are requested.
    #[must_use]
    pub fn span(&self) -> &Map<String, Value> {
        &self.span
    }

    /// The extra fields.
    #[must_use]
    pub fn extra(&self) -> &Map<String, Value> {
        &self.extra
    }

    /// Whether it is the whole stream.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.partition.is_empty() && self.span.is_empty()
    }

    /// How far the slices before a marker have come; `None` if it is a slice to read.
    #[must_use]
    pub fn progress(&self) -> Option<&Map<String, Value>> {
        self.get(PROGRESS)?.as_object()
    }

    /// Whether it is a marker: see [`Slice::marker`].
    #[must_use]
    pub fn is_marker(&self) -> bool {
        self.progress().is_some()
    }

    /// Whether two slices have the same partition and span, whatever their extra fields.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.partition == other.partition && self.span == other.span
    }

    /// A slice from a state, with its members in their proper parts. A state stores partition and span in one object,
    /// and version 0.1.0 the extra fields, too.
    pub(super) fn sorted(self, is_of_span: impl Fn(&str) -> bool, is_extra: impl Fn(&str) -> bool) -> Self {
        let mut sorted = Self { partition: Map::new(), ..self };
        for (name, value) in self.partition {
            let part = if name == PROGRESS || is_of_span(&name) {
                &mut sorted.span
            } else if is_extra(&name) {
                &mut sorted.extra
            } else {
                &mut sorted.partition
            };
            part.insert(name, value);
        }
        sorted
    }
}

/// A member of a part. Streams look at their slice for each record, and comparing a few names takes less time than
/// hashing one.
fn member<'m>(part: &'m Map<String, Value>, name: &str) -> Option<&'m Value> {
    match part.len() <= FEW {
        true => part.iter().find(|(known, _)| *known == name).map(|(_, value)| value),
        false => part.get(name),
    }
}

impl From<Map<String, Value>> for Slice {
    /// A slice identified by these members.
    fn from(partition: Map<String, Value>) -> Self {
        Self { partition, ..Self::default() }
    }
}

impl Serialize for Slice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let extra = (!self.extra.is_empty()).then(|| (EXTRA, Value::Object(self.extra.clone())));
        let members = self.partition.iter().chain(&self.span).map(|(name, value)| (name.as_str(), value));
        serializer.collect_map(members.chain(extra.as_ref().map(|(name, value)| (*name, value))))
    }
}

/// All members from a state go into the partition, except the extra fields: see `sorted_for`.
impl<'de> Deserialize<'de> for Slice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut partition = Map::deserialize(deserializer)?;
        let extra = match partition.remove(EXTRA) {
            Some(Value::Object(extra)) => extra,
            _ => Map::new(),
        };
        Ok(Self { partition, extra, ..Self::default() })
    }
}
