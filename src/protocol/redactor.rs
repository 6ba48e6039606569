//! Masks secrets in everything people read. Every secret of a run, from the config or obtained later, is registered
//! here; the output passes each text through before writing it. A secret is found in any spelling (`escapes`), and
//! inside base64.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, RwLock};

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, Engine};
use percent_encoding::percent_decode_str;

use super::ConfigReferences;
use super::escapes::{INTRODUCERS, follow, is_torn};
use super::setting_names::named;

use crate::locks;

/// The mask.
pub const MASK: &str = "****";

/// Shorter secrets, in bytes, are masked only where they stand alone: a key of one letter must not be masked in every
/// word, where it reveals nothing.
const SHORT: usize = 6;

/// Shortest recognised piece of base64, in bytes: six bytes of the secret.
const SHORTEST_BASE64: usize = 8;

/// How many passing secrets are kept. A message names only recent requests.
const MOST_PASSING: usize = 100;

/// The mark of a truncated text.
const CUT: &str = "…";

/// The registered secrets, shared by all writers and readers of them.
#[derive(Clone, Default)]
pub struct Redactor {
    secrets: Arc<RwLock<Secrets>>,
    config_references: ConfigReferences,
    settings: Arc<OnceLock<Vec<(String, String)>>>,
    /// Secrets that may be part of a URL: without the runtime's members of the config.
    in_urls: Arc<OnceLock<Vec<(String, String)>>>,
    /// Whether URLs show names of settings instead of their values.
    names_settings: Arc<AtomicBool>,
}

struct Secrets {
    /// The secrets, and the base64 form of each.
    texts: Vec<String>,
    /// The passing ones, the newest last.
    passing: VecDeque<String>,
    /// For each byte, whether one of them may begin with it, in any spelling.
    begins: [bool; 256],
}

impl Default for Secrets {
    fn default() -> Self {
        Self { texts: Vec::new(), passing: VecDeque::new(), begins: [false; 256] }
    }
}

impl Redactor {
    /// Placeholders for secrets in the config, which are restored in it.
    #[must_use]
    pub fn config_references(&self) -> &ConfigReferences {
        &self.config_references
    }

    /// Registers the texts of a config, each with its place, so that a failure can name a setting by the fault of its
    /// value. Only the first config counts.
    pub(crate) fn note_settings(&self, settings: Vec<(String, String)>) {
        let _ = self.in_urls.set(settings.iter().filter(|(place, _)| !place.starts_with("__")).cloned().collect());
        let _ = self.settings.set(settings);
    }

    /// The first setting whose value satisfies the condition: its place and the value.
    pub(crate) fn setting(&self, is_meant: &dyn Fn(&str) -> bool) -> Option<(String, String)> {
        self.settings.get()?.iter().find(|(_, value)| is_meant(value)).cloned()
    }

    /// From now on, shows URLs with the names of settings instead of their values: for a source that builds URLs from
    /// any setting. Default: values that are not secret are shown.
    pub fn name_settings(&self) {
        self.names_settings.store(true, Ordering::Relaxed);
    }

    /// Registers a secret. An empty or blank text is not a secret.
    pub fn add(&self, secret: &str) {
        // Surrounding white space may be lost on the way.
        let secret = secret.trim();
        if secret.is_empty() {
            return;
        }
        let mut secrets = locks::write(&self.secrets);
        secrets.add(secret);
    }

    /// Registers a secret that differs for each request, such as a signature. Only the newest of these are kept: with a
    /// million of them, masking every line would take hours.
    pub fn add_passing(&self, secret: &str) {
        let secret = secret.trim();
        if secret.is_empty() {
            return;
        }
        let mut secrets = locks::write(&self.secrets);
        if !secrets.add(secret) {
            return;
        }
        secrets.passing.push_back(secret.to_owned());
        if secrets.passing.len() > MOST_PASSING
            && let Some(oldest) = secrets.passing.pop_front()
        {
            let forgotten: Vec<String> = in_base64(&oldest).chain([oldest.clone()]).collect();
            secrets.texts.retain(|text| !forgotten.contains(text));
        }
    }

