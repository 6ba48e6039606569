//! Where requests and their outcome differ on purpose. Each rule is a row of `docs/compatibility.md`, by its name; it
//! decides by the contents of a case, and names the parts that may differ.

use serde_json::Value;

use super::auth_rules;
use super::budget_rules;
use super::decoder_rules;
use super::property_rules;
use super::shown::{Shown, parts, query};

pub(super) struct Rule {
    pub(super) name: &'static str,
    /// The parts that may differ. All others have to be equal.
    pub(super) may_differ: &'static [&'static str],
    pub(super) holds: fn(&Shown<'_>) -> bool,
}

pub(super) const ALL: &[&str] = &["requests", "records", "error", "check", "jwt"];
pub(super) const REQUESTS: &[&str] = &["requests"];
const READ: &[&str] = &["requests", "records"];

const RULES: &[Rule] = &[
    Rule { name: "the_base_is_kept_whole", may_differ: ALL, holds: base_is_kept },
    Rule { name: "type_error_is_an_error", may_differ: ALL, holds: type_error },
    Rule { name: "tokens_stay_texts", may_differ: REQUESTS, holds: token_stays },
    Rule { name: "headers_are_found_in_any_case", may_differ: READ, holds: header_case },
    Rule { name: "told_before_any_request", may_differ: READ, holds: told_before },
    Rule { name: "paging_that_does_not_end_fails", may_differ: ALL, holds: endless_paging },
    Rule { name: "a_body_that_is_no_json_fails", may_differ: ALL, holds: no_json },
    Rule { name: "a_redirect_that_leads_nowhere_fails", may_differ: ALL, holds: leads_nowhere },
    Rule { name: "marks_and_charsets_are_read", may_differ: READ, holds: decoder_rules::other_text },
    Rule { name: "nothing_of_a_broken_body_goes_out", may_differ: ALL, holds: decoder_rules::broken_body },
    Rule { name: "pages_in_gzip_lead_on", may_differ: READ, holds: decoder_rules::paged_gzip },
    Rule { name: "items_that_are_no_objects_are_left_out", may_differ: ALL, holds: decoder_rules::odd_items },
    Rule { name: "numbers_that_are_none_are_null", may_differ: &["records"], holds: no_number },
    Rule { name: "credentials_stay_texts", may_differ: REQUESTS, holds: credentials },
    Rule { name: "statuses_that_stay_fail_at_once", may_differ: ALL, holds: status },
    Rule { name: "retries_are_counted_together", may_differ: ALL, holds: mixed_retries },
    Rule { name: "odd_waits_are_passed_over", may_differ: ALL, holds: odd_wait },
    Rule { name: "a_retry_is_not_read_from_the_cache", may_differ: ALL, holds: cached_retry },
    Rule { name: "a_check_asks_for_one_page", may_differ: REQUESTS, holds: check_of_one_page },
    Rule { name: "a_check_has_a_verdict", may_differ: &["error"], holds: check_of_unknown },
    Rule { name: "workers_need_no_maximum", may_differ: ALL, holds: no_maximum },
    Rule { name: "lists_are_sent", may_differ: REQUESTS, holds: list_body },
    Rule { name: "texts_of_their_own_type_are_sent", may_differ: REQUESTS, holds: typed_text },
    Rule { name: "integers_of_64_bits_in_a_manifest", may_differ: REQUESTS, holds: large_integer },
    Rule { name: "cookies_are_sent_with_retries", may_differ: REQUESTS, holds: cookie_on_retry },
    Rule { name: "no_request_without_properties", may_differ: READ, holds: property_rules::empty_chunk },
    Rule { name: "keys_of_any_type_are_merged", may_differ: ALL, holds: property_rules::key_of_any_type },
    Rule { name: "properties_without_a_name_are_left_out", may_differ: REQUESTS, holds: property_rules::nameless },
    Rule { name: "merged_records_are_counted", may_differ: READ, holds: property_rules::short_chunk },
    Rule { name: "a_fixed_window_begins_with_the_first_request", may_differ: ALL, holds: budget_rules::fixed_window },
    Rule { name: "odd_quotas_are_passed_over", may_differ: ALL, holds: budget_rules::odd_quota },
    Rule { name: "header_texts_stay_texts", may_differ: REQUESTS, holds: header_text },
];

