//! For whom a request is made, as far as the cache has to know.

use std::fmt;

use crate::http::auth::AuthContext;
use crate::http::{Exchange, HttpRequest};

/// What tells the requests of one user from those of another.
pub(in crate::http) enum Credential {
    /// The request is sent unsigned.
    Unsigned,
    /// The authenticator says whose credentials it has.
    Identity(String),
    /// It does not say, but it shows in what it does to the request.
    Signed(Box<HttpRequest>),
}

impl Credential {
    /// The credential an exchange is going to be made with; `None` if it shows in nothing: the authenticator signs
    /// the same request differently each time, with a time stamp or a number used once.
    ///
    /// # Errors
    /// What the authenticator returns when it is asked to sign.
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

/// Its kind: an identity may be the secret itself.
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
