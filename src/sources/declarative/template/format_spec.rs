//! Format specifications of Python's own types: `>8`, `,.2f`.

use num_traits::{Signed, ToPrimitive};

use super::arith::to_float;
use super::compare::Number;
use super::datetime;
use super::error::{Fault, Result};
use super::format::float;
use super::number::float_repr;
use super::text::{MAX_TEXT, str_of};
use super::value::Value;

struct Spec {
    fill: char,
    align: Option<char>,
    sign: char,
    alternate: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

fn parse(spec: &str) -> Result<Spec> {
    let mut characters: Vec<char> = spec.chars().collect();
    characters.reverse();
    let mut parsed = Spec {
        fill: ' ',
        align: None,
        sign: '-',
        alternate: false,
        width: 0,
        grouping: None,
        precision: None,
        kind: None,
    };
    let is_align = |c: Option<&char>| matches!(c, Some('<' | '>' | '^' | '='));
    let second = characters.len().checked_sub(2).and_then(|at| characters.get(at)).copied();
    if is_align(second.as_ref()) {
        parsed.fill = characters.pop().unwrap_or(' ');
        parsed.align = characters.pop();
    } else if is_align(characters.last()) {
        parsed.align = characters.pop();
    }
    let mut next_if = |allowed: &str| match characters.last() {
        Some(c) if allowed.contains(*c) => characters.pop(),
        _ => None,
    };
    parsed.sign = next_if("+- ").unwrap_or('-');
    next_if("z");
    parsed.alternate = next_if("#").is_some();
    if next_if("0").is_some() && parsed.align.is_none() {
        parsed.align = Some('=');
        parsed.fill = '0';
    }
    let digits = |next_if: &mut dyn FnMut(&str) -> Option<char>| -> Result<Option<usize>> {
        let mut text = String::new();
        while let Some(c) = next_if("0123456789") {
            text.push(c);
        }
        if text.is_empty() {
            return Ok(None);
        }
        let size = text.parse().ok().filter(|size| *size <= MAX_TEXT / 4);
        size.map(Some).ok_or_else(|| Fault::value("Too many decimal digits in format string"))
    };
    parsed.width = digits(&mut next_if)?.unwrap_or(0);
    parsed.grouping = next_if(",_");
    if next_if(".").is_some() {
        parsed.precision = digits(&mut next_if)?;
        if parsed.precision.is_none() {
            return Err(Fault::value("Format specifier missing precision"));
        }
    }
    parsed.kind = characters.pop();
    if characters.is_empty() { Ok(parsed) } else { Err(Fault::value("Invalid format specifier")) }
}

/// Python's `format(value, spec)`.
pub(crate) fn formatted(value: &Value, spec: &str) -> Result<String> {
    if let Value::Undefined(_) = value {
        return if spec.is_empty() { Ok(String::new()) } else { Err(unsupported(value)) };
    }
    if spec.is_empty() {
        return str_of(value);
    }
    match value {
        Value::Str(text) | Value::Markup(text) => text_spec(text, &parse(spec)?),
        Value::Bool(_) | Value::Int(_) | Value::Big(_) | Value::Float(_) => number_spec(value, &parse(spec)?),
        Value::DateTime(moment) => Ok(datetime::strftime(moment, spec)),
        Value::Date(date) => Ok(datetime::strftime(&date.at_midnight(), spec)),
        _ => Err(unsupported(value)),
    }
}

fn unsupported(value: &Value) -> Box<Fault> {
    Fault::ty(format!("unsupported format string passed to {}.__format__", value.type_name()))
}

fn text_spec(text: &str, spec: &Spec) -> Result<String> {
    if !matches!(spec.kind, None | Some('s')) {
        return Err(Fault::value("Unknown format code for object of type 'str'"));
    }
    if spec.sign != '-' || spec.grouping.is_some() || spec.alternate || spec.align == Some('=') && spec.fill != '0' {
        return Err(Fault::value("the format specifier is not allowed for texts"));
    }
    let cut: String = text.chars().take(spec.precision.unwrap_or(usize::MAX)).collect();
    let align = match spec.align {
        Some('=') | None => '<',
        Some(align) => align,
    };
    Ok(aligned("", &cut, spec, align))
}

fn aligned(sign: &str, body: &str, spec: &Spec, align: char) -> String {
    let missing = spec.width.saturating_sub(sign.chars().count() + body.chars().count());
    let fill = |count: usize| std::iter::repeat_n(spec.fill, count).collect::<String>();
    match align {
        '<' => format!("{sign}{body}{}", fill(missing)),
        '^' => format!("{}{sign}{body}{}", fill(missing / 2), fill(missing - missing / 2)),
        '=' => format!("{sign}{}{body}", fill(missing)),
        _ => format!("{}{sign}{body}", fill(missing)),
    }
}

fn number_spec(value: &Value, spec: &Spec) -> Result<String> {
    let number = Number::of(value).ok_or_else(|| Fault::ty("a number is expected"))?;
    let is_float = matches!(number, Number::Float(_));
    let unknown =
        |kind: char| Fault::value(format!("Unknown format code '{kind}' for object of type '{}'", value.type_name()));
    let (negative, body) = match spec.kind {
        Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%') => float_body(to_float(&number)?, spec),
        None if is_float => float_body(to_float(&number)?, spec),
        Some('n') if is_float => float_body(to_float(&number)?, spec),
        Some(kind) if is_float => return Err(unknown(kind)),
        _ if spec.precision.is_some() => return Err(Fault::value("Precision not allowed in integer format specifier")),
        Some('c') => match number.to_big().to_u32().and_then(char::from_u32) {
            Some(c) => return Ok(aligned("", &c.to_string(), spec, spec.align.unwrap_or('<'))),
            None => return Err(Fault::overflow("%c arg not in range(0x110000)")),
        },
        kind => {
            let whole = number.to_big();
            let (radix, prefix) = match kind {
                None | Some('d' | 'n') => (10, ""),
                Some('x') => (16, "0x"),
                Some('X') => (16, "0X"),
                Some('o') => (8, "0o"),
                Some('b') => (2, "0b"),
                Some(kind) => return Err(unknown(kind)),
            };
            let digits = whole.magnitude().to_str_radix(radix);
            let digits = if kind == Some('X') { digits.to_uppercase() } else { digits };
            let digits = grouped(&digits, spec, if radix == 10 { 3 } else { 4 });
            let sign = sign_of(whole.is_negative(), spec);
            let sign = if spec.alternate { format!("{sign}{prefix}") } else { sign.to_owned() };
            return Ok(numeric_aligned(&sign, &digits, spec, if radix == 10 { 3 } else { 4 }));
        }
    };
    let (whole, rest) = body.split_at(body.find(|c: char| !c.is_ascii_digit()).unwrap_or(body.len()));
    let body = format!("{}{rest}", grouped(whole, spec, 3));
    Ok(numeric_aligned(sign_of(negative, spec), &body, spec, 3))
}

fn sign_of(negative: bool, spec: &Spec) -> &'static str {
    match (negative, spec.sign) {
        (true, _) => "-",
        (false, '+') => "+",
        (false, ' ') => " ",
        _ => "",
    }
}

