//! Adds and removes white space in JSON text.
//!
//! The kit compares records byte for byte, so a JSON tree would be wrong: it would rewrite numbers and escapes. These
//! functions only add or drop the white space between tokens. They expect valid JSON, which their callers have parsed.

/// The text without whitespace between its tokens.
pub fn compact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut strings = Strings::default();
    for character in text.chars() {
        if strings.inside(character) || !is_blank(character) {
            out.push(character);
        }
    }
    out
}

/// How many characters of the text are whitespace between tokens.
pub fn blanks(text: &str) -> usize {
    let mut strings = Strings::default();
    text.chars().filter(|&character| !strings.inside(character) && is_blank(character)).count()
}

/// The text over several lines, two spaces a level, as Stripe prints its answers: an empty array takes three lines and
/// an empty object two. The first line is not indented, the others start at `level`.
///
/// Expects compact text, see [`compact`].
pub fn pretty(text: &str, level: usize) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut strings = Strings::default();
    let mut level = level;
    let mut previous = ' ';
    for character in text.chars() {
        if strings.inside(character) {
            out.push(character);
            previous = character;
            continue;
        }
        match character {
            '{' | '[' => {
                out.push(character);
                level += 1;
                new_line(&mut out, level);
            }
            '}' | ']' => {
                level = level.saturating_sub(1);
                match previous {
                    '{' => out.truncate(out.trim_end().len()),
                    '[' => {
                        out.truncate(out.trim_end().len());
                        out.push('\n');
                    }
                    _ => {}
                }
                new_line(&mut out, level);
                out.push(character);
            }
            ',' => {
                out.push(',');
                new_line(&mut out, level);
            }
            ':' => out.push_str(": "),
            other => out.push(other),
        }
        previous = character;
    }
    out
}

fn new_line(out: &mut String, level: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", level));
}

/// The whitespace of RFC 8259, section 2.
fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

/// Tracks, character by character, whether the text is inside a string.
#[derive(Default)]
struct Strings {
    open: bool,
    escaped: bool,
}

impl Strings {
    /// Takes the next character; true if it belongs to a string, its quotes included.
    fn inside(&mut self, character: char) -> bool {
        if !self.open {
            self.open = character == '"';
            return self.open;
        }
        if self.escaped {
            self.escaped = false;
        } else if character == '\\' {
            self.escaped = true;
        } else if character == '"' {
            self.open = false;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"a b":[1.10, -0 ,"x \" , y"],
        "c":{} , "d":[ ],"e":1e400}"#;
    const COMPACT: &str = r#"{"a b":[1.10,-0,"x \" , y"],"c":{},"d":[],"e":1e400}"#;

    #[test]
    fn compact_drops_only_whitespace_between_tokens() {
        assert_eq!(compact(TEXT), COMPACT);
        assert_eq!(compact(COMPACT), COMPACT);
    }

    #[test]
    fn blanks_counts_what_compact_drops() {
        assert_eq!(blanks(TEXT), TEXT.len() - COMPACT.len());
        assert_eq!(blanks(COMPACT), 0);
    }

    #[test]
    fn pretty_indents_two_spaces_a_level() {
        assert_eq!(
            pretty(r#"{"a":[1,{"b":"x: y"}],"c":{},"d":[]}"#, 0),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x: y\"\n    }\n  ],\n  \
             \"c\": {\n  },\n  \"d\": [\n\n  ]\n}"
        );
    }

    #[test]
    fn pretty_is_undone_by_compact() {
        assert_eq!(compact(&pretty(COMPACT, 2)), COMPACT);
    }
}
