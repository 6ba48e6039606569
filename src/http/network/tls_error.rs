//! TLS errors, in words that name the setting that fixes them.

use jiff::Timestamp;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error};

use super::NetworkEnvironment;
use crate::protocol::FailureKind;

/// The known facts about a failed handshake.
pub(in crate::http) struct Handshake<'a> {
    /// The server's name.
    pub(in crate::http) host: &'a str,
    /// The trusted authorities.
    pub(in crate::http) environment: &'a NetworkEnvironment,
    /// Whether a client certificate was available.
    pub(in crate::http) has_identity: bool,
}

/// Who can fix a TLS error, and how. Retries do not improve certificates.
pub(in crate::http) fn sort(error: &Error, handshake: &Handshake<'_>) -> (FailureKind, String) {
    use FailureKind::{Config, Transient};

    match error {
        Error::InvalidCertificate(error) => (Config, certificate(error, handshake)),
        Error::NoCertificatesPresented => (Config, format!("{} shows no certificate. {}", handshake.host, OWNER)),
        Error::InvalidMessage(_) => {
            let text = "what came back is not TLS. If the port speaks plain HTTP, the URL has to begin with http://";
            (Config, text.to_owned())
        }
        Error::AlertReceived(alert) => received(*alert, handshake),
        Error::PeerIncompatible(_) | Error::NoApplicationProtocol => (
            Config,
            format!("{} speaks no version of TLS that is safe: TLS 1.2 or 1.3 is needed ({error})", handshake.host),
        ),
        Error::FailedToGetCurrentTime | Error::FailedToGetRandomBytes => (FailureKind::System, error.to_string()),
        // Garbled on the way, or a fault of the server that may pass.
        _ => (Transient, error.to_string()),
    }
}

/// Who has to fix a certificate that is itself wrong.
const OWNER: &str = "The operator of the server has to replace it";

fn certificate(error: &CertificateError, handshake: &Handshake<'_>) -> String {
    use CertificateError as Wrong;

    let host = handshake.host;
    let subject = format!("the certificate of {host}");
    let (problem, advice) = match error {
        Wrong::UnknownIssuer => {
            let (trusted, advice) = trust(handshake.environment);
            (format!("is signed by an authority that is not trusted (unknown issuer){trusted}"), advice)
        }
        Wrong::BadSignature => {
            let (trusted, advice) = trust(handshake.environment);
            let problem = format!(
                "has a signature that does not fit the key of the trusted authority of that name{trusted}. The authority may \
                 have been renewed"
            );
            (problem, advice)
        }
        Wrong::NotValidForName => {
            return format!("the certificate is for another host than {host}. Check the host in the URL");
        }
        Wrong::NotValidForNameContext { presented, .. } => {
            let names = if presented.is_empty() { "no host at all".to_owned() } else { presented.join(", ") };
            return format!("the certificate is for {names}, not for {host}. Check the host in the URL");
        }
        Wrong::Expired => return expired(&subject, None),
        Wrong::ExpiredContext { not_after, .. } => return expired(&subject, Some(*not_after)),
        Wrong::NotValidYet => return not_valid_yet(&subject, None),
        Wrong::NotValidYetContext { not_before, .. } => return not_valid_yet(&subject, Some(*not_before)),
        Wrong::Revoked => ("has been revoked by its authority".to_owned(), OWNER.to_owned()),
        Wrong::UnknownRevocationStatus
        | Wrong::ExpiredRevocationList
        | Wrong::ExpiredRevocationListContext { .. }
        | Wrong::InvalidOcspResponse => {
            ("may have been revoked: its authority does not say".to_owned(), "Try again later".to_owned())
        }
        Wrong::BadEncoding => ("is damaged, or is not a certificate".to_owned(), OWNER.to_owned()),
        Wrong::UnhandledCriticalExtension => {
            ("has a critical extension that is not supported".to_owned(), OWNER.to_owned())
        }
        Wrong::UnsupportedSignatureAlgorithmContext { .. }
        | Wrong::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => (
            "is signed with an algorithm that is unsafe or not supported".to_owned(),
            format!("{OWNER}: SHA-256 with RSA or ECDSA will do"),
        ),
        Wrong::InvalidPurpose | Wrong::InvalidPurposeContext { .. } => {
            ("is not meant for a server".to_owned(), format!("{OWNER} with one whose extendedKeyUsage is serverAuth"))
        }
        Wrong::Other(other) => flaw(&other.0.to_string()),
        // Two of older names without details.
        other => flaw(&format!("{other:?}")),
    };
    format!("{subject} {problem}. {advice}")
}

