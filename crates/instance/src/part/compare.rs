//! Equality of parts, and uniqueness of the items of an array, however many there are.
//!
//! The validator's own implementation gives `[[1], 2]` and `[1, [2]]` the same hash, so that an
//! array of such items takes quadratic time.

use super::{Part, Seen};
use jsonschema::json::cmp;
use serde_json::{Number, Value};
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

/// Up to this many items are compared pairwise.
const FEW: usize = 15;

/// Whether two parts are equal: numbers by value, objects regardless of the order of their members.
pub(crate) fn are_same(one: Part<'_>, other: Part<'_>) -> bool {
    match (one.seen(), other.seen()) {
        (Seen::Null, Seen::Null) => true,
        (Seen::Bool(one), Seen::Bool(other)) => one == other,
        (Seen::Number(one), Seen::Number(other)) => are_same_number(one, other),
        (Seen::Text(one), Seen::Text(other)) => one == other,
        (Seen::Array(one), Seen::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other.iter()).all(|(one, other)| are_same(one, other))
        }
        (Seen::Object(one), Seen::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| other.get(name).is_some_and(|other| are_same(value, other)))
        }
        (
            Seen::Null | Seen::Bool(_) | Seen::Number(_) | Seen::Text(_) | Seen::Array(_) | Seen::Object(_),
            _,
        ) => false,
    }
}

fn are_same_number(one: &Number, other: &Number) -> bool {
    // If neither side is a float, they are compared exactly.
    if one.is_f64() == other.is_f64() && !one.is_f64() {
        return one == other;
    }
    cmp::equal(&Value::Number(one.clone()), &Value::Number(other.clone()))
}

/// Whether all of them differ.
pub(crate) fn are_unique<'a>(count: usize, items: impl Iterator<Item = Part<'a>> + Clone) -> bool {
    if count <= FEW {
        let mut rest = items;
        while let Some(one) = rest.next() {
            if rest.clone().any(|other| are_same(one, other)) {
                return false;
            }
        }
        return true;
    }
    let state = RandomState::new();
    let items: Vec<Part<'_>> = items.collect();
    let mut hashes: Vec<(u64, usize)> =
        items.iter().enumerate().map(|(place, item)| (hash(*item, &state), place)).collect();
    hashes.sort_unstable();
    // The hash has a secret key, so collisions cannot be forced and concern a few items at most.
    let same = |one: usize, other: usize| match (items.get(one), items.get(other)) {
        (Some(one), Some(other)) => are_same(*one, *other),
        _ => false,
    };
    hashes.chunk_by(|(one, _), (other, _)| one == other).all(|alike| {
        alike
            .iter()
            .enumerate()
            .all(|(place, (_, one))| alike.iter().skip(place + 1).all(|(_, other)| !same(*one, *other)))
    })
}

fn hash(part: Part<'_>, state: &RandomState) -> u64 {
    let mut hasher = state.build_hasher();
    match part.seen() {
        Seen::Null => 0_u8.hash(&mut hasher),
        Seen::Bool(flag) => (1_u8, flag).hash(&mut hasher),
        Seen::Number(number) => (2_u8, whole(number), fraction(number)).hash(&mut hasher),
        Seen::Text(text) => (3_u8, text).hash(&mut hasher),
        Seen::Array(items) => {
            (4_u8, items.len()).hash(&mut hasher);
            for item in items.iter() {
                hash(item, state).hash(&mut hasher);
            }
        }
        Seen::Object(members) => {
            let sum = members.iter().fold(0_u64, |sum, (name, value)| {
                sum.wrapping_add(state.hash_one((name, hash(value, state))))
            });
            (5_u8, members.len(), sum).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// Its value as an integer.
#[allow(clippy::cast_possible_truncation, reason = "within bounds")]
fn whole(number: &Number) -> Option<i128> {
    let exact = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    exact.or_else(|| {
        let float = number.as_f64()?;
        (float.fract() == 0.0 && float.abs() < 1e30).then_some(float as i128)
    })
}

/// The bits of a number that is not an integer, or too large.
fn fraction(number: &Number) -> Option<u64> {
    if whole(number).is_some() { None } else { number.as_f64().map(f64::to_bits) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonschema::json::unique;
    use proptest::prelude::*;
    use serde_json::json;

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-2_i64..3).prop_map(Value::from),
            (-2_i64..3).prop_map(|number| Value::from(number as f64)),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[ab]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
                prop::collection::vec(("[ab]{0,1}", inner), 0..3)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn ours(items: &[Value]) -> bool {
        are_unique(items.len(), items.iter().map(Part::Made))
    }

    proptest! {
        #[test]
        fn uniqueness_agrees_with_the_validator(items in prop::collection::vec(any_value(), 0..40)) {
            prop_assert_eq!(ours(&items), unique::is_unique(&items));
        }

        #[test]
        fn equality_agrees_with_the_validator(one in any_value(), other in any_value()) {
            prop_assert_eq!(are_same(Part::Made(&one), Part::Made(&other)), cmp::equal(&one, &other));
        }
    }

    #[test]
    fn items_that_hash_alike_elsewhere_take_no_longer() {
        // All ways to nest the same numbers.
        fn nested(from: u64, to: u64) -> Vec<Value> {
            if to - from == 1 {
                return vec![json!(from)];
            }
            let splits = from + 1..to;
            splits
                .flat_map(|at| {
                    let rights = nested(at, to);
                    nested(from, at).into_iter().flat_map(move |left| {
                        rights.clone().into_iter().map(move |right| json!([left.clone(), right]))
                    })
                })
                .collect()
        }
        let mut items = nested(0, 10);
        assert!(items.len() > 4_000 && ours(&items));
        items.push(items[7].clone());
        assert!(!ours(&items));
    }
}
