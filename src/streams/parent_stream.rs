//! Sub-streams: the slices are another stream's records.

mod slices;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, LazyLock, Mutex};

use serde_json::{Map, Value};

pub(super) use self::slices::ParentSlices;
use super::{CHANGED, FetchContext, Fetcher, HttpStream, Page, Record, RequestContext, Slice, SliceContext, Slices};
use crate::protocol::{Failure, KeptState, LogLevel, Output, StreamState, SyncMode};

/// The parent of a sub-stream: any stream, and the fields of its records that a child needs.
///
/// The parent is read for the child alone, page by page as its children are read, whether or not it is in the catalog,
/// and independently of the parent's own read and state. With [`HttpStream::use_cache`], its pages are fetched once for
/// all. If it cannot be read, its children are skipped; if one slice of it cannot
/// ([`crate::http::ResponseAction::SkipSlice`]), the children of that slice are.
///
/// ```
/// use std::sync::Arc;
///
/// use source_http::streams::{HttpStream, ParentStream, RequestContext};
/// # struct Employees;
/// # impl HttpStream for Employees {
/// #     fn name(&self) -> &str { "employees" }
/// #     fn url_base(&self) -> &str { "https://api.example.com/v1/" }
/// #     fn path(&self, _: &RequestContext<'_>) -> String { "employees".into() }
/// # }
///
/// struct EmployeeDetails {
///     employees: ParentStream,
/// }
///
/// impl HttpStream for EmployeeDetails {
///     fn name(&self) -> &str {
///         "employee_details"
///     }
///     fn url_base(&self) -> &str {
///         "https://api.example.com/v1/"
///     }
///     fn path(&self, cx: &RequestContext<'_>) -> String {
///         format!("employees/{}/details", cx.path_segment("id"))
///     }
///     fn parents(&self) -> &[ParentStream] {
///         std::slice::from_ref(&self.employees)
///     }
/// }
///
/// let details = EmployeeDetails { employees: ParentStream::new(Arc::new(Employees), ["id"]) };
/// ```
pub struct ParentStream {
    stream: Arc<dyn HttpStream>,
    /// Makes the slices, if fields alone do not.
    maker: Option<Arc<dyn MakesSlice>>,
    /// In a slice: the parent's own slice.
    own_member: &'static str,
    /// Paths of the identifying fields of a record, and their names in the slice.
    fields: Vec<(Vec<String>, String)>,
    extra_fields: Vec<String>,
    skips_absent: bool,
    /// Its own state, if it is read from one.
    pub(super) kept: Option<Kept>,
}

/// The state of a parent in the child's state.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Whether a parent without a state begins at the child's own value.
    pub(super) takes_child_value: bool,
    /// The parent's current state, past the records whose slices were handed out.
    pub(super) state: Mutex<KeptState>,
    /// How often that has changed: comparing long states would be slow.
    pub(super) changes: AtomicU64,
}

/// Turns a parent's record into a slice, if the fields of [`ParentStream::new`] cannot: see [`ParentStream::made_by`].
pub trait MakesSlice: Send + Sync {
    /// The slice of a record, which was read in `own`. `None` for a record that makes no slice.
    ///
    /// # Errors
    /// If it cannot be determined. The read fails with it.
    fn slice_of(&self, record: &Record<'_>, own: &Slice) -> Result<Option<Slice>, Failure>;
}

impl ParentStream {
    /// A parent whose records become slices of these fields. The fields identify a parent in states, so they should be
    /// few and small, and every record must have them. Never the whole record: states would grow with it. If the parent
    /// is a sub-stream itself, its own slice is included under the name `parent`.
    pub fn new<F: Into<String>>(stream: Arc<dyn HttpStream>, fields: impl IntoIterator<Item = F>) -> Self {
        let fields = fields.into_iter().map(Into::into).map(|field: String| (vec![field.clone()], field)).collect();
        Self::of(stream, fields)
    }

