//! The owner of a request, as far as the cache needs to know.

use std::fmt;

use crate::http::auth::AuthContext;
use crate::http::{Exchange, HttpRequest};

/// Distinguishes the requests of one user from those of another.
pub(in crate::http) enum Credential {
    /// The request is sent unsigned.
    Unsigned,
    /// The authenticator names the owner of its credentials.
    Identity(String),
    /// It does not, but its changes to the request show it.
    Signed(Box<HttpRequest>),
}

impl Credential {
    /// The credential of an exchange; `None` if nothing shows it: the authenticator signs the same request differently
    /// each time, with a time stamp or a nonce.
    ///
    /// # Errors
    /// The result of the authenticator's signing.
    pub(in crate::http) fn of(exchange: &Exchange<'_>, cx: &AuthContext<'_>) -> anyhow::Result<Option<Self>> {
        if !exchange.authenticated {
            return Ok(Some(Self::Unsigned));
        }
        if let Some(identity) = exchange.authenticator.identity() {
            return Ok(Some(Self::Identity(identity)));
        }
        let sign = || {
            let mut signed = exchange.request.clone();
            exchange.authenticator.authenticate(&mut signed, cx).map(|()| signed)
        };
        let signed = sign()?;
        Ok((signed == sign()?).then(|| Self::Signed(Box::new(signed))))
    }
}

/// Shows its kind: an identity may be the secret itself.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unsigned => "Unsigned",
            Self::Identity(_) => "Identity(..)",
            Self::Signed(_) => "Signed(..)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_shows_no_secret() {
        let signed = HttpRequest::get("http://a.com/?key=x7".parse().unwrap());
        let shown = format!("{:?} {:?}", Credential::Identity("x7".to_owned()), Credential::Signed(Box::new(signed)));
        assert!(!shown.contains("x7"), "{shown}");
    }
}
