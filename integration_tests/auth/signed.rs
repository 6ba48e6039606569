//! Tokens that the connector signs itself.

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PublicKeyData};
use ring::signature::{self, KeyPair as _, RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm};
use serde_json::{Value, json};
use source_http::http::auth::{
    JwtAlgorithm, JwtAuthenticator, JwtSigner, OAuth2Authenticator, TokenPlace, TokenRequest,
};
use source_http_testkit::{Request, Routes, Server};

use super::{page, page_of, signed_by, url_of};

/// Made for this test, by `openssl genrsa -traditional`.
const RSA: &str = "\
-----BEGIN RSA PRIVATE KEY-----\n\
MIIEpAIBAAKCAQEA489NqqKSk87joxhsafGllOt6k4U5brYHQRFWX58/pb8elU3I\n\
MAB+2HILHeoLjSG8W1loITFBZ7HrDjxWUIc+wP88e8ZH3kZ+sCWq1a9P4nwdUB8u\n\
1otS4J83cgYyPGE6UxX1128NUJNwxsJyAYoVprovS89s3El0mPnQy0iL6QW7NFBa\n\
rw7kmkDXLv/Eqw86/BsHs2pUOTeeImmBXLsd/JIIVpMRgm86guBiFZHBPJ7HHZH6\n\
zRcmRq/FZlluZnxCkUlianfUm9teWhYT0zhn3DNmLFwn3+ZgR2LjLeIUlcqNM/3K\n\
kBqFpmYWGLGDUXiJziFkb+L+FsnLcf62Ix4sNQIDAQABAoIBAG8REvyuZmhJ5hIO\n\
Rk0g02nXpNtniKjBdqfym/ni2lUk6PRCB+ffVfiRIXpkMV2NpRekb3A/Y3P6+m7m\n\
W+7HAYF27zYpZcCo/ftDYhbscjYp7OCzU1KmerGo7o9ZFgT6IkV/32w5aHRwbft5\n\
sbuuZv/ypjx/1MNRzNcIdROnOw9QIHOxNGD2/4eSPqg/0Ood/paFSJL7Nkozq7un\n\
Ti5Z2QfncKf0HaaIw/rHYupbBByJcavtkNP1hEntEgYTqug44pnzNvlo8dKLeWCC\n\
0p35rheV8b1XMf6/ZyNnVUJd+y9JQ+BiU/N8k3TKY/nXDYtbRFwyVy4+dtGJuLmZ\n\
knfF5cECgYEA+DbVG2SSlAIsKyEOm6lQZZvk1vhEnuJa2eqOXe4wObIsmv2pvrZo\n\
7lX3Z7ZcWhczWQi1WexJpxKiOCDKSt2gTYWPaa9irJCa1rgeKzElsl6PAsrsfZeZ\n\
41XL4chiCcafx446xVshv50oZFKUC2XItjGK3mH0n2RPl24WenGUvacCgYEA6vSf\n\
dgL9yPpj2FMtl/EW1PR/x6zjOwAf5EWMWXvPal2fC4qcnpn6a20LGHuvEdZ5CGHI\n\
hzo66DKA9RUOjdbFDWEvIceEl/3xFVE82eJ0jRmerEuzOlKr0OMdy1mNZNJ25Je9\n\
N4o3Jcjn3RGpArvM7bP+VRSNSaxyr5DmeFFTWsMCgYAnchdV3hrJOLsqM3ut0y96\n\
plasrxHAqjpD7VmopcS2NpGOJAfIzhZI4hKKQdnVW2CGorKnUry1t2leQB/F3Aiw\n\
qSwMYJnu0KA6xVHODWZvPUW+7N6+asxC64yWGhEyeoVD4l+Go5/uYpxbrR/n28oU\n\
4jSueKS2e+uGJjGeTdSUewKBgQC7JCz+6lMKCaYNX/Mo2ra82CIPAP3cuLSuNVcc\n\
zyjeJ8POhZFKIor7ldcIoTtIkfPFYV0/mHnjCJb+ns8A2tgJWCcaWLib94BW4mX9\n\
hgofeRCRW5peEgsYTk4k8idU7u4UFWh5HHXgeq1zv+VGcB9CFeO2ELCYxepzPI7V\n\
trEV0QKBgQCf6ZKIlE8t+nHqRVB62EtWS43YBlGR6LDol4QRh2h2zmwN5zbU2Xs+\n\
hed3UXH4sZaUZcAjMPqDV0zjV1GMZpAGfeOqQGZ6DAEYC/1bgZ5rXeIGEccCftEP\n\
gDSutM6JBPL2fNNclu830e2Cz++dhPGXKuONvq9ERUkjjAqH0OPCqA==\n\
-----END RSA PRIVATE KEY-----\n";
/// Made for this test, by `openssl ecparam -genkey -name prime256v1`.
pub(crate) const EC: &str = "\
-----BEGIN EC PRIVATE KEY-----\n\
MHcCAQEEILuSvCBUDnXJ4NrwERV3hKEKiF4gn5VHj9P4gOzlbC99oAoGCCqGSM49\n\
AwEHoUQDQgAEhF3p+3z3xtfxrBFpJtma/ujg0rmdV0adngHWJq8FsXSdYeokSmH7\n\
zvSVRJW0XnTHaj4oYkJ7HJ+Wf7KrtvH4zg==\n\
-----END EC PRIVATE KEY-----\n";

