//! Keys for signing JSON Web Tokens: a shared secret, or a private key in PEM.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine};
use ring::rand::SystemRandom;
use ring::{hmac, signature};

use super::der;
use crate::protocol::Failure;

/// An algorithm of JSON Web Signature (RFC 7518, section 3.1; RFC 8037 for `EdDSA`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwtAlgorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
    /// RSA (PKCS #1) with SHA-256.
    Rs256,
    /// RSA (PKCS #1) with SHA-384.
    Rs384,
    /// RSA (PKCS #1) with SHA-512.
    Rs512,
    /// RSA (PSS) with SHA-256.
    Ps256,
    /// RSA (PSS) with SHA-384.
    Ps384,
    /// RSA (PSS) with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
}

/// The algorithms by their names.
const NAMES: [(&str, JwtAlgorithm); 12] = [
    ("HS256", JwtAlgorithm::Hs256),
    ("HS384", JwtAlgorithm::Hs384),
    ("HS512", JwtAlgorithm::Hs512),
    ("RS256", JwtAlgorithm::Rs256),
    ("RS384", JwtAlgorithm::Rs384),
    ("RS512", JwtAlgorithm::Rs512),
    ("PS256", JwtAlgorithm::Ps256),
    ("PS384", JwtAlgorithm::Ps384),
    ("PS512", JwtAlgorithm::Ps512),
    ("ES256", JwtAlgorithm::Es256),
    ("ES384", JwtAlgorithm::Es384),
    ("EdDSA", JwtAlgorithm::EdDsa),
];

impl JwtAlgorithm {
    /// The algorithm of this name. `None` for an unsupported one, such as ES512 and ES256K.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, algorithm)| *algorithm)
    }

    /// Its name in the header of a token.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, algorithm)| *algorithm == self).map_or("", |(name, _)| name)
    }
}

/// A key, ready to sign.
pub(super) enum Key {
    Hmac(hmac::Key),
    Rsa(signature::RsaKeyPair, &'static dyn signature::RsaEncoding),
    Ecdsa(signature::EcdsaKeyPair),
    Ed25519(signature::Ed25519KeyPair),
}

impl Key {
    /// The key in a text: a shared secret unchanged, a private key in PEM.
    ///
    /// # Errors
    /// A config failure that names the fault of the key, and shows nothing of it.
    pub(super) fn read(algorithm: JwtAlgorithm, text: &str) -> Result<Self, Failure> {
        use JwtAlgorithm as Algorithm;

        let secret = |with: hmac::Algorithm| match text.is_empty() {
            true => Err(wrong(algorithm, "it is empty")),
            false => Ok(Self::Hmac(hmac::Key::new(with, text.as_bytes()))),
        };
        match algorithm {
            Algorithm::Hs256 => secret(hmac::HMAC_SHA256),
            Algorithm::Hs384 => secret(hmac::HMAC_SHA384),
            Algorithm::Hs512 => secret(hmac::HMAC_SHA512),
            Algorithm::Rs256 => rsa(algorithm, text, &signature::RSA_PKCS1_SHA256),
            Algorithm::Rs384 => rsa(algorithm, text, &signature::RSA_PKCS1_SHA384),
            Algorithm::Rs512 => rsa(algorithm, text, &signature::RSA_PKCS1_SHA512),
            Algorithm::Ps256 => rsa(algorithm, text, &signature::RSA_PSS_SHA256),
            Algorithm::Ps384 => rsa(algorithm, text, &signature::RSA_PSS_SHA384),
            Algorithm::Ps512 => rsa(algorithm, text, &signature::RSA_PSS_SHA512),
            Algorithm::Es256 => ecdsa(algorithm, text, &signature::ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::Es384 => ecdsa(algorithm, text, &signature::ECDSA_P384_SHA384_FIXED_SIGNING),
            Algorithm::EdDsa => {
                let (label, der) = pem(algorithm, text)?;
                let key = match label.as_str() {
                    "PRIVATE KEY" => signature::Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der),
                    other => return Err(wrong(algorithm, &format!("it is a PEM of the kind {other}"))),
                };
                key.map(Self::Ed25519).map_err(|why| rejected(algorithm, &why))
            }
        }
    }

    /// The signature of these bytes.
    ///
    /// # Errors
    /// A system failure if there is no randomness.
    pub(super) fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
        let failed = |_| Failure::system("A token cannot be signed: the system gives no random numbers.");
        match self {
            Self::Hmac(key) => Ok(hmac::sign(key, bytes).as_ref().to_vec()),
            Self::Rsa(key, encoding) => {
                let mut signed = vec![0; key.public().modulus_len()];
                key.sign(*encoding, &SystemRandom::new(), bytes, &mut signed).map_err(failed)?;
                Ok(signed)
            }
            Self::Ecdsa(key) => Ok(key.sign(&SystemRandom::new(), bytes).map_err(failed)?.as_ref().to_vec()),
            Self::Ed25519(key) => Ok(key.sign(bytes).as_ref().to_vec()),
        }
    }
}

/// Shows nothing of the key.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

