//! `check`: whether a config works. The answer is exactly one `CONNECTION_STATUS`, unless the run is stopped before. It
//! names the requests, and the credentials used.

use std::sync::Arc;

use super::{Context, HandOver, LoggedWaits};
use crate::cli::CheckArgs;
use crate::panics;
use crate::protocol::{CheckStatus, ConnectionStatus, Failure, LogLevel};
use crate::source::{CheckContext, ProbeEnd, Probes};
use crate::streams::Fetcher;
use crate::sync::{Numbers, StreamTally, is_closed_pipe};
use crate::terminal::{CheckView, LiveView, ReadEnd, StdoutTo, probed, summary};

/// The requests of a check.
#[derive(Default)]
struct Tried {
    /// The streams of the source, in its order.
    streams: Vec<String>,
    /// Its credentials, for display.
    credentials: Option<String>,
    probes: Arc<Probes>,
}

/// False if the config does not work and the exit code should show it.
pub(super) fn run(args: &CheckArgs, cx: &mut Context<'_>) -> anyhow::Result<bool> {
    let mut tried = Tried::default();
    let result = match panics::caught(|| check(args, cx, &mut tried)) {
        // A stopped run says nothing about the config.
        Err(error) if is_closed_pipe(&error) || error.is::<HandOver>() || cx.stop.is_requested() => return Err(error),
        result => result.map_err(|error| Failure::from_error(&error)),
    };
    let (status, message) = match &result {
        Ok(own) => {
            let sentences: Vec<String> = tried.sentence().into_iter().chain(own.clone()).collect();
            (CheckStatus::Succeeded, (!sentences.is_empty()).then(|| sentences.join(" ")))
        }
        Err(failure) => {
            if let Some(sentence) = tried.sentence() {
                cx.output.log(LogLevel::Info, &sentence)?;
            }
            (CheckStatus::Failed, Some(failure.message.clone()))
        }
    };
    let why = message.as_deref().filter(|_| status == CheckStatus::Failed).map(|why| cx.output.redactor().redact(why));
    cx.output.connection_status(ConnectionStatus { status, message })?;
    if cx.screen.is_watched() {
        show(&tried, result, cx);
    } else if let Some(why) = why.filter(|_| cx.screen.terminal().stdout_to() == StdoutTo::Elsewhere) {
        cx.screen.error(&why);
    }
    Ok(status == CheckStatus::Succeeded || !args.exit_status)
}

/// For a person at a terminal.
fn show(tried: &Tried, result: Result<Option<String>, Failure>, cx: &Context<'_>) {
    let redact = |text: &str| cx.output.redactor().redact(text);
    let told = result.as_ref().err().map(|failure| failure.message.as_str());
    let mut text = probed(cx.screen, &tried.streams, &tried.probes.ended(), &redact, told);
    match result {
        Ok(own) => text.push_str(&redact(&format!("The config works. {}", own.unwrap_or_default()))),
        Err(failure) => {
            let failure = Failure { message: redact(&failure.message), ..failure };
            text.push_str(&summary(cx.screen, &[], &Numbers::default(), ReadEnd::Failed(&failure)));
        }
    }
    cx.screen.write(&text);
}

fn check(args: &CheckArgs, cx: &mut Context<'_>, tried: &mut Tried) -> anyhow::Result<Option<String>> {
    let config = cx.config(&args.config)?;
    cx.keep_migrated()?;
    let streams = cx.source.streams_to_check(&config, &cx.source_context())?;
    tried.streams = streams.iter().map(|stream| stream.name().to_owned()).collect();
    tried.credentials = cx.source.shown_credentials(&config);
    let tally = Arc::new(StreamTally::default());
    let (client, waits) = (cx.client(), LoggedWaits { output: cx.output, tally: &tally });
    let fetcher = Fetcher::new(client, &waits);
    let view = CheckView {
        probes: tried.probes.clone(),
        waits: tally.clone(),
        clock: cx.clock.clone(),
        streams: streams.len(),
    };
    let _progress = LiveView::start(cx.screen, view);
    let (output, probes) = (cx.output, &*tried.probes);
    cx.source.check(&streams, &CheckContext { config: &config, fetcher: &fetcher, output, probes })
}

impl Tried {
    /// `Asked for the first page of 48 streams with the key rk_test_****: 45 can be read, 3 cannot be read.` `None` if
    /// nothing was requested.
    fn sentence(&self) -> Option<String> {
        let ended = self.probes.ended();
        let with = self.credentials.as_ref().map(|credentials| format!(" with {credentials}")).unwrap_or_default();
        let words = |end: &ProbeEnd| match end {
            ProbeEnd::Readable => ("can be read", "it can be read"),
            ProbeEnd::Refused(_) => ("cannot be read", "it cannot be read"),
            ProbeEnd::Failed(_) => ("failed", "that failed"),
            ProbeEnd::NothingToAsk => ("had no request to try", "there was no request to try"),
        };
        if let [only] = &*ended {
            return Some(format!("Asked for the first page of `{}`{with}: {}.", only.stream, words(&only.end).1));
        }
        let mut counts: Vec<(&str, usize)> = Vec::new();
        for probe in &ended {
            let (words, _) = words(&probe.end);
            match counts.iter_mut().find(|(known, _)| *known == words) {
                Some((_, count)) => *count += 1,
                None => counts.push((words, 1)),
            }
        }
        let (asked, all) = (ended.len(), self.streams.len());
        let of = if asked < all { format!("{asked} of {all}") } else { asked.to_string() };
        let came = match &*counts {
            [] => return None,
            [("cannot be read", _)] => "none can be read".to_owned(),
            [(words, _)] => format!("all {words}"),
            counts => counts.iter().map(|(words, count)| format!("{count} {words}")).collect::<Vec<_>>().join(", "),
        };
        Some(format!("Asked for the first page of {of} streams{with}: {came}."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(streams: usize, probes: &[anyhow::Result<bool>], credentials: Option<&str>) -> Option<String> {
        let tried = Tried {
            streams: (0..streams).map(|n| format!("s{n}")).collect(),
            credentials: credentials.map(str::to_owned),
            ..Tried::default()
        };
        for (n, probe) in probes.iter().enumerate() {
            tried.probes.note(&format!("s{n}"), probe);
        }
        tried.sentence()
    }

    #[test]
    fn the_requests_are_summarised_in_one_sentence() {
        let refused = || Err(Failure { skips_stream: true, ..Failure::config("no") }.into());
        let failed = || Err(Failure::transient("no").into());
        assert_eq!(sentence(3, &[], Some("the key k****")), None);
        for (streams, probes, credentials, expected) in [
            (9, vec![Ok(true)], None, "Asked for the first page of `s0`: it can be read."),
            (
                9,
                vec![failed()],
                Some("the key ****"),
                "Asked for the first page of `s0` with the key ****: that failed.",
            ),
            (2, vec![Ok(true), Ok(true)], None, "Asked for the first page of 2 streams: all can be read."),
            (
                9,
                vec![Ok(true), refused(), Ok(true), Ok(false), failed()],
                None,
                "Asked for the first page of 5 of 9 streams: 2 can be read, 1 cannot be read, 1 had no request to try, \
                 1 failed.",
            ),
        ] {
            assert_eq!(sentence(streams, &probes, credentials).as_deref(), Some(expected));
        }
    }
}