/// The token that a read sends, signed with a key.
fn sent(algorithm: JwtAlgorithm, key: &str) -> String {
    let server = Server::start(Routes::new().on("GET", "/items", [page()]));
    let key = key.to_owned();
    let connector = signed_by(move |_, cx| {
        JwtAuthenticator::new(JwtSigner::new(algorithm, &key, &cx.redactor).unwrap().claim("iss", "me"))
    });
    let done = connector.config(&json!({"url": server.url()})).arg("--debug").run("read");
    assert_eq!(done.status, 0, "{}", done.stdout);
    let token = server.requests()[0].header("authorization").unwrap().strip_prefix("Bearer ").unwrap().to_owned();
    assert!(!done.stdout.contains(&token) && !done.stderr.contains(&token));
    token
}

fn part(token: &str, at: usize) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(at).unwrap()).unwrap()
}

/// Whether the public key verifies a token.
fn verify(with: &'static dyn VerificationAlgorithm, public: &[u8], token: &str) {
    let signed = token.rsplit_once('.').unwrap().0;
    let verified = UnparsedPublicKey::new(with, public).verify(signed.as_bytes(), &part(token, 2));
    assert!(verified.is_ok(), "{with:?}");
}

#[test]
fn every_kind_of_key_signs_tokens_that_its_public_half_verifies() {
    use JwtAlgorithm as Algorithm;

    let der = BASE64_STANDARD.decode(RSA.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap();
    let pair = RsaKeyPair::from_der(&der).unwrap();
    let rsa: [(Algorithm, &'static dyn VerificationAlgorithm); 6] = [
        (Algorithm::Rs256, &signature::RSA_PKCS1_2048_8192_SHA256),
        (Algorithm::Rs384, &signature::RSA_PKCS1_2048_8192_SHA384),
        (Algorithm::Rs512, &signature::RSA_PKCS1_2048_8192_SHA512),
        (Algorithm::Ps256, &signature::RSA_PSS_2048_8192_SHA256),
        (Algorithm::Ps384, &signature::RSA_PSS_2048_8192_SHA384),
        (Algorithm::Ps512, &signature::RSA_PSS_2048_8192_SHA512),
    ];
    for (algorithm, with) in rsa {
        verify(with, pair.public_key().as_ref(), &sent(algorithm, RSA));
    }
    let made: [(Algorithm, _, &'static dyn VerificationAlgorithm); 3] = [
        (Algorithm::Es256, &PKCS_ECDSA_P256_SHA256, &signature::ECDSA_P256_SHA256_FIXED),
        (Algorithm::Es384, &PKCS_ECDSA_P384_SHA384, &signature::ECDSA_P384_SHA384_FIXED),
        (Algorithm::EdDsa, &PKCS_ED25519, &signature::ED25519),
    ];
    for (algorithm, kind, with) in made {
        let pair = KeyPair::generate_for(kind).unwrap();
        verify(with, pair.der_bytes(), &sent(algorithm, &pair.serialize_pem()));
    }
    // In openssl's own form, and with the line breaks of an environment variable.
    for key in [EC.to_owned(), EC.trim().replace('\n', "\\n"), EC.replace('\n', " ")] {
        let token = sent(Algorithm::Es256, &key);
        assert_eq!(part(&token, 2).len(), 64);
    }
    let header: Value = serde_json::from_slice(&part(&sent(Algorithm::Hs512, "shared"), 0)).unwrap();
    assert_eq!(header, json!({"alg": "HS512", "typ": "JWT"}));
}

#[test]
fn a_token_is_signed_again_after_a_minute_and_stands_where_it_is_wanted() {
    let connector = signed_by(|_, cx| {
        let signer = JwtSigner::new(JwtAlgorithm::Hs256, "s3cret-key", &cx.redactor).unwrap();
        JwtAuthenticator::new(signer).place(TokenPlace::Query("jwt".to_owned()))
    });
    let clock = connector.clock();
    let server = Server::start(move |request: &Request| {
        clock.advance(Duration::from_secs(40));
        page_of(request, 4)
    });
    let done = connector.config(&json!({"url": server.url()})).arg("--debug").run("read");
    assert_eq!((done.status, done.messages().record_count()), (0, 4), "{}", done.stdout);
    let requests = server.requests();
    let tokens: Vec<&str> = requests.iter().map(|request| request.param("jwt").unwrap()).collect();
    assert_eq!((tokens[0] == tokens[1], tokens[1] == tokens[2], tokens[2] == tokens[3]), (true, false, true));
    assert!(tokens.iter().all(|token| !done.stdout.contains(token)));
}

#[test]
fn a_signed_token_is_exchanged_for_an_access_token() {
    let token = json!({"access_token": "acc3ss", "expires_in": 3600});
    let token = source_http_testkit::Reply::json(token);
    let server = Server::start(Routes::new().on("POST", "/token", [token]).on("GET", "/items", [page()]));
    let connector = signed_by(|config, cx| {
        let signer = JwtSigner::new(JwtAlgorithm::Es256, EC, &cx.redactor).unwrap();
        OAuth2Authenticator::new(TokenRequest::jwt_bearer(&url_of(config, "/token"), signer, &cx.redactor))
    });
    let done = connector.config(&json!({"url": server.url()})).run("read");
    assert_eq!((done.status, server.conversation()), (0, vec!["POST /token".to_owned(), "GET /items".to_owned()]));
    let body = server.requests()[0].body_text();
    assert!(body.starts_with("grant_type=urn%3Aietf") && body.contains("&assertion=eyJ"), "{body}");
}
