//! JSON pointers (RFC 6901): tokens are parsed and formatted. Evaluation is left to the owner of the value.

use std::borrow::Cow;

/// Escapes a name as a token of a pointer. Hardly any name needs it, and others are not copied.
pub fn escape(name: &str) -> Cow<'_, str> {
    if name.contains(['~', '/']) {
        let mut token = String::with_capacity(name.len() + 1);
        write(&mut token, name);
        Cow::Owned(token)
    } else {
        Cow::Borrowed(name)
    }
}

/// The name of a token.
#[inline]
pub fn unescape(token: &str) -> Cow<'_, str> {
    if token.contains('~') {
        // In this order: `~01` is the name `~1`.
        Cow::Owned(token.replace("~1", "/").replace("~0", "~"))
    } else {
        Cow::Borrowed(token)
    }
}

/// Appends a name as a token.
pub fn push(pointer: &mut String, name: &str) {
    pointer.push('/');
    write(pointer, name);
}

fn write(token: &mut String, name: &str) {
    for letter in name.chars() {
        match letter {
            '~' => token.push_str("~0"),
            '/' => token.push_str("~1"),
            other => token.push(other),
        }
    }
}

/// The pointer to a member of the value at `pointer`.
pub fn child(pointer: &str, name: &str) -> String {
    let mut whole = String::with_capacity(pointer.len() + 1 + name.len());
    whole.push_str(pointer);
    push(&mut whole, name);
    whole
}

/// The names in a pointer. The pointer is empty or begins with a slash.
#[inline]
pub fn names(pointer: &str) -> impl Iterator<Item = Cow<'_, str>> + Clone {
    pointer.split('/').skip(1).map(unescape)
}

/// The last name of a pointer; empty for an empty one.
pub fn last_name(pointer: &str) -> Cow<'_, str> {
    unescape(pointer.rsplit_once('/').map_or("", |(_, token)| token))
}

/// The array index in a name: digits without sign or leading zeros.
#[inline]
pub fn index(name: &str) -> Option<usize> {
    let is_plain = name == "0" || !name.starts_with(['0', '+']);
    name.parse().ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_rfc_6901_are_read_and_written() {
        for (pointer, name) in [
            ("/foo", "foo"),
            ("/", ""),
            ("/a~1b", "a/b"),
            ("/c%d", "c%d"),
            ("/i\\j", "i\\j"),
            ("/k\"l", "k\"l"),
            ("/ ", " "),
            ("/m~0n", "m~n"),
        ] {
            assert_eq!(child("", name), pointer);
            assert_eq!(names(pointer).collect::<Vec<_>>(), [name]);
            assert_eq!(last_name(pointer), name);
        }
        assert_eq!(names("").count(), 0);
        assert_eq!(last_name(""), "");
    }

    #[test]
    fn a_tilde_before_another_digit_is_not_an_escape() {
        assert_eq!(unescape("~01"), "~1");
        assert_eq!(unescape("~10"), "/0");
        assert_eq!(escape("~1"), "~01");
    }

    #[test]
    fn names_without_special_characters_are_not_copied() {
        assert!(matches!(escape("price"), Cow::Borrowed(_)));
        assert!(matches!(unescape("price"), Cow::Borrowed(_)));
    }

    #[test]
    fn only_plain_digits_are_an_index() {
        for (name, expected) in [("0", Some(0)), ("10", Some(10)), ("01", None), ("+1", None), ("-1", None)] {
            assert_eq!(index(name), expected, "{name}");
        }
        for name in ["", "00", "-", "1e0", "1 ", "99999999999999999999999"] {
            assert_eq!(index(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_names_round_trip(wanted in proptest::collection::vec(any::<String>(), 0..5)) {
            let mut pointer = String::new();
            for name in &wanted {
                let whole = child(&pointer, name);
                push(&mut pointer, name);
                prop_assert_eq!(&whole, &pointer);
                prop_assert!(pointer.ends_with(&*escape(name)));
            }
            prop_assert_eq!(names(&pointer).collect::<Vec<_>>(), wanted);
        }
    }
}
