//! The part of DER (ITU-T X.690) that private keys need: numbers, bytes, names of algorithms, and sequences of them.
//! Every reader here answers `None` for anything else, truncated data included.

const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const BYTES: u8 = 0x04;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const PARAMETERS: u8 = 0xa0;
const PUBLIC_KEY: u8 = 0xa1;

/// Elements that follow each other, read from the front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Elements<'a>(pub(super) &'a [u8]);

impl<'a> Elements<'a> {
    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The content of the next element if it has this tag.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let [first, length, rest @ ..] = self.0 else { return None };
        let (length, rest) = match length {
            0..=0x7f => (usize::from(*length), rest),
            0x81 => (usize::from(*rest.first()?), &rest[1..]),
            0x82 => (usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?])), &rest[2..]),
            _ => return None,
        };
        if *first != tag || rest.len() < length {
            return None;
        }
        let (content, rest) = rest.split_at(length);
        self.0 = rest;
        Some(content)
    }

    pub(super) fn sequence(&mut self) -> Option<Self> {
        self.take(SEQUENCE).map(Self)
    }

    /// An octet string.
    pub(super) fn bytes(&mut self) -> Option<&'a [u8]> {
        self.take(BYTES)
    }

    /// A number of 0 or more. A larger one than fits is the largest.
    pub(super) fn number(&mut self) -> Option<u64> {
        let content = self.take(INTEGER)?;
        if *content.first()? > 0x7f {
            return None;
        }
        let digits = &content[content.iter().take_while(|byte| **byte == 0).count()..];
        match digits.len() {
            0..=8 => Some(digits.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))),
            _ => Some(u64::MAX),
        }
    }

    /// The name of an algorithm (an object identifier) in its usual form, such as `1.2.840.10045.2.1`.
    pub(super) fn name(&mut self) -> Option<String> {
        let content = self.take(OBJECT)?;
        let (mut name, mut number) = (String::new(), 0_u64);
        for byte in content {
            number = number.checked_mul(128)? | u64::from(byte & 0x7f);
            if *byte > 0x7f {
                continue;
            }
            if name.is_empty() {
                let first = (number / 40).min(2);
                name = format!("{first}.{}", number - first * 40);
            } else {
                name = format!("{name}.{number}");
            }
            number = 0;
        }
        content.last().filter(|last| **last < 0x80).map(|_| name)
    }
}

/// The curve of an elliptic curve key, as the key says it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum OnCurve {
    /// The key does not say it.
    Unknown,
    /// By numbers instead of a name.
    Described,
    /// By its name.
    Named(String),
}

impl OnCurve {
    fn read(mut parameters: Elements<'_>) -> Self {
        parameters.name().map_or(Self::Described, Self::Named)
    }
}

/// The content of a `PRIVATE KEY` (PKCS #8, RFC 5208).
pub(super) struct PrivateKey<'a> {
    /// The kind of the key.
    pub(super) algorithm: String,
    /// The curve, if it is an elliptic curve key.
    pub(super) curve: OnCurve,
    /// The key, in a form that depends on its kind.
    pub(super) key: &'a [u8],
}

impl<'a> PrivateKey<'a> {
    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        let mut info = Elements(der).sequence()?;
        info.number()?;
        let mut kind = info.sequence()?;
        Some(Self { algorithm: kind.name()?, curve: OnCurve::read(kind), key: info.bytes()? })
    }
}

/// The content of an `EC PRIVATE KEY` (SEC 1, RFC 5915), which a `PRIVATE KEY` of that kind contains, too.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct EcPrivateKey<'a> {
    pub(super) curve: OnCurve,
    pub(super) private: &'a [u8],
    /// The public half, which may be missing.
    pub(super) public: Option<&'a [u8]>,
}

impl<'a> EcPrivateKey<'a> {
    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        let mut key = Elements(der).sequence()?;
        if key.number()? != 1 {
            return None;
        }
        let private = key.bytes()?;
        let curve = key.take(PARAMETERS).map_or(OnCurve::Unknown, |parameters| OnCurve::read(Elements(parameters)));
        let public = match key.take(PUBLIC_KEY) {
            // The first byte of a bit string is the number of unused bits in its last byte.
            Some(public) => Some(Elements(public).take(BITS)?.strip_prefix(&[0])?),
            None => None,
        };
        key.is_empty().then_some(Self { curve, private, public })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_are_found_and_truncated_or_other_data_is_none() {
        let der = [0x30, 22, 2, 1, 1, 4, 2, 7, 8, 0xa0, 5, 6, 3, 0x2b, 0x81, 4, 0xa1, 6, 3, 4, 0, 4, 5, 6];
        let key = EcPrivateKey { curve: OnCurve::Named("1.3.132".to_owned()), private: &[7, 8], public: None };
        // 1.3.132 is 2b 81 04.
        assert_eq!(EcPrivateKey::read(&der), Some(EcPrivateKey { public: Some(&[4, 5, 6]), ..key }));
        for length in 0..der.len() {
            assert_eq!(EcPrivateKey::read(&der[..length]), None, "{length}");
        }
        let private = EcPrivateKey { curve: OnCurve::Unknown, private: &[7, 8], public: None };
        assert_eq!(EcPrivateKey::read(&[0x30, 7, 2, 1, 1, 4, 2, 7, 8]), Some(private));
        assert_eq!(EcPrivateKey::read(&[0x30, 7, 2, 1, 2, 4, 2, 7, 8]), None);
        assert_eq!(EcPrivateKey::read(&[0x30, 0x82, 0xff]), None);
    }

    #[test]
    fn numbers_and_names_of_any_length_are_read() {
        let number = |der: &[u8]| Elements(der).number();
        assert_eq!(number(&[2, 2, 8, 0]), Some(2048));
        assert_eq!(number(&[2, 5, 0, 0xff, 0xff, 0xff, 0xff]), Some(0xffff_ffff));
        assert_eq!(number(&[2, 10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]), Some(u64::MAX));
        assert_eq!((number(&[2, 1, 0x80]), number(&[2, 0]), number(&[4, 1, 1])), (None, None, None));
        let name = |der: &[u8]| Elements(der).name();
        assert_eq!(name(&[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]).as_deref(), Some("1.2.840.10045.2.1"));
        assert_eq!(name(&[6, 3, 0x60, 0x86, 0x48]).as_deref(), Some("2.16.840"));
        assert_eq!((name(&[6, 0]), name(&[6, 1, 0x86]), name(&[6, 11].map(|_| 6))), (None, None, None));
    }
}
