//! `DatetimeParser` of the CDK: the formats of cursors and of `format_datetime`.

use num_traits::ToPrimitive;

use super::super::error::{Fault, Result};
use super::super::number;
use super::civil::Offset;
use super::moment::DateTime;
use super::{strftime, strptime};

/// Reads a date in a format of the CDK: `%s`, `%s_as_float`, `%ms`, `%epoch_microseconds`, or `strptime`'s with `%_ms`
/// for a fraction. `text` is Python's `str` of the value. Without an offset it is UTC.
pub fn parse_datetime(text: &str, format: &str) -> Result<DateTime> {
    let scaled = |factor: i128| {
        let invalid = || Fault::value("invalid literal for int() with base 10");
        let whole = number::parse_int(text, 10).ok_or_else(invalid)?.to_i64();
        let whole = whole.ok_or_else(|| Fault::overflow("timestamp out of range for platform time_t"))?;
        if factor == 1_000_000 {
            in_range(whole as f64)?;
        }
        DateTime::from_instant(i128::from(whole) * factor)
    };
    match format {
        "%s" => scaled(1_000_000),
        "%ms" => scaled(1000),
        "%epoch_microseconds" => scaled(1),
        "%s_as_float" => {
            let seconds = number::parse_float(text).ok_or_else(|| Fault::value("could not convert string to float"))?;
            from_timestamp(seconds)
        }
        _ => {
            let moment = strptime(text, &format.replace("%_ms", "%f"))?;
            Ok(DateTime { offset: Some(moment.offset.unwrap_or(Offset::UTC)), ..moment })
        }
    }
}

/// `datetime.fromtimestamp`: rounded to the nearest microsecond, ties to even.
fn from_timestamp(seconds: f64) -> Result<DateTime> {
    if !seconds.is_finite() {
        return Err(Fault::value("cannot convert float NaN or infinity to integer"));
    }
    in_range(seconds)?;
    let whole = seconds.floor();
    let micros = ((seconds - whole) * 1e6).round_ties_even();
    DateTime::from_instant(whole as i128 * 1_000_000 + micros as i128)
        .map_err(|_| Fault::value("the year is out of range"))
}

/// Seconds since 1970 as a Python date. The errors are those of the C library if the year does not even fit an `int`.
fn in_range(seconds: f64) -> Result<()> {
    match seconds {
        seconds if !(-9.3e18..9.3e18).contains(&seconds) => {
            Err(Fault::overflow("timestamp out of range for platform time_t"))
        }
        seconds if !(-67_768_040_609_740_800.0..67_768_036_191_676_800.0).contains(&seconds) => {
            Err(Fault::other("OSError", "Value too large for defined data type"))
        }
        seconds if !(-62_135_596_800.0..253_402_300_800.0).contains(&seconds) => {
            Err(Fault::value("the year is out of range"))
        }
        _ => Ok(()),
    }
}

/// Prints a date in a format of the CDK. Whole formats are computed with integers, where the reference uses floats;
/// `%_ms` prints three digits, and then so does every other place with the six digits of `%f`.
pub fn format_datetime(moment: &DateTime, format: &str) -> String {
    // Towards zero, like `int` of a float.
    let instant = moment.instant();
    match format {
        "%s" => (instant / 1_000_000).to_string(),
        "%ms" => (instant / 1000).to_string(),
        "%epoch_microseconds" => instant.to_string(),
        "%s_as_float" => super::super::number::float_repr(moment.timestamp()),
        _ if format.contains("%_ms") => {
            let six = format!("{:06}", moment.time.micro);
            let three = format!("{:03}", moment.time.micro / 1000);
            strftime(moment, &format.replace("%_ms", "%f")).replace(&six, &three)
        }
        _ => strftime(moment, format),
    }
}
