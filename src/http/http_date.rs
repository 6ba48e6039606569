//! Dates in headers. RFC 9110, section 5.6.7, has three forms, and a recipient must accept all of them: the current one
//! and two obsolete ones, one of which has two-digit years.

use jiff::fmt::rfc2822::DateTimeParser;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, civil};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Whether a text is the name of a day: a following comma is then part of the date.
pub(super) fn is_day(text: &str) -> bool {
    let short = text.get(..3).map(str::to_ascii_lowercase);
    short.is_some_and(|short| DAYS.contains(&&*short)) && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// A date in any form of HTTP, mails (RFC 5322) or JSON (RFC 3339). Two-digit years are relative to `now`.
pub(super) fn parse(text: &str, now: Timestamp) -> Option<Timestamp> {
    let mail = DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text);
    mail.ok().or_else(|| text.parse().ok()).or_else(|| obsolete(text, now))
}

/// `Sunday, 06-Nov-94 08:49:37 GMT` or `Sun Nov  6 08:49:37 1994`.
fn obsolete(text: &str, now: Timestamp) -> Option<Timestamp> {
    let words: Vec<&str> = text.split([' ', '\t', ',', '-']).filter(|word| !word.is_empty()).collect();
    let (day, month, year, time) = match words[..] {
        [name, day, month, year, time, zone] if is_day(name) && is_utc(zone) => (day, month, year, time),
        [name, month, day, time, year] if is_day(name) => (day, month, year, time),
        _ => return None,
    };
    let month = MONTHS.iter().position(|name| month.eq_ignore_ascii_case(name))? + 1;
    let [hour, minute, second] = time.split(':').map(str::parse::<i8>).collect::<Result<Vec<_>, _>>().ok()?[..] else {
        return None;
    };
    // A leap second ends with the one before it.
    let time = civil::Time::new(hour, minute, second.min(59), 0).ok()?;
    let in_year =
        |year: i16| Some(civil::Date::new(year, i8::try_from(month).ok()?, day.parse().ok()?).ok()?.to_datetime(time));
    let now = now.to_zoned_datetime(TimeZone::UTC).datetime();
    let date = match year.len() {
        4 => in_year(year.parse().ok()?)?,
        // By the standard, a year more than 50 years ahead means the most recent past year with the same digits.
        2 => {
            let latest = now.checked_add(Span::new().years(50)).ok()?;
            let year: i16 = year.parse().ok()?;
            let century = now.year() - now.year() % 100;
            [century + 100, century, century - 100]
                .into_iter()
                .filter_map(|century| in_year(century + year))
                .find(|date| *date <= latest)?
        }
        _ => return None,
    };
    Some(date.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp())
}

fn is_utc(zone: &str) -> bool {
    ["gmt", "utc", "z"].iter().any(|utc| zone.eq_ignore_ascii_case(utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str, now: &str) -> Option<i64> {
        parse(text, now.parse().unwrap()).map(Timestamp::as_second)
    }

    #[test]
    fn the_three_forms_of_http_are_the_same_date() {
        // The examples of the standard.
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "sunday, 06-nov-94 08:49:37 gmt",
            "Sun, 06-Nov-1994 08:49:37 GMT",
            "Sun Nov 06 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "1994-11-06T08:49:37Z",
        ] {
            assert_eq!(seconds(text, "1994-11-06T00:00:00Z"), Some(784_111_777), "{text}");
        }
    }

    #[test]
    fn a_year_of_two_digits_is_never_more_than_fifty_years_ahead() {
        for (now, year, full) in [
            ("2026-11-29T00:00:00Z", "26", 2026),
            ("2026-11-29T00:00:00Z", "76", 2076),
            ("2026-11-29T00:00:00Z", "77", 1977),
            ("2026-11-29T00:00:00Z", "94", 1994),
            ("2099-12-31T23:59:59Z", "00", 2100),
            ("2026-10-01T00:00:00Z", "76", 1976),
        ] {
            let read = parse(&format!("Sunday, 06-Nov-{year} 08:49:37 GMT"), now.parse().unwrap());
            assert_eq!(
                read.map(|at| i32::from(at.to_zoned_datetime(TimeZone::UTC).year())),
                Some(full),
                "{now} {year}"
            );
        }
    }

    #[test]
    fn anything_but_a_date_is_none() {
        for text in [
            "",
            "Sun",
            "Sunday, 06-Nov-94 08:49:37 CET",
            "Sunday, 32-Nov-94 08:49:37 GMT",
            "Sunday, 06-Nov-094 08:49:37 GMT",
            "Sun Nov  6 08:49 1994",
            "Sun Nov  6 08:61:37 1994",
            "Day Nov  6 08:49:37 1994",
            "Sun Nix  6 08:49:37 1994",
            "\u{e9}\u{e9} Nov 6 08:49:37 1994",
        ] {
            assert_eq!(seconds(text, "1994-11-06T00:00:00Z"), None, "{text}");
        }
    }
}
