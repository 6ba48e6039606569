//! What went wrong with TLS, in words that name the setting that mends it.

use std::path::Path;

use rustls::{AlertDescription, CertificateError, Error};

use super::NetworkEnvironment;
use crate::protocol::FailureKind;

/// How to trust an authority.
const TRUST: &str = "If it is a private one, or that of a proxy that looks into encrypted traffic, give its \
                     certificate as the option extra_ca, or name a PEM file of all trusted ones in SSL_CERT_FILE";

/// What is known of a handshake that failed.
pub(in crate::http) struct Handshake<'a> {
    /// The server's name.
    pub(in crate::http) host: &'a str,
    /// What is trusted.
    pub(in crate::http) environment: &'a NetworkEnvironment,
    /// Whether a client certificate was at hand.
    pub(in crate::http) has_identity: bool,
}

/// Who can mend an error of TLS, and how. Certificates do not get better by asking again.
pub(in crate::http) fn sort(error: &Error, handshake: &Handshake<'_>) -> (FailureKind, String) {
    use FailureKind::{Config, Transient};

    match error {
        Error::InvalidCertificate(error) => (Config, certificate(error, handshake)),
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
        // Garbled on the way, or a fault of the other side that may pass.
        _ => (Transient, error.to_string()),
    }
}

fn certificate(error: &CertificateError, handshake: &Handshake<'_>) -> String {
    let host = handshake.host;
    match error {
        CertificateError::UnknownIssuer => {
            let trusted = trusted(handshake.environment);
            format!(
                "the certificate of {host} is signed by an authority that is not trusted (unknown issuer){trusted}. \
                 {TRUST}"
            )
        }
        CertificateError::BadSignature => {
            let trusted = trusted(handshake.environment);
            format!(
                "the signature on the certificate of {host} does not fit the key of the trusted authority of that \
                 name{trusted}. The authority may have been renewed. {TRUST}"
            )
        }
        CertificateError::NotValidForName => {
            format!("the certificate is for another host than {host}. Check the host in the URL")
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names = if presented.is_empty() { "no host at all".to_owned() } else { presented.join(", ") };
            format!("the certificate is for {names}, not for {host}. Check the host in the URL")
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => format!(
            "the certificate of {host} has expired. Whoever runs the server has to renew it, unless this machine's \
             clock is wrong"
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("the certificate of {host} is not valid yet. Check this machine's clock")
        }
        CertificateError::Revoked => format!("the certificate of {host} has been revoked"),
        error => format!("the certificate of {host} cannot be accepted: {error}"),
    }
}

/// Where the trusted authorities come from, if that is for the user to change.
fn trusted(environment: &NetworkEnvironment) -> String {
    match (&environment.ca_file, environment.ssl_cert_dirs.first()) {
        (Some((variable, file)), _) => from(variable, file),
        (None, Some(dir)) => from("SSL_CERT_DIR", dir),
        (None, None) => String::new(),
    }
}

fn from(variable: &str, path: &Path) -> String {
    format!("; trusted are those of {variable}, {}", path.display())
}

/// What the server says about us.
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
