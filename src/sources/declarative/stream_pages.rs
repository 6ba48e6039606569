//! Reads pages that need more than one request: in chunks of properties whose records are merged, again from the
//! slice's first page, or with a smaller page.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::ControlFlow;

use serde_json::Value;

use super::extractor::Extracted;
use super::query_properties::QueryProperties;
use super::repaging::{Refused, Spot};
use super::router::FIRST_PAGE;
use super::steps::{member, members};
use super::stream::{DeclarativeStream, Place};
use super::tree::Tree;
use super::windows::AskedWindow;
use crate::http::{Body, HeaderMap, HttpRequest, Response, StatusCode};
use crate::protocol::{Failure, LogLevel, Otherwise};
use crate::streams::{
    FetchContext, HttpStream, Page, Parts, Record, Records, RequestContext, Slice, for_each_record_of,
};

impl DeclarativeStream {
    /// The page at a place. It may turn out to be another place's page, which is noted in it.
    pub(super) fn page_at(&self, cx: &RequestContext<'_>, fetch: &FetchContext<'_>) -> anyhow::Result<Option<Page>> {
        let Some(repaging) = &self.repaging else { return self.one_page(cx, fetch) };
        let asked = Spot::of(cx.page_token);
        let (mut spot, mut refused) = (asked.clone(), Refused::default());
        loop {
            let token = spot.token();
            let slice = spot.slice(cx.slice);
            let window = AskedWindow::new(cx.slice, self.incremental.as_ref());
            let error = match self.one_page(&RequestContext::new(cx.state, &slice, token.as_ref()), fetch) {
                // Only the answer for this part of the window is ignored.
                Ok(None) => match spot.past() {
                    Some(next) => {
                        (spot, refused) = (next, Refused::default());
                        continue;
                    }
                    None => return Ok(None),
                },
                Ok(page) if spot == asked => return Ok(page),
                Ok(page) => return Ok(page.map(|page| page.with_note(token.unwrap_or_default()))),
                Err(error) => error,
            };
            let failure: Failure = error.downcast()?;
            match failure.otherwise {
                Some(Otherwise::FromStart) => {
                    spot = repaging
                        .restarted(&spot, &window)
                        .map_err(|end| Failure { message: format!("{} {}", failure.message, end.message), ..end })?;
                    let text =
                        format!("{}: {} The slice is read again from a first page on.", self.name, failure.message);
                    fetch.output.log(LogLevel::Info, &text)?;
                }
                Some(Otherwise::SmallerPage) => {
                    let text = format!("{}: {}", self.name, failure.message);
                    let (smaller, wait) = repaging.smaller(&spot, &mut refused, failure)?;
                    spot = smaller;
                    let size = spot.size.map(|size| format!(" with {size} records")).unwrap_or_default();
                    let text = format!("{text} The page is requested again{size} in {} s.", wait.as_secs_f64());
                    fetch.output.log(LogLevel::Info, &text)?;
                    fetch.fetcher.wait(wait)?;
                }
                Some(Otherwise::ShorterSpan) => {
                    spot = repaging.split(&spot, &failure, &window)?;
                    let text =
                        format!("{}: {} The window is split and requested in halves.", self.name, failure.message);
                    fetch.output.log(LogLevel::Info, &text)?;
                }
                None => return Err(failure.into()),
            }
        }
    }

    fn one_page(&self, cx: &RequestContext<'_>, fetch: &FetchContext<'_>) -> anyhow::Result<Option<Page>> {
        if let Some(Value::String(text)) = cx.slice.extra().get(FIRST_PAGE).filter(|_| cx.page_token.is_none()) {
            return self.page_of_parent(text, cx).map(Some);
        }
        let names = match &self.properties {
            None => None,
            Some(properties) => {
                let chunks = properties.chunks(fetch)?;
                match properties.key() {
                    Some(key) => return self.page_in_chunks(properties, &chunks, key, cx, fetch),
                    None => Some(chunks.concat()),
                }
            }
        };
        let fetches = self.selector.extractor.fetches();
        if names.is_none() && !fetches {
            return fetch.fetcher.page(self, cx);
        }
        let request = self.request_for(cx, names.as_deref())?;
        if !fetches {
            return fetch.fetcher.page_of(self, &request, cx, &mut |response| self.parse_response(response, cx));
        }
        let Some((response, items)) = self.items_for(&request, cx, fetch)? else { return Ok(None) };
        let found = items.len();
        let records = self.shaped_items(items, cx)?;
        Ok(Some(page_of(response, found, records)))
    }

    /// A page whose records are merged from several responses, each with some of the properties.
    fn page_in_chunks(
        &self,
        properties: &QueryProperties,
        chunks: &[Vec<String>],
        key: &[String],
        cx: &RequestContext<'_>,
        fetch: &FetchContext<'_>,
    ) -> anyhow::Result<Option<Page>> {
        // All of them, or none: a page without some properties is incomplete.
        let parts = fetch.fetcher.for_all(chunks, |fetcher, names| {
            self.items_for(&self.request_for(cx, Some(names))?, cx, &FetchContext { fetcher, ..*fetch })
        })?;
        let is_ignored = parts.iter().any(Option::is_none) && parts.iter().any(Option::is_some);
        if is_ignored {
            properties.warn("The response to a chunk of the properties is ignored, so records lack them.");
        }
        let mut response = None;
        let mut items = Vec::new();
        for (last, mut found) in parts.into_iter().flatten() {
            response = Some(last);
            items.append(&mut found);
        }
        let Some(response) = response else { return Ok(None) };
        let (found, records) = self.put_together(items, key, cx)?;
        Ok(Some(page_of(response, found, records)))
    }

