//! Credentials: their place in a request, their renewal, and that nobody else sees them. `fixed` has those that never
//! change, `rotation` several tokens for one API, `oauth2` requested tokens, `renewal` their expiry, `single_use`
//! tokens that the platform stores, `session` logins, `signed` tokens that the connector signs, `quotas` tokens whose
//! quotas the API reports, `custom` a connector's own method.

mod custom;
mod fixed;
mod oauth2;
mod quotas;
mod renewal;
mod rotation;
mod session;
pub(crate) mod signed;
mod single_use;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use source_http::clock::{FixedRandom, VirtualClock};
use source_http::http::auth::Authenticator;
use source_http::http::budget::BudgetWait;
use source_http::http::{HttpClient, RetryObserver, Wait};
use source_http::protocol::{LogLevel, Output, Redactor, StreamState};
use source_http::source::{Config, SourceContext};
use source_http::streams::pager::BodyCursor;
use source_http::streams::{Fetcher, Page, RequestContext, Slice};
use source_http_testkit::{InProcess, Items, Messages, Reply, Request};

use crate::support::TestSource;

/// A paged list behind `/items` of the server that the config names as `url`.
fn paged(config: &Config, authenticator: Arc<dyn Authenticator>) -> Items {
    of_server(config["url"].as_str().unwrap_or_default(), authenticator)
}

/// A paged list behind `/items` of this server.
fn of_server(url: &str, authenticator: Arc<dyn Authenticator>) -> Items {
    let items = Items::new(url).pager(BodyCursor::new("next", "page"));
    items.with(|items| items.authenticator = authenticator)
}

/// A connector whose one stream uses the authenticator that the closure makes. The config names the server as `url`.
pub(crate) fn signed_by<A: Authenticator + 'static>(
    make: impl Fn(&Config, &SourceContext) -> A + Send + Sync + 'static,
) -> InProcess {
    stream(move |config, cx| paged(config, Arc::new(make(config, cx))))
}

/// A connector of this one stream.
fn stream(make: impl Fn(&Config, &SourceContext) -> Items + Send + Sync + 'static) -> InProcess {
    InProcess::new(TestSource::new(move |config, cx| vec![Box::new(make(config, cx))]))
}

fn url_of(config: &Config, path: &str) -> String {
    format!("{}{path}", config["url"].as_str().unwrap_or_default())
}

/// One page, the last one.
fn page() -> Reply {
    Reply::json(json!({"data": [{"id": 1}]}))
}

/// The page of a request, with `next` until the last one.
fn page_of(request: &Request, last: u64) -> Reply {
    let number = request.param("page").map_or(1, |page| page.parse().expect("a page number"));
    let next = if number < last { json!(number + 1) } else { Value::Null };
    Reply::json(json!({"data": [{"id": number}], "next": next}))
}

/// The value of a header of every request, in order.
fn header(requests: &[Request], name: &str) -> Vec<String> {
    requests.iter().map(|request| request.header(name).unwrap_or("-").to_owned()).collect()
}

/// A client outside a sync, for threads and for checks of stdout during a request.
struct Bench {
    client: HttpClient,
    redactor: Redactor,
    stdout: Stdout,
}

#[derive(Clone, Default)]
struct Stdout(Arc<Mutex<Vec<u8>>>);

impl Stdout {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("a buffer").clone()).expect("text")
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("a buffer").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Bench {
    fn new() -> Self {
        let clock = Arc::new(VirtualClock::at(1_793_491_200));
        let (redactor, stdout) = (Redactor::default(), Stdout::default());
        let output = Output::new(Box::new(stdout.clone()), clock.clone(), redactor.clone(), LogLevel::Debug);
        let client = HttpClient::new(clock, Arc::new(FixedRandom(0.5)), Arc::new(output));
        Self { client, redactor, stdout }
    }

    fn fetch(&self, stream: &Items) -> anyhow::Result<Option<Page>> {
        let (state, slice) = (StreamState::new(), Slice::whole());
        let cx = RequestContext::new(&state, &slice, None);
        Fetcher::new(&self.client, &Unmoved).page(stream, &cx)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            Messages::parse(&self.stdout.text());
        }
    }
}

struct Unmoved;

impl RetryObserver for Unmoved {
    fn throttled(&self, _: &BudgetWait) -> anyhow::Result<()> {
        Ok(())
    }

    fn waiting(&self, _: &Wait) -> anyhow::Result<()> {
        Ok(())
    }
}
