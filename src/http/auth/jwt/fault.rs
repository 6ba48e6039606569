//! What is wrong with a key, for the one message about it.

use std::borrow::Cow;

/// Why a key cannot be used, and what the user can do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) what: Cow<'static, str>,
    pub(super) fix: &'static str,
}

impl Fault {
    /// A fault that another key does not have.
    pub(super) fn key(what: impl Into<Cow<'static, str>>) -> Self {
        Self { what: what.into(), fix: "Put the right key in the config" }
    }

    /// A key whose bytes are not those of the wanted kind.
    pub(super) fn damaged() -> Self {
        Self::key("it is a key of another kind, or damaged")
    }

    /// A fault that another encryption of the same key does not have.
    pub(super) fn encryption(what: impl Into<Cow<'static, str>>) -> Self {
        Self { what: what.into(), fix: "Encrypt it again, with `openssl pkcs8 -topk8 -in KEY`" }
    }

    /// A passphrase that is not that of the key.
    pub(super) fn passphrase() -> Self {
        Self {
            what: "its passphrase does not decrypt it".into(),
            fix: "Put the right `passphrase` in the config, or the right key",
        }
    }
}
