//! JSON Web Tokens (RFC 7519) that the client signs itself: sent with each request, or exchanged for an access token.
//! `key` has the signing keys, `curve` those of elliptic curves. `pem`, `encrypted` and `der` read the forms that keys
//! come in, and `fault` is what may be wrong with one.

mod curve;
mod der;
mod encrypted;
mod fault;
mod key;
mod pem;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use jiff::Timestamp;
use serde_json::{Map, Value};

use self::key::Key;
use super::secret::Secret;
use super::token_place::TokenPlace;
use super::{AuthContext, Authenticator};
use crate::http::HttpRequest;
use crate::locks;
use crate::protocol::{Failure, Redactor};

pub use key::JwtAlgorithm;

/// Default lifetime of a token.
const LIFETIME: Duration = Duration::from_secs(1200);
/// The longest time that a token is reused. Some APIs want a fresh one.
const REUSED: Duration = Duration::from_secs(60);

/// Signs tokens with one key.
///
/// ```
/// use source_http::http::auth::{JwtAlgorithm, JwtSigner};
/// # let redactor = source_http::protocol::Redactor::default();
/// let signer = JwtSigner::new(JwtAlgorithm::Hs256, "a secret that both sides know", &redactor)?
///     .header("kid", "2026-11")
///     .claim("iss", "client id")
///     .claim("aud", "https://api.example.com");
/// # Ok::<(), source_http::protocol::Failure>(())
/// ```
#[derive(Clone)]
pub struct JwtSigner {
    key: Arc<Key>,
    /// Distinguishes keys. It is a secret.
    name: Secret,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    lifetime: Duration,
    fresh: Option<Fresh>,
    redactor: Redactor,
}

/// Claims that differ for each token.
type Fresh = Arc<dyn Fn() -> Result<Map<String, Value>, Failure> + Send + Sync>;

impl JwtSigner {
    /// A signer with a shared secret (HS256 and the like) or a private key in PEM, which is registered as a secret. Its
    /// tokens have the header `typ: JWT` and no claims but their times.
    ///
    /// # Errors
    /// A config failure if the key does not fit the algorithm: it names the fault, and shows nothing of the key.
    pub fn new(algorithm: JwtAlgorithm, key: &str, redactor: &Redactor) -> Result<Self, Failure> {
        Self::with_passphrase(algorithm, key, "", redactor)
    }

    /// As [`JwtSigner::new`], with a private key that this passphrase decrypts: PKCS #8 with PBES2 (AES or 3DES in CBC
    /// mode) or an older scheme, or openssl's own encryption of PEM. The passphrase is registered as a secret, too. It
    /// is ignored if the private key is not encrypted, and an empty one is none.
    ///
    /// ```no_run
    /// use source_http::http::auth::{JwtAlgorithm, JwtSigner};
    /// # let redactor = source_http::protocol::Redactor::default();
    /// let key = std::fs::read_to_string("key.p8")?;
    /// let signer = JwtSigner::with_passphrase(JwtAlgorithm::Es512, &key, "a passphrase", &redactor)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A config failure as of [`JwtSigner::new`], and if the passphrase is missing or wrong, the algorithm has a shared
    /// secret, the encryption is not supported, or decrypting would take more than 10 million rounds or 128 MiB.
    pub fn with_passphrase(
        algorithm: JwtAlgorithm,
        key: &str,
        passphrase: &str,
        redactor: &Redactor,
    ) -> Result<Self, Failure> {
        redactor.add(passphrase);
        let name = Secret::new(key, redactor);
        let header = [("typ".to_owned(), "JWT".into()), ("alg".to_owned(), algorithm.name().into())];
        Ok(Self {
            key: Arc::new(Key::read(algorithm, key, passphrase)?),
            name,
            header: header.into_iter().collect(),
            claims: Map::new(),
            lifetime: LIFETIME,
            fresh: None,
            redactor: redactor.clone(),
        })
    }

    /// Sets a member of the header, such as `kid`. It replaces one of that name.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Removes a member from the header, such as `typ`.
    #[must_use]
    pub fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// Adds a claim, such as `iss`. It replaces one of that name. `iat`, `exp` and `nbf` are set when a token is
    /// signed.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// Adds claims that differ for each token, such as `jti`. They come before the others, which replace them if the
    /// names are equal. Each token is then sent once.
    #[must_use]
    pub fn fresh_claims(
        mut self,
        claims: impl Fn() -> Result<Map<String, Value>, Failure> + Send + Sync + 'static,
    ) -> Self {
        self.fresh = Some(Arc::new(claims));
        self
    }

    /// How long a token is good for. Default: 20 minutes.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// A token that is valid from now on, registered as a secret.
    ///
    /// # Errors
    /// A system failure if the system gives no random numbers, and the errors of [`JwtSigner::fresh_claims`].
    pub(in crate::http::auth) fn sign(&self, now: Timestamp) -> Result<Secret, Failure> {
        let mut header: Vec<(&String, &Value)> = self.header.iter().collect();
        header.sort_by_key(|(name, _)| *name);
        let header: Map<String, Value> =
            header.into_iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let mut claims = self.fresh.as_ref().map_or_else(|| Ok(Map::new()), |fresh| fresh())?;
        claims.extend(self.claims.clone());
        let now = now.as_second();
        let end = now.saturating_add(i64::try_from(self.lifetime.as_secs()).unwrap_or(i64::MAX));
        for (name, second) in [("iat", now), ("exp", end), ("nbf", now)] {
            claims.insert(name.to_owned(), second.into());
        }
        let part = |part: Map<String, Value>| BASE64_URL_SAFE_NO_PAD.encode(Value::Object(part).to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = BASE64_URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes())?);
        Ok(Secret::passing(format!("{signed}.{signature}"), &self.redactor))
    }

    /// The parts that stay the same as tokens change.
    pub(in crate::http::auth) fn identity(&self) -> String {
        let (header, claims) = (Value::from(self.header.clone()), Value::from(self.claims.clone()));
        super::joined([
            self.name.expose(),
            &header.to_string(),
            &claims.to_string(),
            &self.lifetime.as_secs().to_string(),
        ])
    }
}

