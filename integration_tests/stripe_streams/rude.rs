//! Errors of Stripe that do not stop a sync: it refuses one object's list, deletes the object after which a page
//! begins, refuses the whole account.

use super::*;

/// Stripe's ways to refuse the list of one object: status, code, words.
pub(super) const WAYS: [(u16, Option<&str>, &str); 6] = [
    (400, None, "Balance transaction history can only be filtered on automatic transfers, not manual."),
    (403, None, "You do not have Platform Controls for the Stripe Dashboard on this account."),
    (404, None, "Could not find line items for this Checkout Session."),
    (400, Some("not_allowed_on_standard_account"), "This is not allowed on a standard account."),
    (403, Some("account_invalid"), "The key does not have access to this account."),
    (404, Some("url_invalid"), "There is no such list of this object."),
];

fn has_child_lists(row: &Row) -> bool {
    !row.child.is_empty()
}

/// The target of one parent's list: the path, and the parameter that names the parent.
pub(super) fn target(row: &Row, parent: &str) -> String {
    let (path, query) = row.child.split_once('?').unwrap();
    let names_parent = query.split('&').find(|pair| pair.ends_with("={}"));
    let target = names_parent.map_or_else(|| path.to_owned(), |pair| format!("{path}?{pair}"));
    target.replace("{}", parent)
}

#[test]
fn a_refusal_of_one_parent_is_that_parents_and_ends_with_it() {
    for row in ROWS.iter().filter(|row| has_child_lists(row)) {
        let mode = if row.kind == Kind::Full { "full_refresh" } else { "incremental" };
        for (status, code, words) in WAYS {
            let mut case = Case::new(row);
            let target = target(row, &case.refused[0]);
            case.mock.refuse(&target, status, code, words);
            let place = format!("{}: {status} {code:?}", row.name);
            let first = case.sync(mode, &json!([]));
            assert_eq!(first.ids(row), sorted(case.own_ids()), "{place}");
            assert_eq!(first.messages.statuses(row.name).last(), Some(&"COMPLETE"), "{place}");
            let warnings: Vec<_> = first.messages.logs().into_iter().filter(|(level, _)| *level == "WARN").collect();
            assert!(
                warnings.len() == 1 && warnings[0].1.contains(words.trim_end_matches('.')),
                "{place}: {warnings:?}"
            );

            // Nothing happens to the parent, and the refusal ends.
            case.mock.allow(&target);
            case.now += DAY;
            let state = if row.kind == Kind::Full { json!([]) } else { first.resumed() };
            let second = case.sync(mode, &state);
            for id in &case.refused_ids {
                assert!(second.ids(row).contains(id), "{place}");
            }
            assert!(!second.state(row).to_string().contains("__refused"), "{place}: {}", second.state(row));
        }
    }
}

#[test]
fn a_stream_all_of_whose_parents_are_refused_is_skipped_and_read_whole_later() {
    for row in ROWS.iter().filter(|row| has_child_lists(row)) {
        let mode = if row.kind == Kind::Full { "full_refresh" } else { "incremental" };
        for (status, code, words) in WAYS {
            let mut case = Case::new(row);
            let any = target(row, "{any}");
            let targets: Vec<String> = match any.contains('?') {
                true => case.ids(row.parent).iter().map(|parent| target(row, parent)).collect(),
                false => vec![any, target(row, &case.refused[0])],
            };
            for target in &targets {
                case.mock.refuse(target, status, code, words);
            }
            let place = format!("{}: {status} {code:?}", row.name);
            let first = case.try_sync(mode, &json!([]));
            assert_eq!(first.messages.statuses(row.name), ["STARTED", "COMPLETE"], "{place}");
            assert!(first.messages.states(row.name).is_empty(), "{place}");
            let errors = first.messages.errors();
            assert_eq!(errors[0].failure_type.as_deref(), Some("config_error"), "{place}");
            assert!(errors[0].message.starts_with("Nothing could be read"), "{place}: {}", errors[0].message);
            for target in &targets {
                case.mock.allow(target);
            }
            case.now += DAY;
            let second = case.sync(mode, &first.resumed());
            let all = [case.own_ids(), case.refused_ids.clone()].concat();
            assert_eq!(second.ids(row), sorted(all), "{place}");
        }
    }
}

