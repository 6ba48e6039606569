//! The trusted authorities, and our own certificate.
//!
//! The default is the operating system's authorities, because administrators add a company's authority and remove
//! failed ones there; if the system has none, as in an image with only this binary, it is Mozilla's list, which is
//! built in. `SSL_CERT_FILE` and `SSL_CERT_DIR` replace both. The `extra_ca` option adds authorities.

use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use super::{ClientIdentity, NetworkEnvironment, Pem};
use crate::http::RequestOptions;

/// The trusted authorities, loaded for the first encrypted connection: it takes some milliseconds.
#[derive(Debug, Default)]
pub(in crate::http) struct TrustStore {
    default: OnceLock<Result<Vec<Certificate<'static>>, String>>,
}

impl TrustStore {
    /// The TLS options. Fails with the name and the fault of a setting.
    pub(in crate::http) fn config(
        &self,
        options: &RequestOptions,
        environment: &NetworkEnvironment,
    ) -> Result<TlsConfig, String> {
        let mut config = TlsConfig::builder().disable_verification(!options.verify_certificates);
        if options.verify_certificates {
            let mut trusted = self.default.get_or_init(|| default_authorities(environment)).clone()?;
            for pem in &options.extra_ca {
                trusted.extend(authorities(pem).map_err(|why| format!("extra_ca: {why}"))?);
            }
            config = config.root_certs(RootCerts::Specific(Arc::new(trusted)));
        }
        if let Some(identity) = &options.client_identity {
            let identity = client_certificate(identity).map_err(|why| format!("client_identity: {why}"))?;
            config = config.client_cert(Some(identity));
        }
        Ok(config.build())
    }
}

fn default_authorities(environment: &NetworkEnvironment) -> Result<Vec<Certificate<'static>>, String> {
    let (file, dirs) = (&environment.ca_file, &environment.ssl_cert_dirs);
    if file.is_none() && dirs.is_empty() {
        // Unreadable entries of the system do not matter while there are others. The function reads the process's
        // SSL_CERT_FILE and SSL_CERT_DIR itself; in a program they equal the environment's.
        let system = rustls_native_certs::load_native_certs().certs;
        return Ok(match system.is_empty() {
            false => owned(&system),
            true => webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|cert| Certificate::from_der(cert)).collect(),
        });
    }
    let mut loaded = match file {
        Some((variable, file)) => {
            named_file(file).map_err(|why| format!("{variable} names {}, {why}", file.display()))?
        }
        None => Vec::new(),
    };
    let mut errors = Vec::new();
    let from_dirs = dirs.iter().map(|dir| rustls_native_certs::load_certs_from_paths(None, Some(dir)));
    for result in from_dirs {
        loaded.extend(owned(&result.certs));
        errors.extend(result.errors);
    }
    if loaded.is_empty() {
        let why = errors.first().map_or_else(|| "there is no certificate in it".to_owned(), ToString::to_string);
        return Err(format!("SSL_CERT_DIR names no trusted authority: {why}"));
    }
    Ok(loaded)
}

/// The certificates of a file that a variable names, or its fault. An unusable file is never ignored, whatever else is
/// trusted.
fn named_file(path: &Path) -> Result<Vec<Certificate<'static>>, String> {
    let unset = "Correct the variable, or unset it to trust the system's authorities";
    let text = std::fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("and there is no such file. {unset}"),
        io::ErrorKind::IsADirectory => "which is a folder. Name a PEM file, or the folder in SSL_CERT_DIR".to_owned(),
        io::ErrorKind::PermissionDenied => "which this user cannot read. Give it the right to".to_owned(),
        _ => format!("which cannot be read: {error}. {unset}"),
    })?;
    let pem = Pem::File(path.to_owned());
    if text.trim_ascii().is_empty() {
        return Err(format!("which is empty. {unset}"));
    }
    let (certificates, _) = items(&pem).map_err(|why| format!("and {why}. {unset}"))?;
    match certificates.is_empty() {
        true => Err(
            "which has no certificate in PEM: there is no line -----BEGIN CERTIFICATE-----. openssl x509 -inform der \
                     -in FILE makes PEM of another form"
                .to_owned(),
        ),
        false => Ok(certificates),
    }
}

fn owned(certificates: &[CertificateDer<'_>]) -> Vec<Certificate<'static>> {
    certificates.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect()
}

/// The certificates of a PEM, each of them checked: the TLS library would ignore a bad one silently.
fn authorities(pem: &Pem) -> Result<Vec<Certificate<'static>>, String> {
    let (certificates, _) = items(pem)?;
    if certificates.is_empty() {
        return Err(format!("there is no certificate in {}", pem.describe()));
    }
    for certificate in &certificates {
        RootCertStore::empty()
            .add(CertificateDer::from(certificate.der()))
            .map_err(|error| format!("a certificate in {} cannot be used: {error}", pem.describe()))?;
    }
    Ok(certificates)
}

fn client_certificate(identity: &ClientIdentity) -> Result<ClientCert, String> {
    let (certificates, _) = items(&identity.certificates)?;
    if certificates.is_empty() {
        return Err(format!("there is no certificate in {}", identity.certificates.describe()));
    }
    let (_, key) = items(&identity.key)?;
    let from = identity.key.describe();
    let key = key.ok_or_else(|| {
        let hint = match identity.key.read() {
            Ok(text) if text.windows(9).any(|word| word == b"ENCRYPTED") => {
                ": it is encrypted; take the passphrase off, for instance with openssl pkey"
            }
            _ => "",
        };
        format!("there is no private key in {from}{hint}")
    })?;
    // The TLS library panics on a mismatched pair, so it is checked here.
    let chain = certificates.iter().map(|certificate| CertificateDer::from(certificate.der().to_vec())).collect();
    let der = PrivateKeyDer::try_from(key.der().to_vec()).map_err(|why| format!("the key in {from} is bad: {why}"))?;
    CertifiedKey::from_der(chain, der, &ring::default_provider()).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            format!("the key in {from} does not belong to the certificate in {}", identity.certificates.describe())
        }
        error => format!("the key in {from} or its certificate cannot be used: {error}"),
    })?;
    Ok(ClientCert::new_with_certs(&certificates, key))
}

