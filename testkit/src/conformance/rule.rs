//! A rule: a name for tests and reports, and a function that finds violations.

/// A rule for a `T`.
pub struct Rule<T> {
    name: &'static str,
    broken: fn(&T) -> Vec<String>,
}

impl<T> Rule<T> {
    pub(super) const fn new(name: &'static str, broken: fn(&T) -> Vec<String>) -> Self {
        Self { name, broken }
    }

    /// Its statement, in `snake_case`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its violations: one text each. None, if it is kept.
    pub fn broken(&self, of: &T) -> Vec<String> {
        (self.broken)(of)
    }

    /// The rule of that name.
    ///
    /// # Panics
    /// If there is none.
    pub fn named<'a>(rules: &'a [Self], name: &str) -> &'a Self {
        let found = rules.iter().find(|rule| rule.name == name);
        found.unwrap_or_else(|| panic!("there is no rule {name}"))
    }

    /// All violations of these rules, each with the rule's name.
    pub fn all_broken(rules: &[Self], of: &T) -> Vec<String> {
        let broken = |rule: &Self| {
            let name = rule.name;
            rule.broken(of).into_iter().map(move |text| format!("{name}: {text}")).collect::<Vec<_>>()
        };
        rules.iter().flat_map(broken).collect()
    }
}
