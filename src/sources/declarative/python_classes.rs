//! Describes the Python classes that a manifest needs. None runs here, but the current schema of manifests has
//! components for many of them, which are suggested.

use super::manifest::{CustomClass, Node, custom_classes};
use super::transform::snake_case;
use crate::environment::PYTHON_RUNTIME;

/// The start of the reason why a stream with such a class does not run.
const REASON: &str = "the Python class ";

/// The most classes that are named one by one.
const MOST_NAMED: usize = 10;

/// Classes by component and a word in their name, with a built-in component that now does the same. An empty word
/// matches any class of that component.
const BUILT_IN: [(&str, &[&str], &str); 36] = [
    ("CustomAuthenticator", &["jwt"], "JwtAuthenticator"),
    ("CustomAuthenticator", &["session", "login"], "SessionTokenAuthenticator"),
    ("CustomAuthenticator", &["multiple", "rotating"], "RateLimitedMultipleTokenAuthenticator"),
    ("CustomAuthenticator", &["selective", "selector"], "SelectiveAuthenticator"),
    ("CustomAuthenticator", &["oauth"], "OAuthAuthenticator"),
    ("CustomAuthenticator", &["basic"], "BasicHttpAuthenticator"),
    ("CustomBackoffStrategy", &["body", "response"], "WaitTimeFromResponse"),
    ("CustomBackoffStrategy", &["until", "reset"], "WaitUntilTimeFromHeader"),
    ("CustomBackoffStrategy", &["header", "retry"], "WaitTimeFromHeader"),
    ("CustomConfigTransformation", &[], "ConfigAddFields"),
    ("CustomDecoder", &["csv"], "CsvDecoder"),
    ("CustomDecoder", &["gzip", "gz"], "GzipDecoder"),
    ("CustomDecoder", &["jsonl", "lines"], "JsonlDecoder"),
    ("CustomDecoder", &["xml"], "XmlDecoder"),
    ("CustomDecoder", &["zip"], "ZipfileDecoder"),
    ("CustomErrorHandler", &[], "DefaultErrorHandler"),
    ("CustomIncrementalSync", &["count", "counter", "incrementing"], "IncrementingCountCursor"),
    ("CustomIncrementalSync", &[], "DatetimeBasedCursor"),
    ("CustomPaginationStrategy", &["offset"], "OffsetIncrement"),
    ("CustomPaginationStrategy", &["page", "number"], "PageIncrement"),
    ("CustomPaginationStrategy", &[], "CursorPagination"),
    ("CustomPartitionRouter", &["group", "grouping", "batch", "chunk", "chunked"], "GroupingPartitionRouter"),
    ("CustomPartitionRouter", &["union"], "UnionPartitionRouter"),
    ("CustomPartitionRouter", &["substream", "parent"], "SubstreamPartitionRouter"),
    ("CustomRecordExtractor", &["combined", "merge", "union"], "CombinedExtractor"),
    ("CustomRecordExtractor", &["expand", "expander", "nested", "explode"], "RecordExpander"),
    ("CustomRecordFilter", &["client", "incremental", "cursor", "state"], "is_client_side_incremental"),
    ("CustomRequester", &["properties", "property", "chunk"], "QueryProperties"),
    ("CustomRetriever", &["async", "job", "export", "report"], "AsyncRetriever"),
    ("CustomRetriever", &["properties", "property", "chunk"], "QueryProperties"),
    ("CustomSchemaLoader", &[], "DynamicSchemaLoader"),
    ("CustomStateMigration", &["legacy", "partition"], "LegacyToPerPartitionStateMigration"),
    ("CustomTransformation", &["flatten", "unnest"], "FlattenFields"),
    ("CustomTransformation", &["snake"], "KeysToSnakeCase"),
    ("CustomTransformation", &["lower", "lowercase"], "KeysToLower"),
    ("CustomTransformation", &["replace", "rename"], "KeysReplace"),
];

/// A component that may do the same as a class.
fn built_in(class: &CustomClass) -> Option<&'static str> {
    let name = class.class_name.rsplit('.').next().unwrap_or_default();
    let name = snake_case(name);
    let fits = |known: &[&str]| known.is_empty() || name.split('_').any(|word| known.contains(&word));
    let row = BUILT_IN.iter().find(|(component, known, _)| *component == class.component && fits(known));
    row.map(|(_, _, built_in)| *built_in)
}

/// The reason why a stream with a class does not run.
pub(super) fn reason(class: &CustomClass) -> String {
    let same = built_in(class).map(|same| format!(" (see whether `{same}` can do the same)")).unwrap_or_default();
    format!("{REASON}{} of a {}{same}", class.class_name, class.component)
}

/// The remedy, if a class is among the reasons.
pub(super) fn remedy(reasons: &[String]) -> Option<String> {
    reasons.iter().any(|reason| reason.starts_with(REASON)).then(|| {
        format!(
            "To have Airbyte's Python runtime run the whole manifest, set {PYTHON_RUNTIME} to the path of its program, \
             source-declarative-manifest."
        )
    })
}

/// Why a manifest needs Python, if it does.
pub(super) fn need(manifest: &Node, file: &str) -> Option<String> {
    let classes = custom_classes(manifest);
    let mut told: Vec<String> = classes.iter().take(MOST_NAMED).map(|class| named(class, file)).collect();
    if classes.len() > MOST_NAMED {
        told.push(format!("{} more", classes.len() - MOST_NAMED));
    }
    (!told.is_empty()).then(|| format!("the manifest needs Python for {}", told.join("; ")))
}

fn named(class: &CustomClass, file: &str) -> String {
    let place = match class.mark.line {
        0 => class.path.clone(),
        line => format!("{} ({file}:{line}:{})", class.path, class.mark.column),
    };
    let streams = match &*class.streams {
        [] => String::new(),
        [stream] => format!(", in the stream `{stream}`"),
        streams => format!(", in the streams `{}`", streams.join("`, `")),
    };
    format!("{} at {place}{streams}", class.class_name)
}

#[cfg(test)]
mod tests {
    use super::super::manifest::Mark;
    use super::*;

    fn class(component: &str, class_name: &str) -> CustomClass {
        CustomClass {
            class_name: class_name.to_owned(),
            component: component.to_owned(),
            mark: Mark::default(),
            path: "streams[0]".to_owned(),
            streams: vec!["a".to_owned()],
        }
    }

    #[test]
    fn a_component_that_can_do_the_same_is_named_by_the_words_of_the_class() {
        for (component, name, expected) in [
            ("CustomTransformation", "source_x.components.FlattenAll", Some("FlattenFields")),
            ("CustomTransformation", "components.KeysToSnakeCaseTransformation", Some("KeysToSnakeCase")),
            ("CustomTransformation", "components.Whatever", None),
            ("CustomAuthenticator", "components.JWTAuth", None),
            ("CustomAuthenticator", "components.ShopJwtAuthenticator", Some("JwtAuthenticator")),
            ("CustomSchemaLoader", "components.Mine", Some("DynamicSchemaLoader")),
            ("CustomDecoder", "components.zip_decoder", Some("ZipfileDecoder")),
        ] {
            assert_eq!(built_in(&class(component, name)), expected, "{name}");
        }
    }
}
