//! Keys for signing JSON Web Tokens: a shared secret, or a private key in PEM.

use std::fmt;

use ring::rand::SystemRandom;
use ring::{hmac, signature};

use super::curve::{Curve, Sign};
use super::der::PrivateKey;
use super::fault::Fault;
use super::pem::{Kind, PrivatePem};
use crate::protocol::Failure;

/// An algorithm of JSON Web Signature (RFC 7518, section 3.1; RFC 8037 for `EdDSA`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
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
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// ECDSA on secp256k1 with SHA-256 (RFC 8812).
    Es256K,
    /// Ed25519.
    EdDsa,
}

/// The algorithms by their names.
const NAMES: [(&str, JwtAlgorithm); 14] = [
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
    ("ES512", JwtAlgorithm::Es512),
    ("ES256K", JwtAlgorithm::Es256K),
    ("EdDSA", JwtAlgorithm::EdDsa),
];

impl JwtAlgorithm {
    /// The algorithm of this name. `None` for an unknown one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, algorithm)| *algorithm)
    }

    /// The names of all algorithms.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// Its name in the header of a token.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, algorithm)| *algorithm == self).map_or("", |(name, _)| name)
    }
}

/// The kind of an Ed448 key in PKCS #8.
const ED448: &str = "1.3.101.113";

/// A key, ready to sign.
pub(super) enum Key {
    Hmac(hmac::Key),
    Rsa(signature::RsaKeyPair, &'static dyn signature::RsaEncoding),
    Ecdsa(Sign),
    Ed25519(signature::Ed25519KeyPair),
}

impl Key {
    /// The key in a text: a shared secret unchanged, a private key in PEM, which this passphrase may decrypt. An empty
    /// passphrase is none.
    ///
    /// # Errors
    /// A config failure that names the fault of the key, and shows nothing of it.
    pub(super) fn read(algorithm: JwtAlgorithm, text: &str, passphrase: &str) -> Result<Self, Failure> {
        use JwtAlgorithm as Algorithm;

        let secret = |with: hmac::Algorithm| match (text.is_empty(), passphrase.is_empty()) {
            (true, _) => Err(Fault::key("it is empty")),
            (false, true) => Ok(Self::Hmac(hmac::Key::new(with, text.as_bytes()))),
            (false, false) => Err(Fault {
                what: "it is a shared secret, which no passphrase encrypts".into(),
                fix: "Remove `passphrase`, or set the `algorithm` of the private key",
            }),
        };
        let pem = || PrivatePem::read(text, passphrase);
        let key = match algorithm {
            Algorithm::Hs256 => secret(hmac::HMAC_SHA256),
            Algorithm::Hs384 => secret(hmac::HMAC_SHA384),
            Algorithm::Hs512 => secret(hmac::HMAC_SHA512),
            Algorithm::Rs256 => pem().and_then(|pem| rsa(&pem, &signature::RSA_PKCS1_SHA256)),
            Algorithm::Rs384 => pem().and_then(|pem| rsa(&pem, &signature::RSA_PKCS1_SHA384)),
            Algorithm::Rs512 => pem().and_then(|pem| rsa(&pem, &signature::RSA_PKCS1_SHA512)),
            Algorithm::Ps256 => pem().and_then(|pem| rsa(&pem, &signature::RSA_PSS_SHA256)),
            Algorithm::Ps384 => pem().and_then(|pem| rsa(&pem, &signature::RSA_PSS_SHA384)),
            Algorithm::Ps512 => pem().and_then(|pem| rsa(&pem, &signature::RSA_PSS_SHA512)),
            Algorithm::Es256 => pem().and_then(|pem| ecdsa(&pem, Curve::P256)),
            Algorithm::Es384 => pem().and_then(|pem| ecdsa(&pem, Curve::P384)),
            Algorithm::Es512 => pem().and_then(|pem| ecdsa(&pem, Curve::P521)),
            Algorithm::Es256K => pem().and_then(|pem| ecdsa(&pem, Curve::Secp256k1)),
            Algorithm::EdDsa => pem().and_then(|pem| ed25519(&pem)),
        };
        key.map_err(|Fault { what, fix }| {
            let name = algorithm.name();
            Failure::config(format!("The key that tokens are signed with ({name}): {what}. {fix}."))
        })
    }