fn expired(subject: &str, end: Option<UnixTime>) -> String {
    format!(
        "{subject} has expired{}. The operator of the server has to renew it, unless this machine's clock is wrong",
        on(end)
    )
}

fn not_valid_yet(subject: &str, start: Option<UnixTime>) -> String {
    let from = on(start).replace(" on ", " before ");
    format!(
        "{subject} is not valid yet{from}. Check this machine's clock; if it is right, wait, or have the certificate replaced"
    )
}

/// The day, if it is known.
fn on(time: Option<UnixTime>) -> String {
    let second = time.and_then(|time| i64::try_from(time.as_secs()).ok());
    let at = second.and_then(|second| Timestamp::from_second(second).ok());
    at.map(|at| format!(" on {}", at.strftime("%Y-%m-%d"))).unwrap_or_default()
}

/// A fault of a certificate without a variant of its own: the library's name for it, in words, and the fix.
fn flaw(name: &str) -> (String, String) {
    match name {
        "CaUsedAsEndEntity" => {
            let advice = "Give the server one of its own, signed by that authority, and trust the authority; with openssl \
                          req -x509, -addext basicConstraints=critical,CA:FALSE makes one that a server can use";
            ("is that of an authority, which is not for servers (CA:TRUE)".to_owned(), advice.to_owned())
        }
        "EndEntityUsedAsCa" => {
            ("is signed with a certificate that is no authority's (CA:FALSE)".to_owned(), OWNER.to_owned())
        }
        "NameConstraintViolation" => ("has a name that its authority may not sign".to_owned(), OWNER.to_owned()),
        "UnsupportedCertVersion" => {
            ("is of an old version of X.509".to_owned(), format!("{OWNER} with one of version 3"))
        }
        name => (format!("is invalid ({})", words(name)), OWNER.to_owned()),
    }
}

/// `MaximumPathDepthExceeded` as `maximum path depth exceeded`.
fn words(name: &str) -> String {
    let name = name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    name.chars().enumerate().fold(String::new(), |mut words, (at, c)| {
        if at > 0 && c.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
        words
    })
}

/// The source of the trusted authorities, if the user can change it, and how to trust one more.
fn trust(environment: &NetworkEnvironment) -> (String, String) {
    let private = "If it is a private one, or that of a proxy that looks into encrypted traffic,";
    let (variable, path) = match (&environment.ca_file, environment.ssl_cert_dirs.first()) {
        (Some((variable, file)), _) => (*variable, file),
        (None, Some(dir)) => ("SSL_CERT_DIR", dir),
        (None, None) => {
            let advice = format!(
                "{private} add its certificate to the system's, or name a PEM file of all trusted ones in SSL_CERT_FILE; a \
                 source can give it as the option extra_ca"
            );
            return (String::new(), advice);
        }
    };
    let trusted = format!("; trusted are those of {variable}, {}", path.display());
    let to = if variable == "SSL_CERT_DIR" {
        "put its certificate into that folder"
    } else {
        "add its certificate to that file"
    };
    (trusted, format!("{private} {to}; a source can give it as the option extra_ca"))
}