/// Shows nothing of key and claims.
impl fmt::Debug for JwtSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtSigner").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

/// Sends a token that it signs itself. It uses a token for a minute at most, and for a quarter of its life.
///
/// ```
/// use source_http::http::auth::{JwtAlgorithm, JwtAuthenticator, JwtSigner};
/// # let redactor = source_http::protocol::Redactor::default();
/// let signer = JwtSigner::new(JwtAlgorithm::Hs256, "a secret that both sides know", &redactor)?;
/// // Authorization: Bearer TOKEN
/// let auth = JwtAuthenticator::new(signer);
/// # Ok::<(), source_http::protocol::Failure>(())
/// ```
#[derive(Debug)]
pub struct JwtAuthenticator {
    signer: JwtSigner,
    place: TokenPlace,
    /// The last token, and when it was signed.
    last: Mutex<Option<(Timestamp, Secret)>>,
}

impl JwtAuthenticator {
    /// Sends `Authorization: Bearer`, with tokens of this signer.
    #[must_use]
    pub fn new(signer: JwtSigner) -> Self {
        Self { signer, place: TokenPlace::default(), last: Mutex::default() }
    }

    /// Where the token is sent. Default: `Authorization: Bearer TOKEN`.
    #[must_use]
    pub fn place(mut self, place: TokenPlace) -> Self {
        self.place = place;
        self
    }
}

impl Authenticator for JwtAuthenticator {
    fn authenticate(&self, request: &mut HttpRequest, cx: &AuthContext<'_>) -> anyhow::Result<()> {
        let now = cx.now();
        let mut last = locks::lock(&self.last);
        let reused = REUSED.min(self.signer.lifetime / 4);
        let is_fresh = |signed: Timestamp| {
            signed.as_second() == now.as_second() || signed <= now && now.duration_since(signed).unsigned_abs() < reused
        };
        let token = match &*last {
            Some((signed, token)) if self.signer.fresh.is_none() && is_fresh(*signed) => token.clone(),
            _ => {
                let token = self.signer.sign(now)?;
                *last = Some((now, token.clone()));
                token
            }
        };
        drop(last);
        Ok(self.place.put(request, token.expose())?)
    }

    fn identity(&self) -> Option<String> {
        Some(self.signer.identity())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parts(token: &str) -> Vec<String> {
        let decoded = |part: &str| String::from_utf8_lossy(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).into_owned();
        token.split('.').take(2).map(decoded).collect()
    }

    #[test]
    fn a_token_has_sorted_headers_the_claims_in_their_order_and_its_times() {
        let redactor = Redactor::default();
        let signer = JwtSigner::new(JwtAlgorithm::Hs256, "s3cret-key", &redactor)
            .unwrap()
            .header("kid", "1")
            .claim("z", json!([1, true]))
            .claim("iss", "I")
            .lifetime(Duration::from_secs(60));
        let token = signer.sign(Timestamp::from_second(1_000).unwrap()).unwrap();
        assert_eq!(
            parts(token.expose()),
            [
                r#"{"alg":"HS256","kid":"1","typ":"JWT"}"#,
                r#"{"z":[1,true],"iss":"I","iat":1000,"exp":1060,"nbf":1000}"#
            ]
        );
        assert_eq!(redactor.redact(&format!("{} s3cret-key", token.expose())), "**** ****");
        assert!(!format!("{signer:?}").contains("s3cret-key"));
    }

    #[test]
    fn a_passphrase_is_a_secret_even_if_it_does_not_help() {
        let redactor = Redactor::default();
        let failure =
            JwtSigner::with_passphrase(JwtAlgorithm::Rs256, "s3cret-key", "p4ss-phrase", &redactor).unwrap_err();
        assert!(failure.message.contains("it is not a PEM"), "{failure}");
        assert_eq!(redactor.redact("p4ss-phrase s3cret-key"), "**** ****");
    }

    #[test]
    fn the_example_of_the_standard_is_signed_as_specified() {
        // RFC 7515, appendix A.1, has a key that is not text: this one is, signed by another implementation.
        let signer = JwtSigner::new(JwtAlgorithm::Hs256, "k", &Redactor::default()).unwrap().without_header("typ");
        let token = signer.lifetime(Duration::ZERO).sign(Timestamp::UNIX_EPOCH).unwrap();
        let [header, claims, signature] = token.expose().split('.').collect::<Vec<_>>()[..] else { panic!() };
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"k");
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
        assert!(ring::hmac::verify(&key, format!("{header}.{claims}").as_bytes(), &signature).is_ok());
        assert_eq!(parts(token.expose()), [r#"{"alg":"HS256"}"#, r#"{"iat":0,"exp":0,"nbf":0}"#]);
    }
}
