//! JSON as it was read, with its texts where they stand: what most bodies are checked as. A [`serde_json::Value`] copies
//! each text and hashes each name, which takes longer than the check.

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use std::{borrow::Cow, fmt};

/// Members that are looked through one by one.
const FEW: usize = 16;

/// A JSON value.
#[derive(Debug)]
pub enum Tree<'t> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    Text(Cow<'t, str>),
    /// An array.
    Array(Vec<Self>),
    /// An object, whose members have names of their own.
    Object(Members<'t>),
}

/// The members of an object, in their order.
#[derive(Debug)]
pub struct Members<'t> {
    pairs: Vec<(Cow<'t, str>, Tree<'t>)>,
    /// The places of many, by their names.
    by_name: Vec<usize>,
}

impl<'t> Members<'t> {
    /// None: one is there twice.
    fn of(pairs: Vec<(Cow<'t, str>, Tree<'t>)>) -> Option<Self> {
        let name = |place: usize| pairs.get(place).map(|(name, _)| &**name);
        if pairs.len() <= FEW {
            let is_new = |(place, (name, _)): (usize, &(Cow<'_, str>, Tree<'_>))| {
                pairs.iter().take(place).all(|(before, _)| before != name)
            };
            return pairs.iter().enumerate().all(is_new).then_some(Self { pairs, by_name: Vec::new() });
        }
        let mut by_name: Vec<usize> = (0..pairs.len()).collect();
        by_name.sort_unstable_by_key(|&place| name(place));
        let is_twice = by_name.array_windows().any(|&[one, next]| name(one) == name(next));
        (!is_twice).then_some(Self { pairs, by_name })
    }

    /// The value of the member with this name.
    #[must_use]
    pub fn get(&self, wanted: &str) -> Option<&Tree<'t>> {
        let place = if self.by_name.is_empty() {
            self.pairs.iter().position(|(name, _)| name == wanted)?
        } else {
            let name = |place: usize| self.pairs.get(place).map_or("", |(name, _)| &**name);
            let found = self.by_name.binary_search_by(|&place| name(place).cmp(wanted)).ok()?;
            *self.by_name.get(found)?
        };
        self.pairs.get(place).map(|(_, value)| value)
    }

    /// Name and value of each, in their order.
    #[must_use]
    pub fn pairs(&self) -> &[(Cow<'t, str>, Tree<'t>)] {
        &self.pairs
    }
}

impl<'t> Tree<'t> {
    /// Reads a JSON text. None: it is none, or names a member twice; why, the reader of values tells.
    #[must_use]
    pub fn read(text: &'t [u8]) -> Option<Self> {
        // Of a text all strings are known to be text: else each is looked at by itself.
        let text = std::str::from_utf8(text).ok()?;
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let tree = Reader.deserialize(&mut deserializer).ok()?;
        deserializer.end().ok()?;
        Some(tree)
    }

    /// The same as a value of its own.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(flag) => Value::Bool(*flag),
            Self::Number(number) => Value::Number(number.clone()),
            Self::Text(text) => Value::String(text.clone().into_owned()),
            Self::Array(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Self::Object(members) => {
                let pairs = members.pairs.iter();
                Value::Object(
                    pairs.map(|(name, value)| (name.clone().into_owned(), value.to_value())).collect(),
                )
            }
        }
    }
}

struct Reader;

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = Tree<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Tree<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Tree<'de>, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Tree<'de>, E> {
        Ok(Tree::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(number.into()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Tree<'de>, E> {
        Number::from_f64(number).map(Tree::Number).ok_or_else(|| E::custom("not a number"))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Tree<'de>, E> {
        Ok(Tree::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree<'de>, E> {
        Ok(Tree::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree<'de>, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(Self)? {
            array.push(item);
        }
        Ok(Tree::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree<'de>, A::Error> {
        let mut pairs = Vec::new();
        while let Some(name) = members.next_key_seed(Name)? {
            pairs.push((name, members.next_value_seed(Self)?));
        }
        Members::of(pairs).map(Tree::Object).ok_or_else(|| de::Error::custom("a member is there twice"))
    }
}

struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the name of a member")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tree_is_the_value_of_its_text() {
        let text = r#" {"a":[1,-2,1.5,"x\n",true,false,null,{}],"b":{"\u0061":18446744073709551615}} "#;
        let tree = Tree::read(text.as_bytes()).unwrap();
        assert_eq!(tree.to_value(), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn members_are_found_however_many_there_are() {
        for count in [0, 1, FEW, FEW + 1, 1_000] {
            let members: Vec<String> =
                (0..count).rev().map(|place| format!("\"m{place}\":{place}")).collect();
            let text = format!("{{{}}}", members.join(","));
            let Some(Tree::Object(members)) = Tree::read(text.as_bytes()) else {
                panic!("no object: {text}")
            };
            assert_eq!(members.pairs().len(), count);
            for place in 0..count {
                let found = members.get(&format!("m{place}")).map(Tree::to_value);
                assert_eq!(found, Some(Value::from(place)));
            }
            assert!(members.get("m").is_none() && members.get("").is_none() && members.get("z").is_none());
        }
    }

    #[test]
    fn a_member_named_twice_is_no_object() {
        let many: String = (0..100).map(|place| format!("\"m{place}\":0,")).collect();
        for text in [
            r#"{"a":1,"a":1}"#.to_owned(),
            r#"[{"b":{"a":1,"\u0061":2}}]"#.to_owned(),
            format!("{{{many}\"m50\":1}}"),
        ] {
            assert!(Tree::read(text.as_bytes()).is_none(), "{text}");
        }
        assert!(Tree::read(format!("{{{many}\"m\":1}}").as_bytes()).is_some());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = Tree::read(&bytes);
        }
    }
}
