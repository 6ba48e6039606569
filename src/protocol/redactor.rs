//! Keeps secrets out of everything people read. Every secret a run knows of, from the config or obtained on the
//! way, is registered here; the output passes each text through before it is written.

use std::sync::{Arc, PoisonError, RwLock};

/// What a secret is replaced by.
pub const MASK: &str = "****";

/// Secrets shorter than this are masked only where they stand alone: a key of one letter must not be taken out of
/// every word, where it tells nothing.
const SHORT: usize = 6;

/// What stands where a text was cut.
const CUT: &str = "…";

/// The list of secrets, shared by everything that learns or prints one.
#[derive(Clone, Default)]
pub struct Redactor {
    secrets: Arc<RwLock<Vec<String>>>,
}

impl Redactor {
    /// Registers a secret, and the forms it takes in a URL and in JSON. An empty text is no secret.
    pub fn add(&self, secret: &str) {
        if secret.is_empty() {
            return;
        }
        let in_url: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let in_json = serde_json::Value::from(secret).to_string();
        let in_json = in_json[1..in_json.len() - 1].to_owned();
        let mut secrets = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
        for form in [in_url.replace('+', "%20"), in_url, in_json, secret.to_owned()] {
            if !secrets.contains(&form) {
                secrets.push(form);
            }
        }
        // Longest first: a secret that contains another one must go as a whole.
        secrets.sort_by_key(|form| std::cmp::Reverse(form.len()));
    }

    /// The text without secrets.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        let mut clean = text.to_owned();
        for secret in secrets.iter() {
            if clean.contains(secret.as_str()) {
                clean = if secret.len() < SHORT { mask_words(&clean, secret) } else { clean.replace(secret, MASK) };
            }
        }
        if clean.contains(CUT) {
            clean = mask_at_cuts(&clean, &secrets);
        }
        clean
    }
}

/// Masks what is left of a secret where a text was cut: no whole secret would be found there.
fn mask_at_cuts(text: &str, secrets: &[String]) -> String {
    let left_of = |part: &str| {
        let starts = |secret: &String| {
            let longest = secret.len().min(part.len());
            (SHORT..=longest).rev().find(|length| part.ends_with(secret.get(..*length).unwrap_or("\0")))
        };
        secrets.iter().filter_map(starts).max().unwrap_or(0)
    };
    let mut parts: Vec<String> = text.split(CUT).map(str::to_owned).collect();
    let last = parts.len() - 1;
    for part in &mut parts[..last] {
        let left = left_of(part);
        if left > 0 {
            part.replace_range(part.len() - left.., MASK);
        }
    }
    parts.join(CUT)
}

/// Masks a text where no letter or digit is next to it.
fn mask_words(text: &str, word: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut end = 0;
    for (at, found) in text.match_indices(word) {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        let alone = ![before, after].iter().flatten().any(|neighbour| neighbour.is_alphanumeric());
        clean.push_str(&text[end..at]);
        clean.push_str(if alone { MASK } else { found });
        end = at + found.len();
    }
    clean.push_str(&text[end..]);
    clean
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_plain_and_as_it_stands_in_a_url() {
        let redactor = Redactor::default();
        redactor.add("a b/c");
        assert_eq!(redactor.redact("x=a b/c y=a+b%2Fc z=a%20b%2Fc"), "x=**** y=**** z=****");
    }

    #[test]
    fn a_secret_is_masked_as_it_stands_in_json() {
        let redactor = Redactor::default();
        redactor.add("a\"b\n");
        assert_eq!(redactor.redact(r#"{"key":"a\"b\n"}"#), r#"{"key":"****"}"#);
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
    fn what_is_left_of_a_secret_at_a_cut_is_masked_too() {
        let redactor = Redactor::default();
        redactor.add("token-0123456789");
        assert_eq!(redactor.redact("body: token-0123…, and"), "body: ****…, and");
        assert_eq!(redactor.redact("body: é token…"), "body: é token…", "five characters tell nothing");
    }

    #[test]
    fn an_empty_secret_masks_nothing() {
        let redactor = Redactor::default();
        redactor.add("");
        assert_eq!(redactor.redact("text"), "text");
    }
}