    fn of(stream: Arc<dyn HttpStream>, fields: Vec<(Vec<String>, String)>) -> Self {
        Self {
            stream,
            maker: None,
            own_member: GRANDPARENT,
            fields,
            extra_fields: Vec::new(),
            skips_absent: false,
            kept: None,
        }
    }

    /// A parent whose records `maker` turns into slices. `field` is the member of a slice that identifies it, and
    /// `own_member` holds the parent's own slice.
    pub fn made_by(
        stream: Arc<dyn HttpStream>,
        maker: Arc<dyn MakesSlice>,
        field: &str,
        own_member: &'static str,
    ) -> Self {
        let maker = Some(maker);
        Self { maker, own_member, ..Self::keyed_at(stream, [""; 0], field) }
    }

    /// A parent with one identifying field, the parent key, which slices have under another name, the partition field:
    /// `id` as `customer_id`.
    pub fn keyed(stream: Arc<dyn HttpStream>, parent_key: &str, partition_field: &str) -> Self {
        Self::keyed_at(stream, [parent_key], partition_field)
    }

    /// As [`ParentStream::keyed`], with the path of a nested field.
    pub fn keyed_at<F: Into<String>>(
        stream: Arc<dyn HttpStream>,
        path: impl IntoIterator<Item = F>,
        partition_field: &str,
    ) -> Self {
        let path = path.into_iter().map(Into::into).collect();
        Self::of(stream, vec![(path, partition_field.to_owned())])
    }

    /// A record whose identifying field is missing or null makes no slice. Default: the read fails, because the
    /// children of such a record would be lost.
    #[must_use]
    pub fn skips_absent(mut self) -> Self {
        self.skips_absent = true;
        self
    }

    /// Adds further fields of the parent's record to the slice as extra fields, if they exist and are not null.
    /// Default: none.
    #[must_use]
    pub fn extra_fields<F: Into<String>>(mut self, fields: impl IntoIterator<Item = F>) -> Self {
        self.extra_fields = fields.into_iter().map(Into::into).collect();
        self
    }

    /// The parent itself.
    pub fn stream(&self) -> &dyn HttpStream {
        &*self.stream
    }

    /// The paths of the fields that identify a parent's record.
    pub(super) fn keys(&self) -> impl Iterator<Item = &[String]> {
        self.fields.iter().map(|(path, _)| path.as_slice())
    }

    /// Whether a slice is one of this parent's.
    fn makes(&self, slice: &Slice) -> bool {
        self.fields.iter().all(|(_, member)| slice.get(member).is_some())
    }

    /// One slice for each record of the parent, made as they are read.
    ///
    /// # Errors
    /// If the parent's own slices cannot be made. The iterator returns failures to read a page.
    pub fn slices<'a>(&'a self, cx: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        if let Some(kept) = &self.kept {
            return self.kept_slices(kept, cx);
        }
        let cx = SliceContext { sync_mode: SyncMode::FullRefresh, state: &NO_STATE, cursor_field: &[], ..*cx };
        let slices = self.stream.stream_slices(&cx)?;
        Ok(Box::new(ParentSlices::new(self, &*self.stream, slices, &cx)))
    }

    /// Whether two slices are of the same record of this parent, whatever their extra fields.
    pub(crate) fn is_same(&self, one: &Slice, other: &Slice) -> bool {
        let mut names = self.fields.iter().map(|(_, member)| member.as_str());
        names.all(|name| one.get(name).is_some_and(|value| other.get(name) == Some(value)))
            && one.get(self.own_member) == other.get(self.own_member)
    }

    /// Whether a member of a slice is an extra field.
    fn is_extra(&self, member: &str) -> bool {
        member == CHANGED || self.extra_fields.iter().any(|name| name == member)
    }

    /// Reduces the parent's own slice in one from a state to its partition. Version 0.1.0 stored all of it.
    fn sort_own(&self, slice: Slice) -> Slice {
        match slice.partition().get(self.own_member) {
            Some(Value::Object(own)) => {
                let own = sorted_for(self.stream(), Slice::from(own.clone())).partition().clone();
                slice.with_partition([(self.own_member, own)])
            }
            _ => slice,
        }
    }

