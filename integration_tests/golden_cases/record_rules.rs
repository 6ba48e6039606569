//! Where records, streams and schemas differ on purpose. Each rule is a row of `docs/compatibility.md`, by its name; it holds
//! by what a case shows, and says which parts may differ under it.

use super::records::Seen;

struct Rule {
    name: &'static str,
    /// What may differ. All else has to be equal.
    may_differ: &'static [&'static str],
    holds: fn(&Seen<'_>) -> bool,
}

const RULES: &[Rule] = &[];

/// The rule by which these parts differ on purpose.
pub(super) fn rule(seen: &Seen<'_>, wrong: &[&str]) -> Option<&'static str> {
    let may = |rule: &&Rule| wrong.iter().all(|part| rule.may_differ.contains(part));
    RULES.iter().filter(may).find(|rule| (rule.holds)(seen)).map(|rule| rule.name)
}
