//! The body of a request: JSON, a form, or a text. It is rendered to bytes here, because an API that checks a signature
//! or compares bodies needs the bytes that Python would send.

use super::super::literals::python_json;
use super::super::options::Place;
use super::super::part::{Builder, Part, flat};
use super::super::placed::{Inputs, Text, Var};
use super::super::template::{InputPlace, Literal};
use super::pairs::{pairs, repeated};
use super::url;
use crate::http::{HttpRequest, RequestBody};
use crate::protocol::Failure;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// The requester's body.
#[derive(Debug, Default)]
pub(super) struct Body {
    json: Option<Inputs>,
    form: Option<Inputs>,
    text: Option<Text>,
}

/// The fields of other components in the body, and whether there are any.
type Others = (Vec<(Literal, Literal)>, bool);

impl Body {
    pub(super) fn build(builder: &Builder<'_>, part: &Part<'_>, names: &[&str]) -> Option<Self> {
        let (mut json, mut data) = (part.field("request_body_json"), part.field("request_body_data"));
        let new = part.field("request_body");
        let value = new.as_ref().and_then(|new| new.field("value"));
        match new.as_ref().map(Part::kind) {
            None => {}
            Some("RequestBodyJsonObject" | "RequestBodyGraphQL") => json = value,
            Some("RequestBodyUrlEncodedForm" | "RequestBodyPlainText") => data = value,
            Some(other) => {
                builder.error(new.as_ref()?, format!("`{other}` is not a type of request body"));
                return None;
            }
        }
        if let (Some(json), Some(data)) = (&json, &data) {
            let sets =
                |part: &Part<'_>| !super::super::part::literal(part.node).to_text().is_empty() && part.node.is_truthy();
            if sets(json) && sets(data) {
                let (one, other) = (builder.place(json), builder.place(data));
                builder.error(part, format!("a request has one body, but {one} and {other} both give it one"));
                return None;
            }
        }
        let json = json.map(|field| builder.inputs(&field, InputPlace::BodyJson, names));
        let is_text = data.as_ref().is_some_and(|data| data.node.as_text().is_some());
        let (text, form) = if is_text { (data, None) } else { (None, data) };
        let form = form.map(|field| builder.inputs(&field, InputPlace::BodyData, names));
        let text = text.map(|field| builder.text(&field, names));
        Some(Self { json: flat(json)?, form: flat(form)?, text: flat(text)? })
    }

    /// Adds the body to a request that has its headers. `merged` adds the other components' values to the requester's.
    pub(super) fn put(
        &self,
        request: &mut HttpRequest,
        vars: &[Var<'_>],
        place: &str,
        merged: impl Fn(Place, Vec<(Literal, Literal)>) -> Result<Others, Failure>,
    ) -> Result<(), Failure> {
        let json = self.json(vars, place, &merged)?;
        let data = self.data(request, vars, place, &merged)?;
        let (text, kind) = match (json, data) {
            (None, None) => return Ok(()),
            (Some(_), Some(_)) => {
                let text = "the request has a JSON body and a form or text as its body. Keep one of them.";
                return Err(Failure::config(format!("{place}: {text}")));
            }
            (Some(json), None) => (json, Some(JSON)),
            (None, Some(data)) => data,
        };
        if let Some(kind) = kind.filter(|_| !request.headers.contains_key("content-type")) {
            request.set_header("Content-Type", kind)?;
        }
        request.body = RequestBody::Text(text);
        Ok(())
    }

    fn json(
        &self,
        vars: &[Var<'_>],
        place: &str,
        merged: &impl Fn(Place, Vec<(Literal, Literal)>) -> Result<Others, Failure>,
    ) -> Result<Option<String>, Failure> {
        let own = self.json.as_ref().map(|inputs| Ok::<_, Failure>((inputs, inputs.eval(vars)?))).transpose()?;
        let refused =
            |what: String| Failure::config(format!("{what}. Correct the manifest, or the setting that it uses."));
        let whole = match own {
            None | Some((_, Literal::None)) => Literal::Dict(merged(Place::BodyJson, Vec::new())?.0),
            Some((_, Literal::Str(text))) if text.is_empty() => Literal::Dict(merged(Place::BodyJson, Vec::new())?.0),
            Some((_, Literal::Dict(entries))) => Literal::Dict(merged(Place::BodyJson, entries)?.0),
            Some((_, list @ Literal::List(_))) if !merged(Place::BodyJson, Vec::new())?.1 => list,
            Some((inputs, other)) => {
                let kind = other.type_name();
                return Err(refused(format!("{}: a JSON body has to be an object, not {kind}", inputs.place())));
            }
        };
        if matches!(&whole, Literal::Dict(entries) if entries.is_empty()) {
            return Ok(None);
        }
        let refusal = || refused(format!("{place}: the body holds a value that JSON does not have"));
        python_json(&whole).ok_or_else(refusal).map(Some)
    }

    fn data(
        &self,
        request: &HttpRequest,
        vars: &[Var<'_>],
        place: &str,
        merged: &impl Fn(Place, Vec<(Literal, Literal)>) -> Result<Others, Failure>,
    ) -> Result<Option<(String, Option<&'static str>)>, Failure> {
        let mut entries = Vec::new();
        if let Some(text) = &self.text {
            let raw = text.text(vars)?;
            // With a content type other than a form, it is sent as written.
            let kind = request.headers.get("content-type").and_then(|kind| kind.to_str().ok());
            let named = kind.is_some_and(|kind| !kind.to_ascii_lowercase().contains("form"));
            match Literal::of_text(raw.clone(), &[]) {
                Literal::Dict(members) if !named => entries = members,
                Literal::Str(read) => return Self::raw(if named { raw } else { read }, place, merged),
                _ if named => return Self::raw(raw, place, merged),
                _ => {}
            }
        } else if let Some(Literal::Dict(members)) = self.form.as_ref().map(|form| form.eval(vars)).transpose()? {
            entries = members;
        }
        entries.retain(|(_, value)| *value != Literal::None);
        let pairs = pairs(merged(Place::BodyData, entries)?.0, "field of the form", place)?;
        let form = url::urlencoded(&repeated(&pairs));
        Ok((!form.is_empty()).then_some((form, Some(FORM))))
    }

    /// A text as it is sent.
    fn raw(
        text: String,
        place: &str,
        merged: &impl Fn(Place, Vec<(Literal, Literal)>) -> Result<Others, Failure>,
    ) -> Result<Option<(String, Option<&'static str>)>, Failure> {
        let (entries, others) = merged(Place::BodyData, Vec::new())?;
        if text.is_empty() {
            let form = url::urlencoded(&repeated(&pairs(entries, "field of the form", place)?));
            return Ok((!form.is_empty()).then_some((form, Some(FORM))));
        }
        if others {
            let what = "the body is a text, and other components put fields in it (`inject_into: body_data`)";
            return Err(Failure::config(format!("{place}: {what}. Write the body as a mapping.")));
        }
        Ok(Some((text, None)))
    }
}
