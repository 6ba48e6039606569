//! Decrypts private keys: PKCS #8 with PBES2 (RFC 8018), the older schemes of it that Box, Snowflake's old guides and
//! old openssl use, and openssl's own encryption of PEM. The work and the memory that a key may ask for have a limit:
//! a damaged or hostile key must not hang a sync.

use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit};
use md5::{Digest, Md5};
use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use super::der::Elements;
use super::fault::Fault;

/// The most rounds of a derivation: seconds. Programs use 2,048 to 1,300,000.
const ROUNDS: u32 = 10_000_000;
/// The most memory of scrypt, in bytes. Programs use 16 to 128 MiB.
const MEMORY: u64 = 128 << 20;
/// The most blocks that scrypt mixes: seconds. Programs use 2^17 to 2^20.
const BLOCKS: u64 = 1 << 23;

/// A block cipher, in CBC mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    TripleDes,
    Des,
}

impl Cipher {
    /// The cipher of this name in PKCS #8.
    fn of_scheme(name: &str) -> Result<Self, Fault> {
        Ok(match name {
            "2.16.840.1.101.3.4.1.2" => Self::Aes128,
            "2.16.840.1.101.3.4.1.22" => Self::Aes192,
            "2.16.840.1.101.3.4.1.42" => Self::Aes256,
            "1.2.840.113549.3.7" => Self::TripleDes,
            other => return Err(unknown(other)),
        })
    }

    /// Bytes of a key.
    fn key_length(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 | Self::TripleDes => 24,
            Self::Aes256 => 32,
            Self::Des => 8,
        }
    }

    /// Bytes of a block, and of the initial vector.
    fn block_length(self) -> usize {
        match self {
            Self::Aes128 | Self::Aes192 | Self::Aes256 => 16,
            Self::TripleDes | Self::Des => 8,
        }
    }

    /// The private key in these bytes.
    fn decrypt(self, key: &[u8], initial: &[u8], data: &[u8]) -> Result<Vec<u8>, Fault> {
        if initial.len() != self.block_length() || !data.len().is_multiple_of(self.block_length()) {
            return Err(Fault::damaged());
        }
        let plain = match self {
            Self::Aes128 => decrypted::<aes::Aes128>(key, initial, data),
            Self::Aes192 => decrypted::<aes::Aes192>(key, initial, data),
            Self::Aes256 => decrypted::<aes::Aes256>(key, initial, data),
            Self::TripleDes => decrypted::<des::TdesEde3>(key, initial, data),
            Self::Des => decrypted::<des::Des>(key, initial, data),
        };
        // Each kind of private key is one sequence. A wrong passphrase rarely fits the padding, and never this.
        let is_key = |plain: &Vec<u8>| {
            let mut elements = Elements(plain);
            elements.sequence().is_some() && elements.is_empty()
        };
        plain.filter(is_key).ok_or_else(Fault::passphrase)
    }
}

fn decrypted<C: BlockCipherDecrypt + KeyInit>(key: &[u8], initial: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    let mut buffer = data.to_vec();
    let cipher = cbc::Decryptor::<C>::new_from_slices(key, initial).ok()?;
    let length = cipher.decrypt_padded::<Pkcs7>(&mut buffer).ok()?.len();
    buffer.truncate(length);
    Some(buffer)
}

/// The private key in an `ENCRYPTED PRIVATE KEY`.
///
/// # Errors
/// A fault that shows nothing of the key and the passphrase.
pub(super) fn pkcs8(der: &[u8], passphrase: &str) -> Result<Vec<u8>, Fault> {
    let mut info = whole(Elements(der).sequence())?;
    let mut scheme = whole(info.sequence())?;
    let data = whole(info.bytes())?;
    let name = whole(scheme.name())?;
    let mut parameters = whole(scheme.sequence())?;
    if name == "1.2.840.113549.1.5.13" {
        let (derivation, mut encryption) = (whole(parameters.sequence())?, whole(parameters.sequence())?);
        let cipher = Cipher::of_scheme(&whole(encryption.name())?)?;
        let initial = whole(encryption.bytes())?;
        return cipher.decrypt(&derived(derivation, passphrase, cipher.key_length())?, initial, data);
    }
    let salt = whole(parameters.bytes())?;
    let rounds = rounds(parameters.number());
    match name.as_str() {
        // PBE with SHA-1 and 3DES.
        "1.2.840.113549.1.12.1.3" => {
            let rounds = rounds?;
            let (key, initial) = (pkcs12(1, passphrase, salt, rounds, 24), pkcs12(2, passphrase, salt, rounds, 8));
            Cipher::TripleDes.decrypt(&key, &initial, data)
        }
        // PBE with MD5 and DES.
        "1.2.840.113549.1.5.3" => {
            let mut digest = Md5::new().chain_update(passphrase).chain_update(salt).finalize();
            for _ in 1..rounds? {
                digest = Md5::digest(digest);
            }
            Cipher::Des.decrypt(&digest[..8], &digest[8..], data)
        }
        other => Err(unknown(other)),
    }
}

