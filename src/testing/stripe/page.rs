//! One page of a list, as text.

use std::borrow::Cow;

use super::object::Object;

/// What one list request gets.
pub(super) struct Page<'a> {
    pub(super) objects: Vec<&'a Object>,
    pub(super) has_more: bool,
}

impl Page<'_> {
    /// The page as Stripe's list object; `in_list` gives the text of an object.
    pub(super) fn render<'t>(
        &'t self,
        path: &str,
        pretty: bool,
        in_list: impl Fn(&'t Object) -> Cow<'t, str>,
    ) -> Vec<u8> {
        let url = serde_json::Value::from(path);
        let has_more = self.has_more;
        let (open, between, close) = match (pretty, self.objects.is_empty()) {
            (false, _) => (r#"{"object":"list","data":["#, ",", format!(r#"],"has_more":{has_more},"url":{url}}}"#)),
            (true, empty) => (
                if empty {
                    "{\n  \"object\": \"list\",\n  \"data\": [\n"
                } else {
                    "{\n  \"object\": \"list\",\n  \"data\": [\n    "
                },
                ",\n    ",
                format!("\n  ],\n  \"has_more\": {has_more},\n  \"url\": {url}\n}}"),
            ),
        };
        let texts: Vec<Cow<'_, str>> = self.objects.iter().map(|object| in_list(object)).collect();
        let length: usize = texts.iter().map(|text| text.len() + between.len()).sum();
        let mut out = Vec::with_capacity(open.len() + length + close.len());
        out.extend_from_slice(open.as_bytes());
        for (place, text) in texts.iter().enumerate() {
            if place > 0 {
                out.extend_from_slice(between.as_bytes());
            }
            out.extend_from_slice(text.as_bytes());
        }
        out.extend_from_slice(close.as_bytes());
        out
    }
}
