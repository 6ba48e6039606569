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
/// Two requests are equal if method, URL, body, headers, proxy, user agent and certificates are, and the credentials
/// belong to the same account; the order of query parameters and headers makes no difference. The cache answers such a
/// request at no cost to quota, budget or network. It stores only responses that count as success and could be decoded,
/// without `Set-Cookie`, and none that repeats a secret of the run. They are valid until the run ends, whatever
/// `Cache-Control` says: a run should see one moment.
///
/// The first request that needs it creates the file, readable by its owner only; dropping the cache removes it. On
/// Unix, a file without a directory of your choice loses its name once it is open, so nothing is left however the run
/// ends; in a directory of your choice, the next run removes what a killed run left. Its keys are salted hashes. If the
/// file cannot be created, read or written, the cache is switched off, with one warning.
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

    /// The directory for the file; it is created if missing, and stays. Default: a new one, in the system's directory
    /// for temporary files, removed together with the file.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// The most bytes of the file. When it is full, the least recently used responses are dropped. Default: 1 GiB.
    #[must_use]
    pub fn max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// The longest body that is stored, in bytes before compression. It is compressed in memory. Default: 16 MiB.
    #[must_use]
    pub fn max_entry_bytes(mut self, max_entry_bytes: u64) -> Self {
        self.max_entry_bytes = max_entry_bytes;
        self
    }

    /// Begins a request's lookup in the cache.
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

    /// The response stored for a key.
    pub(super) fn get(&self, key: &CacheKey, request: &HttpRequest, output: &Output) -> io::Result<Option<Response>> {
        let Some(entry) = self.with_store(output, |store| Ok(store.get(key)?))?.flatten() else { return Ok(None) };
        // Decompressed without the lock, so that others can continue.
        match entry::decode(key, &entry, request, self.max_entry_bytes) {
            Ok(response) => Ok(Some(response)),
            Err(error) => {
                self.with_store(output, |_| Err::<(), _>(error.into()))?;
                Ok(None)
            }
        }
    }

    /// The bytes of a response, if it can be stored.
    pub(super) fn draft(
        &self,
        key: &CacheKey,
        request: &HttpRequest,
        response: &Response,
        redactor: &Redactor,
    ) -> Option<Vec<u8>> {
        // Its reader reports a body that cannot be read back.
        entry::encode(key, request, response, self.max_entry_bytes, redactor).ok().flatten()
    }

    /// Stores a response. False if it was not stored.
    pub(super) fn put(&self, key: &CacheKey, entry: &[u8], output: &Output) -> io::Result<bool> {
        Ok(self.with_store(output, |store| Ok(store.put(key, entry)?))?.unwrap_or(false))
    }

    /// Uses the file, created now if this is the first time. `None` if the cache is off, or was just switched off
    /// because that failed.
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
