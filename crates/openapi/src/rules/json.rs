//! JSON of a body, read strictly: a member named twice is refused, because an upstream may take
//! the other one of the two.

use crate::schema::sentences::quoted;
use instance::{Tree, Unread};
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, map::Entry};
use std::fmt;

/// Reads a JSON text.
///
/// # Errors
/// A clause that says where it breaks.
pub(super) fn read(text: &[u8]) -> Result<Value, String> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Strict.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    value.map_err(|error| marked(text).unwrap_or_else(|| error.to_string()))
}

/// Reads a JSON text that is not kept.
///
/// # Errors
/// As [`read`].
pub(super) fn read_tree(text: &[u8]) -> Result<Tree<'_>, String> {
    Tree::read(text).map_err(|why| match (marked(text), why) {
        (Some(mark), _) => mark,
        (None, Unread::NotText { at }) => format!("it is not UTF-8 from byte {at} on"),
        (None, Unread::NotJson(error)) => error.to_string(),
        // Where it stands the second time, a second look finds out; of a long text the end of its object has to do.
        (None, Unread::Twice { .. }) if text.len() <= SHORT => read(text).err().unwrap_or_default(),
        (None, Unread::Twice { name, line, column }) => {
            format!("the member {} is there twice at line {line} column {column}", quoted(&name))
        }
    })
}

/// A text that may be read twice.
const SHORT: usize = 64 << 10;

/// What is wrong with a text that begins with a byte order mark.
fn marked(text: &[u8]) -> Option<String> {
    let mark = super::marked(text)?;
    Some(format!("it begins with {mark}; JSON is UTF-8 without one (RFC 8259, section 8.1)"))
}

/// Whether a JSON text has more values than this, members and items included.
pub(super) fn has_more_values(text: &[u8], most: usize) -> bool {
    // No value is shorter than a byte; and each but the first follows one of these.
    if text.len() <= most || separators(text) < most {
        return false;
    }
    let (mut count, mut is_first, mut is_text, mut is_escaped) = (1_usize, false, false, false);
    for &byte in text {
        if is_text {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => is_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            b'"' => is_text = true,
            b',' | b'[' | b'{' => count += 1,
            b']' | b'}' if is_first => count -= 1,
            _ => {}
        }
        is_first = matches!(byte, b'[' | b'{');
    }
    count > most
}

/// As many as there are values, or more.
pub(super) fn separators(text: &[u8]) -> usize {
    text.iter().filter(|&&byte| matches!(byte, b',' | b'[' | b'{')).count()
}

struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(instance::float(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Deserialize::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(member) = members.next_element_seed(Strict)? {
            array.push(member);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            // The place is looked for once, for the question and for the answer.
            match object.entry(name) {
                Entry::Vacant(place) => {
                    place.insert(members.next_value_seed(Strict)?);
                }
                Entry::Occupied(place) => {
                    let twice = format_args!("the member {} is there twice", quoted(place.key()));
                    return Err(de::Error::custom(twice));
                }
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn json_is_read_as_it_stands() {
        let text = r#" {"a":[1,-2,1.5,"x",true,false,null,{}],"b":{"a":18446744073709551615}} "#;
        assert_eq!(read(text.as_bytes()), Ok(serde_json::from_str::<Value>(text).unwrap()));
    }

    #[test]
    fn a_member_named_twice_is_refused_at_any_depth() {
        for text in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"\u0061":2}}]"#] {
            assert!(read(text.as_bytes()).unwrap_err().contains("is there twice"), "{text}");
        }
    }

    #[test]
    fn broken_json_says_where_it_breaks() {
        for text in ["", "{", "{\"a\":1,}", "[1 2]", "nul", "{}x", "{\"a\":NaN}", "\"\\ud800\""] {
            let error = read(text.as_bytes()).unwrap_err();
            assert!(error.contains("line") && error.contains("column"), "{text}: {error}");
        }
        assert!(read(&[b'"', 0xff, b'"']).is_err());
        assert!(read("[".repeat(100_000).as_bytes()).is_err());
    }

    #[test]
    fn a_byte_order_mark_is_named() {
        for text in [&b"\xef\xbb\xbf{}"[..], b"\xff\xfe{\0}\0", b"\xfe\xff\0{\0}"] {
            assert!(read(text).unwrap_err().contains("byte order mark"), "{text:?}");
            assert!(read_tree(text).unwrap_err().contains("byte order mark"), "{text:?}");
        }
    }

    #[test]
    fn values_are_counted_wherever_they_stand() {
        for (text, count) in [
            ("1", 1),
            ("[]", 1),
            ("[ ]", 1),
            ("{}", 1),
            ("[1]", 2),
            ("[1,1,[],{}]", 5),
            (r#"{"a,b":[1,"[{,\\\",,"],"c":{"d":null}}"#, 6),
        ] {
            assert!(has_more_values(text.as_bytes(), count - 1), "{text}");
            assert!(!has_more_values(text.as_bytes(), count), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_as_a_tree_is_read_as_a_value(text in r#"[\[\]{}",:0-9a-c\\u\.eE+\- ]{0,40}"#) {
            let tree = read_tree(text.as_bytes()).map(|tree| tree.to_value());
            prop_assert_eq!(tree.ok(), read(text.as_bytes()).ok());
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = read(&bytes);
        }
    }
}
