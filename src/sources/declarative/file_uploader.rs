//! `FileUploader`: downloads the file of a record, such as an attachment.

use std::sync::Arc;

use super::async_jobs::{Answer, JobRequester, TARGET};
use super::extractor::{Extracted, Extractor};
use super::part::{Builder, Part, flat};
use super::placed::Text;
use super::request::Slice;
use super::template::{Json, Variable};
use crate::http::budget::RequestBudget;
use crate::protocol::Failure;
use crate::streams::{FetchContext, Record, RecordFile, RecordFiles, RequestContext};

/// Downloads the file of each record.
pub(super) struct FileUploader {
    requester: JobRequester,
    target: Extractor,
    name: Option<Text>,
    place: String,
}

impl FileUploader {
    /// The uploader that a part is. `extra` are the names of the slices' extra fields.
    pub(super) fn build(
        builder: &Builder<'_>,
        part: &Part<'_>,
        extra: &[&str],
        budget: Option<&Arc<RequestBudget>>,
    ) -> Option<Self> {
        let requester_part = part.field("requester")?;
        let requester = JobRequester::build(builder, &requester_part, &[extra, &[TARGET]].concat(), budget);
        let target = Extractor::build(builder, &part.field("download_target_extractor")?);
        let name = part.present("filename_extractor").map(|name| builder.text(&name, &["record"]));
        let (requester, name) = (requester?.with_cache(), flat(name)?);
        requester.tell_collisions(builder, &requester_part);
        Some(Self { requester, target: target?, name, place: builder.place(part) })
    }
}

impl RecordFiles for FileUploader {
    /// A record that names no file is a failure; a response that is ignored is no file.
    fn file(
        &self,
        record: &Record<'_>,
        cx: &RequestContext<'_>,
        fetch: &FetchContext<'_>,
    ) -> anyhow::Result<Option<RecordFile>> {
        let text = record.text();
        let mut found = Extracted::default();
        self.target.of_bodies(&[&text], &mut found)?;
        let target = found.items.first().and_then(|item| serde_json::from_str::<String>(item).ok());
        let Some(target) = target else {
            let text = format!(
                "{}: a record has no text at the path of the `download_target_extractor`, so its file is not known. Correct \
                 the path, or leave such records out with a `record_filter`.",
                self.place
            );
            return Err(Failure::system(text).into());
        };
        let name = match &self.name {
            Some(name) => Some(name.text(&[("record", Variable::Json(Json::Text(&text)))])?),
            None => None,
        };
        let extra = cx.slice.extra().clone().into_iter().chain([(TARGET.to_owned(), target.into())]);
        let slice = Slice::of(&cx.slice.clone().with_extra(extra));
        let response = self.requester.ask(&slice, fetch.fetcher)?.map(Answer::into_response);
        let response = response.filter(|response| response.status.as_u16() < 400);
        Ok(response.map(|response| RecordFile { name, body: response.body }))
    }
}