/// Zeros that fill up a grouped number are grouped, too.
fn numeric_aligned(sign: &str, body: &str, spec: &Spec, size: usize) -> String {
    let align = spec.align.unwrap_or('>');
    if align == '='
        && spec.fill == '0'
        && let Some(separator) = spec.grouping
    {
        let width = spec.width.saturating_sub(sign.len());
        let mut body = body.to_owned();
        while body.len() < width {
            let first = body.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(body.len());
            if first == size && body[..first].bytes().all(|b| b.is_ascii_alphanumeric()) {
                body.insert(0, separator);
            }
            body.insert(0, '0');
        }
        return format!("{sign}{body}");
    }
    aligned(sign, body, spec, align)
}

fn grouped(digits: &str, spec: &Spec, size: usize) -> String {
    let Some(separator) = spec.grouping else { return digits.to_owned() };
    let mut out = String::with_capacity(digits.len() * 2);
    for (at, c) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(size) {
            out.push(separator);
        }
        out.push(c);
    }
    out
}

fn float_body(value: f64, spec: &Spec) -> (bool, String) {
    let negative = value.is_sign_negative() && !value.is_nan();
    let value = value.abs();
    let body = match spec.kind {
        Some('%') => float(value * 100.0, 'f', spec.precision.unwrap_or(6), spec.alternate) + "%",
        Some('n') => float(value, 'g', spec.precision.unwrap_or(6), spec.alternate),
        Some(kind) => float(value, kind, spec.precision.unwrap_or(6), spec.alternate),
        None => match spec.precision {
            None => float_repr(value),
            // As `g`, but with a digit after the point.
            Some(precision) => {
                let text = float(value, 'g', precision, spec.alternate);
                let exponent = format!("{value:.*e}", precision.max(1) - 1);
                let exponent: i64 = exponent.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
                if text.contains(['.', 'e', 'n', 'i']) {
                    text
                } else if exponent >= precision.max(1) as i64 - 1 && value != 0.0 {
                    float_exponent(value, precision)
                } else {
                    text + ".0"
                }
            }
        },
    };
    (negative, body)
}

/// Without a letter, a number that fills all its digits is written with an exponent.
fn float_exponent(value: f64, precision: usize) -> String {
    let digits = precision.max(1) - 1;
    let text = super::number::exponent_form(&format!("{value:.digits$e}"));
    match text.split_once('e') {
        Some((mantissa, exponent)) if mantissa.contains('.') => {
            format!("{}e{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => text,
    }
}
