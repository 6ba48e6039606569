use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::streams::{Cursor, CursorField, RequestContext};

static CHANGED_AT: CursorField = CursorField::new("changed");

struct Shops;

impl HttpStream for Shops {
    fn name(&self) -> &'static str {
        "shops"
    }
    fn url_base(&self) -> &'static str {
        "http://a.com"
    }
    fn path(&self, _: &RequestContext<'_>) -> String {
        "shops".into()
    }
    fn cursor(&self) -> &dyn Cursor {
        &CHANGED_AT
    }
}

fn shops(takes_child_value: bool) -> ParentStream {
    ParentStream::new(Arc::new(Shops), ["id"]).with_own_state(takes_child_value)
}

fn start(parent: &ParentStream, child: Value) -> Value {
    let child = serde_json::from_value(child).unwrap();
    parent.begin_from(&child);
    parent.own_state().unwrap().1
}

#[test]
fn a_parent_begins_at_its_own_state_or_at_the_value_of_its_child() {
    let parent = shops(true);
    let own = json!({"parent_state": {"shops": {"changed": 3}}, "state": {"at": 9}});
    assert_eq!(start(&parent, own.clone()), json!({"changed": 3}));
    assert_eq!(start(&parent, json!({"parent_state": {"others": {}}, "state": {"at": 9}})), json!({"at": 9}));
    assert_eq!(start(&parent, json!({"at": 9})), json!({"changed": 9}), "the only value");
    for none in [json!({}), json!({"states": []}), json!({"at": 9, "b": 1}), json!({"at": true}), json!({"state": 1})] {
        assert_eq!(start(&parent, none), json!({}));
    }
    let parent = shops(false);
    assert_eq!(start(&parent, own), json!({"changed": 3}));
    assert_eq!(start(&parent, json!({"state": {"at": 9}})), json!({}));
    let whole = ParentStream::new(Arc::new(Shops), ["id"]);
    assert_eq!(whole.own_state(), None, "it is read whole each time");
}
