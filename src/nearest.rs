//! Finds the name that a mistyped one stands for.

/// The name nearest to a given one: at most a third of its letters are wrong, missing, too many or swapped, ignoring
/// case. `None` if none is that near.
pub(crate) fn nearest<'n>(written: &str, names: &[&'n str]) -> Option<&'n str> {
    let written = written.trim().to_lowercase();
    let most = (written.chars().count() / 3).max(1);
    let distances = names.iter().map(|name| (strsim::damerau_levenshtein(&written, &name.to_lowercase()), *name));
    distances.filter(|(distance, _)| *distance <= most).min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_another_word_finds_none() {
        let names = ["customers", "charges", "refunds", "plans"];
        for (written, found) in [
            ("custmers", Some("customers")),
            ("Customers", Some("customers")),
            ("custmoers", Some("customers")),
            ("charge", Some("charges")),
            ("plan", Some("plans")),
            ("orders", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, &names), found, "{written}");
        }
    }
}
