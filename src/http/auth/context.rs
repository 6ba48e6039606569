//! The context in which an authenticator gets credentials.

use std::time::Duration;

use jiff::Timestamp;
use serde::de::IgnoredAny;

use super::{Authenticator, NoAuth};
use crate::http::{
    Body, Exchange, HttpClient, HttpRequest, Method, RequestOptions, Response, RetryObserver, RetryRules, Undecodable,
    Waits,
};
use crate::protocol::{Failure, Output};

/// Longest time for one attempt of an authenticator's own request. All other requests wait for it.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest response to an authenticator's own request, in bytes. Tokens are short.
const MAX_BODY_BYTES: u64 = 1024 * 1024;

/// The context of the request to sign.
#[derive(Clone, Copy)]
pub struct AuthContext<'a> {
    client: &'a HttpClient,
    options: &'a RequestOptions,
    observer: &'a dyn RetryObserver,
}

impl<'a> AuthContext<'a> {
    /// For a request with these options and this observer of waits.
    #[must_use]
    pub fn new(client: &'a HttpClient, options: &'a RequestOptions, observer: &'a dyn RetryObserver) -> Self {
        Self { client, options, observer }
    }

    /// The context of a request with other options than the one to sign.
    #[must_use]
    pub fn with_options<'b>(&self, options: &'b RequestOptions) -> AuthContext<'b>
    where
        'a: 'b,
    {
        AuthContext { options, ..*self }
    }

    /// The options of the request to sign.
    #[must_use]
    pub fn options(&self) -> &'a RequestOptions {
        self.options
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.client.clock().now()
    }

    /// Time since an arbitrary start, for durations.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.client.clock().elapsed()
    }

    /// Writes log lines and changed configs. Its [`Output::redactor`] registers the secrets learned on the way.
    #[must_use]
    pub fn output(&self) -> &'a Output {
        self.client.output()
    }

    /// Sends a request of the authenticator's own, such as one for a token, with the network options and retries of the
    /// request to sign. It is not signed, an attempt may take a minute, a response may have 1 MiB, and no redirect is
    /// followed, because its content is meant for that URL only.
    ///
    /// # Errors
    /// A [`Failure`] inside: that of the last attempt, or a system failure if the rules say to ignore the response.
    pub fn send(&self, request: &HttpRequest, rules: &dyn RetryRules) -> anyhow::Result<Response> {
        self.send_and_decode(request, rules, None, &mut Ok)
    }

    /// As [`AuthContext::send`], for a request that needs credentials of its own, such as a login. A GET follows
    /// redirects, without credentials to another host; any other request follows none.
    ///
    /// # Errors
    /// As [`AuthContext::send`].
    pub fn send_signed(
        &self,
        request: &HttpRequest,
        rules: &dyn RetryRules,
        authenticator: &dyn Authenticator,
    ) -> anyhow::Result<Response> {
        self.send_and_decode(request, rules, Some(authenticator), &mut Ok)
    }

    /// Waits for this time. The run is notified during the wait, and its end ends the wait. The caller must hold no
    /// lock.
    ///
    /// # Errors
    /// If the run is stopping.
    pub fn wait(&self, duration: Duration) -> anyhow::Result<()> {
        self.output().flush()?;
        Waits { clock: self.client.clock(), stop: self.client.stop(), observer: self.observer }.wait(duration)
    }

    /// As [`AuthContext::send`], for a response that must be JSON: any other is requested again. The failure does not
    /// show the body, which may contain part of a token.
    pub(super) fn send_for_json(&self, request: &HttpRequest, rules: &dyn RetryRules) -> anyhow::Result<Response> {
        self.send_and_decode(request, rules, None, &mut |mut response| {
            if response.json::<IgnoredAny>().is_ok() {
                return Ok(response);
            }
            response.body = Body::Memory(b"(not shown)".to_vec().into());
            let problem = "it is not JSON, or was cut short".to_owned();
            Err(Box::new((response, Undecodable { problem, retry: true })))
        })
    }

    fn send_and_decode(
        &self,
        request: &HttpRequest,
        rules: &dyn RetryRules,
        authenticator: Option<&dyn Authenticator>,
        decode: &mut dyn FnMut(Response) -> Result<Response, Box<(Response, Undecodable)>>,
    ) -> anyhow::Result<Response> {
        let mut options = own_options(self.options);
        if request.method == Method::GET && authenticator.is_some() {
            options.max_redirects = self.options.max_redirects;
        }
        let exchange = Exchange {
            request,
            authenticator: authenticator.unwrap_or(&NoAuth),
            authenticated: authenticator.is_some(),
            options: &options,
            rules,
            observer: self.observer,
            budget: None,
            cache: false,
        };
        let response = self.client.send(&exchange, decode)?;
        response.ok_or_else(|| Failure::system(format!("{} has no response to use.", request.describe())).into())
    }
}

fn own_options(options: &RequestOptions) -> RequestOptions {
    RequestOptions {
        total_timeout: Some(options.total_timeout.map_or(TOTAL_TIMEOUT, |limit| limit.min(TOTAL_TIMEOUT))),
        max_redirects: 0,
        max_body_bytes: options.max_body_bytes.min(MAX_BODY_BYTES),
        ..options.clone()
    }
}

/// A request as signed by an authenticator that asks nobody for its credentials.
#[cfg(test)]
pub(crate) fn signed(authenticator: &dyn super::Authenticator, mut request: HttpRequest) -> HttpRequest {
    use std::sync::Arc;

    use crate::clock::SystemRandom;
    use crate::clock::VirtualClock;
    use crate::http::{Wait, budget::BudgetWait};
    use crate::protocol::{LogLevel, Redactor};

    struct Silent;
    impl RetryObserver for Silent {
        fn waiting(&self, _: &Wait) -> anyhow::Result<()> {
            Ok(())
        }
        fn throttled(&self, _: &BudgetWait) -> anyhow::Result<()> {
            Ok(())
        }
    }
    let clock = Arc::new(VirtualClock::at(0));
    let output = Output::new(Box::new(std::io::sink()), clock.clone(), Redactor::default(), LogLevel::Info);
    let client = HttpClient::new(clock, Arc::new(SystemRandom), Arc::new(output));
    let options = RequestOptions::default();
    authenticator.authenticate(&mut request, &AuthContext::new(&client, &options, &Silent)).unwrap();
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authenticators_own_request_always_ends_and_is_never_redirected() {
        let longer = RequestOptions { total_timeout: Some(Duration::from_secs(3600)), ..Default::default() };
        for options in [RequestOptions::default(), longer] {
            let own = own_options(&options);
            assert_eq!((own.total_timeout, own.max_redirects), (Some(TOTAL_TIMEOUT), 0));
            assert_eq!(own.max_body_bytes, MAX_BODY_BYTES);
        }
        let shorter = RequestOptions { total_timeout: Some(Duration::from_secs(5)), ..Default::default() };
        assert_eq!(own_options(&shorter).total_timeout, shorter.total_timeout);
    }
}
