//! Other spellings of a text: percent-encoded in a URL, as a form's `+`, escaped in JSON, PHP or HTML, folded onto one
//! line; several of these at once, and only for some characters. Servers repeat their input in any of them.

/// Longest escape of one character, in bytes. A shorter rest at the end of a text may be a part of one.
const LONGEST_ESCAPE: usize = 10;

/// How far a text matches another one, in any spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Followed {
    /// Bytes of the text.
    pub(super) spelled: usize,
    /// Bytes of the other text.
    pub(super) matched: usize,
}

/// The first bytes of all escapes.
pub(super) const INTRODUCERS: [u8; 4] = *b"%\\&+";

/// How often a text may be embedded in another one of its kind: a URL in a URL, JSON in JSON.
const DEEPEST: usize = 3;

/// Matches `wanted` at the start of `text` as far as possible.
pub(super) fn follow(text: &str, wanted: &str) -> Followed {
    // A character that introduces escapes may be itself or an escape, so both are tried.
    let readings = if wanted.contains(['%', '\\', '&']) { 0..=DEEPEST } else { 0..=0 };
    let mut furthest = Followed { spelled: 0, matched: 0 };
    for depth in readings {
        let followed = follow_at(text, wanted, depth);
        if followed.matched == wanted.len() {
            return followed;
        }
        if followed.matched > furthest.matched {
            furthest = followed;
        }
    }
    furthest
}

/// The same if the characters that introduce escapes are escaped this many times.
fn follow_at(text: &str, wanted: &str, depth: usize) -> Followed {
    let mut followed = Followed { spelled: 0, matched: 0 };
    let mut left = wanted.chars().peekable();
    while let Some(character) = left.next() {
        let Some(length) = one(&text[followed.spelled..], character, depth) else { break };
        followed.spelled += length;
        followed.matched += character.len_utf8();
        if character.is_whitespace() {
            // Any amount of it may have become one blank.
            while let Some(more) = left.next_if(|next| next.is_whitespace()) {
                followed.matched += more.len_utf8();
            }
            while let Some(length) = blank(&text[followed.spelled..]) {
                followed.spelled += length;
            }
        }
    }
    followed
}

/// Whether a text is empty, or the rest of a truncated escape.
pub(super) fn is_torn(text: &str) -> bool {
    text.is_empty() || (text.len() < LONGEST_ESCAPE && text.starts_with(['%', '\\', '&']))
}

/// The bytes at the start of a text that spell a character.
fn one(text: &str, wanted: char, depth: usize) -> Option<usize> {
    if wanted.is_whitespace() {
        return blank(text);
    }
    let plain = || text.starts_with(wanted).then_some(wanted.len_utf8());
    match depth {
        0 => plain().or_else(|| escaped(text, wanted, depth)),
        _ => escaped(text, wanted, depth).or_else(plain),
    }
}

fn blank(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    match first {
        '+' => Some(1),
        _ if first.is_whitespace() => Some(first.len_utf8()),
        // Last, a form's `+` that was encoded once more.
        _ => [' ', '\n', '\r', '\t', '+'].into_iter().find_map(|blank| escaped(text, blank, 1)),
    }
}

fn escaped(text: &str, wanted: char, depth: usize) -> Option<usize> {
    match text.chars().next()? {
        '%' => percent(text.as_bytes(), wanted, depth).or_else(|| backslash(text, wanted)),
        '\\' => backslash(text, wanted),
        '&' => entity(text, wanted),
        _ => None,
    }
}

/// `%2F`, and `%252F` for a URL inside another one. The percent sign itself is `%25` or, at depth 2, `%2525`.
fn percent(text: &[u8], wanted: char, depth: usize) -> Option<usize> {
    let mut at = 0;
    for byte in wanted.encode_utf8(&mut [0; 4]).bytes() {
        (text.get(at) == Some(&b'%')).then_some(())?;
        at += 1;
        for level in 1.. {
            let found = hex(text.get(at..at + 2)?)?;
            at += 2;
            if found == u32::from(byte) && (wanted != '%' || level == depth) {
                break;
            }
            (found == u32::from(b'%')).then_some(())?;
        }
    }
    Some(at)
}

