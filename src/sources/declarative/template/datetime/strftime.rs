//! Python's `strftime` on Linux: `%f`, `%z` and `%Z` are Python's, the rest is glibc's in the C locale.

use super::moment::DateTime;

pub(crate) const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Prints a date and time. `%s` reads the fields as UTC, as the runtime's image does.
pub fn strftime(moment: &DateTime, format: &str) -> String {
    let format = python_directives(moment, format);
    let mut text = String::with_capacity(format.len() + 16);
    print(moment, &format, &mut text);
    // Python gives up, with an empty result, once a buffer of 256 bytes for each byte of the format is too small.
    let buffer = (256 * format.len()).max(1024).next_power_of_two();
    if text.len() < buffer { text } else { String::new() }
}

/// The directives that Python replaces before it calls the C library.
fn python_directives(moment: &DateTime, format: &str) -> String {
    let mut done = String::with_capacity(format.len());
    let mut characters = format.chars();
    while let Some(c) = characters.next() {
        if c != '%' {
            done.push(c);
            continue;
        }
        match characters.next() {
            Some('f') => done += &format!("{:06}", moment.time.micro),
            Some('z') => done += &moment.offset.map(|offset| offset.iso("")).unwrap_or_default(),
            Some('Z') => done += &moment.offset.map(|offset| offset.name().replace('%', "%%")).unwrap_or_default(),
            Some(other) => {
                done.push('%');
                done.push(other);
            }
            None => done.push('%'),
        }
    }
    done
}

/// The padding of a directive.
struct Style {
    pad: Option<char>,
    upper: bool,
    change_case: bool,
    width: usize,
}

fn print(moment: &DateTime, format: &str, out: &mut String) {
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let directive = &rest[at..];
        let mut characters = directive[1..].char_indices().peekable();
        let mut style = Style { pad: None, upper: false, change_case: false, width: 0 };
        while let Some((_, c)) = characters.peek() {
            match c {
                '_' | '-' | '0' => style.pad = Some(*c),
                '^' => style.upper = true,
                '#' => style.change_case = true,
                _ => break,
            }
            characters.next();
        }
        let mut width = String::new();
        while let Some((_, c)) = characters.peek().filter(|(_, c)| c.is_ascii_digit()) {
            width.push(*c);
            characters.next();
        }
        // The C library stops at a width that does not fit; nobody needs more than a line.
        style.width = if width.is_empty() { 0 } else { width.parse().unwrap_or(usize::MAX).min(1 << 16) };
        let modifier = characters.next_if(|(_, c)| matches!(c, 'E' | 'O')).map(|(_, c)| c);
        let Some((place, c)) = characters.next() else {
            push_text(out, directive, ' ', &style);
            return;
        };
        let end = 1 + place + c.len_utf8();
        match value(moment, c, modifier) {
            Some(Printed::Number(number, digits, pad)) => push_number(out, number, digits, pad, &style),
            Some(Printed::Text(text)) => push_text(out, &text, c, &style),
            Some(Printed::Format(inner)) => {
                let mut text = String::new();
                print(moment, inner, &mut text);
                push_text(out, &text, c, &style);
            }
            // Anything but a directive stays, from its last percent sign on, with the requested width.
            None => push_text(out, if c == '%' { "%" } else { &directive[..end] }, ' ', &style),
        }
        rest = &directive[end..];
    }
    out.push_str(rest);
}

