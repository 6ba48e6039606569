//! `FileUploader`: downloads the file of a record, such as an attachment.

use super::async_jobs::TARGET;
use super::extractor::{Extracted, Extractor};
use super::manifest::{Map, Node, Value};
use super::part::{Builder, Part};
use super::placed::Text;
use super::template::{Json, Variable};
use crate::protocol::Failure;
use crate::streams::{FetchContext, HttpStream, Record, RecordFile, RequestContext, Slice};

/// Downloads the file of each record.
pub(super) struct FileUploader {
    /// A stream with only its requester.
    stream: Box<dyn HttpStream>,
    target: Extractor,
    name: Option<Text>,
    place: String,
}

impl FileUploader {
    /// The uploader that a part describes. `stream` builds a stream of a retriever.
    pub(super) fn build(
        builder: &Builder<'_>,
        part: &Part<'_>,
        stream: &mut dyn FnMut(&Part<'_>) -> Option<Box<dyn HttpStream>>,
    ) -> Option<Self> {
        let node = retriever_of(part)?;
        let own = stream(&part.of_node(&node));
        let target = Extractor::build(builder, &part.field("download_target_extractor")?);
        let name = match part.present("filename_extractor") {
            Some(name) => Some(builder.text(&name, &["record"])?),
            None => None,
        };
        Some(Self { stream: own?, target: target?, name, place: builder.place(part) })
    }

    /// The file of a record. None if the response is ignored.
    ///
    /// # Errors
    /// If the record names no file, or it cannot be downloaded.
    pub(super) fn file(
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
        let slice: Slice = cx.slice.clone().with_extra(extra);
        let cx = RequestContext::new(cx.state, &slice, None);
        let request = self.stream.request(&cx)?;
        let response = fetch.fetcher.send(&*self.stream, &request)?;
        let response = response.filter(|response| response.status.as_u16() < 400);
        Ok(response.map(|response| RecordFile { name, body: response.body }))
    }
}

/// A retriever with the requester of an uploader, as the only member of a stream.
fn retriever_of(part: &Part<'_>) -> Option<Node> {
    let mark = part.node.mark();
    let map = |members: Vec<(&str, Node)>| {
        let members = members.into_iter().map(|(name, value)| (Node::text(name, mark), value));
        Node::new(Value::Map(Map::new(members.collect())), mark)
    };
    let kind = |name: &str| ("type", Node::text(name, mark));
    let path = Node::new(Value::List(Vec::new()), mark);
    let extractor = map(vec![kind("DpathExtractor"), ("field_path", path)]);
    let selector = map(vec![kind("RecordSelector"), ("extractor", extractor)]);
    let requester = part.field("requester")?.node.clone();
    let retriever = map(vec![kind("SimpleRetriever"), ("requester", requester), ("record_selector", selector)]);
    Some(map(vec![("retriever", retriever)]))
}
