//! Repeats a request that an API refuses in another form: from the first page, with a smaller page, or for a shorter
//! window. `PaginationReset`, `PageSizeReduction`, and the place in a slice that accompanies the page token.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::asked_properties::has_some;
use super::error_handler::ErrorHandler;
use super::incremental::Incremental;
use super::paginator::Paginator;
use super::part::{Builder, Part, literal};
use super::windows::{AskedWindow, Splitting, Windows};
use crate::protocol::{Failure, Otherwise};
use crate::streams::{Page, Slice};

/// How often a slice is read from its first page, at most.
const MOST_READS: u32 = 2;

/// When to read a slice from its first page again, and when to reduce its pages.
#[derive(Debug)]
pub(super) struct Repaging {
    /// Records after which paging restarts.
    limit: Option<u64>,
    reduction: Option<Reduction>,
    /// How windows are split.
    splitting: Option<Splitting>,
    /// Whether paging restarts at the newest record.
    from_newest: bool,
    place: String,
}

/// `PageSizeReduction`.
#[derive(Debug)]
struct Reduction {
    factor: f64,
    smallest: i64,
    most_in_a_row: u32,
    backoff: Duration,
    retries_at_smallest: u32,
    keeps: bool,
    message: Option<String>,
    /// The page size of the manifest.
    size: i64,
}

/// A place in a slice: the token of the next page, and how it was reached. It is the page token of such a stream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Spot {
    /// The token of the paginator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<Value>,
    /// The page size, if it is not the manifest's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) size: Option<i64>,
    /// How often paging restarted.
    #[serde(default)]
    resets: u32,
    /// Records since then.
    #[serde(default)]
    records: u64,
    /// The remaining parts of the slice's window.
    #[serde(default, skip_serializing_if = "Windows::is_whole")]
    windows: Windows,
}

/// How often in a row the page at a place was refused.
#[derive(Debug, Default)]
pub(super) struct Refused {
    reductions: u32,
    at_smallest: u32,
}

impl Repaging {
    /// Builds it from the components of a retriever. `None` if it always continues as it began.
    #[allow(clippy::option_option, reason = "nothing differs from a fault")]
    pub(super) fn build(
        builder: &Builder<'_>,
        stream: &Part<'_>,
        retriever: &Part<'_>,
        paginator: &Paginator,
        handler: &ErrorHandler,
        incremental: Option<&Incremental>,
    ) -> Option<Option<Self>> {
        let asks = |otherwise| handler.asks(otherwise);
        let splitting = Splitting::build(builder, stream, retriever, asks(Otherwise::ShorterSpan), incremental)?;
        let mut from_newest = false;
        let reset = retriever.field("pagination_reset");
        let mut limit = None;
        if let Some(reset) = &reset {
            // Without a window, nothing can be requested from the newest record on.
            from_newest = reset.text("action") == Some("SPLIT_USING_CURSOR")
                && incremental.is_some_and(|incremental| incremental.datetime().is_some());
            let records =
                reset.field("limits").and_then(|limits| Some(limits.node.get("number_of_records")?.to_json()));
            limit = records.and_then(|records| records.as_u64());
            if limit.is_some() && retriever.field("record_selector")?.field("record_filter").is_some() {
                builder.error(
                    reset,
                    "`limits` cannot count the records that a `record_filter` leaves out. Remove one of both",
                );
            }
        }
        let field = retriever.field("page_size_reduction");
        let reduction = match (field, asks(Otherwise::SmallerPage)) {
            (Some(field), true) => Some(Reduction::build(builder, retriever, &field, paginator)?),
            (Some(field), false) => {
                builder.error(&field, "no response filter has the action `REDUCE_PAGE_SIZE`, so no page gets smaller");
                return None;
            }
            (None, true) => {
                builder
                    .error(retriever, "a response filter has the action `REDUCE_PAGE_SIZE`: add `page_size_reduction`");
                return None;
            }
            (None, false) => None,
        };
        let is_there = limit.is_some() || reduction.is_some() || splitting.is_some() || asks(Otherwise::FromStart);
        Some(is_there.then(|| Self { limit, reduction, splitting, from_newest, place: builder.place(retriever) }))
    }