/// The server's complaint about us.
fn received(alert: AlertDescription, handshake: &Handshake<'_>) -> (FailureKind, String) {
    use AlertDescription as Alert;

    let host = handshake.host;
    match alert {
        Alert::CertificateRequired
        | Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateExpired
        | Alert::CertificateUnknown
        | Alert::UnknownCA
        | Alert::AccessDenied => {
            let text = match handshake.has_identity {
                true => format!("{host} does not accept the certificate of client_identity ({alert:?})"),
                false => {
                    format!("{host} wants a client certificate: give one as the option client_identity ({alert:?})")
                }
            };
            (FailureKind::Config, text)
        }
        // RFC 8446, section 6.2: a signature that could not be verified.
        Alert::DecryptError if handshake.has_identity => {
            (FailureKind::Config, format!("{host} does not accept the certificate of client_identity ({alert:?})"))
        }
        Alert::HandshakeFailure | Alert::ProtocolVersion | Alert::InsufficientSecurity | Alert::UnrecognisedName => (
            FailureKind::Config,
            format!("{host} refused the handshake ({alert:?}). Check the host and port in the URL"),
        ),
        _ => (FailureKind::Transient, format!("{host} ended the encrypted connection ({alert:?})")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::OtherError;

    use super::*;

    fn said(error: CertificateError, environment: &NetworkEnvironment) -> String {
        let handshake = Handshake { host: "a.com", environment, has_identity: false };
        let (kind, text) = sort(&Error::InvalidCertificate(error), &handshake);
        assert_eq!(kind, FailureKind::Config);
        text
    }

    #[test]
    fn every_fault_of_a_certificate_is_a_sentence_with_advice_and_no_debug_print() {
        use CertificateError as Wrong;

        let other = |error: Flaw| Wrong::Other(OtherError(Arc::new(error)));
        let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_800_000_000));
        for (error, told) in [
            (
                other(Flaw("CaUsedAsEndEntity")),
                "is that of an authority, which is not for servers (CA:TRUE). Give the server",
            ),
            (other(Flaw("EndEntityUsedAsCa")), "no authority's (CA:FALSE). The operator"),
            (other(Flaw("MaximumPathDepthExceeded")), "(maximum path depth exceeded). The operator"),
            (other(Flaw("TrailingData(Time)")), "(trailing data). The operator"),
            (Wrong::Expired, "has expired. The operator"),
            (Wrong::ExpiredContext { time, not_after: time }, "has expired on 2027-01-15. The operator"),
            (Wrong::NotValidYet, "is not valid yet. Check this machine's clock"),
            (Wrong::NotValidYetContext { time, not_before: time }, "is not valid yet before 2027-01-15. Check"),
            (Wrong::Revoked, "has been revoked by its authority. The operator"),
            (Wrong::BadEncoding, "is damaged, or is not a certificate. The operator"),
            (Wrong::InvalidPurpose, "is not meant for a server. The operator"),
            (Wrong::UnhandledCriticalExtension, "critical extension that is not supported. The operator"),
            (Wrong::ApplicationVerificationFailure, "(application verification failure). The operator"),
            (Wrong::NotValidForName, "for another host than a.com. Check the host"),
            (Wrong::UnknownIssuer, "(unknown issuer). If it is a private one"),
            (Wrong::BadSignature, "may have been renewed. If it is a private one"),
        ] {
            let text = said(error, &NetworkEnvironment::default());
            assert!(text.contains(told) && !text.contains("Other"), "{told}: {text}");
        }
    }

    #[test]
    fn the_advice_names_the_users_settings() {
        let environment = NetworkEnvironment::from_vars([("REQUESTS_CA_BUNDLE", "/ca.pem")]);
        let text = said(CertificateError::UnknownIssuer, &environment);
        assert!(text.contains("those of REQUESTS_CA_BUNDLE, /ca.pem. ") && text.contains("to that file"), "{text}");
        let text = said(CertificateError::UnknownIssuer, &NetworkEnvironment::default());
        assert!(text.contains("name a PEM file of all trusted ones in SSL_CERT_FILE"), "{text}");
    }

    /// An error that prints like those of the library below.
    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Flaw(&'static str);
}
