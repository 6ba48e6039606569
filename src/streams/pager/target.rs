//! Follows the URL of a next page. The URL is used unchanged, parameters included (RFC 8288 and common practice: the
//! server makes it, and the client does not fix it).

use url::Url;

use super::foreign_token;
use crate::http::{HttpRequest, join_url};
use crate::protocol::Failure;
use crate::streams::{Page, PageToken};

/// The token for a page's URL, absolute or relative to the page's own.
pub(super) fn token(page: &Page, reference: &str) -> Result<PageToken, Failure> {
    let wrong = |why: String| {
        let request = &page.response.request;
        Failure::system(format!("The response to {request} says that the next page is at {reference:?}: {why}."))
    };
    let mut base = page.response.url().ok_or_else(|| wrong("there is nothing that could be relative to".to_owned()))?;
    // Parts that credentials may have added do not belong in a state.
    base.set_query(None);
    let mut target = base.join(reference.trim()).map_err(|error| wrong(error.to_string()))?;
    if !matches!(target.scheme(), "http" | "https") {
        return Err(wrong("that is not an http or https URL".to_owned()));
    }
    target.set_fragment(None);
    keep_encryption(&base, &mut target);
    Ok(String::from(target).into())
}

/// An API behind a TLS proxy often assumes plain HTTP, and writes so in its URLs. The same host is requested over TLS,
/// as before.
fn keep_encryption(base: &Url, target: &mut Url) {
    let same = base.host() == target.host() && base.port().is_none() && target.port().is_none();
    if same && base.scheme() == "https" && target.scheme() == "http" {
        // Changing from http to https is always allowed.
        let _ = target.set_scheme("https");
    }
}

/// Changes the request into one for the token's URL. With `keep_params`, parameters that the URL lacks stay.
pub(super) fn apply(token: Option<&PageToken>, request: &mut HttpRequest, keep_params: bool) -> Result<(), Failure> {
    let Some(token) = token else { return Ok(()) };
    let text = token.as_str().ok_or_else(|| foreign_token(token, "a URL"))?;
    let mut target = join_url(text, "").map_err(|_| foreign_token(token, "a URL"))?;
    if keep_params {
        let missing = |name: &str| !target.query_pairs().any(|(n, _)| n == name);
        let kept: Vec<(String, String)> =
            request.url.query_pairs().filter(|(name, _)| missing(name)).map(|(n, v)| (n.into(), v.into())).collect();
        if !kept.is_empty() {
            target.query_pairs_mut().extend_pairs(kept);
        }
    }
    request.url = target;
    Ok(())
}