/// The key of PBES2 that a passphrase gives.
fn derived(mut derivation: Elements<'_>, passphrase: &str, length: usize) -> Result<Vec<u8>, Fault> {
    let name = whole(derivation.name())?;
    let mut parameters = whole(derivation.sequence())?;
    let salt = whole(parameters.bytes())?;
    let passphrase = passphrase.as_bytes();
    let mut key = vec![0; length];
    match name.as_str() {
        "1.2.840.113549.1.5.12" => {
            let rounds = rounds(parameters.number())?;
            fits(parameters.number(), length)?;
            let hash = match parameters.sequence() {
                Some(mut hash) => whole(hash.name())?,
                None => "1.2.840.113549.2.7".to_owned(),
            };
            match hash.as_str() {
                "1.2.840.113549.2.7" => pbkdf2_hmac::<Sha1>(passphrase, salt, rounds, &mut key),
                "1.2.840.113549.2.8" => pbkdf2_hmac::<Sha224>(passphrase, salt, rounds, &mut key),
                "1.2.840.113549.2.9" => pbkdf2_hmac::<Sha256>(passphrase, salt, rounds, &mut key),
                "1.2.840.113549.2.10" => pbkdf2_hmac::<Sha384>(passphrase, salt, rounds, &mut key),
                "1.2.840.113549.2.11" => pbkdf2_hmac::<Sha512>(passphrase, salt, rounds, &mut key),
                other => return Err(unknown(other)),
            }
        }
        "1.3.6.1.4.1.11591.4.11" => {
            let mut number = || whole(parameters.number());
            let (n, r, p) = (number()?, number()?, number()?);
            fits(parameters.number(), length)?;
            let with = scrypt_cost(n, r, p)?;
            scrypt::scrypt(passphrase, salt, &with, &mut key).map_err(|_| Fault::damaged())?;
        }
        other => return Err(unknown(other)),
    }
    Ok(key)
}

/// The cost of scrypt, if it is within the limits.
fn scrypt_cost(n: u64, r: u64, p: u64) -> Result<scrypt::Params, Fault> {
    let memory = n.saturating_add(p).saturating_mul(r).saturating_mul(128);
    if memory > MEMORY || n.saturating_mul(r).saturating_mul(p) > BLOCKS {
        let (memory, most) = (memory >> 20, MEMORY >> 20);
        return Err(Fault::encryption(format!(
            "decrypting it needs {memory} MiB of memory {p} times, and the limit is {most} MiB a few times"
        )));
    }
    let (Ok(log_n), Ok(r), Ok(p)) = (u8::try_from(n.trailing_zeros()), u32::try_from(r), u32::try_from(p)) else {
        return Err(Fault::damaged());
    };
    if n < 2 || !n.is_power_of_two() {
        return Err(Fault::damaged());
    }
    scrypt::Params::new(log_n, r, p).map_err(|_| Fault::damaged())
}

/// The number of rounds, if it is within the limit.
fn rounds(number: Option<u64>) -> Result<u32, Fault> {
    match (whole(number)?, u64::from(ROUNDS)) {
        (0, _) => Err(Fault::damaged()),
        (number, most) if number > most => {
            Err(Fault::encryption(format!("decrypting it takes {number} rounds, and the limit is {most}")))
        }
        (number, _) => u32::try_from(number).map_err(|_| Fault::damaged()),
    }
}