/// The rule by which these parts differ on purpose.
pub(super) fn rule(shown: &Shown<'_>, wrong: &[&str]) -> Option<&'static str> {
    let may = |rule: &&Rule| wrong.iter().all(|part| rule.may_differ.contains(part));
    RULES.iter().chain(auth_rules::RULES).filter(may).find(|rule| (rule.holds)(shown)).map(|rule| rule.name)
}

/// `url_base` has a query, or a path has a colon in its first segment; the program requests all of it.
fn base_is_kept(shown: &Shown<'_>) -> bool {
    let bases = [shown.fields("url_base"), shown.fields("url")].concat();
    let queries: Vec<&str> = bases.iter().filter_map(|base| Some(base.split_once('?')?.1)).collect();
    let has_query =
        !queries.is_empty() && shown.mine.iter().all(|line| queries.iter().any(|query| line.contains(query)));
    let colons = shown.fields("path").into_iter().filter(|path| {
        path.split('/').next().is_some_and(|first| first.contains(':')) && !path.contains("://") && !path.contains('{')
    });
    let has_colon = colons.into_iter().any(|path| shown.mine.iter().any(|line| line.contains(path)));
    let reads_all = if has_query { shown.records == shown.golden_records } else { shown.golden.is_empty() };
    (has_query || has_colon) && shown.ran.errors.is_empty() && reads_all
}

/// A template fails, and the reference takes that for a text or for true.
fn type_error(shown: &Shown<'_>) -> bool {
    let words =
        ["unsupported operand type(s)", "not supported between instances of", "must be", "can only concatenate"];
    shown.case["error"].is_null()
        && shown.fails_at_a_place()
        && shown.fails_with("in the template")
        && words.iter().any(|words| shown.fails_with(words))
        && shown.ends_sooner()
}

/// A page token is the text that the API gave.
fn token_stays(shown: &Shown<'_>) -> bool {
    let given: Vec<String> = shown.replies().iter().map(ToString::to_string).collect();
    let is_given = |text: &str| {
        let text = Value::from(text).to_string();
        given.iter().any(|reply| reply.contains(&text))
    };
    let fits = |(golden, mine): (&str, &str)| {
        let (golden_query, mine_query) = (query(golden), query(mine));
        let same_rest =
            path(golden) == path(mine) && parts(golden).1 == parts(mine).1 && parts(golden).2 == parts(mine).2;
        let same_names = golden_query.len() == mine_query.len();
        let values = golden_query.iter().zip(&mine_query);
        same_rest
            && same_names
            && values.into_iter().all(|(golden, mine)| golden == mine || golden.0 == mine.0 && is_given(&mine.1))
    };
    !shown.components("CursorPagination").is_empty() && shown.pairs().is_some_and(|mut pairs| pairs.all(fits))
}

fn path(line: &str) -> &str {
    parts(line).0.split('?').next().unwrap_or_default()
}

/// A cursor names a header in another case than the server.
fn header_case(shown: &Shown<'_>) -> bool {
    let headers = shown.headers();
    let templates = [shown.fields("cursor_value"), shown.fields("stop_condition")].concat();
    let named = templates.iter().filter(|text| text.contains("headers")).any(|text| {
        headers.iter().any(|(name, _)| {
            text.to_ascii_lowercase().contains(&name.to_ascii_lowercase()) && !text.contains(name.as_str())
        })
    });
    named && shown.ends_later() && shown.ran.errors.is_empty()
}

/// Both refuse the manifest; the program does so before any request.
fn told_before(shown: &Shown<'_>) -> bool {
    let over_manifest =
        shown.case["error"]["message"].as_str().is_some_and(|text| text.starts_with("An unexpected error"))
            || shown.case["error"].get("raised").is_some();
    over_manifest && shown.fails_at_a_place() && shown.mine.is_empty() && !shown.golden.is_empty()
}

/// The same page again and again.
fn endless_paging(shown: &Shown<'_>) -> bool {
    let repeats = shown.golden.windows(2).any(|pair| pair[0] == pair[1]);
    repeats && shown.fails_with("does not end") && shown.ends_sooner()
}

/// A valid response is not JSON, which means no records to the reference.
fn no_json(shown: &Shown<'_>) -> bool {
    let is_json = |body: &Vec<u8>| {
        body.iter().all(u8::is_ascii_whitespace) || serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
    };
    let fails = shown.fails_with("The response cannot be read");
    let reads_next = shown.ran.errors.is_empty() && shown.mine.len() > shown.golden.len();
    shown.bodies().iter().any(|body| !is_json(body)) && (fails || reads_next) && shown.ends_later()
}

/// A response has numbers that JSON does not have.
fn no_number(shown: &Shown<'_>) -> bool {
    let has = |body: &Vec<u8>| ["NaN", "Infinity"].iter().any(|word| String::from_utf8_lossy(body).contains(word));
    let no_nulls = |record: &Value| -> Value {
        let members = record.as_object().into_iter().flatten();
        let is_none = |value: &Value| ["{NaN}", "{Infinity}", "{-Infinity}"].iter().any(|word| value == word);
        members.filter(|(_, value)| !is_none(value)).map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    shown.bodies().iter().any(has) && shown.golden_records.iter().map(no_nulls).eq(shown.records.iter().cloned())
}

/// A key, token, user name or password of the config is null or a literal of Python.
fn credentials(shown: &Shown<'_>) -> bool {
    let kinds = ["ApiKeyAuthenticator", "BearerAuthenticator", "BasicHttpAuthenticator"];
    let has_credentials = kinds.iter().any(|kind| !shown.components(kind).is_empty());
    let fields = ["api_token", "username", "password"].map(|name| shown.fields(name)).concat();
    let config = shown.case["config"].as_object();
    let is_literal =
        |text: &str| text.parse::<f64>().is_ok() || text.starts_with(['\'', '"', '[', '(', '{']) || text.contains('_');
    // The settings in those fields.
    let literal = fields.iter().any(|field| {
        let named = config.into_iter().flatten().filter(|(name, _)| field.contains(name.as_str()));
        let mut values = named.map(|(_, value)| value).peekable();
        field.contains("config") && values.peek().is_none()
            || values.any(|value| {
                value.as_str().is_none_or(|text| is_literal(text) || ["None", "True", "False"].contains(&text))
            })
    });
    let same_but_for_credentials = |(golden, mine): (&str, &str)| {
        let names = |line: &str| {
            parts(line).1.split(", ").map(|h| h.split(':').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        path(golden) == path(mine) && names(golden) == names(mine) && query(golden).len() == query(mine).len()
    };
    has_credentials && literal && shown.pairs().is_some_and(|mut pairs| pairs.all(same_but_for_credentials))
}

/// Rate limits alternate with other failures, and the reference counts the retries of each.
fn mixed_retries(shown: &Shown<'_>) -> bool {
    let has =
        |kind: &dyn Fn(u64) -> bool| shown.replies().iter().any(|reply| reply["status"].as_u64().is_some_and(kind));
    has(&|status| status == 429)
        && has(&|status| (500..=599).contains(&status))
        && shown.golden.len() > shown.mine.len()
        && shown.golden.starts_with(&shown.mine)
        && shown.fails_with("Gave up after")
}

/// A status that a retry does not change, and the reference retries.
fn status(shown: &Shown<'_>) -> bool {
    let stays = |status: u64| matches!(status, 400..=499 | 501 | 505) && ![401, 408, 423, 425, 429].contains(&status);
    let statuses: Vec<u64> =
        shown.replies().iter().filter_map(|reply| reply["status"].as_u64()).filter(|s| stays(*s)).collect();
    let asked_again = shown.golden.windows(2).any(|pair| pair[0] == pair[1]);
    asked_again
        && statuses.iter().any(|status| shown.fails_with(&format!(" answered {status} ")))
        && shown.ends_sooner()
}

/// A header asks for a wait below zero, or until a moment in milliseconds.
fn odd_wait(shown: &Shown<'_>) -> bool {
    let kinds = ["WaitTimeFromHeader", "WaitUntilTimeFromHeader"];
    let from: Vec<&Value> = kinds.iter().flat_map(|kind| shown.components(kind)).collect();
    let is_odd = shown.headers().iter().any(|(name, value)| {
        let is_named =
            from.iter().any(|one| one["header"].as_str().is_some_and(|header| header.eq_ignore_ascii_case(name)));
        is_named && value.parse::<f64>().is_ok_and(|number| !(0.0..=1e11).contains(&number))
    });
    is_odd && !shown.case["error"].is_null() && shown.ran.errors.is_empty() && shown.ends_later()
}

/// A filter wants a valid response again, and it is in the cache.
fn cached_retry(shown: &Shown<'_>) -> bool {
    let is_cached = shown.components("HttpRequester").iter().any(|requester| requester["use_cache"] == true);
    let again = |filter: &&Value| ["RETRY", "RATE_LIMITED"].iter().any(|action| filter["action"] == *action);
    let retries = shown.components("HttpResponseFilter").iter().any(again);
    is_cached && retries && shown.golden_error().starts_with("Exhausted") && shown.ends_later()
}

/// The first page of a check has no records.
fn check_of_one_page(shown: &Shown<'_>) -> bool {
    shown.case["command"] == "check" && shown.mine.len() == 1 && shown.golden.starts_with(&shown.mine)
}

/// A check of a stream that does not exist.
fn check_of_unknown(shown: &Shown<'_>) -> bool {
    let named = shown.fields("name");
    let checked: Vec<&str> = shown
        .components("CheckStream")
        .iter()
        .filter_map(|check| check["stream_names"].as_array())
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let unknown = checked.iter().find(|name| !named.contains(name));
    let says =
        |name: &&str| shown.ran.check.as_ref().is_some_and(|(status, text)| status == "FAILED" && text.contains(*name));
    shown.case["error"].get("raised").is_some() && unknown.is_some_and(says)
}

/// The number of workers comes from the config, and has no limit.
fn no_maximum(shown: &Shown<'_>) -> bool {
    let has_none = |level: &&Value| level["default_concurrency"].is_string() && level.get("max_concurrency").is_none();
    shown.components("ConcurrencyLevel").iter().any(has_none)
        && shown.golden_error().contains("max_concurrency")
        && shown.ran.errors.is_empty()
}

/// The JSON body is a list.
fn list_body(shown: &Shown<'_>) -> bool {
    let fits = |(golden, mine): (&str, &str)| {
        golden == mine
            || parts(golden).0 == parts(mine).0 && parts(golden).2.is_empty() && parts(mine).2.starts_with('[')
    };
    shown.pairs().is_some_and(|mut pairs| pairs.all(fits))
}

/// A text body is a literal of Python, and the request says that it is not a form.
fn typed_text(shown: &Shown<'_>) -> bool {
    let fits = |(golden, mine): (&str, &str)| {
        let kind = parts(mine).1;
        let is_other = kind.contains("content-type: ") && !kind.contains("form");
        golden == mine || parts(golden).0 == parts(mine).0 && is_other && !parts(mine).2.is_empty()
    };
    let has_text =
        !shown.fields("request_body_data").is_empty() || !shown.components("RequestBodyPlainText").is_empty();
    has_text && shown.pairs().is_some_and(|mut pairs| pairs.all(fits))
}

/// A JSON body has an integer of more than 64 bits.
fn large_integer(shown: &Shown<'_>) -> bool {
    let value =
        |line: &str| serde_json::from_str::<Value>(parts(line).2).ok().map(|value| super::requests::numbers(&value));
    let is_large = |line: &str| line.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() > 18);
    let fits = |(golden, mine): (&str, &str)| {
        golden == mine
            || parts(golden).0 == parts(mine).0
                && is_large(golden)
                && value(golden).is_some()
                && value(golden) == value(mine)
    };
    shown.pairs().is_some_and(|mut pairs| pairs.all(fits))
}

/// A response that is requested again has set a cookie.
fn cookie_on_retry(shown: &Shown<'_>) -> bool {
    let sets = |reply: &&Value| {
        reply["headers"].to_string().to_ascii_lowercase().contains("set-cookie")
            && reply["status"].as_u64().unwrap_or(200) != 200
    };
    let without = |line: &str| {
        let (before, headers, body) = parts(line);
        let headers: Vec<&str> =
            headers.split(", ").filter(|header| !header.starts_with("\"cookie: ") && !header.is_empty()).collect();
        format!("{before} {headers:?} {body}")
    };
    let fits = |(golden, mine): (&str, &str)| without(golden) == without(mine);
    shown.replies().iter().any(sets) && shown.pairs().is_some_and(|mut pairs| pairs.all(fits))
}

/// A header is a text of the config that is a literal of Python.
fn header_text(shown: &Shown<'_>) -> bool {
    let config = shown.case["config"].to_string();
    let fits = |(golden, mine): (&str, &str)| {
        let (golden_headers, mine_headers) = (parts(golden).1.split(", "), parts(mine).1.split(", "));
        let is_given = |header: &str| {
            let value = header.trim_end_matches('"').split_once(": ").map_or("", |(_, value)| value);
            !value.is_empty() && config.contains(value)
        };
        parts(golden).0 == parts(mine).0
            && parts(golden).2 == parts(mine).2
            && mine_headers.clone().count() == golden_headers.clone().count()
            && golden_headers.zip(mine_headers).all(|(golden, mine)| golden == mine || is_given(mine))
    };
    !shown.components("HttpRequester").is_empty() && shown.pairs().is_some_and(|mut pairs| pairs.all(fits))
}

/// The server answers with a redirect without a target.
fn leads_nowhere(shown: &Shown<'_>) -> bool {
    let no_place = |reply: &&Value| {
        reply["status"].as_u64().is_some_and(|status| (301..=308).contains(&status))
            && reply["headers"]["Location"].is_null()
    };
    shown.replies().iter().any(no_place) && shown.fails_with("It is a redirect without a target")
}
