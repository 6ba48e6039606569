use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::streams::{Cursor, CursorField};

struct Stream {
    cursor: CursorField,
    parent: Option<ParentStream>,
}

impl Stream {
    fn new(parent: Option<ParentStream>) -> Self {
        Self { cursor: CursorField::new("at").spans(&["from", "to"]), parent }
    }
}

impl HttpStream for Stream {
    fn name(&self) -> &'static str {
        "s"
    }
    fn url_base(&self) -> &'static str {
        "http://a.com"
    }
    fn path(&self, _: &RequestContext<'_>) -> String {
        "s".into()
    }
    fn cursor(&self) -> &dyn Cursor {
        &self.cursor
    }
    fn parent(&self) -> Option<&ParentStream> {
        self.parent.as_ref()
    }
}

fn child() -> Stream {
    let shops = ParentStream::new(Arc::new(Stream::new(None)), ["shop"]).extra_fields(["city"]);
    let customers = Arc::new(Stream::new(Some(shops)));
    Stream::new(Some(ParentStream::new(customers, ["id"]).extra_fields(["currency"])))
}

#[test]
fn a_slice_comes_back_from_a_state_with_its_members_in_their_parts() {
    let slice = Slice::of_partition([("id", json!(1)), ("parent", json!({"shop": 7}))])
        .with_span([("from", 3), ("to", 4)])
        .with_extra([("currency", "eur")]);
    let written = serde_json::to_value(&slice).unwrap();
    let expected = json!({"id": 1, "parent": {"shop": 7}, "from": 3, "to": 4, "__extra": {"currency": "eur"}});
    assert_eq!(written, expected);
    let read: Slice = serde_json::from_value(written).unwrap();
    assert_eq!(sorted_for(&child(), read), slice);
}

#[test]
fn a_slice_of_version_0_1_0_which_was_one_object_has_the_same_parts() {
    let written = json!({
        "id": 1, "currency": "eur", "__changed": 9, "from": 3,
        "parent": {"shop": 7, "city": "Rome", "__changed": 8},
    });
    let read: Slice = serde_json::from_value(written).unwrap();
    let expected = Slice::of_partition([("id", json!(1)), ("parent", json!({"shop": 7}))])
        .with_span([("from", 3)])
        .with_extra([("currency", json!("eur")), ("__changed", json!(9))]);
    assert_eq!(sorted_for(&child(), read), expected);
    let marker: Slice = serde_json::from_value(json!({"parent_progress": {"updated": 3}})).unwrap();
    assert_eq!(sorted_for(&child(), marker), Slice::marker([("updated".to_owned(), json!(3))].into_iter().collect()));
}
