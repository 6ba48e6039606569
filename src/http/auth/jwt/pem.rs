//! Private keys as texts: finds the private key among the parts of a PEM file (RFC 7468), decrypts it if it is
//! encrypted, and says what is wrong with it without showing any of it.

use base64::prelude::{BASE64_STANDARD, Engine};

use super::encrypted::{self, PemCipher};
use super::fault::Fault;

/// The form of a private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any kind of key, with its kind (PKCS #8).
    Pkcs8,
    /// An RSA key (PKCS #1).
    Rsa,
    /// An elliptic curve key (SEC 1).
    Ec,
}

/// A private key, decrypted.
pub(super) struct PrivatePem {
    pub(super) kind: Kind,
    pub(super) der: Vec<u8>,
}

impl PrivatePem {
    /// The private key in a text. Its parts before that, such as parameters or certificates, are skipped. Line breaks
    /// that a form or a `.env` file has lost, or written as `\n`, are accepted.
    ///
    /// A passphrase is ignored if the key is not encrypted. An empty one is none.
    ///
    /// # Errors
    /// A fault that shows nothing of the key and the passphrase.
    pub(super) fn read(text: &str, passphrase: &str) -> Result<Self, Fault> {
        let (label, body) = private_part(text)?;
        let body = body.replace("\\n", "\n").replace("\\r", "");
        let kind = match label {
            "PRIVATE KEY" => Kind::Pkcs8,
            "RSA PRIVATE KEY" => Kind::Rsa,
            "EC PRIVATE KEY" => Kind::Ec,
            "ENCRYPTED PRIVATE KEY" => {
                let der = encrypted::pkcs8(&bytes(&body)?, needed(passphrase)?)?;
                return Ok(Self { kind: Kind::Pkcs8, der });
            }
            other => return Err(Fault::key(format!("it is a PEM of the kind {other}"))),
        };
        // The headers of openssl's own encryption (RFC 1421 has their form).
        let der = match body.split_once("DEK-Info:") {
            None => bytes(&body)?,
            Some((_, rest)) => {
                let passphrase = needed(passphrase)?;
                let (cipher, data) = PemCipher::read(rest)?;
                cipher.decrypt(&bytes(data)?, passphrase)?
            }
        };
        Ok(Self { kind, der })
    }

    /// The fault of a key of this form, where another form is needed.
    pub(super) fn of_other_kind(&self) -> Fault {
        let kind = match self.kind {
            Kind::Pkcs8 => "PRIVATE KEY",
            Kind::Rsa => "RSA PRIVATE KEY",
            Kind::Ec => "EC PRIVATE KEY",
        };
        Fault::key(format!("it is a PEM of the kind {kind}"))
    }
}

/// The label and the content of the first private key in a text.
fn private_part(text: &str) -> Result<(&str, &str), Fault> {
    let no_pem = || Fault::key("it is not a PEM, which begins with `-----BEGIN`");
    let mut rest = text;
    let mut first = None;
    while let Some((_, part)) = rest.split_once("-----BEGIN ") {
        let (label, part) = part.split_once("-----").ok_or_else(no_pem)?;
        let (body, after) = part.split_once("-----END ").ok_or_else(|| Fault::key("its end is missing"))?;
        if label.ends_with("PRIVATE KEY") {
            return Ok((label, body));
        }
        first.get_or_insert(label);
        rest = after;
    }
    let label = first.ok_or_else(no_pem)?;
    Err(if label.contains("PUBLIC") || label.contains("CERTIFICATE") {
        Fault::key("it is the public one, or a certificate, and a token is signed with the private one")
    } else {
        Fault::key(format!("it is a PEM of the kind {label}"))
    })
}

/// The bytes of a text in base64.
fn bytes(body: &str) -> Result<Vec<u8>, Fault> {
    let body: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    BASE64_STANDARD.decode(body).map_err(|_| Fault::key("it is damaged: its text is not base64"))
}

fn needed(passphrase: &str) -> Result<&str, Fault> {
    match passphrase.is_empty() {
        true => Err(Fault {
            what: "it is encrypted, and its passphrase is missing".into(),
            fix: "Set `passphrase`, or write the key again without one, with `openssl pkey -in KEY`",
        }),
        false => Ok(passphrase),
    }
}
