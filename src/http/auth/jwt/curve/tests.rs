//! Keys of every form, whose signatures their public halves verify.

use p256::ecdsa::signature::Verifier;

use super::*;

/// An element of DER.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u8::try_from(content.len()).unwrap();
    let head = if length < 0x80 { vec![tag, length] } else { vec![tag, 0x81, length] };
    [head, content].concat()
}

/// The name of a curve, in DER.
fn name(curve: Curve) -> Vec<u8> {
    let content: &[u8] = match curve {
        Curve::P256 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7],
        Curve::P384 => &[0x2b, 0x81, 4, 0, 0x22],
        Curve::P521 => &[0x2b, 0x81, 4, 0, 0x23],
        Curve::Secp256k1 => &[0x2b, 0x81, 4, 0, 0x0a],
    };
    element(6, &[content])
}

/// A key in SEC 1.
fn ec(curve: Option<Curve>, private: &[u8], public: &[u8]) -> Vec<u8> {
    let curve = curve.map(|curve| element(0xa0, &[&name(curve)])).unwrap_or_default();
    let public = match public {
        [] => Vec::new(),
        public => element(0xa1, &[&element(3, &[&[0], public])]),
    };
    element(0x30, &[&[2, 1, 1], &element(4, &[private]), &curve, &public])
}

/// A key in PKCS #8, of an algorithm that ends in this.
fn pkcs8(curve: Curve, last: u8, key: &[u8]) -> Vec<u8> {
    let algorithm = element(6, &[&[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, last]]);
    element(0x30, &[&[2, 1, 0], &element(0x30, &[&algorithm, &name(curve)]), &element(4, &[key])])
}

fn signer_of(curve: Curve, kind: Kind, der: Vec<u8>) -> Result<Sign, Fault> {
    curve.signer(&PrivatePem { kind, der })
}

/// Signs with a key in each form, and verifies each signature.
fn check<K, S, V>(curve: Curve, length: usize, point: impl Fn(&V, bool) -> Vec<u8>)
where
    K: for<'a> TryFrom<&'a [u8]> + KeypairRef<VerifyingKey = V>,
    S: for<'a> TryFrom<&'a [u8]>,
    V: Verifier<S>,
{
    let mut private = vec![0x5a; length];
    // A leading zero, and less than the order of each curve.
    private[0] = 0;
    let Ok(key) = K::try_from(&private) else { panic!("{curve:?}") };
    let (long, short) = (point(key.as_ref(), false), point(key.as_ref(), true));
    let forms = [
        (Kind::Ec, ec(Some(curve), &private, &long)),
        (Kind::Ec, ec(Some(curve), &private, &short)),
        (Kind::Ec, ec(Some(curve), &private, &[])),
        (Kind::Ec, ec(None, &private, &[])),
        (Kind::Ec, ec(Some(curve), &private[1..], &long)),
        (Kind::Ec, ec(Some(curve), &[&[0], private.as_slice()].concat(), &long)),
        (Kind::Pkcs8, pkcs8(curve, 1, &ec(None, &private, &long))),
        (Kind::Pkcs8, pkcs8(curve, 1, &ec(Some(curve), &private, &[]))),
    ];
    for (at, (kind, der)) in forms.into_iter().enumerate() {
        let sign = signer_of(curve, kind, der).unwrap_or_else(|fault| panic!("{curve:?}, {at}: {fault:?}"));
        let signed = sign(b"header.claims").unwrap();
        assert_eq!(signed.len(), 2 * length);
        let Ok(signature) = S::try_from(&signed) else { panic!("{curve:?}") };
        assert!(key.as_ref().verify(b"header.claims", &signature).is_ok(), "{curve:?}, {at}");
        assert!(key.as_ref().verify(b"header.claimz", &signature).is_err(), "{curve:?}, {at}");
    }
    let mut other = private.clone();
    other[length - 1] += 1;
    for (kind, der) in [
        // Halves of different keys, no number of the curve, and keys of other kinds.
        (Kind::Ec, ec(Some(curve), &other, &long)),
        (Kind::Ec, ec(Some(curve), &vec![0; length], &[])),
        (Kind::Ec, ec(Some(curve), &vec![0xff; length], &[])),
        (Kind::Ec, ec(Some(curve), &vec![1; length + 1], &[])),
        (Kind::Pkcs8, pkcs8(curve, 2, &ec(None, &private, &long))),
        (Kind::Pkcs8, ec(Some(curve), &private, &long)),
    ] {
        assert_eq!(signer_of(curve, kind, der).err(), Some(Fault::damaged()), "{curve:?}");
    }
}

