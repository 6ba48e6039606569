//! The decoders of a retriever, as a manifest describes them. [`crate::streams::decoders`] implements them.

use std::io::Read;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::part::{Builder, Part};
use super::response_text::{JsonText, json_text};
use super::steps::items;
use crate::http::{Response, Undecodable};
use crate::streams::decoders::{
    self, Csv, Encoded, Encoding, Gzip, Items, Json, JsonItems, JsonLines, TextLines, Xml, Zip,
};
use crate::streams::is_without_content;

/// The warning about numbers that JSON does not have.
pub(super) const NO_NUMBERS: &str = "NaN or Infinity in a response is read as null: JSON has no such numbers";

/// The decoder of a retriever.
#[derive(Debug, Clone)]
pub(super) enum Decoder {
    /// The body is one JSON document.
    Json,
    /// Documents, all in memory, so that a paginator can look into the first one.
    Whole(Arc<dyn decoders::Decoder>),
    /// Items, one in memory at a time.
    Items(Arc<dyn decoders::Decoder>),
}

impl Decoder {
    /// The decoder that a part describes; JSON without one. `None`, with a note in the builder, if it is faulty or does
    /// not run here. A paginator or an extractor that does not work with it is an error.
    pub(super) fn build(
        builder: &Builder<'_>,
        part: Option<&Part<'_>>,
        paginator: Option<&Part<'_>>,
        extractor: Option<&Part<'_>>,
    ) -> Option<Self> {
        let Some(part) = part else { return Some(Self::Json) };
        let decoder = match part.kind() {
            "JsonDecoder" => Self::Json,
            "XmlDecoder" => Self::Whole(Arc::new(Xml)),
            "IterableDecoder" => Self::Items(Arc::new(TextLines::new("record"))),
            "ZipfileDecoder" => Self::Items(Arc::new(Zip::new(inner(builder, &part.field("decoder")?)?))),
            "GzipDecoder" if part.field("decoder").is_some_and(|inner| inner.kind() == "JsonDecoder") => {
                Self::Whole(Arc::new(Gzip::new(Json)))
            }
            _ => Self::Items(inner(builder, part)?),
        };
        if let Self::Items(_) = decoder {
            goes_with(builder, paginator, extractor, part);
        }
        Some(decoder)
    }

    /// The documents of a body as texts, and warnings about it. Of a JSON list, each item is one.
    ///
    /// # Errors
    /// If it cannot be decoded.
    pub(super) fn documents(&self, response: &Response) -> Result<(Vec<String>, Vec<String>), Undecodable> {
        match self {
            Self::Json => {
                let JsonText { text, mended } = json_text(response)?;
                let documents = match text.trim() {
                    "" => Vec::new(),
                    list if list.starts_with('[') => items(list).into_iter().map(str::to_owned).collect(),
                    document => vec![document.to_owned()],
                };
                Ok((documents, mended.then(|| NO_NUMBERS.to_owned()).into_iter().collect()))
            }
            Self::Whole(decoder) | Self::Items(decoder) => documents(&**decoder, response, usize::MAX),
        }
    }
}

/// A decoder that may be inside another one.
fn inner(builder: &Builder<'_>, part: &Part<'_>) -> Option<Arc<dyn decoders::Decoder>> {
    Some(match part.kind() {
        "JsonDecoder" => Arc::new(Json),
        // The reference also ignores lines that are not JSON, with a warning.
        "JsonlDecoder" => Arc::new(JsonLines::new().skip_bad_lines()),
        "JsonItemsDecoder" => {
            let path = part.text("items_path").filter(|path| !path.is_empty());
            let Some(path) = path else {
                builder
                    .error(part, "`items_path` is empty: write the names that lead to the list, such as `data.rows`");
                return None;
            };
            let decoder = JsonItems::at(path.split('.'));
            match encoding(builder, part)? {
                Some(encoding) => Arc::new(decoder.encoding(encoding)),
                None => Arc::new(decoder),
            }
        }
        "CsvDecoder" => {
            let nulls = part.field("set_values_to_none");
            let nulls: Vec<String> =
                nulls.iter().flat_map(Part::items).filter_map(|null| null.node.as_text().map(str::to_owned)).collect();
            let decoder = Csv::new().delimiter(delimiter(builder, part)?).nulls(nulls);
            match encoding(builder, part)? {
                Some(encoding) => Arc::new(decoder.encoding(encoding)),
                None => Arc::new(decoder),
            }
        }
        "GzipDecoder" => Arc::new(Gzip::new(inner(builder, &part.field("decoder")?)?)),
        other => {
            builder.refuse(part, &format!("the decoder `{other}`"));
            return None;
        }
    })
}

