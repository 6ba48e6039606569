//! The escapes in Python's string literals.

/// One escape after a backslash: its meaning and its number of characters.
enum Escape {
    Code(u32, usize),
    /// An end of line, which is dropped.
    Nothing,
    /// Not an escape: the backslash stays.
    Unknown,
    Wrong,
}

fn escape(rest: &[char], wide: bool) -> Escape {
    let hex = |length: usize| {
        let digits: String = rest.iter().skip(1).take(length).collect();
        let valid = digits.chars().count() == length && digits.chars().all(|c| c.is_ascii_hexdigit());
        match u32::from_str_radix(&digits, 16) {
            Ok(code) if valid => Escape::Code(code, length + 1),
            _ => Escape::Wrong,
        }
    };
    match rest.first() {
        None => Escape::Unknown,
        Some('\n') => Escape::Nothing,
        Some(c @ ('\\' | '\'' | '"')) => Escape::Code((*c).into(), 1),
        Some('a') => Escape::Code(7, 1),
        Some('b') => Escape::Code(8, 1),
        Some('f') => Escape::Code(12, 1),
        Some('n') => Escape::Code(10, 1),
        Some('r') => Escape::Code(13, 1),
        Some('t') => Escape::Code(9, 1),
        Some('v') => Escape::Code(11, 1),
        Some('0'..='7') => {
            let digits: String = rest.iter().take(3).take_while(|c| ('0'..='7').contains(*c)).collect();
            Escape::Code(u32::from_str_radix(&digits, 8).unwrap_or_default(), digits.len())
        }
        Some('x') => hex(2),
        Some('u') if wide => hex(4),
        Some('U') if wide => hex(8),
        // Names of characters would need a table of all of them.
        Some('N') if wide => Escape::Wrong,
        Some(_) => Escape::Unknown,
    }
}

fn decode(body: &[char], wide: bool, mut push: impl FnMut(u32) -> Option<()>) -> Option<()> {
    let mut at = 0;
    while at < body.len() {
        if body[at] != '\\' {
            push(body[at].into())?;
            at += 1;
            continue;
        }
        at += 1;
        match escape(&body[at..], wide) {
            Escape::Code(code, length) => {
                push(code)?;
                at += length;
            }
            Escape::Nothing => at += 1,
            Escape::Unknown => push('\\'.into())?,
            Escape::Wrong => return None,
        }
    }
    Some(())
}

/// The text of a string literal between its quotes. `None` for an escape that is broken, names a character, or is half
/// of a surrogate pair.
pub(crate) fn text(body: &str) -> Option<String> {
    if !body.contains('\\') {
        return Some(body.to_owned());
    }
    let characters: Vec<char> = body.chars().collect();
    let mut text = String::with_capacity(body.len());
    decode(&characters, true, |code| {
        text.push(char::from_u32(code)?);
        Some(())
    })?;
    Some(text)
}

/// The bytes of a bytes literal.
pub(crate) fn bytes(body: &str) -> Option<Vec<u8>> {
    let characters: Vec<char> = body.chars().collect();
    let mut bytes = Vec::with_capacity(body.len());
    decode(&characters, false, |code| {
        bytes.push((code & 0xff) as u8);
        Some(())
    })?;
    Some(bytes)
}

/// A string in a template: Jinja escapes non-ASCII characters first, so a backslash before such a character takes part
/// of its escape.
pub(crate) fn template_text(body: &str) -> Option<String> {
    if !body.contains('\\') {
        return Some(body.to_owned());
    }
    let mut ascii = String::with_capacity(body.len());
    for c in body.chars() {
        match u32::from(c) {
            0..=0x7f => ascii.push(c),
            code @ 0x80..=0xff => ascii.push_str(&format!("\\x{code:02x}")),
            code @ 0x100..=0xffff => ascii.push_str(&format!("\\u{code:04x}")),
            code => ascii.push_str(&format!("\\U{code:08x}")),
        }
    }
    text(&ascii)
}
