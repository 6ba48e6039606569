//! Globs of one step.

/// Whether a text fits a glob of Python's `fnmatchcase`: `*`, `?`, `[a-z]`, `[!a-z]`.
pub(super) fn fits(glob: &str, text: &str) -> bool {
    let (glob, text): (Vec<char>, Vec<char>) = (glob.chars().collect(), text.chars().collect());
    let (mut at, mut read) = (0, 0);
    // The position of the last `*`, and how much it has matched.
    let mut star: Option<(usize, usize)> = None;
    loop {
        let step = match glob.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
                continue;
            }
            None if read == text.len() => return true,
            None => None,
            Some(_) => text.get(read).and_then(|char| one(&glob, at, *char)),
        };
        match (step, star) {
            (Some(next), _) => {
                at = next;
                read += 1;
            }
            (None, Some((before, taken))) if taken < text.len() => {
                star = Some((before, taken + 1));
                at = before + 1;
                read = taken + 1;
            }
            _ => return false,
        }
    }
}

/// The rest of the glob after a part that matches one character.
fn one(glob: &[char], at: usize, char: char) -> Option<usize> {
    match glob[at] {
        '?' => return Some(at + 1),
        '[' => {}
        other => return (other == char).then_some(at + 1),
    }
    let negated = glob.get(at + 1) == Some(&'!');
    let first = at + 1 + usize::from(negated);
    // A leading `]` is one of the characters; a set without an end is a plain bracket.
    let end = glob.iter().enumerate().skip(first + 1).find(|(_, end)| **end == ']').map(|(end, _)| end);
    let Some(end) = end else { return (char == '[').then_some(at + 1) };
    let (mut is_in, mut place) = (false, first);
    while place < end {
        if place + 2 < end && glob[place + 1] == '-' {
            is_in |= (glob[place]..=glob[place + 2]).contains(&char);
            place += 3;
        } else {
            is_in |= glob[place] == char;
            place += 1;
        }
    }
    (is_in != negated).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_are_those_of_fnmatch() {
        for (glob, text) in [("*a*", "bab"), ("_*", "_id"), ("[!a-c]?", "dx"), ("[]x]", "]"), ("[a", "[a"), ("**", "q")]
        {
            assert!(fits(glob, text), "{glob} {text}");
        }
        for (glob, text) in [("*a", "ab"), ("?", ""), ("[!a-c]", "b"), ("A*", "ab"), ("a*b*c", "abd")] {
            assert!(!fits(glob, text), "{glob} {text}");
        }
    }
}