    /// The place after a page of the place `spot`, given the paginator's token; nothing after the last.
    ///
    /// # Errors
    /// If the slice was already read again, or cannot be read from its newest record on.
    pub(super) fn after(
        &self,
        mut spot: Spot,
        page: &Page,
        next: Option<Value>,
        window: &AskedWindow<'_>,
    ) -> anyhow::Result<Option<Spot>> {
        if let Some(cursor) = window.cursor.filter(|_| self.from_newest) {
            spot.windows.note(page, cursor)?;
        }
        spot.records += page.len() as u64;
        if self.limit.is_some_and(|limit| spot.records >= limit) {
            return Ok(Some(self.restarted(&spot, window)?));
        }
        let keeps = self.reduction.as_ref().is_some_and(|reduction| reduction.keeps);
        spot.size = spot.size.filter(|_| keeps);
        Ok(match next {
            Some(token) => Some(Spot { token: Some(token), ..spot }),
            None => spot.past(),
        })
    }

    /// The place that reads the first half of a refused window, followed by the second half.
    ///
    /// # Errors
    /// If it cannot be split further. `why` is the API's message.
    pub(super) fn split(&self, spot: &Spot, why: &Failure, window: &AskedWindow<'_>) -> Result<Spot, Failure> {
        let Some(splitting) = &self.splitting else { return Err(Failure { otherwise: None, ..why.clone() }) };
        let windows = splitting.split(&spot.windows, window, why, &self.place)?;
        Ok(Spot { token: None, records: 0, windows, ..spot.clone() })
    }

    /// The place from which to read a slice again.
    ///
    /// # Errors
    /// A system failure if it was already read again, or there is nothing newer to begin at.
    pub(super) fn restarted(&self, spot: &Spot, window: &AskedWindow<'_>) -> Result<Spot, Failure> {
        if self.from_newest {
            let windows = spot.windows.since_newest(window, &self.place)?;
            return Ok(Spot { token: None, records: 0, windows, ..spot.clone() });
        }
        let resets = spot.resets + 1;
        if resets >= MOST_READS {
            return Err(Failure::system(format!(
                "{}: the paging of a slice began again and ended the same way. The slice was requested {MOST_READS} \
                 times; request shorter slices, or correct the filter with `RESET_PAGINATION` or the `limits`.",
                self.place
            )));
        }
        Ok(Spot { token: None, resets, records: 0, ..spot.clone() })
    }

    /// The same place with a smaller page, and how long to wait before requesting it.
    ///
    /// # Errors
    /// If no smaller page is allowed, or the API has refused too many in a row. `why` is its last message.
    pub(super) fn smaller(
        &self,
        spot: &Spot,
        refused: &mut Refused,
        why: Failure,
    ) -> Result<(Spot, Duration), Failure> {
        let Some(reduction) = &self.reduction else { return Err(why) };
        let size = spot.size.unwrap_or(reduction.size);
        let smaller = reduction.smaller(size);
        if smaller < size {
            refused.reductions += 1;
            if refused.reductions <= reduction.most_in_a_row {
                let wait = reduction.backoff.saturating_mul(refused.reductions);
                return Ok((Spot { size: Some(smaller), ..spot.clone() }, wait));
            }
        } else if refused.at_smallest < reduction.retries_at_smallest {
            refused.at_smallest += 1;
            return Ok((spot.clone(), reduction.backoff.saturating_mul(refused.at_smallest)));
        }
        let own = reduction.message.as_ref().map(|own| format!(" {own}")).unwrap_or_default();
        // A size that could never shrink is the manifest's fault.
        let never = spot.size.is_none() && reduction.smallest > 1 && smaller >= size;
        let text = match never {
            true => format!(
                "{}: the page size of {size} is no larger than the `minimum_page_size` {}, so it cannot be reduced.{own} {}",
                self.place, reduction.smallest, why.message
            ),
            false => format!("{} The page was refused at every size down to {size} records.{own}", why.message),
        };
        let kind = if never { crate::protocol::FailureKind::Config } else { crate::protocol::FailureKind::Transient };
        Err(Failure { kind, message: text, otherwise: None, ..why })
    }
}