#[test]
fn the_rest_of_one_objects_list_that_is_refused_is_requested_again_later() {
    for row in ROWS.iter().filter(|row| row.kind == Kind::Nested) {
        for (status, code, words) in WAYS {
            let mut case = Case { mock: interrupted::mock(row).start(), ..interrupted::bare(row) };
            let parent = interrupted::first_id(row);
            let target = match row.name {
                "application_fees_refunds" => format!("/v1/application_fees/{parent}/refunds"),
                "bank_accounts" => format!("/v1/customers/{parent}/bank_accounts"),
                "invoice_line_items" => format!("/v1/invoices/{parent}/lines"),
                _ => format!("/v1/subscription_items?subscription={parent}"),
            };
            case.mock.refuse(&target, status, code, words);
            let place = format!("{}: {status} {code:?}", row.name);
            let first = case.sync("incremental", &json!([]));
            assert!(first.ids(row).len() < case.own_ids().len(), "{place}");
            case.mock.allow(&target);
            case.now += DAY;
            let second = case.sync("incremental", &first.resumed());
            let mut ids = sorted([first.ids(row), second.ids(row)].concat());
            ids.dedup();
            assert_eq!(ids, sorted(case.own_ids()), "{place}");
            assert!(!second.state(row).to_string().contains("__refused"), "{place}");
        }
    }
}

/// In each list with several pages, the object after which a page begins is deleted, once or twice.
#[test]
fn objects_that_are_deleted_while_their_list_is_read_cost_no_other_one() {
    for row in ROWS {
        let mode = if row.kind == Kind::Full { "full_refresh" } else { "incremental" };
        let mut whole = Case { mock: interrupted::mock(row).start(), ..interrupted::bare(row) };
        whole.sync(mode, &json!([]));
        let asked = whole.mock.server().requests().into_iter();
        let mut paths: Vec<String> =
            asked.filter(|request| request.param("starting_after").is_some()).map(|request| request.path).collect();
        paths.sort();
        paths.dedup();
        assert!(!paths.is_empty() || row.kind == Kind::Full, "{}", row.name);
        for path in paths {
            for pages in [1, 2] {
                let mock = interrupted::mock(row).delete_cursors(&path, pages).start();
                let mut case = Case { mock, ..interrupted::bare(row) };
                let before = case.own_ids();
                let done = case.sync(mode, &json!([]));
                let left = case.own_ids();
                let place = format!("{} at {path}, {pages} times", row.name);
                assert_eq!(done.messages.statuses(row.name).last(), Some(&"COMPLETE"), "{place}");
                let mut ids = done.ids(row);
                ids.dedup();
                let is_own = |id: &&String| left.contains(id);
                assert_eq!(ids.iter().filter(is_own).count(), left.len(), "{place}");
                assert!(ids.iter().all(|id| before.contains(id)), "{place}");
            }
        }
    }
}

#[test]
fn a_list_in_which_three_page_ends_are_deleted_fails_and_the_next_sync_has_the_rest() {
    let row = ROWS.iter().find(|row| row.name == "credit_notes").unwrap();
    let mock = StripeMock::builder().count("credit_notes", 650).delete_cursors("/v1/credit_notes", 3).start();
    let mut case = Case { mock, ..interrupted::bare(row) };
    let first = case.try_sync("incremental", &json!([]));
    assert_eq!(first.messages.statuses(row.name).last(), Some(&"INCOMPLETE"));
    let second = case.sync("incremental", &first.resumed());
    let mut ids = sorted([first.ids(row), second.ids(row)].concat());
    ids.dedup();
    assert!(case.own_ids().iter().all(|id| ids.contains(id)));
}

#[test]
fn a_whole_account_that_is_refused_fails_every_stream_and_moves_no_state() {
    for (status, words) in [
        (400, "Invalid Stripe API version: 2022-11-15."),
        (400, "This account has been closed."),
        (403, "This account may not use the API."),
        (403, "Having the 'rak_all_read' permission would allow this request to continue."),
    ] {
        for row in ROWS {
            let mode = if row.kind == Kind::Full { "full_refresh" } else { "incremental" };
            let mut case = Case::new(row);
            case.mock.refuse_account(status, None, words);
            let refused = case.try_sync(mode, &json!([]));
            let place = format!("{}: {status} {words}", row.name);
            assert_eq!(refused.status, 1, "{place}");
            assert!(refused.messages.states(row.name).is_empty(), "{place}");
            let errors = refused.messages.errors();
            assert!(errors.last().unwrap().message.contains(words.trim_end_matches('.')), "{place}");
            case.mock.allow_account();
            let read = case.sync(mode, &refused.resumed());
            assert_eq!(read.ids(row), sorted(case.own_ids()), "{place}");
        }
    }
}