/// The encoding that a decoder names. The default is UTF-8, where a byte order mark and the header count, too.
#[allow(clippy::option_option, reason = "an unknown encoding differs from a missing one")]
fn encoding(builder: &Builder<'_>, part: &Part<'_>) -> Option<Option<Encoding>> {
    let Some(field) = part.present("encoding") else { return Some(None) };
    let Some(encoding) = field.node.as_text().and_then(Encoding::named) else {
        builder.error(
            &field,
            "`encoding` is not the name of a text encoding in Python, such as `utf-8`, `latin-1`, `cp1252` or `shift_jis`",
        );
        return None;
    };
    Some(Some(encoding).filter(|encoding| *encoding != Encoding::default()))
}

/// The column separator: one character, possibly as a Python escape.
fn delimiter(builder: &Builder<'_>, part: &Part<'_>) -> Option<char> {
    let Some(field) = part.present("delimiter") else { return Some(',') };
    let text = field.node.as_text().unwrap_or_default();
    let mut chars = text.chars();
    let one = match (chars.next(), chars.as_str()) {
        (Some(one), "") => Some(one),
        (Some('\\'), _) => escaped(text),
        _ => None,
    };
    if matches!(one, Some('"' | '\n' | '\r') | None) {
        builder.error(&field, "`delimiter` has to be one character, such as `;` or `\\t`, and no quotation mark");
        return None;
    }
    one
}

/// The one character that an escape of Python stands for.
fn escaped(text: &str) -> Option<char> {
    let mut unescaped = String::new();
    let escapes = Encoded::of_bytes(text.as_bytes()).text(Encoding::named("unicode_escape").as_ref());
    escapes.and_then(|mut escapes| escapes.read_to_string(&mut unescaped)).ok()?;
    let mut chars = unescaped.chars();
    chars.next().filter(|_| chars.as_str().is_empty())
}

/// Notes what does not work with a decoder of items: a page no longer has them.
fn goes_with(builder: &Builder<'_>, paginator: Option<&Part<'_>>, extractor: Option<&Part<'_>>, decoder: &Part<'_>) {
    let kind = decoder.kind();
    if let Some(paginator) = paginator.filter(|paginator| paginator.kind() == "DefaultPaginator") {
        let use_others = "use JsonDecoder, XmlDecoder, or GzipDecoder with JsonDecoder in it";
        builder.error(paginator, format!("a paginator does not work with {kind}: {use_others}"));
    }
    if kind != "ZipfileDecoder"
        && let Some(extractor) = extractor.filter(|extractor| extractor.kind() == "CombinedExtractor")
    {
        let use_others = "use JsonDecoder, XmlDecoder or ZipfileDecoder, or a DpathExtractor";
        builder.error(extractor, format!("a CombinedExtractor does not work with {kind}: {use_others}"));
    }
}