/// `\"`, `\/`, `\n`, `\u002f`, with more backslashes for JSON inside JSON, and `%5C` for JSON inside a URL.
fn backslash(text: &str, wanted: char) -> Option<usize> {
    let mut at = 0;
    for unit in wanted.encode_utf16(&mut [0; 2]).iter() {
        let slashes = backslashes(&text[at..]);
        at += slashes;
        let letter = text[at..].chars().next().filter(|_| slashes > 0)?;
        let after = at + letter.len_utf8();
        match letter {
            _ if letter == wanted => return Some(after),
            'u' if hex(text.as_bytes().get(after..after + 4)?) == Some(u32::from(*unit)) => at = after + 4,
            'n' if wanted == '\n' => return Some(after),
            'r' if wanted == '\r' => return Some(after),
            't' if wanted == '\t' => return Some(after),
            '%' => return Some(at + percent(&text.as_bytes()[at..], wanted, 1)?),
            '&' => return Some(at + entity(&text[at..], wanted)?),
            _ => return None,
        }
    }
    Some(at)
}

/// The number of backslashes at the start of a text.
fn backslashes(text: &str) -> usize {
    let mut at = 0;
    loop {
        at += match text.as_bytes().get(at) {
            Some(b'\\') => 1,
            Some(b'%') => match percent(&text.as_bytes()[at..], '\\', 1) {
                Some(length) => length,
                None => return at,
            },
            _ => return at,
        };
    }
}

/// `&amp;`, `&#38;`, `&#x26;`.
fn entity(text: &str, wanted: char) -> Option<usize> {
    let end = text.bytes().take(LONGEST_ESCAPE).position(|byte| byte == b';')?;
    let name = &text[1..end];
    let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    let found = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => match name.strip_prefix('#')? {
            digits if digits.starts_with(['x', 'X']) => number(&digits[1..], 16),
            digits => number(digits, 10),
        },
    };
    (found == Some(wanted)).then_some(end + 1)
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, digit| Some(number * 16 + char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_matched_in_every_spelling() {
        let wanted = "k/é\"& 𝄞";
        for text in [
            "k/é\"& 𝄞",
            "k%2F%C3%A9%22%26+%F0%9D%84%9E",
            "k%2f%c3%a9%22%26%20%f0%9d%84%9e",
            "k%252F%25C3%25A9%2522%2526%2520%25F0%259D%2584%259E",
            r#"k\/\u00e9\"& \ud834\udd1e"#,
            r"k\u002F\u00E9\u0022\u0026\u0020\uD834\uDD1E",
            r#"k\\\/\\u00e9\\\"&\\n\\ud834\\udd1e"#,
            "k/&#233;&quot;&amp; &#x1D11E;",
            "k%252F%25C3%25A9%2522%2526%2B%25F0%259D%2584%259E",
            r"k%5C%2F%5Cu00e9%5C%22&%5Cn%5Cud834%5Cudd1e",
            r"k\\/é\&quot;&amp; 𝄞",
            "%6b/é\"&\n \t𝄞",
        ] {
            let whole = Followed { spelled: text.len(), matched: wanted.len() };
            assert_eq!(follow(text, wanted), whole, "{text}");
        }
    }

    #[test]
    fn another_text_is_matched_up_to_the_difference() {
        for (text, wanted, spelled, matched) in [
            ("", "ab", 0, 0),
            ("ab", "", 0, 0),
            ("aXb", "ab", 1, 1),
            ("a%2", "a/", 1, 1),
            ("a%zz", "a/", 1, 1),
            ("a%2E", "a/", 1, 1),
            (r"a\u00", "a/", 1, 1),
            (r"a\q", "a/", 1, 1),
            ("a&lt;", "a>", 1, 1),
            ("a&nothing;", "a>", 1, 1),
            ("a  b", "a\r\nb", 4, 4),
            ("%41", "%41", 3, 3),
            ("%2541", "%41", 5, 3),
            ("%252541", "%41", 7, 3),
            ("%25%2541", "%%41", 8, 4),
            ("%25%34%31", "%41", 9, 3),
            ("&amp;&#38;", "&&", 10, 2),
            ("&amp;", "&a", 2, 2),
        ] {
            assert_eq!(follow(text, wanted), Followed { spelled, matched }, "{text} {wanted}");
        }
    }

    #[test]
    fn the_end_of_a_text_may_be_a_part_of_an_escape() {
        for (text, torn) in
            [("", true), ("%2", true), (r"\u00", true), ("&am", true), ("x", false), ("%41 is an A", false)]
        {
            assert_eq!(is_torn(text), torn, "{text}");
        }
    }
}