    /// The text without secrets, and as [`Redactor::name_settings`] says. Percent-encoding is undone if it hides one in
    /// another spelling, such as HTML's.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let secrets = locks::read(&self.secrets);
        let mut clean = secrets.redact(text);
        while let Some(decoded) = decoded(&clean) {
            if secrets.find(&decoded, 0).is_some() {
                clean = secrets.redact(&decoded);
            } else {
                break;
            }
        }
        match self.in_urls.get() {
            Some(settings) if self.names_settings.load(Ordering::Relaxed) => named(&clean, settings),
            _ => clean,
        }
    }

    /// Whether a text contains a secret.
    #[must_use]
    pub fn finds(&self, text: &str) -> bool {
        let secrets = locks::read(&self.secrets);
        secrets.find(text, 0).is_some() || decoded(text).is_some_and(|text| secrets.find(&text, 0).is_some())
    }
}

/// The text without its percent-encoding; `None` if it has none.
fn decoded(text: &str) -> Option<String> {
    let decoded = percent_decode_str(text).decode_utf8_lossy();
    (decoded != text).then(|| decoded.into_owned())
}

impl Secrets {
    /// Registers a text. False if it was already known.
    fn add(&mut self, secret: &str) -> bool {
        if self.texts.iter().any(|known| known == secret) {
            return false;
        }
        for text in in_base64(secret).chain([secret.to_owned()]) {
            let first = text.bytes().next().unwrap_or_default();
            for byte in INTRODUCERS.into_iter().chain([first]) {
                self.begins[usize::from(byte)] = true;
            }
            self.texts.push(text);
        }
        true
    }

    fn redact(&self, text: &str) -> String {
        let mut clean = String::with_capacity(text.len());
        let (mut written, mut from) = (0, 0);
        while let Some((at, end)) = self.find(text, from) {
            clean.push_str(&text[written..at]);
            clean.push_str(MASK);
            (written, from) = (end, end);
        }
        clean.push_str(&text[written..]);
        if clean.contains(CUT) { self.mask_at_cuts(&clean) } else { clean }
    }

    /// The first position at or after `from` with a secret, and its end. The longest of several there counts: one that
    /// contains another must be masked as a whole.
    fn find(&self, text: &str, from: usize) -> Option<(usize, usize)> {
        let begins = |at: &usize| self.begins[usize::from(text.as_bytes()[*at])] && text.is_char_boundary(*at);
        (from..text.len()).filter(begins).find_map(|at| {
            let end = self.texts.iter().filter_map(|secret| whole(text, at, secret)).max()?;
            Some((at, end))
        })
    }

    /// Masks the rest of a secret where a text was truncated: the whole secret would not be found there.
    fn mask_at_cuts(&self, text: &str) -> String {
        let mut parts: Vec<String> = text.split(CUT).map(str::to_owned).collect();
        let last = parts.len() - 1;
        for part in &mut parts[..last] {
            let is_left = |at: &usize| self.texts.iter().any(|secret| is_left_of(&part[*at..], secret));
            let place = (0..part.len()).filter(|at| part.is_char_boundary(*at)).find(is_left);
            if let Some(at) = place {
                part.replace_range(at.., MASK);
            }
        }
        parts.join(CUT)
    }
}

/// The end of a secret that begins at a position of a text.
fn whole(text: &str, at: usize, secret: &str) -> Option<usize> {
    let followed = follow(&text[at..], secret);
    let end = at + followed.spelled;
    if followed.matched < secret.len() {
        return None;
    }
    let neighbours = [text[..at].chars().next_back(), text[end..].chars().next()];
    let is_alone = || !neighbours.iter().flatten().any(|neighbour| neighbour.is_alphanumeric());
    (secret.len() >= SHORT || is_alone()).then_some(end)
}

/// Whether a text is the beginning of a secret, and long enough to reveal something.
fn is_left_of(text: &str, secret: &str) -> bool {
    let followed = follow(text, secret);
    followed.matched >= SHORT && is_torn(&text[followed.spelled..])
}

/// The recognisable parts of a secret in the base64 of any text that contains it: it may begin at each of the three
/// positions in a group; digits shared with its neighbours are dropped.
fn in_base64(secret: &str) -> impl Iterator<Item = String> + '_ {
    let shifted = |shift: usize| {
        let bytes = [&[0; 2][..shift], secret.as_bytes()].concat();
        let (first, end) = ((8 * shift).div_ceil(6), 8 * bytes.len() / 6);
        [BASE64_STANDARD.encode(&bytes), BASE64_URL_SAFE.encode(&bytes)].map(|text| text[first..end].to_owned())
    };
    let mut pieces: Vec<String> = (0..3).flat_map(shifted).filter(|piece| piece.len() >= SHORTEST_BASE64).collect();
    pieces.sort_unstable();
    pieces.dedup();
    pieces.into_iter()
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor")
    }
}

#[cfg(test)]
mod tests;
