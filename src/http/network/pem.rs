//! Certificates and keys as people have them: a PEM file, or its text pasted into a config.

use std::fmt;
use std::path::PathBuf;

use crate::protocol::Redactor;

/// Certificates or a private key in PEM (RFC 7468).
///
/// ```
/// use source_http::http::Pem;
///
/// assert_eq!(Pem::new("/etc/ssl/corporate.pem"), Pem::File("/etc/ssl/corporate.pem".into()));
/// assert!(matches!(Pem::new("-----BEGIN CERTIFICATE-----\nMIIB..."), Pem::Text(_)));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum Pem {
    /// A file of it, read when the first connection is opened.
    File(PathBuf),
    /// The text itself.
    Text(String),
}

impl Pem {
    /// Interprets a config value: a text with a `-----BEGIN` line is the PEM itself, any other is the path of a file.
    #[must_use]
    pub fn new(value: &str) -> Self {
        match value.contains("-----BEGIN") {
            true => Self::Text(value.to_owned()),
            false => Self::File(value.into()),
        }
    }

    /// The bytes, or the reason why there are none.
    pub(super) fn read(&self) -> Result<Vec<u8>, String> {
        match self {
            Self::File(path) => {
                std::fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
            }
            // One-line fields of web forms turn line breaks into the two characters `\n`.
            Self::Text(text) => Ok(text.replace("\\n", "\n").into_bytes()),
        }
    }

    /// Its source, for errors.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Text(_) => "the PEM text".to_owned(),
        }
    }
}

/// Shows a path, never a text: it may be a private key.
impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Text(_) => f.write_str("Text(..)"),
        }
    }
}

/// The certificate for servers that request one from the client (mutual TLS).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    /// The certificate, followed by those of intermediate authorities.
    pub certificates: Pem,
    /// Its private key: PKCS #8, PKCS #1 or SEC 1, without a passphrase. It may be in the same file.
    pub key: Pem,
}

impl ClientIdentity {
    /// An identity. A key given as text is registered as a secret.
    #[must_use]
    pub fn new(certificates: Pem, key: Pem, redactor: &Redactor) -> Self {
        if let Pem::Text(text) = &key {
            redactor.add(text);
        }
        Self { certificates, key }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_not_shown() {
        let redactor = Redactor::default();
        let key = "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----";
        let identity = ClientIdentity::new(Pem::new("cert.pem"), Pem::new(key), &redactor);
        assert!(!format!("{identity:?}").contains("MIGH"));
        assert_eq!(redactor.redact(key), "****");
    }

    #[test]
    fn a_text_on_one_line_gets_its_line_breaks_back() {
        let pem = Pem::new(r"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----");
        assert_eq!(pem.read().unwrap(), b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----");
    }

    #[test]
    fn a_missing_file_is_named() {
        let why = Pem::new("/no/such/file.pem").read().unwrap_err();
        assert!(why.starts_with("/no/such/file.pem cannot be read: "), "{why}");
    }
}
