//! The cache of a run, from its settings to its end.

use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock};

use super::Credential;
use super::cache_key::CacheKey;
use super::entry;
use super::lookup::Lookup;
use super::single_flight::SingleFlight;
use super::store::Store;
use crate::clock::Random;
use crate::http::{Exchange, HttpRequest, Response};
use crate::locks;
use crate::protocol::{LogLevel, Output, Redactor};

/// Keeps good responses of the streams that ask for it, for the length of a run.
///
/// Two requests are the same if method, URL, body, headers, proxy, user agent and certificates are, and the credentials
/// stand for the same account; the order of query parameters and headers makes no difference. Such a request is answered from the cache at no cost to
/// quota, budget or network. Only responses that were taken as success and could be decoded are kept, without
/// `Set-Cookie`, and none that repeats a secret of the run. They are good until the run ends, whatever `Cache-Control` says: a run wants to see one moment.
///
/// The file is made with the first request that wants it, readable by its owner only, and removed when the cache is
/// dropped; on Unix one without a directory of your choice loses its name as soon as it is open, so that nothing is
/// left however the run ends; what a killed run has left in a directory of your choice is removed by the next run that
/// uses it. Its keys are salted hashes. A file that cannot be made, read or written switches the cache off, with one
/// warning.
///
/// ```
/// use std::sync::Arc;
/// use source_http::clock::{SystemClock, SystemRandom};
/// use source_http::http::{HttpClient, cache::ResponseCache};
/// use source_http::protocol::{LogLevel, Output, Redactor};
///
/// let clock = Arc::new(SystemClock::new());
/// let output = Output::new(Box::new(std::io::sink()), clock.clone(), Redactor::default(), LogLevel::Info);
/// let cache = ResponseCache::new().directory("/var/tmp/my-connector").max_bytes(64 * 1024 * 1024);
/// let client = HttpClient::new(clock, Arc::new(SystemRandom), Arc::new(output)).with_cache(cache);
/// # drop(client);
/// ```
#[derive(Debug)]
pub struct ResponseCache {
    directory: Option<PathBuf>,
    max_bytes: u64,
    max_entry_bytes: u64,
    salt: OnceLock<Vec<u8>>,
    state: Mutex<State>,
    pub(super) fetches: SingleFlight,
}

#[derive(Debug)]
enum State {
    NotNeededYet,
    // On the heap: the connection is large, and most runs need none.
    On(Box<Store>),
    Off,
}

impl Default for ResponseCache {
    fn default() -> Self {
        Self {
            directory: None,
            max_bytes: 1024 * 1024 * 1024,
            max_entry_bytes: 16 * 1024 * 1024,
            salt: OnceLock::new(),
            state: Mutex::new(State::NotNeededYet),
            fetches: SingleFlight::default(),
        }
    }
}

impl ResponseCache {
    /// A cache with the default settings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The directory for the file; it is made if it is not there, and stays. Default: a new one, in the system's
    /// directory for temporary files, that is removed with the file.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Bytes the file may have. When they are used up, the responses that were used least recently go. Default: 1 GiB.
    #[must_use]
    pub fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Longest body that is kept, in bytes before compression. It is compressed in memory. Default: 16 MiB.
    #[must_use]
    pub fn max_entry_bytes(mut self, max_entry_bytes: u64) -> Self {
        self.max_entry_bytes = max_entry_bytes;
        self
    }

    /// Begins a request's way through the cache.
    pub(in crate::http) fn lookup<'v>(
        &'v self,
        exchange: &Exchange<'v>,
        credential: &Credential,
        random: &dyn Random,
        output: &'v Output,
    ) -> Lookup<'v> {
        let salt = self.salt.get_or_init(|| (0..4).flat_map(|_| random.fraction().to_le_bytes()).collect());
        let key = CacheKey::new(salt, exchange.request, exchange.options, credential);
        Lookup::new(self, key, exchange.request, output)
    }

    pub(super) fn is_off(&self) -> bool {
        matches!(*self.lock(), State::Off)
    }

    /// The response kept for a key.
    pub(super) fn get(&self, key: &CacheKey, request: &HttpRequest, output: &Output) -> io::Result<Option<Response>> {
        let Some(entry) = self.with_store(output, |store| Ok(store.get(key)?))?.flatten() else { return Ok(None) };
        // Decompressed without the lock: others may go on.
        match entry::decode(key, &entry, request, self.max_entry_bytes) {
            Ok(response) => Ok(Some(response)),
            Err(error) => {
                self.with_store(output, |_| Err::<(), _>(error.into()))?;
                Ok(None)
            }
        }
    }

    /// The bytes of a response, if it can be kept.
    pub(super) fn draft(
        &self,
        key: &CacheKey,
        request: &HttpRequest,
        response: &Response,
        redactor: &Redactor,
    ) -> Option<Vec<u8>> {
        // A body that cannot be read back is reported by its reader.
        entry::encode(key, request, response, self.max_entry_bytes, redactor).ok().flatten()
    }

    /// Keeps a response. False if it was not kept.
    pub(super) fn put(&self, key: &CacheKey, entry: &[u8], output: &Output) -> io::Result<bool> {
        Ok(self.with_store(output, |store| Ok(store.put(key, entry)?))?.unwrap_or(false))
    }

    /// Does something with the file, made now if this is the first time. `None` if the cache is off, or has just been
    /// switched off because that failed.
    fn with_store<T>(
        &self,
        output: &Output,
        work: impl FnOnce(&mut Store) -> anyhow::Result<T>,
    ) -> io::Result<Option<T>> {
        let mut state = self.lock();
        if let State::NotNeededYet = *state {
            match Store::create(self.directory.as_deref(), self.max_bytes) {
                Ok(store) => *state = State::On(Box::new(store)),
                Err(error) => return switch_off(&mut state, &error, output),
            }
        }
        let State::On(store) = &mut *state else { return Ok(None) };
        match work(store) {
            Ok(done) => Ok(Some(done)),
            Err(error) => {
                let error = error.context(store.path().display().to_string());
                switch_off(&mut state, &error, output)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        locks::lock(&self.state)
    }
}

fn switch_off<T>(state: &mut State, error: &anyhow::Error, output: &Output) -> io::Result<Option<T>> {
    *state = State::Off;
    output.log(
        LogLevel::Warn,
        &format!(
            "The response cache can no longer be used: {error:#}. The sync continues without it, and sends those \
             requests to the \
             API."
        ),
    )?;
    Ok(None)
}
