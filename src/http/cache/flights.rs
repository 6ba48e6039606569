//! One fetch at a time for each key: the first thread leads, the others wait for what comes of it.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::cache_key::CacheKey;
use crate::protocol::Failure;

/// The fetches that are under way.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<CacheKey, Arc<Flight>>>);

/// A fetch under way, as those see it who wait for it.
#[derive(Debug, Default)]
pub(super) struct Flight {
    landing: Mutex<Option<Landing>>,
    landed: Condvar,
}

/// What came of a fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Landing {
    /// The response is in the cache.
    Kept,
    /// It was good, but cannot be kept: nobody need wait for the next one.
    NotKept,
    /// There is none. Somebody else may try.
    Failed,
    /// There is none, however often it was asked for: those who wait need not try as often again.
    GaveUp(Box<Failure>),
}

/// The way to a response that is not there.
pub(super) enum Boarding<'f> {
    /// Nobody is fetching it: fetch it, and tell of it.
    Lead(Leader<'f>),
    /// Somebody is.
    Wait(Arc<Flight>),
}

/// The duty to tell those who wait. A leader that is dropped, in a panic too, has failed.
#[derive(Debug)]
pub(super) struct Leader<'f> {
    flights: &'f Flights,
    key: CacheKey,
    landing: Landing,
}

impl Flights {
    pub(super) fn board(&self, key: &CacheKey) -> Boarding<'_> {
        let mut flights = lock(&self.0);
        if let Some(flight) = flights.get(key) {
            return Boarding::Wait(flight.clone());
        }
        flights.insert(*key, Arc::default());
        Boarding::Lead(Leader { flights: self, key: *key, landing: Landing::Failed })
    }
}

impl Flight {
    /// Waits for the leader.
    pub(super) fn wait(&self) -> Landing {
        let mut landing = lock(&self.landing);
        loop {
            if let Some(landing) = &*landing {
                return landing.clone();
            }
            landing = self.landed.wait(landing).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Leader<'_> {
    /// Ends the fetch.
    pub(super) fn land(mut self, landing: Landing) {
        self.landing = landing;
    }
}

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        let flight = lock(&self.flights.0).remove(&self.key);
        if let Some(flight) = flight {
            *lock(&flight.landing) = Some(self.landing.clone());
            flight.landed.notify_all();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn the_first_leads_the_next_wait_and_other_keys_are_not_held_up() {
        let flights = Flights::default();
        let Boarding::Lead(leader) = flights.board(&key("http://a.com/x")) else { panic!("not the first") };
        let Boarding::Wait(flight) = flights.board(&key("http://a.com/x")) else { panic!("not a second") };
        assert!(matches!(flights.board(&key("http://a.com/y")), Boarding::Lead(_)));
        leader.land(Landing::NotKept);
        assert_eq!(flight.wait(), Landing::NotKept);
        assert!(matches!(flights.board(&key("http://a.com/x")), Boarding::Lead(_)));
        assert!(lock(&flights.0).is_empty());
    }

    #[test]
    fn a_leader_that_panics_lets_the_next_one_try() {
        let flights = Flights::default();
        let key = key("http://a.com/x");
        std::thread::scope(|scope| {
            let Boarding::Lead(leader) = flights.board(&key) else { panic!("not the first") };
            let Boarding::Wait(flight) = flights.board(&key) else { panic!("not a second") };
            let waiting = scope.spawn(move || flight.wait());
            let leading = scope.spawn(move || {
                let _leader = leader;
                panic!("on the way");
            });
            assert!(leading.join().is_err());
            assert_eq!(waiting.join().unwrap(), Landing::Failed);
        });
        assert!(matches!(flights.board(&key), Boarding::Lead(_)));
    }
}
