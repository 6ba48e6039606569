//! Where the requests of `QueryProperties` differ on purpose.

use super::shown::{Shown, query};

/// The first property is too long for a chunk, and the reference requests no property at all before it.
pub(super) fn empty_chunk(shown: &Shown<'_>) -> bool {
    let is_empty = |line: &&String| query(line).iter().any(|(_, value)| value.is_empty());
    let asked: Vec<&String> = shown.golden.iter().filter(|line| !is_empty(line)).collect();
    has_chunks(shown) && asked.len() < shown.golden.len() && asked == shown.mine.iter().collect::<Vec<_>>()
}

/// The key of a record is not a text, and the reference fails.
pub(super) fn key_of_any_type(shown: &Shown<'_>) -> bool {
    has_chunks(shown) && shown.fails_there_with("TypeError") && shown.ran.errors.is_empty() && shown.ends_later()
}

/// The API lists a property without a name, which the reference requests as `[]`.
pub(super) fn nameless(shown: &Shown<'_>) -> bool {
    let named = |value: &str| value.split(',').filter(|name| *name != "[]").collect::<Vec<_>>().join(",");
    let fits = |(golden, mine): (&str, &str)| {
        let (golden, mine) = (query(golden), query(mine));
        golden.len() == mine.len() && golden.iter().zip(&mine).all(|(one, other)| named(&one.1) == other.1)
    };
    !shown.components("PropertiesFromEndpoint").is_empty() && shown.pairs().is_some_and(|mut pairs| pairs.all(fits))
}

/// The last chunk has fewer records than the page, and the reference takes the page for the last one.
pub(super) fn short_chunk(shown: &Shown<'_>) -> bool {
    has_chunks(shown) && shown.case["error"].is_null() && shown.ran.errors.is_empty() && shown.ends_later()
}

fn has_chunks(shown: &Shown<'_>) -> bool {
    !shown.components("PropertyChunking").is_empty()
}