    /// The slice of a parent's record. It includes the own slice of a parent that is itself a sub-stream, if given: its
    /// partition as `parent`, and its extra fields. `None` for a record without the identifying fields, if those are
    /// skipped.
    pub(super) fn slice_of(&self, record: &Record<'_>, own: Option<&Slice>) -> Result<Option<Slice>, Failure> {
        if let Some(maker) = &self.maker {
            return maker.slice_of(record, own.unwrap_or(&Slice::whole()));
        }
        let value = |path: &[String]| -> Option<Value> {
            serde_json::from_str::<Option<Value>>(record.field_at(path)?).ok().flatten()
        };
        if self.skips_absent && self.fields.iter().any(|(path, _)| value(path).is_none()) {
            return Ok(None);
        }
        let field = |(path, member): &(Vec<String>, String)| match value(path) {
            Some(value) => Ok((member.clone(), value)),
            None => Err(Failure::system(format!(
                "A record of {:?} has no {:?}, which the requests of its sub-streams need.",
                self.stream.name(),
                path.join(".")
            ))),
        };
        let extra = self.extra_fields.iter().filter_map(|name| Some((name.clone(), record.get::<Value>(name)?)));
        let slice = Slice::from(self.fields.iter().map(field).collect::<Result<Map<_, _>, _>>()?);
        let Some(own) = own.filter(|_| !self.stream.parents().is_empty()) else {
            return Ok(Some(slice.with_extra(extra)));
        };
        let slice = slice.with_partition([(self.own_member, own.partition().clone())]);
        Ok(Some(slice.with_extra(own.extra().clone()).with_extra(extra)))
    }
}

/// A slice from a state of this stream, with its members in their proper parts.
pub(crate) fn sorted_for(stream: &dyn HttpStream, slice: Slice) -> Slice {
    let (cursor, parents) = (stream.cursor(), stream.parents());
    let is_extra = |name: &str| parents.iter().any(|parent| parent.is_extra(name));
    let sorted = slice.sorted(|name| cursor.is_of_span(name), is_extra);
    match parents.iter().find(|parent| parent.makes(&sorted)) {
        Some(parent) => parent.sort_own(sorted),
        None => sorted,
    }
}

impl std::fmt::Debug for ParentStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParentStream")
            .field("stream", &self.stream.name())
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}

/// In a slice: the parent's own slice.
const GRANDPARENT: &str = "parent";
/// A parent is always read whole.
static NO_STATE: LazyLock<StreamState> = LazyLock::new(StreamState::new);

/// Reports that a parent's page token has expired, and the reaction.
pub(super) fn tell_of_way_back(
    output: &Output,
    parent: &dyn HttpStream,
    error: Option<&anyhow::Error>,
) -> anyhow::Result<()> {
    let why = error.map(|error| format!("{error} ")).unwrap_or_default();
    let text = format!(
        "{}: {why}The record before the next page is gone; the read continues from the page before.",
        parent.name()
    );
    Ok(output.log(LogLevel::Warn, &text)?)
}

/// A page of a parent, or the reason why there is none; `None` too for a page that the parent ignores.
pub(super) fn parent_page(
    stream: &dyn HttpStream,
    cx: &RequestContext<'_>,
    fetcher: &Fetcher<'_>,
    output: &Output,
) -> (Option<Page>, Option<anyhow::Error>) {
    let fetch = FetchContext { for_children: true, ..FetchContext::new(fetcher, output) };
    match stream.fetch_page(cx, &fetch) {
        Ok(page) => (page, None),
        Err(error) => (None, Some(error)),
    }
}

/// Reports that a parent's slice is refused, if it is the first; `before` counts earlier ones.
pub(super) fn tell_of_refusal(
    output: &Output,
    parent: &dyn HttpStream,
    failure: &Failure,
    before: u64,
) -> anyhow::Result<()> {
    if before > 0 {
        return Ok(());
    }
    let text = format!("{}: one slice is refused, and so are its children: {failure}", parent.name());
    Ok(output.log(LogLevel::Warn, &text)?)
}

#[cfg(test)]
mod tests;
