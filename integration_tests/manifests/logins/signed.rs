//! Tokens that a manifest signs: keys with a passphrase, and keys that cannot sign.

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
use p521::ecdsa::signature::Verifier;
use serde_json::{Value, json};
use source_http_testkit::{Finished, Reply, Request};

use super::connector;

const PASSPHRASE: &str = "p4ss-phrase";

/// Made for these tests, by `openssl pkcs8 -topk8`, of a P-521 key.
const P521: &str = "\
-----BEGIN ENCRYPTED PRIVATE KEY-----\n\
MIIBXTBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQI2N4DowQ8wOoCAggA\n\
MAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEqBBB9CuDMzvvq2qO82My7ejs5BIIB\n\
AAXpMV6DxZndSCnAZ3x2MSe7tf1ng0CDBjec5AXzCUc1QgHeydgd6HN5cXm2JYBp\n\
KNiBRemO0TOf46YcMY8vUsbruhKcSpbaZm6SOIJ74/cLaxYmCLHC4gMF5V3lEIGy\n\
7nLl9d3KTZnv75wv3h4I/r25xNX/AofPmGqgW/KuE3utm2wMx7wG0VV/T9r8vUC4\n\
kcwneNmVVRh6jO8Iw8UcUn5hEZydGETeZNwE3bKUWespZPnVgjjDm0zZsIDzuXnZ\n\
410pdNai3ImW3CxwyXFXpT1J5kUMYyy1h7/+MKQdYMGWP7xGQuLVpUkQMpUCO/tt\n\
GQwv6GqOnOJtmlIciXMxjyo=\n\
-----END ENCRYPTED PRIVATE KEY-----\n";

/// Its public half.
const P521_PUBLIC: &str = "\
     BAFVCm2p//QnAv0Flgsv9HmvgCKip1XqgvRp8xY8BntdvXxIRbztjLLYCbiqXhNzqQkGe0TL8z9+L9w8u7fbs3GGGgAcI79bSoJA\
     cjmQIj2J+Uqm/4OOy18nzqDowaF+62JtOIJ01BfsI8/HERnttBPEMjGvxmmVC1RllFIDY4eLxua3FQ==";

/// The same for secp256k1, by `openssl ec -aes256`.
const K256: &str = "\
-----BEGIN EC PRIVATE KEY-----\n\
Proc-Type: 4,ENCRYPTED\n\
DEK-Info: AES-256-CBC,B20CE188678CDB9648FF9C3961A23F3F\n\
\n\
pLeWCdQ+j+zmCW1CTBu5yADvij/w0bAelGXpXmaug1G8XBwzlr/eH31V6a2zMHhW\n\
yGJC/pT8794VzGJWPIJZhJAmueuCYLxUYYjTUwT5WXgk1GxUE/fYkmQ2sgs/DTp7\n\
alRk4BLrsX1hOeYPbZX4r5hSVq+pb5G+0QIgYeDgSQs=\n\
-----END EC PRIVATE KEY-----\n";

/// Its public half.
const K256_PUBLIC: &str = "BOJufsn5Y7Cq2vzdK76S7B8B3tN3ynJhDK47ZaPjBQSRlPw46NvMQ/8UYaDhc4isGfd7Q0FKL8qCghVi+0q8CNQ=";

/// A short key, by `openssl genrsa`.
const RSA_1024: &str = "\
-----BEGIN PRIVATE KEY-----\n\
MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBANQRSEobOU1Hxzkb\n\
jZ1L+C5b1p0fZ6vcJVxcw089rdNmxxfXRmp18VhtstbuFp4AqnYAksZpx1bSDBG5\n\
K5ir5oG+zxyzpM4yJBPGYY7wjH6wuaKHL7Yz4d5Us07ug6DssMMrGSrcCI+X9UyY\n\
9hIv02gK4pLB7/gKW3XlvIfn5p5DAgMBAAECgYBiaw7gjZffXLOBtl7XpF0urqKA\n\
UwXbBZU1MzvVN6vHU4iMcPUWDVyPjIGWK/LFK0vw7b0wZgEEMwE07HnmJckYjtEl\n\
HMKQtLIdzLXjP+aTKdsU4Z9CMG/acE/oimsyFmSdFCeBYq+mmr37gO+mkP+7P7s+\n\
uAegZ81oVxNkve/SkQJBAPw50QB4R2+5TMsxXBbe2VrcPcspP/MbVhscjG9paFyz\n\
HO4bvP7gouv79m6caxa6rAbAJ+ve7zWLJIDUWR2EV5kCQQDXPaJgv/yPZ10/47+O\n\
sZFMsDa67gvMdB+RXab+6Cco5zS4slZjNiv/SbUd/i6aykUfoNgCbdo3A+mPKXuM\n\
xp47AkBtBfC5a0Q1nrr6+ZL8r8bz508uid4Cj0Zg4a4yWjWqHCHdKlA/O4owxvB2\n\
T1ZatMW3BUg8RFjRpBtbNG5wu8vBAkEAuCsYoUgkxl9fPqeU5HezJ7cvXUsJ9Wr3\n\
B97mYP4rY6hRSCfwGvvjMZDT1FIFdpTUCHgL3Cg6qxBB7ClGefIIuQJASowakMBh\n\
bEbgGPEx7INAaiJyYjZYAm5Ti9wFy9RLo1d2PXXSy+S46t9oLiCOBQRhpbsW1WSs\n\
jC/biawjfswI9Q==\n\
-----END PRIVATE KEY-----\n";

