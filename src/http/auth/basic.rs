//! User name and password.

use base64::prelude::{BASE64_STANDARD, Engine};

use super::header::AuthHeader;
use super::secret::Secret;
use super::{AuthContext, Authenticator};
use crate::http::{HttpRequest, sendable};
use crate::protocol::{Failure, Redactor};

/// Passwords of up to this many characters are fillers beside a key that is sent as the user name. Masking an `x`
/// everywhere would spoil every log line.
const FILLER: usize = 2;

/// Sends `Authorization: Basic`, with user name and password in base64 (RFC 7617).
///
/// ```
/// use source_http::http::auth::BasicAuthenticator;
/// # let redactor = source_http::protocol::Redactor::default();
/// let auth = BasicAuthenticator::new("ann", "s3cret", &redactor)?;
/// // Some APIs take a key as the user name, and no password.
/// let key = BasicAuthenticator::new("k3y", "", &redactor)?;
/// # Ok::<(), source_http::protocol::Failure>(())
/// ```
#[derive(Debug, Clone)]
pub struct BasicAuthenticator {
    header: AuthHeader,
    credentials: Secret,
}

impl BasicAuthenticator {
    /// Registers the password and the sent value as secrets. If the password is empty or a filler of one or two
    /// characters, the user name is the secret.
    ///
    /// # Errors
    /// A config failure if the user name has a colon, which the scheme cannot express, or one of the two has a control
    /// character (RFC 7617, section 2) or an invisible one.
    pub fn new(username: &str, password: &str, redactor: &Redactor) -> Result<Self, Failure> {
        if username.contains(':') {
            return Err(Failure::config("The user name in the config has a colon, which HTTP Basic cannot send."));
        }
        let problem = sendable::in_credential(username).map(|problem| ("The user name", problem));
        if let Some((what, problem)) = problem.or_else(|| Some(("The password", sendable::in_text(password)?))) {
            return Err(sendable::named(sendable::failure(what, problem), redactor));
        }
        let secret = if password.chars().count() > FILLER { password } else { username };
        redactor.add(secret);
        let header = AuthHeader { method: "Basic".to_owned(), ..AuthHeader::default() };
        Ok(Self { header, credentials: encode(username, password, redactor) })
    }
}

/// User name and password as they are sent, registered as a secret.
pub(super) fn encode(username: &str, password: &str, redactor: &Redactor) -> Secret {
    Secret::new(BASE64_STANDARD.encode(format!("{username}:{password}")), redactor)
}

impl Authenticator for BasicAuthenticator {
    fn authenticate(&self, request: &mut HttpRequest, _: &AuthContext<'_>) -> anyhow::Result<()> {
        Ok(self.header.put(request, self.credentials.expose())?)
    }

    fn identity(&self) -> Option<String> {
        Some(self.credentials.expose().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard_is_encoded_as_specified() {
        let redactor = Redactor::default();
        let auth = BasicAuthenticator::new("Aladdin", "open sesame", &redactor).unwrap();
        assert_eq!(auth.credentials.expose(), "QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(encode("test", "123\u{a3}", &redactor).expose(), "dGVzdDoxMjPCow==");
    }

    #[test]
    fn password_and_encoded_form_are_masked_and_shown_by_no_debug_output() {
        let redactor = Redactor::default();
        let auth = BasicAuthenticator::new("ann", "open sesame", &redactor).unwrap();
        let text = format!("ann open sesame {}", auth.credentials.expose());
        assert_eq!(redactor.redact(&text), "ann **** ****");
        assert!(!format!("{auth:?}").contains(auth.credentials.expose()), "{auth:?}");
    }

    #[test]
    fn a_key_sent_as_the_user_name_is_masked_and_its_filler_is_not() {
        for password in ["", "x"] {
            let redactor = Redactor::default();
            BasicAuthenticator::new("k3y", password, &redactor).unwrap();
            assert_eq!(redactor.redact("k3y and x"), "**** and x");
        }
    }

    #[test]
    fn implausible_characters_are_refused_with_their_setting() {
        let redactor = Redactor::default();
        redactor.note_settings(vec![("login.key".to_owned(), "k3y\u{a0}".to_owned())]);
        let message = |user, password| BasicAuthenticator::new(user, password, &redactor).unwrap_err().message;
        let named = "The config's `login.key` has U+00A0 (a non-breaking space) at position 4";
        assert!(message("k3y\u{a0}", "").starts_with(named), "{}", message("k3y\u{a0}", ""));
        assert!(message("a", "b\tc").starts_with("The password has U+0009 (a tab) at position 2"));
        let told = message(" a", "b");
        assert!(told.starts_with("The user name has U+0020 (a blank) at position 1"), "{told}");
        assert!(BasicAuthenticator::new("ann", " p\u{e4}ss ", &redactor).is_ok());
    }

    #[test]
    fn a_user_name_with_a_colon_is_refused() {
        assert!(BasicAuthenticator::new("a:b", "c", &Redactor::default()).is_err());
    }
}