    /// The signature of these bytes.
    ///
    /// # Errors
    /// A system failure if an RSA key gets no random numbers.
    pub(super) fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
        let failed = || Failure::system("A token cannot be signed: the system gives no random numbers.");
        match self {
            Self::Hmac(key) => Ok(hmac::sign(key, bytes).as_ref().to_vec()),
            Self::Rsa(key, encoding) => {
                let mut signed = vec![0; key.public().modulus_len()];
                key.sign(*encoding, &SystemRandom::new(), bytes, &mut signed).map_err(|_| failed())?;
                Ok(signed)
            }
            Self::Ecdsa(sign) => sign(bytes).ok_or_else(failed),
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

fn rsa(pem: &PrivatePem, encoding: &'static dyn signature::RsaEncoding) -> Result<Key, Fault> {
    let key = match pem.kind {
        Kind::Pkcs8 => signature::RsaKeyPair::from_pkcs8(&pem.der),
        Kind::Rsa => signature::RsaKeyPair::from_der(&pem.der),
        Kind::Ec => return Err(pem.of_other_kind()),
    };
    key.map(|key| Key::Rsa(key, encoding)).map_err(|why| rejected(&why))
}

fn ecdsa(pem: &PrivatePem, curve: Curve) -> Result<Key, Fault> {
    curve.signer(pem).map(Key::Ecdsa)
}

fn ed25519(pem: &PrivatePem) -> Result<Key, Fault> {
    if pem.kind != Kind::Pkcs8 {
        return Err(pem.of_other_kind());
    }
    if PrivateKey::read(&pem.der).is_some_and(|key| key.algorithm == ED448) {
        return Err(Fault::key("it is an Ed448 key, and only Ed25519 is supported"));
    }
    signature::Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pem.der).map(Key::Ed25519).map_err(|why| rejected(&why))
}

/// The cryptography library's complaint about a key: one word, such as `TooSmall`.
fn rejected(why: &dyn fmt::Display) -> Fault {
    match why.to_string().as_str() {
        "TooSmall" => Fault::key("it has fewer than 2048 bits"),
        "TooLarge" => Fault::key("it has more than 4096 bits"),
        "WrongAlgorithm" | "InvalidEncoding" => Fault::damaged(),
        word => Fault::key(format!("it cannot be used ({word})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_algorithm_has_one_name_and_unknown_names_have_none() {
        for (name, algorithm) in NAMES {
            assert_eq!((JwtAlgorithm::named(name), algorithm.name()), (Some(algorithm), name));
        }
        assert_eq!((JwtAlgorithm::named("ES1"), JwtAlgorithm::named("none")), (None, None));
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
            (JwtAlgorithm::Es256, pem("ENCRYPTED PRIVATE KEY", "czNjcmV0"), "Set `passphrase`"),
            (JwtAlgorithm::Es384, pem("EC PRIVATE KEY", "czNjcmV0"), "of another kind, or damaged"),
            (JwtAlgorithm::Es512, pem("RSA PRIVATE KEY", "czNjcmV0"), "of the kind RSA PRIVATE KEY"),
            (JwtAlgorithm::Ps256, pem("EC PRIVATE KEY", "czNjcmV0"), "of the kind EC PRIVATE KEY"),
            (JwtAlgorithm::EdDsa, pem("PUBLIC KEY", "czNjcmV0"), "it is the public one"),
            (JwtAlgorithm::EdDsa, pem("RSA PRIVATE KEY", "czNjcmV0"), "of the kind RSA PRIVATE KEY"),
            (JwtAlgorithm::EdDsa, pem("OPENSSH PRIVATE KEY", "czNjcmV0"), "of the kind OPENSSH PRIVATE KEY"),
        ] {
            let failure = Key::read(algorithm, &text, "").unwrap_err();
            assert!(failure.message.contains(told), "{failure}");
            assert!(!failure.message.contains("czNj") && !failure.message.contains("s3cr"), "{failure}");
        }
    }

    #[test]
    fn a_shared_secret_has_no_passphrase() {
        let failure = Key::read(JwtAlgorithm::Hs256, "s3cret", "p4ss").unwrap_err();
        assert_eq!(
            failure.message,
            "The key that tokens are signed with (HS256): it is a shared secret, which no passphrase encrypts. Remove \
             `passphrase`, or set the `algorithm` of the private key."
        );
    }
}
