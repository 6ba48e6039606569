//! Keys that openssl has encrypted, made for these tests, and schemes that no program would write.

use base64::prelude::{BASE64_STANDARD, Engine};

use super::super::pem::{Kind, PrivatePem};
use super::*;

const PASSPHRASE: &str = "pässw0rd";

/// An Ed25519 key in PKCS #8, as it is.
const PLAIN: &str = "MC4CAQAwBQYDK2VwBCIEINVFo1w7rxaYnVkPMhZctyd2zeZm7wxEaqeL7CnIUMVc";

/// The same, by `openssl pkcs8 -topk8`.
const ENCRYPTED: [(&str, &str); 10] = [
    (
        "AES-128, SHA-256",
        "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjLczO7RM1d4AICCAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEFfSh/vsM+\
         8mYV41wBc6INQEQIn49s+NP6016QucmbjYXhj/tUxESFGE2dzCczLlBYMcN8LASd4OWV6otV2B37sDmYn5ZvpwVTummCD4WYVx+Ns=",
    ),
    (
        "AES-192, SHA-224",
        "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAitFug+8y8G8QICCAAwDAYIKoZIhvcNAggFADAdBglghkgBZQMEARYEENaOIsH28m\
         TkZINvXhg7e0cEQPxfk/uvYq5SynzPjJTUTm+sAlwwyfauCAge/l5a7w8dVQjdtd6W+tojhBn+gDHIrXzvM3CgT1EoNdDe2OXdFH4=",
    ),
    (
        "AES-256, SHA-256",
        "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAiWWNx4YSr6AgICCAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEN2lnj75hO\
         8H8BzuIGpmjNwEQM+CWH/v4n8z6do8zMoOWEGUFkuSHDr3gS0G4KvRtry947riQXEDil0OrEREOWn2f57tXfOljZ7XdSVZTSefqJo=",
    ),
    (
        "3DES, SHA-256",
        "MIGKME4GCSqGSIb3DQEFDTBBMCkGCSqGSIb3DQEFDDAcBAgPb1ZZDrx7cgICCAAwDAYIKoZIhvcNAgkFADAUBggqhkiG9w0DBwQIbIrUmwI2Re\
         4EOFXlWGfq8JTnbkCVFHXVYFarSTX6udC2kH/AH5qiyAKUm5QDgM0nvorj8LV3G4ADO0qOkIE6gbMd",
    ),
    (
        "AES-256, SHA-1",
        "MIGNMEkGCSqGSIb3DQEFDTA8MBsGCSqGSIb3DQEFDDAOBAh4BtqxPO2wsgICCAAwHQYJYIZIAWUDBAEqBBDoiq+RwZPmAaVCDxETXs0SBEA3qg\
         KsuDy4GhfhJjAk/7xdlyhcMFLJw9UEZUn7feWR2iVcpNS2sgCukxALbiP++zaa46Ay6hapyfgJMJMfY5Gm",
    ),
    (
        "AES-256, SHA-384",
        "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAiJgs6eKIFVCgICCAAwDAYIKoZIhvcNAgoFADAdBglghkgBZQMEASoEELNIjSpNOj\
         OKfC2QNkMwIb4EQLBDINbmEKIk4M7iOBNJqUaPgAkjm8ur/1dH5ahCXcotgaeboGXzWCagajnF98ifL5FgnPXDZxOIfmTkSJMmhSE=",
    ),
    (
        "AES-256, SHA-512",
        "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjHYcFfS/bjlQICCAAwDAYIKoZIhvcNAgsFADAdBglghkgBZQMEASoEECulSEh14G\
         +rR5dKaJiD6rgEQAdXhYKOXIJeNDYHI5q/lWsS9Do8K+3XePzmBsz60qYqeJf6VGoLaeStCkwJioWKPyjb7/F3DfHzYUB7EdRRO3k=",
    ),
    (
        "AES-256, scrypt",
        "MIGTME8GCSqGSIb3DQEFDTBCMCEGCSsGAQQB2kcECzAUBAgwxFU9bzLMZgICBAACAQgCAQEwHQYJYIZIAWUDBAEqBBCPbH5Xingyjm5+78TSJy\
         N9BEDGzTRrNoFWMO7Gjurmho0DC7RM5v8FZQ+3WH+5lDZKe/StMVXGcBTdn2iiXFw23tTAGyPEfpM1BioyqYhjV4GW",
    ),
    (
        "PKCS #12: SHA-1, 3DES",
        "MFgwHAYKKoZIhvcNAQwBAzAOBAg/qv1hkY8hEQICCAAEOAI//HnITeeJhhuA5xdKRlSymOXm7VJkNmw1Ez5d+aWxzD9h/ShRARy7nUHAW/hGlp\
         8V/Io/kvZJ",
    ),
    (
        "PKCS #5 1.5: MD5, DES",
        "MFcwGwYJKoZIhvcNAQUDMA4ECMA5/IDc+fv3AgIIAAQ4035vLKgW6o87X4yeU1EgNeJG3YetXcA40rRkN8FbODPKjfa9r9vtSq9lGRdzFUaB2n\
         uZG4m1owU=",
    ),
];