impl Reduction {
    fn build(builder: &Builder<'_>, retriever: &Part<'_>, part: &Part<'_>, paginator: &Paginator) -> Option<Self> {
        let number = |name: &str| part.node.get(name).and_then(|value| literal(value).to_text().parse::<f64>().ok());
        let count = |name: &str| part.node.get(name).and_then(|value| value.to_json().as_u64());
        let factor = number("reduction_factor").unwrap_or(2.0);
        let smallest = count("minimum_page_size").and_then(|size| i64::try_from(size).ok()).unwrap_or(1);
        let backoff = Duration::try_from_secs_f64(number("backoff_seconds").unwrap_or(0.5));
        let in_a_row = count("max_attempts").unwrap_or(5);
        let wrong = [
            (factor.is_nan() || factor <= 1.0, "`reduction_factor` has to be above 1"),
            (smallest < 1, "`minimum_page_size` has to be 1 or more"),
            (in_a_row < 1, "`max_attempts` has to be 1 or more"),
            (backoff.is_err(), "`backoff_seconds` cannot be negative"),
        ];
        wrong.iter().filter(|(is_wrong, _)| *is_wrong).for_each(|(_, what)| builder.error(part, *what));
        if let Err(why) = paginator.can_reduce(smallest) {
            builder.error(part, why);
            return None;
        }
        let properties = has_some(&retriever.field("requester")?);
        if properties {
            builder.error(part, "it cannot be used together with `QueryProperties`");
        }
        let size = paginator.size()?;
        if size <= smallest {
            let text = format!(
                "the `page_size` {size} is no larger than the `minimum_page_size` {smallest}, so it cannot be reduced"
            );
            builder.error(part, text);
            return None;
        }
        Some(Self {
            factor,
            smallest,
            most_in_a_row: u32::try_from(in_a_row).unwrap_or(u32::MAX),
            backoff: backoff.ok()?,
            retries_at_smallest: count("retries_at_minimum_page_size").and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
            keeps: part.text("reset_policy") != Some("AFTER_SUCCESSFUL_PAGE"),
            message: part.text("failure_message").map(str::to_owned),
            size,
        })
        .filter(|_| !properties && wrong.iter().all(|(is_wrong, _)| !is_wrong))
    }

    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "page sizes are small numbers")]
    fn smaller(&self, size: i64) -> i64 {
        ((size as f64 / self.factor).floor() as i64).max(self.smallest)
    }
}

impl Spot {
    /// The place in a page token; without one, the beginning.
    pub(super) fn of(token: Option<&Value>) -> Self {
        token.and_then(|token| Self::deserialize(token).ok()).unwrap_or_default()
    }

    /// The first page of the next window. `None` after the last.
    pub(super) fn past(&self) -> Option<Self> {
        let windows = self.windows.next()?;
        Some(Self { token: None, records: 0, resets: 0, windows, ..self.clone() })
    }

    /// The part of a slice that contains the place.
    pub(super) fn slice<'s>(&self, slice: &'s Slice) -> Cow<'s, Slice> {
        self.windows.slice(slice)
    }

    /// The page token of the place. `None` is the beginning.
    pub(super) fn token(&self) -> Option<Value> {
        (*self != Self::default()).then(|| serde_json::to_value(self).ok()).flatten()
    }
}
