//! Parsed JSON that borrows its strings: most bodies are checked in this form. A
//! [`serde_json::Value`] copies each string and hashes each name, which takes longer than the
//! check.

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use std::{borrow::Cow, cell::RefCell, fmt};

/// Up to this many members are searched linearly.
const FEW: usize = 16;
/// For longer texts, unused capacity of arrays and objects is released.
const LONG: usize = 64 << 10;

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
    /// An object with unique member names.
    Object(Members<'t>),
}

/// The members of an object, in order.
#[derive(Debug)]
pub struct Members<'t> {
    pairs: Vec<(Cow<'t, str>, Tree<'t>)>,
    /// The positions of many members, sorted by name.
    by_name: Vec<usize>,
}

impl<'t> Members<'t> {
    /// The error is a duplicate name.
    fn of(pairs: Vec<(Cow<'t, str>, Tree<'t>)>) -> Result<Self, Cow<'t, str>> {
        let name = |place: usize| pairs.get(place).map(|(name, _)| &**name);
        let (twice, by_name) = if pairs.len() <= FEW {
            let is_twice = |(place, (name, _)): (usize, &(Cow<'_, str>, Tree<'_>))| {
                pairs.iter().take(place).any(|(before, _)| before == name)
            };
            (pairs.iter().enumerate().position(is_twice), Vec::new())
        } else {
            let mut by_name: Vec<usize> = (0..pairs.len()).collect();
            by_name.sort_unstable_by_key(|&place| name(place));
            let twice = by_name.array_windows().find(|&&[one, next]| name(one) == name(next));
            (twice.map(|&[one, _]| one), by_name)
        };
        match twice.and_then(|place| pairs.get(place)) {
            None => Ok(Self { pairs, by_name }),
            Some((name, _)) => Err(name.clone()),
        }
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

    /// Name and value of each member, in order.
    #[must_use]
    #[inline]
    pub fn pairs(&self) -> &[(Cow<'t, str>, Tree<'t>)] {
        &self.pairs
    }
}

impl<'t> Tree<'t> {
    /// Parses a JSON text without duplicate names in an object.
    ///
    /// # Errors
    /// Why it cannot be parsed.
    pub fn read(text: &'t [u8]) -> Result<Self, Unread> {
        // If the whole text is valid UTF-8, so are its strings; otherwise each is checked.
        let text = match std::str::from_utf8(text) {
            Ok(text) => text,
            Err(error) => return Err(Unread::NotText { at: error.valid_up_to() }),
        };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let twice = RefCell::new(None);
        let reader = Reader { is_long: text.len() > LONG, twice: &twice };
        let read = reader.deserialize(&mut deserializer).and_then(|tree| deserializer.end().map(|()| tree));
        read.map_err(|error| Unread::new(error, twice.take()))
    }

    /// The same as an owned value.
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

/// Why a text cannot be parsed.
#[derive(Debug)]
pub enum Unread {
    /// It is not UTF-8.
    NotText {
        /// The offset of the first invalid byte.
        at: usize,
    },
    /// It is not JSON.
    NotJson(serde_json::Error),
    /// A member is duplicated.
    Twice {
        /// The name of the member.
        name: String,
        /// The line where that was noticed: for a [`Tree`], the end of its object.
        line: usize,
        /// The column.
        column: usize,
    },
}

impl Unread {
    /// Converts an error of the parser; `twice` is the duplicate member, if there was one.
    pub(crate) fn new(error: serde_json::Error, twice: Option<String>) -> Self {
        match twice {
            Some(name) => Self::Twice { name, line: error.line(), column: error.column() },
            None => Self::NotJson(error),
        }
    }
}

#[derive(Clone, Copy)]
struct Reader<'r> {
    is_long: bool,
    /// The duplicate member.
    twice: &'r RefCell<Option<String>>,
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Tree<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
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
        float(number).map(Tree::Number).ok_or_else(|| E::custom("not a number"))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Tree<'de>, E> {
        Ok(Tree::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree<'de>, E> {
        Ok(Tree::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree<'de>, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            array.push(item);
        }
        if self.is_long {
            array.shrink_to_fit();
        }
        Ok(Tree::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree<'de>, A::Error> {
        let mut pairs = Vec::new();
        while let Some(name) = members.next_key_seed(Name)? {
            pairs.push((name, members.next_value_seed(self)?));
        }
        if self.is_long {
            pairs.shrink_to_fit();
        }
        Members::of(pairs).map(Tree::Object).map_err(|name| {
            self.twice.replace(Some(name.into_owned()));
            de::Error::custom("a duplicate member")
        })
    }
}

/// A number that is not a 64-bit integer. `-9223372036854775809` is parsed as the float -2^63,
/// which would be within the bounds of 64 bits; nobody writes that number itself as a float, so the
/// result is the float before it.
#[must_use]
pub(crate) fn float(number: f64) -> Option<Number> {
    const LEAST: f64 = -9_223_372_036_854_775_808.0;
    #[allow(clippy::float_cmp, reason = "exactly this one")]
    Number::from_f64(if number == LEAST { number.next_down() } else { number })
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
            let Ok(Tree::Object(members)) = Tree::read(text.as_bytes()) else { panic!("no object: {text}") };
            assert_eq!(members.pairs().len(), count);
            for place in 0..count {
                let found = members.get(&format!("m{place}")).map(Tree::to_value);
                assert_eq!(found, Some(Value::from(place)));
            }
            assert!(members.get("m").is_none() && members.get("").is_none() && members.get("z").is_none());
        }
    }

    #[test]
    fn duplicate_members_are_refused() {
        let many: String = (0..100).map(|place| format!("\"m{place}\":0,")).collect();
        for text in [
            r#"{"a":1,"a":1}"#.to_owned(),
            r#"[{"b":{"a":1,"\u0061":2}}]"#.to_owned(),
            format!("{{{many}\"m50\":1}}"),
        ] {
            assert!(matches!(Tree::read(text.as_bytes()), Err(Unread::Twice { .. })), "{text}");
        }
        assert!(Tree::read(format!("{{{many}\"m\":1}}").as_bytes()).is_ok());
    }

    #[test]
    fn a_whole_number_below_64_bits_is_not_one_of_64_bits() {
        let read = |text: &str| Tree::read(text.as_bytes()).unwrap().to_value();
        assert!(read("-9223372036854775808").is_i64());
        for below in ["-9223372036854775809", "-9223372036854776000"] {
            assert!(read(below).as_f64().unwrap() < -9_223_372_036_854_775_808.0, "{below}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = Tree::read(&bytes);
        }
    }
}
