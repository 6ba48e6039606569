//! The options in a path's first segment.

use std::time::Duration;

/// `count=1000,size=100,kind=customers,pretty,gzip,delay=50`, in any order.
pub(crate) struct Settings {
    /// How many records each list has. Default: 1,000.
    pub(crate) count: u64,
    /// How many are on a page, if the request does not say. Default: 100.
    pub(crate) size: u64,
    /// Their kind: any object of the mock Stripe. Default: charges.
    pub(crate) kind: String,
    /// Whether they are indented. Default: compact.
    pub(crate) pretty: bool,
    /// Whether pages are compressed for clients that accept it. Default: no.
    pub(crate) gzip: bool,
    /// How long each answer takes, given in milliseconds. Default: no time.
    pub(crate) delay: Duration,
}

impl Settings {
    /// The settings, and the path behind them.
    pub(crate) fn parse(path: &str) -> Result<(Self, &str), String> {
        let whole = path.strip_prefix('/').unwrap_or(path);
        let (settings, _) = whole.split_once('/').ok_or("settings and a path are wanted, as in /count=1000/items")?;
        let mut parsed = Self {
            count: 1_000,
            size: 100,
            kind: "charges".to_owned(),
            pretty: false,
            gzip: false,
            delay: Duration::ZERO,
        };
        for setting in settings.split(',') {
            let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
            let number = || value.parse::<u64>().map_err(|error| format!("{setting}: {error}"));
            match name {
                "count" => parsed.count = number()?,
                "size" => parsed.size = number()?.max(1),
                "kind" => value.clone_into(&mut parsed.kind),
                "pretty" => parsed.pretty = true,
                "compact" => parsed.pretty = false,
                "gzip" => parsed.gzip = true,
                "delay" => parsed.delay = Duration::from_millis(number()?),
                _ => return Err(format!("{setting} is not a setting")),
            }
        }
        Ok((parsed, &whole[settings.len()..]))
    }
}