enum Printed {
    /// The value, its least number of digits, and its padding.
    Number(i64, usize, char),
    Text(String),
    Format(&'static str),
}

fn value(moment: &DateTime, directive: char, modifier: Option<char>) -> Option<Printed> {
    use Printed::{Format, Number, Text};
    let (date, time) = (moment.date, moment.time);
    let weekday = i64::from(date.weekday());
    let sunday_based = (weekday + 1) % 7;
    let year_day = i64::from(date.year_day()) - 1;
    let hour12 = match time.hour % 12 {
        0 => 12,
        hour => i64::from(hour),
    };
    let iso = || date.iso_calendar();
    let number = |value: i64| Number(value, 2, '0');
    let allowed = match modifier {
        Some('E') => "cCxXyY",
        Some('O') => "BbdeHImMSuUVwWyhkl",
        _ => "",
    };
    if modifier.is_some() && !allowed.contains(directive) {
        return None;
    }
    Some(match directive {
        'a' => Text(DAYS[weekday as usize][..3].to_owned()),
        'A' => Text(DAYS[weekday as usize].to_owned()),
        'b' | 'h' => Text(MONTHS[usize::from(date.month) - 1][..3].to_owned()),
        'B' => Text(MONTHS[usize::from(date.month) - 1].to_owned()),
        'c' => Format("%a %b %e %H:%M:%S %Y"),
        'C' => Number(i64::from(date.year) / 100, 1, '0'),
        'd' => number(date.day.into()),
        'D' | 'x' => Format("%m/%d/%y"),
        'e' => Number(date.day.into(), 2, ' '),
        'F' => Format("%Y-%m-%d"),
        'g' => number(i64::from(iso().0) % 100),
        'G' => Number(iso().0.into(), 1, '0'),
        'H' => number(time.hour.into()),
        'I' => number(hour12),
        'j' => Number(year_day + 1, 3, '0'),
        'k' => Number(time.hour.into(), 2, ' '),
        'l' => Number(hour12, 2, ' '),
        'm' => number(date.month.into()),
        'M' => number(time.minute.into()),
        'n' => Text("\n".to_owned()),
        'p' => Text(if time.hour < 12 { "AM" } else { "PM" }.to_owned()),
        'P' => Text(if time.hour < 12 { "am" } else { "pm" }.to_owned()),
        'r' => Format("%I:%M:%S %p"),
        'R' => Format("%H:%M"),
        's' => {
            let local = DateTime { offset: None, ..*moment };
            Number(local.instant().div_euclid(1_000_000) as i64, 1, '0')
        }
        'S' => number(time.second.into()),
        't' => Text("\t".to_owned()),
        'T' | 'X' => Format("%H:%M:%S"),
        'u' => Number(weekday + 1, 1, '0'),
        'U' => number((year_day + 7 - sunday_based) / 7),
        'V' => number(iso().1.into()),
        'w' => Number(sunday_based, 1, '0'),
        'W' => number((year_day + 7 - weekday) / 7),
        'y' => number(i64::from(date.year) % 100),
        'Y' => Number(date.year.into(), 1, '0'),
        '%' => Text("%".to_owned()),
        // With a flag they come here: the C library knows the zone only of times that know whether it is summer.
        'z' | 'Z' if !moment.offset.is_some_and(|offset| offset.pytz) => Text(String::new()),
        'z' => Text("+0000".to_owned()),
        'Z' => Text("UTC".to_owned()),
        _ => return None,
    })
}

fn push_number(out: &mut String, number: i64, digits: usize, pad: char, style: &Style) {
    let text = number.to_string();
    let (pad, width) = match style.pad {
        Some('-') => (' ', style.width),
        Some('_') => (' ', digits.max(style.width)),
        Some('0') => ('0', digits.max(style.width)),
        _ => (pad, digits.max(style.width)),
    };
    let fill = std::iter::repeat_n(pad, width.saturating_sub(text.len()));
    if pad == '0' && number < 0 {
        out.push('-');
        out.extend(fill);
        out.push_str(&text[1..]);
    } else {
        out.extend(fill);
        out.push_str(&text);
    }
}

fn push_text(out: &mut String, text: &str, directive: char, style: &Style) {
    let text = match directive {
        'p' | 'Z' if style.change_case => text.to_lowercase(),
        ' ' => text.to_owned(),
        _ if style.upper || (style.change_case && "aAbBh".contains(directive)) => text.to_uppercase(),
        _ => text.to_owned(),
    };
    let filler = if style.pad == Some('0') { '0' } else { ' ' };
    out.extend(std::iter::repeat_n(filler, style.width.saturating_sub(text.chars().count())));
    out.push_str(&text);
}