#[test]
fn each_curve_signs_with_keys_of_every_form() {
    use p256::elliptic_curve::sec1::ToSec1Point;

    macro_rules! check {
        ($curve:expr, $of:ident, $length:expr) => {
            check::<$of::ecdsa::SigningKey, $of::ecdsa::Signature, $of::ecdsa::VerifyingKey>(
                $curve,
                $length,
                |key, short| key.as_affine().to_sec1_point(short).as_bytes().to_vec(),
            );
        };
    }
    check!(Curve::P256, p256, 32);
    check!(Curve::P384, p384, 48);
    check!(Curve::P521, p521, 66);
    check!(Curve::Secp256k1, k256, 32);
}

/// The bytes of hexadecimal digits.
fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn signatures_are_those_of_rfc_6979() {
    // Appendix A.2.5 and A.2.7, with the message `sample`.
    for (curve, private, expected) in [
        (
            Curve::P256,
            "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
            "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716\
             F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
        ),
        (
            Curve::P521,
            "00FAD06DAA62BA3B25D2FB40133DA757205DE67F5BB0018FEE8C86E1B68C7E75CAA896EB32F1F47C70855836A6D16FCC1466F6D8\
             FBEC67DB89EC0C08B0E996B83538",
            "00C328FAFCBD79DD77850370C46325D987CB525569FB63C5D3BC53950E6D4C5F174E25A1EE9017B5D450606ADD152B534931D7D4\
             E8455CC91F9B15BF05EC36E377FA\
             00617CCE7CF5064806C467F678D3B4080D6F1CC50AF26CA209417308281B68AF282623EAA63E5B5C0723D8B8C37FF0777B1A20F8\
             CCB1DCCC43997F1EE0E44DA4A67A",
        ),
    ] {
        let sign = signer_of(curve, Kind::Ec, ec(Some(curve), &hex(private), &[])).unwrap();
        assert_eq!(sign(b"sample").unwrap(), hex(expected), "{curve:?}");
    }
}

#[test]
fn a_key_on_another_curve_is_named() {
    let key = ec(Some(Curve::P256), &[1; 32], &[]);
    for (kind, der) in [(Kind::Ec, key.clone()), (Kind::Pkcs8, pkcs8(Curve::P256, 1, &key))] {
        let fault = signer_of(Curve::P521, kind, der).err().unwrap();
        assert_eq!(fault.what, "it is a key on P-256, and this algorithm needs one on P-521");
    }
}

#[test]
fn a_curve_without_a_name_is_that_of_the_public_half() {
    // The content of [0] is a sequence, whose numbers nobody reads.
    let described = |public: &[u8]| {
        let public = if public.is_empty() { Vec::new() } else { element(0xa1, &[&element(3, &[&[0], public])]) };
        let curve = element(0xa0, &[&[0x30, 0]]);
        element(0x30, &[&[2, 1, 1], &element(4, &[&[1; 32]]), &curve, &public])
    };
    let own = p256::ecdsa::SigningKey::from_slice(&[1; 32]).unwrap();
    let public = own.verifying_key().to_sec1_point(false);
    assert!(signer_of(Curve::P256, Kind::Ec, described(public.as_bytes())).is_ok());
    assert_eq!(signer_of(Curve::Secp256k1, Kind::Ec, described(public.as_bytes())).err(), Some(Fault::damaged()));
    let fault = signer_of(Curve::P256, Kind::Ec, described(&[])).err().unwrap();
    assert!(fault.what.contains("it does not name its curve"), "{fault:?}");
}