/// Checks the length of a key, which a scheme may name.
fn fits(named: Option<u64>, length: usize) -> Result<(), Fault> {
    match named {
        Some(named) if usize::try_from(named) != Ok(length) => Err(Fault::damaged()),
        _ => Ok(()),
    }
}

/// Bytes for a purpose, by the derivation of PKCS #12 with SHA-1 (RFC 7292, appendix B).
fn pkcs12(purpose: u8, passphrase: &str, salt: &[u8], rounds: u32, length: usize) -> Vec<u8> {
    const BLOCK: usize = 64;

    let repeated =
        |bytes: &[u8]| -> Vec<u8> { bytes.iter().copied().cycle().take(bytes.len().div_ceil(BLOCK) * BLOCK).collect() };
    let passphrase: Vec<u8> = passphrase.encode_utf16().chain([0]).flat_map(u16::to_be_bytes).collect();
    let mut input = repeated(salt);
    input.extend(repeated(&passphrase));
    let mut output = Vec::new();
    while output.len() < length {
        let mut digest = Sha1::new().chain_update([purpose; BLOCK]).chain_update(&input).finalize();
        for _ in 1..rounds {
            digest = Sha1::digest(digest);
        }
        output.extend_from_slice(&digest);
        // Each block of the input is a number, to which the digest and one are added.
        let addend: Vec<u8> = digest.iter().copied().cycle().take(BLOCK).collect();
        for block in input.chunks_mut(BLOCK) {
            let mut carry = 1;
            for (byte, added) in block.iter_mut().zip(&addend).rev() {
                let sum = u16::from(*byte) + u16::from(*added) + carry;
                [_, *byte] = sum.to_be_bytes();
                carry = sum >> 8;
            }
        }
    }
    output.truncate(length);
    output
}

/// What the header `DEK-Info` of a PEM says: a cipher and its initial vector, which is the salt as well.
pub(super) struct PemCipher {
    cipher: Cipher,
    initial: Vec<u8>,
}

impl PemCipher {
    /// Reads the text after `DEK-Info:`; the rest of it is the encrypted key.
    ///
    /// # Errors
    /// A fault if the cipher is not supported, or the text damaged.
    pub(super) fn read(text: &str) -> Result<(Self, &str), Fault> {
        let (name, rest) = text.split_once(',').ok_or_else(Fault::damaged)?;
        let cipher = match name.trim() {
            "AES-128-CBC" => Cipher::Aes128,
            "AES-192-CBC" => Cipher::Aes192,
            "AES-256-CBC" => Cipher::Aes256,
            "DES-EDE3-CBC" => Cipher::TripleDes,
            _ => return Err(Fault::encryption("it is encrypted with a cipher that is not supported")),
        };
        let rest = rest.trim_start();
        let digits = rest.get(..2 * cipher.block_length()).ok_or_else(Fault::damaged)?;
        let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        let initial = (0..digits.len()).step_by(2).map(byte).collect::<Option<Vec<_>>>();
        Ok((Self { cipher, initial: initial.ok_or_else(Fault::damaged)? }, &rest[digits.len()..]))
    }

    /// The private key in these bytes. openssl derives its key with MD5, in one round.
    ///
    /// # Errors
    /// A fault that shows nothing of the key and the passphrase.
    pub(super) fn decrypt(&self, data: &[u8], passphrase: &str) -> Result<Vec<u8>, Fault> {
        let mut key = Vec::new();
        let mut digest = Vec::new();
        while key.len() < self.cipher.key_length() {
            let hash = Md5::new().chain_update(&digest).chain_update(passphrase).chain_update(&self.initial[..8]);
            digest = hash.finalize().to_vec();
            key.extend_from_slice(&digest);
        }
        self.cipher.decrypt(&key[..self.cipher.key_length()], &self.initial, data)
    }
}

/// The fault of a scheme that is not supported.
fn unknown(name: &str) -> Fault {
    Fault::encryption(format!("it is encrypted in a way that is not supported ({name})"))
}

/// A part that each encrypted key has.
fn whole<T>(part: Option<T>) -> Result<T, Fault> {
    part.ok_or_else(Fault::damaged)
}

#[cfg(test)]
mod tests;