/// By `openssl genpkey -algorithm ed448`.
const ED448: &str = "\
-----BEGIN PRIVATE KEY-----\n\
MEcCAQAwBQYDK2VxBDsEORb2kasnalq8rd9EbA9rl+iwaESmbC1ZNR3OvcQngJIA\n\
5C/ofslK44ZwbeLIpKc1yuFARCqIn0bL2w==\n\
-----END PRIVATE KEY-----\n";

/// What a read does with this key, and what it sends.
fn read(algorithm: &str, key: &str, passphrase: Option<&str>) -> (Finished, Vec<Request>) {
    let mut signed = json!({
        "type": "JwtAuthenticator", "algorithm": algorithm, "secret_key": "{{ config['key'] }}",
        "header_prefix": "Bearer", "jwt_payload": {"iss": "me"}
    });
    if passphrase.is_some() {
        signed["passphrase"] = json!("{{ config['phrase'] }}");
    }
    let config = json!({"key": key, "phrase": passphrase});
    let api = |request: &Request| Reply::json(json!({"items": [{"id": 1, "phrase": request.path}]}));
    let (connector, server) = connector(&|_| vec![("items", signed.clone())], &config, Box::new(api));
    let done = connector.arg("--debug").run("read");
    for shown in [&done.stdout, &done.stderr] {
        assert!(!shown.contains(PASSPHRASE), "{shown}");
        for line in key.lines().filter(|line| line.len() > 40) {
            assert!(!shown.contains(line), "{shown}");
        }
    }
    (done, server.requests())
}

/// The token of the only request: what is signed, and the signature.
fn token((done, requests): (Finished, Vec<Request>)) -> (String, Vec<u8>) {
    assert_eq!((done.status, requests.len()), (0, 1), "{}", done.stdout);
    let token = requests[0].header("authorization").unwrap().strip_prefix("Bearer ").unwrap();
    assert!(!done.stdout.contains(token) && !done.stderr.contains(token));
    let (signed, signature) = token.rsplit_once('.').unwrap();
    (signed.to_owned(), BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap())
}

#[test]
fn keys_with_a_passphrase_sign_tokens_that_their_public_halves_verify() {
    let (signed, signature) = token(read("ES512", P521, Some(PASSPHRASE)));
    let header = BASE64_URL_SAFE_NO_PAD.decode(signed.split('.').next().unwrap()).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&header).unwrap(), json!({"alg": "ES512", "typ": "JWT"}));
    let public = p521::ecdsa::VerifyingKey::from_sec1_bytes(&BASE64_STANDARD.decode(P521_PUBLIC).unwrap()).unwrap();
    let signature = p521::ecdsa::Signature::from_slice(&signature).unwrap();
    assert!(public.verify(signed.as_bytes(), &signature).is_ok());

    // Without the line breaks that a form loses.
    for key in [K256.to_owned(), K256.replace('\n', "\\n"), K256.replace('\n', " ")] {
        let (signed, signature) = token(read("ES256K", &key, Some(PASSPHRASE)));
        let public = BASE64_STANDARD.decode(K256_PUBLIC).unwrap();
        let public = k256::ecdsa::VerifyingKey::from_sec1_bytes(&public).unwrap();
        let signature = k256::ecdsa::Signature::from_slice(&signature).unwrap();
        assert!(public.verify(signed.as_bytes(), &signature).is_ok());
    }
}

#[test]
fn keys_that_cannot_sign_say_why() {
    for (algorithm, key, passphrase, told) in [
        ("ES512", P521, Some("another"), "Put the right `passphrase` in the config"),
        ("ES256K", K256, Some("another"), "Put the right `passphrase` in the config"),
        ("ES512", P521, None, "it is encrypted, and its passphrase is missing. Set `passphrase`"),
        ("ES512", P521, Some(""), "it is encrypted, and its passphrase is missing. Set `passphrase`"),
        ("ES256K", K256, None, "it is encrypted, and its passphrase is missing. Set `passphrase`"),
        ("ES256", P521, Some(PASSPHRASE), "it is a key on P-521, and this algorithm needs one on P-256"),
        ("RS256", P521, Some(PASSPHRASE), "it is a key of another kind, or damaged"),
        ("HS256", "shared", Some(PASSPHRASE), "Remove `passphrase`, or set the `algorithm`"),
        ("RS256", RSA_1024, None, "it has fewer than 2048 bits"),
        ("EdDSA", ED448, None, "it is an Ed448 key, and only Ed25519 is supported"),
    ] {
        let (done, requests) = read(algorithm, key, passphrase);
        assert!(done.stdout.contains(told), "{algorithm}, {told}: {}", done.stdout);
        assert!(done.stdout.contains(r#""failure_type":"config_error""#), "{}", done.stdout);
        assert_eq!((done.status, requests.len()), (1, 0));
    }
}
