use super::*;

#[test]
fn a_secret_is_masked_plain_and_as_it_stands_in_a_url() {
    let redactor = Redactor::default();
    redactor.add("a b/c");
    assert_eq!(redactor.redact("x=a b/c y=a+b%2Fc z=a%20b%2fc"), "x=**** y=**** z=****");
}

#[test]
fn of_secrets_that_pass_the_newest_are_masked_and_the_others_forgotten() {
    let redactor = Redactor::default();
    redactor.add("s3cret-that-stays");
    for number in 0..=MOST_PASSING {
        redactor.add_passing(&format!("passing-{number}-secret"));
        redactor.add_passing("passing-0-secret");
    }
    let texts = redactor.secrets.read().unwrap().texts.len();
    assert!(texts < 8 * (MOST_PASSING + 2), "{texts}");
    let newest = format!("passing-{MOST_PASSING}-secret");
    assert_eq!(redactor.redact(&format!("{newest} s3cret-that-stays")), "**** ****");
    assert_eq!(redactor.redact("passing-1-secret"), "passing-1-secret");
}

#[test]
fn a_secret_is_masked_as_it_stands_in_json_and_in_html() {
    let redactor = Redactor::default();
    redactor.add("a\"b/\nc");
    assert_eq!(
        redactor.redact(r#"{"key":"a\"b\/\nc"} {\"key\":\"a\\\"b/\\nc\"}"#),
        r#"{"key":"****"} {\"key\":\"****\"}"#
    );
    assert_eq!(redactor.redact("<p>a&quot;b/ c</p>"), "<p>****</p>");
}

#[test]
fn a_secret_that_was_escaped_and_then_percent_encoded_is_masked() {
    let redactor = Redactor::default();
    redactor.add("k<3>y\"");
    assert_eq!(redactor.redact("/x?to=k%26lt%3B3%26gt%3By%26quot%3B&a=%41"), "/x?to=****&a=A");
    assert_eq!(redactor.redact("/x?a=%41"), "/x?a=%41");
    assert!(redactor.finds("k%26lt%3B3%26gt%3By%26quot%3B"));
}

#[test]
fn a_secret_is_masked_within_base64_wherever_it_begins_there() {
    let redactor = Redactor::default();
    redactor.add("s3cret>>>key?");
    for before in ["", "x", "xy", "xyz", "user:", "{\"k\":\""] {
        for after in ["", "z", "\"}"] {
            let text = format!("{before}s3cret>>>key?{after}");
            for encoded in [BASE64_STANDARD.encode(&text), BASE64_URL_SAFE.encode(&text)] {
                for shown in [encoded.clone(), encoded.replace('+', "%2b").replace('/', "%2F")] {
                    let clean = redactor.redact(&shown);
                    // A digit on each side may reveal four bits.
                    assert!(clean.contains(MASK), "{text}: {clean}");
                    assert!(clean.len() <= shown.len() - 15 + MASK.len(), "{text}: {clean}");
                }
            }
        }
    }
    assert_eq!(redactor.redact("c2VjcmV0IGFuZCBvdGhlcnM="), "c2VjcmV0IGFuZCBvdGhlcnM=");
}

#[test]
fn a_secret_inside_a_longer_secret_leaves_nothing_behind() {
    let redactor = Redactor::default();
    redactor.add("key");
    redactor.add("key-and-more");
    assert_eq!(redactor.redact("key-and-more"), "****");
}

#[test]
fn a_short_secret_is_masked_where_it_stands_alone() {
    let redactor = Redactor::default();
    redactor.add("s");
    assert_eq!(redactor.redact("s is the secret: Bearer s, \"s\""), "**** is the secret: Bearer ****, \"****\"");
}

#[test]
fn white_space_around_a_secret_and_line_breaks_within_make_no_difference() {
    let redactor = Redactor::default();
    redactor.add("-----BEGIN KEY-----\r\nMIIEow\n\n-----END KEY-----\n");
    assert_eq!(redactor.redact("got -----BEGIN KEY----- MIIEow -----END KEY-----."), "got ****.");
}

#[test]
fn what_is_left_of_a_secret_at_a_cut_is_masked_too() {
    let redactor = Redactor::default();
    redactor.add("token-0123456789");
    assert_eq!(redactor.redact("body: token-0123…, and"), "body: ****…, and");
    assert_eq!(redactor.redact("body: token%2D012%…, and"), "body: ****…, and");
    assert_eq!(redactor.redact("body: é token…"), "body: é token…", "five characters tell nothing");
    assert_eq!(redactor.redact("dG9rZW4tMDEyMz…"), "****…", "base64");
}

#[test]
fn an_empty_secret_masks_nothing() {
    let redactor = Redactor::default();
    redactor.add("");
    redactor.add(" \n");
    assert_eq!(redactor.redact("text with blanks"), "text with blanks");
    assert!(!redactor.finds("text"));
}
