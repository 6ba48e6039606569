//! Builds a `StateDelegatingStream`: both of its streams, and the decision between them.

use std::sync::Arc;

use super::build::Streams;
use super::delegation::{Delegation, Retention};
use super::incremental::span;
use super::part::Part;
use super::stream::DeclarativeStream;

impl Streams<'_, '_> {
    /// The stream of everything, with the one that replaces it later. `None` if either is faulty.
    pub(super) fn delegating(&mut self, part: &Part<'_>, is_parent: bool) -> Option<DeclarativeStream> {
        let builder = self.builder;
        let (full, incremental) = (part.field("full_refresh_stream")?, part.field("incremental_stream")?);
        if [&full, &incremental].iter().any(|stream| stream.text("name") != part.text("name")) {
            builder.error(
                part,
                "`full_refresh_stream` and `incremental_stream` are two ways to read one stream. Give both its name",
            );
            return None;
        }
        let period = match part.present("api_retention_period") {
            None => None,
            Some(period) => match builder.value(&period)? {
                value if value.truth() => Some(span(builder, &period, &value.to_text())?),
                _ => None,
            },
        };
        let mut is_right = true;
        if period.is_some() {
            for cursor in [&full, &incremental].iter().filter_map(|stream| stream.field("incremental_sync")) {
                if cursor.kind() == "IncrementingCountCursor" {
                    builder.error(
                        &cursor,
                        "a count has no age. Remove `api_retention_period`, or use a DatetimeBasedCursor",
                    );
                    is_right = false;
                }
            }
        }
        let retention = period.map(|period| Retention { period, clock: Arc::clone(&builder.env.clock) });
        let (stream, incremental) = (self.build(&full, is_parent), self.build(&incremental, is_parent));
        let delegation = Delegation { incremental: Box::new(incremental?), retention };
        is_right.then_some(DeclarativeStream { delegation: Some(delegation), ..stream? })
    }
}