    /// The first page, which is in the record of the parent.
    fn page_of_parent(&self, text: &str, cx: &RequestContext<'_>) -> anyhow::Result<Page> {
        let response = Response {
            request: "the parent's record".to_owned(),
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: Body::Memory(text.as_bytes().to_vec().into()),
        };
        let records = self.parse_response(&response, cx).map_err(|wrong| Failure::system(wrong.problem))?;
        Ok(Page::new(response, records))
    }

    /// A response and its items, before they become records.
    fn items_for(
        &self,
        request: &HttpRequest,
        cx: &RequestContext<'_>,
        fetch: &FetchContext<'_>,
    ) -> anyhow::Result<Option<(Response, Vec<String>)>> {
        let mut documents = Vec::new();
        let page = fetch.fetcher.page_of(self, request, cx, &mut |response| {
            if response.status.as_u16() < 400 {
                documents = self.documents(response)?;
            }
            Ok(Records::of_parts(Parts::default()))
        })?;
        let Some(page) = page else { return Ok(None) };
        let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
        let mut extracted = Extracted::default();
        let complete = &mut |place: &str, item: &str| self.whole_list(place, item, fetch);
        self.selector.extractor.of_bodies_with(&documents, &mut extracted, complete)?;
        extracted.warnings.into_iter().for_each(|warning| self.selector.warn(warning));
        let items = extracted.items.into_iter().map(Cow::into_owned).collect();
        Ok(Some((page.response, items)))
    }

    /// The complete list of an item that contains only its start.
    fn whole_list(&self, place: &str, item: &str, fetch: &FetchContext<'_>) -> Result<Option<Vec<String>>, Failure> {
        let Some(list) = self.lists.get(place) else { return Ok(None) };
        let parent: Value = serde_json::from_str(item).unwrap_or_default();
        let mut found = Vec::new();
        let slice = Slice::of_partition([("parent_record", parent)]);
        let read = for_each_record_of(list, &slice, fetch, &mut |_, record| {
            found.push(record.text().into_owned());
            Ok(ControlFlow::Continue(()))
        });
        let _ = read.map_err(|error| Failure::from_error(&error))?;
        Ok(Some(found))
    }

    /// The records that items become.
    fn shaped_items(&self, items: Vec<String>, cx: &RequestContext<'_>) -> Result<Vec<Record<'static>>, Failure> {
        let (types, place) = (self.types(), Place::of(self, cx));
        let mut records = Vec::with_capacity(items.len());
        for item in items {
            let Some(record) = self.selector.record(Cow::Owned(item))? else { continue };
            records.extend(self.shaped(record, place.seen(), types, cx)?);
        }
        Ok(records)
    }

    /// The records of a page, from the items of all its chunks. Filters and transformations see whole records, except a
    /// transformation that makes the key.
    fn put_together(
        &self,
        items: Vec<String>,
        key: &[String],
        cx: &RequestContext<'_>,
    ) -> Result<(usize, Vec<Record<'static>>), Failure> {
        if items.iter().any(|item| key_of(item, key).is_some()) {
            let whole = merged(items, key);
            let found = whole.len();
            return Ok((found, self.shaped_items(whole, cx)?));
        }
        let texts = self.shaped_items(items, cx)?.into_iter().map(|record| record.text().into_owned()).collect();
        let whole = merged(texts, key);
        Ok((whole.len(), whole.into_iter().map(Record::from_text).collect()))
    }
}

/// A page of records, made from this many items.
fn page_of(response: Response, found: usize, records: Vec<Record<'static>>) -> Page {
    let mut parts = Parts::of(found);
    for record in records {
        parts.push(&response.body, record);
    }
    Page::new(response, Records::of_parts(parts))
}

/// The identity of the record that an item is a part of: the values of its key, as JSON. `None` if one of them is
/// missing.
fn key_of(item: &str, key: &[String]) -> Option<Vec<String>> {
    if !item.trim_start().starts_with('{') {
        return None;
    }
    let value = |name: &String| match serde_json::from_str(member(item, name)?).ok()? {
        Value::Null | Value::Bool(false) => None,
        Value::String(text) if text.is_empty() => None,
        // With all digits.
        Value::Number(_) => Some(member(item, name)?.trim().to_owned()),
        value => Some(value.to_string()),
    };
    key.iter().map(value).collect()
}

/// Items without a key unchanged, then one for each key: objects in it are merged, otherwise the last value counts.
fn merged(items: Vec<String>, key: &[String]) -> Vec<String> {
    let (mut alone, mut order) = (Vec::new(), Vec::<Vec<String>>::new());
    let mut places: HashMap<Vec<String>, usize> = HashMap::new();
    for item in items {
        let Some(values) = key_of(&item, key) else {
            alone.push(item);
            continue;
        };
        let place = *places.entry(values).or_insert(order.len());
        match order.get_mut(place) {
            Some(parts) => parts.push(item),
            None => order.push(vec![item]),
        }
    }
    let whole = order.into_iter().map(|mut parts| {
        if parts.len() == 1 {
            return parts.pop().unwrap_or_default();
        }
        let mut whole = Tree::of("{}");
        for part in &parts {
            merge(&mut whole, part);
        }
        whole.to_text()
    });
    alone.into_iter().chain(whole).collect()
}

fn merge<'t>(whole: &mut Tree<'t>, part: &'t str) {
    let Some(known) = whole.members() else { return };
    for (name, value) in members(part) {
        match known.get_mut(&name) {
            Some(before) if before.is_object() && value.trim_start().starts_with('{') => merge(before, value),
            _ => drop(known.insert(name, Tree::of(value))),
        }
    }
}
