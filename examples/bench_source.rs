//! A source for benchmarks, with the streams that Stripe does not have: one long response, slices of any number, a parent
//! with several children, a state for each of many parents. They read `examples/bench_server`; `benches/compare.py` runs
//! them.

use std::process::ExitCode;
use std::sync::Arc;

use serde_json::{Value, json};
use source_http::json::RecordPath;
use source_http::protocol::{ConnectorSpecification, Failure};
use source_http::source::{Config, SourceContext};
use source_http::streams::pager::{BodyCursor, Pager};
use source_http::streams::{
    Cursor, CursorField, HttpStream, ParentStream, RequestContext, Slice, SliceContext, Slices,
};
use source_http::{Registry, Source, launch};

/// A list, or one for each record of its parent, or one for each slice.
struct List {
    name: &'static str,
    url: String,
    /// The content and path of the server: `count=1000,kind=customers/items`.
    path: String,
    pager: BodyCursor,
    cursor: CursorField,
    use_cache: bool,
    parent: Option<ParentStream>,
    slices: u64,
}

impl List {
    fn new(name: &'static str, url: &str, path: String) -> Self {
        Self {
            name,
            url: url.to_owned(),
            path,
            pager: BodyCursor::new("next", "cursor"),
            cursor: CursorField::default(),
            use_cache: false,
            parent: None,
            slices: 1,
        }
    }
}

impl HttpStream for List {
    fn name(&self) -> &str {
        self.name
    }
    fn url_base(&self) -> &str {
        &self.url
    }
    fn path(&self, _: &RequestContext<'_>) -> String {
        self.path.clone()
    }
    fn record_path(&self) -> RecordPath {
        RecordPath::new(["data"])
    }
    fn primary_key(&self) -> Vec<Vec<String>> {
        vec![vec!["id".into()]]
    }
    fn cursor(&self) -> &dyn Cursor {
        &self.cursor
    }
    fn request_params(&self, cx: &RequestContext<'_>) -> Vec<(String, String)> {
        match cx.slice.is_whole() {
            true => Vec::new(),
            false => vec![("of".to_owned(), cx.slice_text("id"))],
        }
    }
    fn pager(&self) -> &dyn Pager {
        &self.pager
    }
    fn use_cache(&self) -> bool {
        self.use_cache
    }
    fn parents(&self) -> &[ParentStream] {
        self.parent.as_slice()
    }
    fn stream_slices<'a>(&'a self, cx: &SliceContext<'a>) -> anyhow::Result<Slices<'a>> {
        match &self.parent {
            Some(parent) => parent.slices(cx),
            None if self.slices == 1 => Ok(Box::new(std::iter::once(Ok(Slice::whole())))),
            None => Ok(Box::new((1..=self.slices).map(|id| Ok(Slice::of_partition([("id", id)]))))),
        }
    }
}

/// The connector.
struct Bench;

impl Source for Bench {
    fn name(&self) -> &str {
        "bench"
    }

    fn spec(&self) -> ConnectorSpecification {
        let settings = |what: &str| json!({"type": "string", "description": what});
        let connection_specification = json!({
            "type": "object",
            "required": ["url"],
            "properties": {
                "url": {"type": "string", "description": "Where the server is."},
                "list": settings("What it serves for lists, and for parents: count=1000,kind=customers."),
                "children": settings("What it serves for each parent."),
                "slices": {"type": "integer", "description": "The slices of the stream `slices`."},
                "use_cache": {"type": "boolean", "description": "Whether the parents' pages are kept."},
            },
        });
        ConnectorSpecification { connection_specification, ..Default::default() }
    }

    fn streams(&self, config: &Config, _: &SourceContext) -> Result<Vec<Arc<dyn HttpStream>>, Failure> {
        let text = |name: &str, default| config.get(name).and_then(Value::as_str).unwrap_or(default);
        let (url, list) = (text("url", ""), text("list", "count=1000,kind=customers"));
        let children = text("children", "count=10,kind=invoice_items");
        let use_cache = config.get("use_cache").and_then(Value::as_bool).unwrap_or_default();
        let slices = config.get("slices").and_then(Value::as_u64).unwrap_or(60);
        let items = |name| List::new(name, url, format!("{list}/items"));
        let parents = Arc::new(List { use_cache, ..items("parents") });
        let child = |name| List {
            parent: Some(ParentStream::new(parents.clone(), ["id"])),
            ..List::new(name, url, format!("{children}/items"))
        };
        Ok(vec![
            Arc::new(items("items")),
            Arc::new(List::new("document", url, format!("{list}/document"))),
            Arc::new(List { slices, ..items("slices") }),
            parents.clone(),
            Arc::new(child("first_children")),
            Arc::new(child("second_children")),
            Arc::new(List { cursor: CursorField::new("created"), ..child("dated_children") }),
        ])
    }
}

fn main() -> ExitCode {
    launch(&Registry::of(Bench))
}