/// A P-256 key without its public half, in SEC 1.
const EC: &str = "MDECAQEEIA4eCb5dlXsOB7KoIMn4jKJxsuIqTa1JvpjPGreo4P4UoAoGCCqGSM49AwEH";

/// The same, by `openssl ec`: what follows `DEK-Info:`.
const TRADITIONAL: [&str; 4] = [
    "AES-128-CBC,C73796C5BBC4EB131A5E5ACD9024FCBE\n\n\
     /PHxc1ogJAfwM5P95UZKKfsDoaLcneaBS4TcePJEvC8snTLafocADZz3yLRjnbhy\nKvJnIoVc40d4dU5tYYheSA==",
    "AES-192-CBC,ABDF02CBD3F283D1D5FC0B4D7B22DC9B\n\n\
     J9FgL1V0JL3l96bOe6Kn/HmowyjStWXQxervqEdsytyn2U2fsAS7S+nGChtU8lu8\nwvJjh1X2aVQNmeDsUSmMdg==",
    "AES-256-CBC,98F6CE00B70C04D331BA14515134AE52\n\n\
     P0tWxxU0SFbSFQkhWea/kFJB8H404SbkRRO1+yqfqpEDygksARkUpbHN90oufRM+\na5dX1/u8tw4R57FdP0bY1Q==",
    "DES-EDE3-CBC,7B44896C5D1230FE\n\n\
     o7LVcUC3M3OGxsk99K5fmtk6jRmBQwvwzZxcI29cXN+zbL4tS6io4mLQmVfdo1mp\nvuZN2g9o+uQ=",
];

fn pem(label: &str, body: &str) -> String {
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

fn traditional(body: &str) -> String {
    pem("EC PRIVATE KEY", &format!("Proc-Type: 4,ENCRYPTED\nDEK-Info: {body}"))
}

fn bytes(text: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(text).unwrap()
}

fn fault(text: &str, passphrase: &str) -> Fault {
    PrivatePem::read(text, passphrase).err().unwrap()
}

#[test]
fn keys_that_openssl_encrypts_are_decrypted() {
    for (scheme, text) in ENCRYPTED {
        let text = pem("ENCRYPTED PRIVATE KEY", text);
        let read = PrivatePem::read(&text, PASSPHRASE).unwrap_or_else(|fault| panic!("{scheme}: {fault:?}"));
        assert_eq!((read.kind, read.der), (Kind::Pkcs8, bytes(PLAIN)), "{scheme}");
        assert_eq!(fault(&text, "passw0rd"), Fault::passphrase(), "{scheme}");
        assert!(fault(&text, "").what.contains("its passphrase is missing"));
    }
    for body in TRADITIONAL {
        let text = traditional(body);
        // A form or a `.env` file loses line breaks.
        for text in
            [text.clone(), text.replace('\n', "\r\n"), text.trim().replace('\n', "\\n"), text.replace('\n', " ")]
        {
            let read = PrivatePem::read(&text, PASSPHRASE).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
            assert_eq!((read.kind, read.der), (Kind::Ec, bytes(EC)), "{text}");
        }
        assert_eq!(fault(&text, "passw0rd"), Fault::passphrase());
        assert!(fault(&text, "").what.contains("its passphrase is missing"));
    }
}

#[test]
fn a_passphrase_is_ignored_without_encryption() {
    assert_eq!(PrivatePem::read(&pem("PRIVATE KEY", PLAIN), PASSPHRASE).ok().unwrap().der, bytes(PLAIN));
}

#[test]
fn other_parts_of_a_file_are_skipped() {
    let file = format!("# mine\n{}{}", pem("EC PARAMETERS", "BgUrgQQAIw=="), pem("EC PRIVATE KEY", EC));
    assert_eq!(PrivatePem::read(&file, "").ok().unwrap().der, bytes(EC));
    assert_eq!(fault(&pem("EC PARAMETERS", ""), "").what, "it is a PEM of the kind EC PARAMETERS");
}

#[test]
fn truncated_and_damaged_keys_are_faults() {
    for (scheme, text) in ENCRYPTED {
        let der = bytes(text);
        for length in 0..der.len() {
            assert_eq!(pkcs8(&der[..length], PASSPHRASE), Err(Fault::damaged()), "{scheme}, {length}");
        }
        // No byte may make it panic, and only a changed salt, vector or key may look like a wrong passphrase.
        for at in 0..der.len().min(40) {
            let mut damaged = der.clone();
            damaged[at] ^= 0x81;
            assert!(pkcs8(&damaged, PASSPHRASE).is_err(), "{scheme}, {at}");
        }
    }
    for body in ["", "AES-256-CBC", "AES-256-CBC,12", "AES-256-CBC,zz00zz00zz00zz00zz00zz00zz00zz00\n\nAAAA"] {
        assert_eq!(fault(&traditional(body), PASSPHRASE), Fault::damaged(), "{body}");
    }
    let odd = fault(&traditional("CAMELLIA-256-CBC,00112233445566778899aabbccddeeff\n\nAAAA"), PASSPHRASE);
    assert!(odd.what.contains("a cipher that is not supported") && odd.fix.contains("openssl pkcs8"), "{odd:?}");
}

/// An element of DER.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    [&[tag, u8::try_from(content.len()).unwrap()], content.as_slice()].concat()
}