/// The certificates and the first private key of a PEM.
fn items(pem: &Pem) -> Result<(Vec<Certificate<'static>>, Option<PrivateKey<'static>>), String> {
    let text = pem.read()?;
    let (mut certificates, mut key) = (Vec::new(), None);
    for item in parse_pem(&text) {
        match item.map_err(|_| format!("{} {}", pem.describe(), damage(&text)))? {
            PemItem::Certificate(certificate) => certificates.push(certificate),
            PemItem::PrivateKey(found) => key = key.or(Some(found)),
            _ => {}
        }
    }
    Ok((certificates, key))
}

/// The fault of a PEM that cannot be read. The library's own message shows bytes as numbers.
fn damage(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let begun = text.split("-----BEGIN ").skip(1).find_map(|block| {
        let (name, block) = block.split_once("-----")?;
        (!block.contains(&format!("-----END {name}-----"))).then_some(name)
    });
    match begun {
        Some(name) => format!("has a -----BEGIN {name}----- without its -----END {name}-----: it is cut off"),
        None => "has a PEM block that cannot be read: copy the file again".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(options: &RequestOptions, environment: &NetworkEnvironment) -> String {
        TrustStore::default().config(options, environment).map(|_| ()).unwrap_err()
    }

    fn trusting(pem: &str) -> RequestOptions {
        RequestOptions { extra_ca: vec![Pem::Text(pem.to_owned())], ..RequestOptions::default() }
    }

    #[test]
    fn the_built_in_list_is_not_empty_and_usable() {
        assert!(webpki_root_certs::TLS_SERVER_ROOT_CERTS.len() > 50);
        let mut store = RootCertStore::empty();
        let (_, ignored) = store.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
        assert_eq!(ignored, 0);
    }

    #[test]
    fn an_unusable_setting_is_named_and_never_ignored() {
        let none = NetworkEnvironment::default();
        assert_eq!(rejected(&trusting("nothing"), &none), "extra_ca: there is no certificate in the PEM text");
        let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(
            rejected(&trusting(no_certificate), &none).starts_with("extra_ca: a certificate in the PEM text cannot")
        );
        let missing = RequestOptions { extra_ca: vec![Pem::new("/no/such.pem")], ..RequestOptions::default() };
        assert!(rejected(&missing, &none).starts_with("extra_ca: /no/such.pem cannot be read"));
    }

    #[test]
    fn a_bad_ssl_cert_file_is_a_failure_without_fallback() {
        let environment = NetworkEnvironment::from_vars([("SSL_CERT_FILE", "/no/such.pem")]);
        let why = rejected(&RequestOptions::default(), &environment);
        assert!(why.starts_with("SSL_CERT_FILE names /no/such.pem, and there is no such file."), "{why}");
        let folder = tempfile::tempdir().unwrap();
        let system = folder.path().join("ca.pem");
        std::fs::write(&system, "").unwrap();
        for (text, told) in [
            ("", "which is empty."),
            (" \n", "which is empty."),
            ("MIIB", "which has no certificate in PEM"),
            ("-----BEGIN CERTIFICATE-----\nMI", "-----BEGIN CERTIFICATE-----"),
        ] {
            std::fs::write(&system, text).unwrap();
            // Other trusted authorities do not help.
            let vars = [("REQUESTS_CA_BUNDLE", system.as_os_str()), ("SSL_CERT_DIR", "/etc/ssl/certs".as_ref())];
            let why = rejected(&RequestOptions::default(), &NetworkEnvironment::from_vars(vars));
            let named = format!("REQUESTS_CA_BUNDLE names {}, ", system.display());
            assert!(why.starts_with(&named) && why.contains(told), "{text:?}: {why}");
        }
        let environment = NetworkEnvironment::from_vars([("SSL_CERT_FILE", folder.path().as_os_str())]);
        assert!(rejected(&RequestOptions::default(), &environment).contains("which is a folder."));
        let empty = tempfile::tempdir().unwrap();
        let environment = NetworkEnvironment::from_vars([("SSL_CERT_DIR", empty.path().as_os_str())]);
        let why = rejected(&RequestOptions::default(), &environment);
        assert_eq!(why, "SSL_CERT_DIR names no trusted authority: there is no certificate in it");
    }

    #[test]
    fn without_verification_nothing_is_loaded() {
        let environment = NetworkEnvironment::from_vars([("SSL_CERT_FILE", "/no/such.pem")]);
        let options = RequestOptions { verify_certificates: false, ..RequestOptions::default() };
        assert!(TrustStore::default().config(&options, &environment).is_ok());
    }
}
