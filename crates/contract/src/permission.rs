//! Required permissions in words, the same in a response and in the reference.

/// `the permission "a"`, `the permissions "a" and "b"`, or the alternatives: all of one of these sets.
pub fn needed(sets: &[Vec<String>]) -> String {
    let one = |set: &Vec<String>| {
        let quoted: Vec<String> = set.iter().map(|permission| format!("\"{permission}\"")).collect();
        let noun = if quoted.len() == 1 { "permission" } else { "permissions" };
        format!("the {noun} {}", quoted.join(" and "))
    };
    sets.iter().map(one).collect::<Vec<_>>().join(", or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn required_permissions_are_stated_in_words() {
        let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(needed(&[set(&["a"])]), "the permission \"a\"");
        assert_eq!(
            needed(&[set(&["a", "b"]), set(&["c"])]),
            "the permissions \"a\" and \"b\", or the permission \"c\""
        );
    }
}