fn rsa(algorithm: JwtAlgorithm, text: &str, encoding: &'static dyn signature::RsaEncoding) -> Result<Key, Failure> {
    let (label, der) = pem(algorithm, text)?;
    let key = match label.as_str() {
        "PRIVATE KEY" => signature::RsaKeyPair::from_pkcs8(&der),
        "RSA PRIVATE KEY" => signature::RsaKeyPair::from_der(&der),
        other => return Err(wrong(algorithm, &format!("it is a PEM of the kind {other}"))),
    };
    key.map(|key| Key::Rsa(key, encoding)).map_err(|why| rejected(algorithm, &why))
}

fn ecdsa(algorithm: JwtAlgorithm, text: &str, with: &'static signature::EcdsaSigningAlgorithm) -> Result<Key, Failure> {
    let (label, der) = pem(algorithm, text)?;
    let random = SystemRandom::new();
    let key = match label.as_str() {
        "PRIVATE KEY" => signature::EcdsaKeyPair::from_pkcs8(with, &der, &random),
        "EC PRIVATE KEY" => {
            let Some((private, public)) = der::ec_private_key(&der) else {
                return Err(wrong(algorithm, "its public part is missing: write it again with `openssl pkcs8 -topk8`"));
            };
            signature::EcdsaKeyPair::from_private_key_and_public_key(with, private, public, &random)
        }
        other => return Err(wrong(algorithm, &format!("it is a PEM of the kind {other}"))),
    };
    key.map(Key::Ecdsa).map_err(|why| rejected(algorithm, &why))
}

/// The kind and the bytes of the first PEM in a text. Line breaks that a form or a `.env` file has lost, or written as
/// `\n`, are accepted.
fn pem(algorithm: JwtAlgorithm, text: &str) -> Result<(String, Vec<u8>), Failure> {
    let no_pem = || wrong(algorithm, "it is not a PEM, which begins with `-----BEGIN`");
    let (_, rest) = text.split_once("-----BEGIN ").ok_or_else(no_pem)?;
    let (label, rest) = rest.split_once("-----").ok_or_else(no_pem)?;
    let (body, _) = rest.split_once("-----END ").ok_or_else(|| wrong(algorithm, "its end is missing"))?;
    if label.contains("ENCRYPTED") || body.contains("ENCRYPTED") {
        let what = "it is encrypted with a passphrase, which this program cannot undo: write it again without one, \
             with \
                    `openssl pkey -in KEY`";
        return Err(wrong(algorithm, what));
    }
    if label.contains("PUBLIC") || label.contains("CERTIFICATE") {
        return Err(wrong(
            algorithm,
            "it is the public one, or a certificate, and a token is signed with the private one",
        ));
    }
    let body: String = body.replace("\\n", "").replace("\\r", "").chars().filter(|c| !c.is_whitespace()).collect();
    let der = BASE64_STANDARD.decode(body).map_err(|_| wrong(algorithm, "it is damaged: its text is not base64"))?;
    Ok((label.to_owned(), der))
}

/// The cryptography library's complaint about a key: one word, such as `TooSmall`.
fn rejected(algorithm: JwtAlgorithm, why: &dyn fmt::Display) -> Failure {
    let word = why.to_string();
    let told = match word.as_str() {
        "TooSmall" => "it has fewer than 2048 bits".to_owned(),
        "WrongAlgorithm" | "InvalidEncoding" => "it is a key of another kind, or damaged".to_owned(),
        word => format!("it cannot be used ({word})"),
    };
    wrong(algorithm, &told)
}

fn wrong(algorithm: JwtAlgorithm, what: &str) -> Failure {
    let name = algorithm.name();
    Failure::config(format!("The key that tokens are signed with ({name}): {what}. Put the right key in the config."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_algorithm_has_one_name_and_unknown_names_have_none() {
        for (name, algorithm) in NAMES {
            assert_eq!((JwtAlgorithm::named(name), algorithm.name()), (Some(algorithm), name));
        }
        assert_eq!((JwtAlgorithm::named("ES512"), JwtAlgorithm::named("ES256K")), (None, None));
    }

    #[test]
    fn a_faulty_key_is_reported_without_showing_it() {
        let pem = |label: &str, body: &str| format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
        for (algorithm, text, told) in [
            (JwtAlgorithm::Hs256, String::new(), "it is empty"),
            (JwtAlgorithm::Rs256, "s3cret".to_owned(), "it is not a PEM"),
            (JwtAlgorithm::Rs256, "-----BEGIN PRIVATE KEY-----s3cret".to_owned(), "its end is missing"),
            (JwtAlgorithm::Rs256, pem("PRIVATE KEY", "s3cr!t"), "its text is not base64"),
            (JwtAlgorithm::Rs256, pem("PRIVATE KEY", "czNjcmV0"), "of another kind, or damaged"),
            (JwtAlgorithm::Es256, pem("ENCRYPTED PRIVATE KEY", "czNjcmV0"), "encrypted with a passphrase"),
            (JwtAlgorithm::Es384, pem("EC PRIVATE KEY", "czNjcmV0"), "its public part is missing"),
            (JwtAlgorithm::EdDsa, pem("PUBLIC KEY", "czNjcmV0"), "it is the public one"),
            (JwtAlgorithm::EdDsa, pem("RSA PRIVATE KEY", "czNjcmV0"), "of the kind RSA PRIVATE KEY"),
        ] {
            let failure = Key::read(algorithm, &text).unwrap_err();
            assert!(failure.message.contains(told), "{failure}");
            assert!(!failure.message.contains("czNj") && !failure.message.contains("s3cr"), "{failure}");
        }
    }
}
