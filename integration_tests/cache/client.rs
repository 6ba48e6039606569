//! The cache of a client that many threads use, and one that is full.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use source_http::clock::{SystemClock, SystemRandom};
use source_http::http::auth::NoAuth;
use source_http::http::budget::BudgetWait;
use source_http::http::cache::ResponseCache;
use source_http::http::{Exchange, HttpClient, HttpRequest, RequestOptions, Response, RetryObserver, RetryRules, Wait};
use source_http::protocol::{LogLevel, Output, Redactor};
use source_http::stop::Stop;
use source_http_testkit::{Reply, Request, Server};

use super::files;

struct Once;

impl RetryRules for Once {
    fn max_retries(&self) -> u32 {
        0
    }
}

struct Silent;

impl RetryObserver for Silent {
    fn waiting(&self, _: &Wait) -> anyhow::Result<()> {
        Ok(())
    }
    fn throttled(&self, _: &BudgetWait) -> anyhow::Result<()> {
        Ok(())
    }
}

fn client(cache: ResponseCache) -> HttpClient {
    let clock = Arc::new(SystemClock::new());
    let output = Output::new(Box::new(std::io::sink()), clock.clone(), Redactor::default(), LogLevel::Info);
    HttpClient::new(clock, Arc::new(SystemRandom), Arc::new(output)).with_cache(cache)
}

/// The body of the answer to a GET through the cache.
fn get(client: &HttpClient, url: &str) -> anyhow::Result<String> {
    let exchange = Exchange {
        request: &HttpRequest::get(url.parse()?),
        authenticator: &NoAuth,
        authenticated: true,
        options: &RequestOptions::default(),
        rules: &Once,
        observer: &Silent,
        budget: None,
        cache: true,
    };
    let body = client.send(&exchange, &mut |response: Response| {
        let mut text = String::new();
        response.body.reader().and_then(|mut body| body.read_to_string(&mut text)).expect("text");
        Ok(text)
    })?;
    Ok(body.expect("a response that is not ignored"))
}

#[test]
fn four_threads_that_ask_for_the_same_share_one_fetch() {
    let server = Server::start(|_: &Request| Reply::text("answer").delay(Duration::from_millis(200)));
    let client = client(ResponseCache::new());
    let url = format!("{}/x", server.url());
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| get(&client, &url).expect("an answer"))).collect();
        for thread in threads {
            assert_eq!(thread.join().expect("no panic"), "answer");
        }
    });
    assert_eq!(server.conversation(), ["GET /x"]);
}

#[test]
fn a_failure_after_all_retries_is_one_for_all_who_waited() {
    let server = Server::start(|_: &Request| Reply::empty(500).delay(Duration::from_secs(1)));
    let client = client(ResponseCache::new());
    let url = format!("{}/x", server.url());
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| get(&client, &url))).collect();
        for thread in threads {
            let error = thread.join().expect("no panic").expect_err("a failure");
            assert!(error.to_string().contains("500"), "{error}");
        }
    });
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn after_a_failed_fetch_the_next_thread_tries() {
    let hits = AtomicUsize::new(0);
    let server = Server::start(move |_: &Request| match hits.fetch_add(1, Ordering::SeqCst) {
        // Not a transient failure, which the others would have, too.
        0 => Reply::empty(400).delay(Duration::from_millis(200)),
        _ => Reply::text("answer"),
    });
    let client = client(ResponseCache::new());
    let url = format!("{}/x", server.url());
    let answers = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| get(&client, &url))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).count()
    });
    assert_eq!((answers, server.requests().len()), (3, 2));
}

#[test]
fn the_cap_holds_and_what_was_not_used_for_longest_is_fetched_again() {
    let server = Server::start(|request: &Request| {
        // Incompressible, so the size of the file is known.
        let mut seed = request.path.bytes().fold(7_u32, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
        let noise = (0..40_000).map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b' ' + u8::try_from(seed >> 25).expect("seven bits") % 90)
        });
        Reply::text(noise.collect::<String>())
    });
    let folder = tempfile::tempdir().expect("a directory");
    let cap = 256 * 1024;
    let client = client(ResponseCache::new().directory(folder.path()).max_bytes(cap));
    let fetch = |n: usize| {
        let answer = get(&client, &format!("{}/{n}", server.url())).expect("an answer");
        let size = fs::metadata(&files(folder.path())[0]).expect("the file").len();
        assert!(answer.len() == 40_000 && size <= cap, "{size}");
    };
    for n in 1..=20 {
        fetch(n);
        // Used often, so it stays.
        fetch(1);
    }
    assert_eq!(server.take_requests().len(), 20);
    fetch(20);
    fetch(19);
    assert_eq!(server.take_requests().len(), 0);
    fetch(2);
    assert_eq!(server.conversation(), ["GET /2"]);
    drop(client);
    assert_eq!(files(folder.path()), Vec::<PathBuf>::new());
}

#[test]
fn a_response_too_long_to_be_kept_is_fetched_each_time_and_by_all_at_once() {
    // The first request is alone; the ones that waited for it then continue together.
    let (first, here) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let seen = most.clone();
    let server = Server::start(move |_: &Request| {
        if first.fetch_add(1, Ordering::SeqCst) == 0 {
            Stop::default().wait(Duration::from_millis(300));
        } else {
            here.fetch_add(1, Ordering::SeqCst);
            // Each waits for the other, but not forever.
            for _ in 0..500 {
                seen.fetch_max(here.load(Ordering::SeqCst), Ordering::SeqCst);
                if seen.load(Ordering::SeqCst) == 2 {
                    break;
                }
                Stop::default().wait(Duration::from_millis(10));
            }
            here.fetch_sub(1, Ordering::SeqCst);
        }
        Reply::text("0123456789")
    });
    let client = client(ResponseCache::new().max_entry_bytes(9));
    let url = format!("{}/x", server.url());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| assert_eq!(get(&client, &url).expect("an answer"), "0123456789"));
        }
    });
    assert_eq!((server.requests().len(), most.load(Ordering::SeqCst)), (3, 2));
}
