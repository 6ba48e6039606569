//! The place of a token in a request: a header, and the word before the token.

use crate::http::{HttpRequest, sendable};
use crate::protocol::Failure;

/// A header and an authentication method (RFC 9110, section 11.4). Default: `Authorization: Bearer`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AuthHeader {
    pub(super) name: String,
    /// Empty sends the token alone, without a space before it.
    pub(super) method: String,
}

impl Default for AuthHeader {
    fn default() -> Self {
        Self { name: "Authorization".to_owned(), method: "Bearer".to_owned() }
    }
}

impl AuthHeader {
    /// Adds a token to a request.
    ///
    /// # Errors
    /// A config failure if it is not valid in a header, or has a blank at an end, which is always a mistake.
    pub(super) fn put(&self, request: &mut HttpRequest, token: &str) -> Result<(), Failure> {
        if let Some(problem) = sendable::in_header(token) {
            return Err(sendable::failure(&format!("The token for the HTTP header {}", self.name), problem));
        }
        request.set_secret_header(&self.name, &self.value(token))
    }

    /// Whether a request carries this token.
    pub(super) fn is_on(&self, request: &HttpRequest, token: &str) -> bool {
        request.headers.get(&self.name).is_some_and(|value| value.as_bytes() == self.value(token).as_bytes())
    }

    fn value(&self, token: &str) -> String {
        match self.method.as_str() {
            "" => token.to_owned(),
            method => format!("{method} {token}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_with_a_blank_at_its_start_is_refused_though_a_header_allows_it() {
        let mut request = HttpRequest::get("http://a.com".parse().unwrap());
        let failure = AuthHeader::default().put(&mut request, " t").unwrap_err();
        assert!(failure.message.starts_with("The token for the HTTP header Authorization has U+0020"), "{failure}");
        assert!(AuthHeader::default().put(&mut request, "t=\"a b\"").is_ok());
    }

    #[test]
    fn the_method_comes_before_the_token_and_no_method_leaves_no_space() {
        for (method, value) in [("Bearer", "Bearer t"), ("Token", "Token t"), ("", "t")] {
            let header = AuthHeader { name: "X-Auth".to_owned(), method: method.to_owned() };
            let mut request = HttpRequest::get("http://a.com".parse().unwrap());
            header.put(&mut request, "t").unwrap();
            assert_eq!(request.headers["x-auth"], value);
            assert!(header.is_on(&request, "t") && !header.is_on(&request, "u"));
        }
    }
}
