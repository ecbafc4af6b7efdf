//! Names of components: each once, and found quickly also where thousands want the same.

use std::collections::{HashMap, HashSet};

/// The names of a section.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: HashSet<String>,
    /// The number that is tried next behind a name.
    next: HashMap<String, usize>,
}

impl Names {
    /// The name if it is free, else with a number behind it. It is taken from now on.
    pub(super) fn take(&mut self, wanted: &str) -> String {
        if self.taken.insert(wanted.to_owned()) {
            return wanted.to_owned();
        }
        let next = self.next.entry(wanted.to_owned()).or_insert(2);
        loop {
            let name = format!("{wanted}_{next}");
            *next += 1;
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }
}

impl FromIterator<String> for Names {
    fn from_iter<I: IntoIterator<Item = String>>(names: I) -> Self {
        Self { taken: names.into_iter().collect(), next: HashMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_of_the_same_name_are_distinguished() {
        let mut names: Names = ["a", "a_3"].map(str::to_owned).into_iter().collect();
        assert_eq!([names.take("b"), names.take("a"), names.take("a")], ["b", "a_2", "a_4"]);
        let made: HashSet<String> = (0..10_000).map(|_| names.take("a")).collect();
        assert_eq!(made.len(), 10_000);
    }
}