fn number(number: u64) -> Vec<u8> {
    element(2, &[&[0], &number.to_be_bytes()])
}

/// A key that is encrypted with PBES2 and a derivation of this name and these numbers.
fn derived_by(name: &[u8], numbers: &[u64]) -> Vec<u8> {
    let numbers = numbers.iter().map(|n| number(*n)).collect::<Vec<_>>().concat();
    let parameters = element(0x30, &[&element(4, &[&[0; 8]]), &numbers]);
    let derivation = element(0x30, &[&element(6, &[name]), &parameters]);
    let cipher = element(6, &[&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 0x2a]]);
    let encryption = element(0x30, &[&cipher, &element(4, &[&[0; 16]])]);
    let pbes2 = element(6, &[&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 0x0d]]);
    let scheme = element(0x30, &[&pbes2, &element(0x30, &[&derivation, &encryption])]);
    element(0x30, &[&scheme, &element(4, &[&[0; 16]])])
}

#[test]
fn a_key_that_asks_for_too_much_work_or_memory_is_refused() {
    const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 0x0c];
    const SCRYPT: &[u8] = &[0x2b, 6, 1, 4, 1, 0xda, 0x47, 4, 0x0b];

    let faulty = |name: &[u8], numbers: &[u64]| pkcs8(&derived_by(name, numbers), PASSPHRASE).unwrap_err();
    // Within the limits, these keys have another passphrase.
    assert_eq!(faulty(PBKDF2, &[1]), Fault::passphrase());
    assert_eq!(faulty(SCRYPT, &[2, 1, 1]), Fault::passphrase());
    for rounds in [u64::from(ROUNDS) + 1, 1_000_000_000, u64::from(u32::MAX) + 2, u64::MAX] {
        let fault = faulty(PBKDF2, &[rounds]);
        assert_eq!(fault.what, format!("decrypting it takes {rounds} rounds, and the limit is 10000000"));
        assert!(fault.fix.contains("openssl pkcs8 -topk8"), "{fault:?}");
    }
    let most = u64::MAX;
    for costs in [[1 << 30, 8, 1], [1 << 21, 1, 1], [1 << 14, 8, 1 << 10], [2, 1 << 20, 1], [2, 1, 1 << 21], [most; 3]]
    {
        let fault = faulty(SCRYPT, &costs);
        assert!(fault.what.contains("MiB of memory") && fault.fix.contains("openssl"), "{costs:?}: {fault:?}");
    }
    for costs in [[0, 8, 1], [1, 8, 1], [3, 8, 1], [2, 0, 1], [2, 8, 0]] {
        assert_eq!(faulty(SCRYPT, &costs), Fault::damaged(), "{costs:?}");
    }
    assert_eq!(faulty(PBKDF2, &[0]), Fault::damaged());
    // A length of the key that is not the cipher's.
    assert_eq!(faulty(PBKDF2, &[1, 16]), Fault::damaged());
    assert!(faulty(&[0x2a, 3], &[1]).what.ends_with("not supported (1.2.3)"));
}
