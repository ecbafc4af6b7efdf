//! JSON as an owned value, parsed by the same rules as a [`Tree`](crate::Tree).

use crate::tree::{Unread, float};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, map::Entry};
use std::{cell::RefCell, fmt};

/// Parses a JSON text without duplicate names in an object.
///
/// # Errors
/// Why it cannot be parsed. For a duplicate member, the location is that of the second name.
pub fn read_value(text: &[u8]) -> Result<Value, Unread> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let twice = RefCell::new(None);
    let reader = Reader { twice: &twice };
    let read = reader.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    read.map_err(|error| Unread::new(error, twice.take()))
}

#[derive(Clone, Copy)]
struct Reader<'r> {
    /// The duplicate member.
    twice: &'r RefCell<Option<String>>,
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        float(number).map(Value::Number).ok_or_else(|| E::custom("not a number"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            // One search, for the check and the insertion.
            match object.entry(name) {
                Entry::Vacant(place) => {
                    place.insert(members.next_value_seed(self)?);
                }
                Entry::Occupied(place) => {
                    self.twice.replace(Some(place.key().clone()));
                    return Err(de::Error::custom("a duplicate member"));
                }
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tree;
    use proptest::prelude::*;

    #[test]
    fn json_is_parsed_exactly() {
        let text = r#" {"a":[1,-2,1.5,"x",true,false,null,{}],"b":{"a":18446744073709551615}} "#;
        assert_eq!(read_value(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn the_place_of_a_duplicate_is_that_of_the_second_name() {
        for (text, wanted) in [(r#"{"a":1,"a":1}"#, (1, 10)), ("[{\"b\":{\"a\":1,\n\"\\u0061\":2}}]", (2, 8))]
        {
            match read_value(text.as_bytes()) {
                Err(Unread::Twice { name, line, column }) => {
                    assert_eq!((name.as_str(), (line, column)), ("a", wanted), "{text}");
                }
                read => panic!("{text}: {read:?}"),
            }
        }
    }

    proptest! {
        #[test]
        fn trees_and_values_are_parsed_alike(text in r#"[\[\]{}",:0-9a-c\\u\.eE+\- ]{0,40}"#) {
            let tree = Tree::read(text.as_bytes()).map(|tree| tree.to_value());
            prop_assert_eq!(tree.ok(), read_value(text.as_bytes()).ok());
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = read_value(&bytes);
        }
    }
}
