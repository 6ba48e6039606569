//! One page of a list, as text.

use super::object::Object;

/// The page for one list request.
pub(super) struct Page<'a> {
    pub(super) objects: Vec<&'a Object>,
    pub(super) has_more: bool,
}

impl Page<'_> {
    /// The page as Stripe's list object; `write` appends an object's text.
    pub(super) fn render(&self, path: &str, pretty: bool, write: impl Fn(&mut String, &Object)) -> String {
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
        let length: usize = self.objects.iter().map(|object| object.in_list.len() + between.len()).sum();
        let mut out = String::with_capacity(open.len() + length + close.len());
        out.push_str(open);
        for (place, object) in self.objects.iter().enumerate() {
            if place > 0 {
                out.push_str(between);
            }
            write(&mut out, object);
        }
        out.push_str(&close);
        out
    }
}