/// The documents of a body as texts, and warnings about it.
///
/// # Errors
/// If it cannot be decoded.
pub(super) fn documents(
    decoder: &dyn decoders::Decoder,
    response: &Response,
    most: usize,
) -> Result<(Vec<String>, Vec<String>), Undecodable> {
    let mut documents = Vec::new();
    let mut take = |document: &str| {
        documents.push(document.to_owned());
        Ok(if documents.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    };
    let mut items = Items::new(&mut take);
    if !is_without_content(response) {
        let _ = decoder.decode(Encoded::of(response), &mut items).map_err(decoders::undecodable)?;
    }
    let warnings = items.into_warnings();
    Ok((documents, warnings))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{build, built};
    use super::*;

    /// The faults of a retriever's decoder.
    fn noted(retriever: &str) -> Result<bool, String> {
        build(retriever, json!({}), built_of).map(|decoder| decoder.is_some())
    }

    fn built_of(builder: &Builder<'_>, retriever: &Part<'_>) -> Option<Decoder> {
        let selector = retriever.field("record_selector");
        let extractor = selector.as_ref().and_then(|selector| selector.field("extractor"));
        let (decoder, paginator) = (retriever.field("decoder"), retriever.field("paginator"));
        Decoder::build(builder, decoder.as_ref(), paginator.as_ref(), extractor.as_ref())
    }

    #[test]
    fn decoders_are_built_with_their_settings() {
        for decoder in [
            "{type: CsvDecoder}",
            "{type: CsvDecoder, delimiter: '\\t', encoding: iso-8859-1, set_values_to_none: ['', NA]}",
            "{type: CsvDecoder, delimiter: '\\x1f', encoding: utf-8-sig}",
            "{type: CsvDecoder, delimiter: '§', encoding: Shift_JIS}",
            "{type: CsvDecoder, delimiter: '\\u00a7', encoding: cp037}",
            "{type: CsvDecoder, delimiter: '\\U0001f600', encoding: utf_7}",
            "{type: CsvDecoder, delimiter: '\\37'}",
            "{type: CsvDecoder, delimiter: ''}",
            "{type: JsonItemsDecoder, items_path: a, encoding: ''}",
            "{type: JsonlDecoder}",
            "{type: JsonItemsDecoder, items_path: data.rows, encoding: utf-16}",
            "{type: XmlDecoder}",
            "{type: IterableDecoder}",
            "{type: GzipDecoder, decoder: {type: GzipDecoder, decoder: {type: CsvDecoder}}}",
            "{type: ZipfileDecoder, decoder: {type: JsonDecoder}}",
        ] {
            assert_eq!(noted(&format!("{{decoder: {decoder}}}")), Ok(true), "{decoder}");
        }
    }

    #[test]
    fn decoding_failures_are_reported_with_their_place() {
        for (retriever, words) in [
            ("{decoder: {type: CsvDecoder, delimiter: ab}}", "`delimiter` has to be one character"),
            ("{decoder: {type: CsvDecoder, delimiter: '\"'}}", "`delimiter` has to be one character"),
            ("{decoder: {type: CsvDecoder, delimiter: '\\n'}}", "`delimiter` has to be one character"),
            ("{decoder: {type: CsvDecoder, delimiter: '\\x4'}}", "`delimiter` has to be one character"),
            ("{decoder: {type: CsvDecoder, encoding: rot13}}", "`encoding` is not the name of a text encoding"),
            ("{decoder: {type: JsonItemsDecoder, items_path: ''}}", "`items_path` is empty"),
            (
                "{decoder: {type: JsonlDecoder}, paginator: {type: DefaultPaginator}}",
                "a paginator does not work with JsonlDecoder",
            ),
            (
                "{decoder: {type: CsvDecoder}, record_selector: {extractor: {type: CombinedExtractor}}}",
                "a CombinedExtractor does not work with CsvDecoder",
            ),
        ] {
            let told = noted(retriever).unwrap_err();
            assert!(told.contains(words), "{retriever}: {told}");
        }
        let retriever = "decoder: {type: CustomDecoder}";
        let built = built(retriever, json!({}), |builder, retriever| {
            let decoder = built_of(builder, retriever);
            assert!(decoder.is_none(), "{decoder:?}");
            Some(builder.take_refusals())
        });
        let refusals = built.part.unwrap();
        assert!(refusals[0].contains("the decoder `CustomDecoder`"), "{refusals:?}");
    }
}
