//! One fetch at a time for each key: the first thread leads, the others wait for its result.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::cache_key::CacheKey;
use crate::locks;
use crate::protocol::Failure;

/// The fetches in progress.
#[derive(Debug, Default)]
pub(super) struct SingleFlight(Mutex<HashMap<CacheKey, Arc<Fetch>>>);

/// A fetch in progress, for the threads that wait for it.
#[derive(Debug, Default)]
pub(super) struct Fetch {
    outcome: Mutex<Option<Outcome>>,
    ended: Condvar,
}

/// The result of a fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The response is in the cache.
    Kept,
    /// It was good, but cannot be stored: nobody needs to wait for the next one.
    NotKept,
    /// There is none. Another thread may try.
    Failed,
    /// There is none, after all retries: those that wait need not repeat them.
    GaveUp(Box<Failure>),
}

/// The role of a thread that needs a missing response.
pub(super) enum Role<'f> {
    /// Nobody is fetching it: fetch it, and report the result.
    Lead(Leader<'f>),
    /// Another thread is fetching it.
    Wait(Arc<Fetch>),
}

/// The duty to notify those that wait. Dropping a leader, in a panic too, counts as a failure.
#[derive(Debug)]
pub(super) struct Leader<'f> {
    fetches: &'f SingleFlight,
    key: CacheKey,
    outcome: Outcome,
}

impl SingleFlight {
    pub(super) fn join(&self, key: &CacheKey) -> Role<'_> {
        let mut fetches = locks::lock(&self.0);
        if let Some(fetch) = fetches.get(key) {
            return Role::Wait(fetch.clone());
        }
        fetches.insert(*key, Arc::default());
        Role::Lead(Leader { fetches: self, key: *key, outcome: Outcome::Failed })
    }
}

impl Fetch {
    /// Waits for the leader.
    pub(super) fn wait(&self) -> Outcome {
        let mut outcome = locks::lock(&self.outcome);
        loop {
            if let Some(outcome) = &*outcome {
                return outcome.clone();
            }
            outcome = self.ended.wait(outcome).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Leader<'_> {
    /// Ends the fetch.
    pub(super) fn land(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        let fetch = locks::lock(&self.fetches.0).remove(&self.key);
        if let Some(fetch) = fetch {
            *locks::lock(&fetch.outcome) = Some(self.outcome.clone());
            fetch.ended.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Credential;
    use super::*;
    use crate::http::{HttpRequest, RequestOptions};

    fn key(url: &str) -> CacheKey {
        CacheKey::new(b"", &HttpRequest::get(url.parse().unwrap()), &RequestOptions::default(), &Credential::Unsigned)
    }

    #[test]
    fn the_first_leads_the_next_wait_and_other_keys_do_not_wait() {
        let fetches = SingleFlight::default();
        let Role::Lead(leader) = fetches.join(&key("http://a.com/x")) else { panic!("not the first") };
        let Role::Wait(fetch) = fetches.join(&key("http://a.com/x")) else { panic!("not a second") };
        assert!(matches!(fetches.join(&key("http://a.com/y")), Role::Lead(_)));
        leader.land(Outcome::NotKept);
        assert_eq!(fetch.wait(), Outcome::NotKept);
        assert!(matches!(fetches.join(&key("http://a.com/x")), Role::Lead(_)));
        assert!(locks::lock(&fetches.0).is_empty());
    }

    #[test]
    fn a_leader_that_panics_lets_the_next_one_try() {
        let fetches = SingleFlight::default();
        let key = key("http://a.com/x");
        std::thread::scope(|scope| {
            let Role::Lead(leader) = fetches.join(&key) else { panic!("not the first") };
            let Role::Wait(fetch) = fetches.join(&key) else { panic!("not a second") };
            let waiting = scope.spawn(move || fetch.wait());
            let leading = scope.spawn(move || {
                let _leader = leader;
                panic!("on the way");
            });
            assert!(leading.join().is_err());
            assert_eq!(waiting.join().unwrap(), Outcome::Failed);
        });
        assert!(matches!(fetches.join(&key), Role::Lead(_)));
    }
}
