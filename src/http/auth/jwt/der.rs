//! The part of DER (ITU-T X.690) needed to find the two halves of an elliptic curve key: `openssl ecparam -genkey`
//! writes them in a form (RFC 5915) that ring does not read.

const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const BYTES: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
const PUBLIC_KEY: u8 = 0xa1;

/// The private and the public half of an `ECPrivateKey`. `None` if it is not one, or has no public half.
pub(super) fn ec_private_key(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (tag, mut rest, _) = next(der)?;
    if tag != SEQUENCE {
        return None;
    }
    let (mut private, mut public) = (None, None);
    while !rest.is_empty() {
        let (tag, content, after) = next(rest)?;
        match tag {
            INTEGER if content != [1] => return None,
            BYTES => private = Some(content),
            PUBLIC_KEY => {
                let (tag, content, _) = next(content)?;
                // The first byte of a bit string is the number of unused bits in its last byte.
                public = content.strip_prefix(&[0]).filter(|_| tag == BITS);
            }
            _ => {}
        }
        rest = after;
    }
    Some((private?, public?))
}

/// The next element: its tag, its content, and the rest.
fn next(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [tag, first, rest @ ..] = der else { return None };
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81 => (usize::from(*rest.first()?), &rest[1..]),
        0x82 => (usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?])), &rest[2..]),
        _ => return None,
    };
    (rest.len() >= length).then(|| (*tag, &rest[..length], &rest[length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_are_found_and_truncated_or_other_data_is_none() {
        let key = [0x30, 15, 2, 1, 1, 4, 2, 7, 8, 0xa1, 6, 3, 4, 0, 4, 5, 6];
        assert_eq!(ec_private_key(&key), Some((&[7, 8][..], &[4, 5, 6][..])));
        for length in 0..key.len() {
            assert_eq!(ec_private_key(&key[..length]), None, "{length}");
        }
        assert_eq!(ec_private_key(&[0x30, 7, 2, 1, 1, 4, 2, 7, 8]), None);
        assert_eq!(ec_private_key(&[0x30, 0x82, 0xff]), None);
    }
}
