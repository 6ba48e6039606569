//! Python's `datetime` in plain integers: dates of the years 1 to 9999, times to the microsecond, fixed offsets, spans.
//! Also Airbyte's additions: the formats of `DatetimeParser`, `dateutil`'s ISO parser, `isodate`'s durations.

mod civil;
mod duration;
mod isoparse;
mod moment;
mod parser;
mod strftime;
mod strptime;

pub use civil::{Date, Offset, Time};
pub use duration::{Decimal, Duration, Span, fixed_duration, parse_duration};
pub use isoparse::str_to_datetime;
pub use moment::{DateTime, Delta};
pub use parser::{format_datetime, parse_datetime};
pub use strftime::strftime;
pub use strptime::strptime;

pub(crate) use civil::DAY;
