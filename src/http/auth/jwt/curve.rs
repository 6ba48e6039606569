//! ECDSA (FIPS 186-5) on the four curves of JSON Web Signature. The signatures are deterministic (RFC 6979), so they
//! need no random numbers. The public half of a key is computed: some programs leave it out.

use p256::ecdsa::signature::{KeypairRef, SignatureEncoding, Signer};

use super::der::{EcPrivateKey, OnCurve, PrivateKey};
use super::fault::Fault;
use super::pem::{Kind, PrivatePem};

/// Signs bytes. `None` if the key cannot sign them, which does not happen with a valid key.
pub(super) type Sign = Box<dyn Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync>;

/// The kind of an elliptic curve key in PKCS #8.
const EC: &str = "1.2.840.10045.2.1";

/// A curve, with the hash that belongs to it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
    Secp256k1,
}

/// The curves, with their names in keys, and for people.
const NAMES: [(Curve, &str, &str); 4] = [
    (Curve::P256, "1.2.840.10045.3.1.7", "P-256"),
    (Curve::P384, "1.3.132.0.34", "P-384"),
    (Curve::P521, "1.3.132.0.35", "P-521"),
    (Curve::Secp256k1, "1.3.132.0.10", "secp256k1"),
];

impl Curve {
    /// The signer of a private key.
    ///
    /// # Errors
    /// A fault that shows nothing of the key.
    pub(super) fn signer(self, pem: &PrivatePem) -> Result<Sign, Fault> {
        let (key, curve) = match pem.kind {
            Kind::Pkcs8 => {
                let info = PrivateKey::read(&pem.der).ok_or_else(Fault::damaged)?;
                if info.algorithm != EC {
                    return Err(Fault::damaged());
                }
                (EcPrivateKey::read(info.key), info.curve)
            }
            Kind::Ec => (EcPrivateKey::read(&pem.der), OnCurve::Unknown),
            Kind::Rsa => return Err(pem.of_other_kind()),
        };
        let key = key.ok_or_else(Fault::damaged)?;
        match if curve == OnCurve::Unknown { &key.curve } else { &curve } {
            OnCurve::Named(name) => self.expect(name)?,
            // A curve that is described is the right one if the halves fit together on this one.
            OnCurve::Described if key.public.is_none() => {
                return Err(Fault::key(
                    "it does not name its curve: write it again with `openssl pkey -ec_param_enc named_curve -in KEY`",
                ));
            }
            _ => {}
        }
        let signer = match self {
            Self::P256 => signer::<p256::ecdsa::SigningKey, p256::ecdsa::Signature, _>(&key, 32),
            Self::P384 => signer::<p384::ecdsa::SigningKey, p384::ecdsa::Signature, _>(&key, 48),
            Self::P521 => signer::<p521::ecdsa::SigningKey, p521::ecdsa::Signature, _>(&key, 66),
            Self::Secp256k1 => signer::<k256::ecdsa::SigningKey, k256::ecdsa::Signature, _>(&key, 32),
        };
        signer.ok_or_else(Fault::damaged)
    }

    /// Checks the curve that a key names.
    fn expect(self, found: &str) -> Result<(), Fault> {
        let (_, id, name) = NAMES[self as usize];
        if found == id {
            return Ok(());
        }
        let found = NAMES.iter().find(|(_, id, _)| *id == found).map_or("another curve", |(_, _, name)| name);
        Err(Fault::key(format!("it is a key on {found}, and this algorithm needs one on {name}")))
    }
}

/// The signer of a key with private halves of this many bytes. `None` if the halves are none, or do not fit together.
fn signer<K, S, V>(key: &EcPrivateKey<'_>, length: usize) -> Option<Sign>
where
    K: for<'a> TryFrom<&'a [u8]> + Signer<S> + KeypairRef<VerifyingKey = V> + Send + Sync + 'static,
    S: SignatureEncoding + 'static,
    V: for<'a> TryFrom<&'a [u8]> + PartialEq,
{
    // Some programs leave out leading zeros, others add some.
    let zeros = key.private.iter().take_while(|byte| **byte == 0).count();
    let digits = &key.private[zeros..];
    let mut private = vec![0; length.checked_sub(digits.len())?];
    private.extend_from_slice(digits);
    let own = K::try_from(&private).ok()?;
    if let Some(public) = key.public
        && V::try_from(public).ok()? != *own.as_ref()
    {
        return None;
    }
    Some(Box::new(move |bytes| Some(own.try_sign(bytes).ok()?.to_bytes().as_ref().to_vec())))
}

#[cfg(test)]
mod tests;
