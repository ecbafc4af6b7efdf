//! Values of each shape of the registry: from a TOML value to a number, a word, a duration, a size.

use super::{
    quantity::{self, NoQuantity},
    raw::{At, Refusal, Section, wrong_type},
    registry::{Key, Shape, quoted},
    unknown::nearest,
};
use std::time::Duration;
use toml::de::{DeInteger, DeValue};

impl Section<'_> {
    /// A string.
    pub(super) fn text(&self, key: &Key) -> Option<At<String>> {
        self.value(key, |value| text(key, value))
    }

    /// A list of strings.
    pub(super) fn texts(&self, key: &Key) -> Vec<At<String>> {
        self.list(key, |value| text(key, value)).map(|list| list.value).unwrap_or_default()
    }

    /// One of the words of the key's shape, turned into a value of our own. `meaning` has a row for each word.
    pub(super) fn word<T: Copy>(&self, key: &Key, meaning: &[(&str, T)]) -> Option<At<T>> {
        self.value(key, |value| {
            let DeValue::String(word) = value else { return Err(wrong_type(key, value)) };
            let found = meaning.iter().find(|(known, _)| *known == word.as_ref());
            found.map(|(_, meant)| *meant).ok_or_else(|| no_word(key, word, meaning))
        })
    }

    /// A whole number within the bounds of the key's shape.
    pub(super) fn whole(&self, key: &Key) -> Option<At<i64>> {
        self.value(key, |value| match value {
            DeValue::Integer(number) => {
                let bounds = match key.shape {
                    Shape::Whole { least, most } => Some((least, most)),
                    _ => None,
                };
                let number = integer(number);
                match (number, bounds) {
                    (Some(number), None) => Ok(number),
                    (Some(number), Some((least, most))) if (least..=most).contains(&number) => Ok(number),
                    (_, bounds) => Err(out_of_range(
                        key,
                        bounds.map(|(least, most)| (least.to_string(), most.to_string())),
                    )),
                }
            }
            other => Err(wrong_type(key, other)),
        })
    }

    /// One of the numbers of the key's shape.
    pub(super) fn whole_of(&self, key: &Key, allowed: &[i64]) -> Option<At<i64>> {
        self.value(key, |value| match value {
            DeValue::Integer(number) => {
                integer(number).filter(|number| allowed.contains(number)).ok_or_else(|| {
                    Refusal::new(
                        format!("`{}` cannot be {number}", key.name),
                        "not one of the allowed numbers",
                        format!("write {}", key.shape.words()),
                    )
                })
            }
            other => Err(wrong_type(key, other)),
        })
    }

    /// A finite number.
    pub(super) fn number(&self, key: &Key) -> Option<At<f64>> {
        self.value(key, |value| match value {
            // Past 2^53 the nearest representable number stands in, as in JSON.
            DeValue::Integer(number) => {
                integer(number).map(|number| number as f64).ok_or_else(|| out_of_range(key, None))
            }
            DeValue::Float(number) => {
                let number: Option<f64> = number.as_str().parse().ok();
                number.filter(|number| number.is_finite()).ok_or_else(|| out_of_range(key, None))
            }
            other => Err(wrong_type(key, other)),
        })
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self, key: &Key) -> Option<At<bool>> {
        self.value(key, |value| match value {
            DeValue::Boolean(boolean) => Ok(*boolean),
            other => Err(wrong_type(key, other)),
        })
    }

    /// A duration within the bounds of the key's shape.
    pub(super) fn duration(&self, key: &Key) -> Option<At<Duration>> {
        self.value(key, |value| {
            let DeValue::String(text) = value else {
                let mut refusal = wrong_type(key, value);
                if let DeValue::Integer(number) = value {
                    refusal.help = Some(format!(
                        "write the unit and quotes: {} = \"{number}s\" or \"{number}ms\"",
                        key.name
                    ));
                }
                return Err(refusal);
            };
            let duration =
                quantity::duration(text).map_err(|wrong| no_quantity(key, text, wrong, "duration"))?;
            match key.shape {
                Shape::Duration { least, most } if !within(&duration, least, most) => {
                    let bounds = [least, most].map(quantity::show_duration);
                    let [least, most] = bounds;
                    Err(out_of_range(key, Some((least, most))))
                }
                _ => Ok(duration),
            }
        })
    }

    /// A size within the bounds of the key's shape.
    pub(super) fn size(&self, key: &Key) -> Option<At<u64>> {
        self.value(key, |value| {
            let bounds = match key.shape {
                Shape::Size { least, most } => Some((least, most)),
                _ => None,
            };
            let size = match value {
                DeValue::String(text) => {
                    quantity::size(text).map_err(|wrong| no_quantity(key, text, wrong, "size"))?
                }
                DeValue::Integer(number) => integer(number)
                    .and_then(|number| u64::try_from(number).ok())
                    .ok_or_else(|| out_of_range(key, bounds.map(size_bounds)))?,
                other => return Err(wrong_type(key, other)),
            };
            match bounds {
                Some((least, most)) if !(least..=most).contains(&size) => {
                    Err(out_of_range(key, bounds.map(size_bounds)))
                }
                _ => Ok(size),
            }
        })
    }

    /// A count from 1, or `"off"`.
    pub(super) fn count_or_off(&self, key: &Key) -> Option<At<Option<u32>>> {
        self.value(key, |value| match value {
            DeValue::String(word) if word == "off" => Ok(None),
            DeValue::String(word) => Err(Refusal::new(
                format!("`{}` cannot be \"{word}\"", key.name),
                "the only word here is \"off\"",
                format!("write a whole number from 1, or {} = \"off\"", key.name),
            )),
            DeValue::Integer(number) => {
                let count =
                    integer(number).and_then(|number| u32::try_from(number).ok()).filter(|&count| count > 0);
                count.map(Some).ok_or_else(|| {
                    let mut refusal = out_of_range(key, Some(("1".to_owned(), u32::MAX.to_string())));
                    refusal.help = Some(format!("for no ceiling, write {} = \"off\"", key.name));
                    refusal
                })
            }
            other => Err(wrong_type(key, other)),
        })
    }

    /// A list of strings, numbers or booleans, each as its text.
    pub(super) fn scalars(&self, key: &Key) -> Option<At<Vec<At<String>>>> {
        self.list(key, |value| match value {
            DeValue::String(text) => Ok(text.to_string()),
            DeValue::Integer(number) => {
                integer(number).map(|number| number.to_string()).ok_or_else(|| out_of_range(key, None))
            }
            DeValue::Float(number) => Ok(number.as_str().replace('_', "")),
            DeValue::Boolean(boolean) => Ok(boolean.to_string()),
            other @ (DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_)) => {
                Err(wrong_type(key, other))
            }
        })
    }
}

/// The whole number, if it fits 64 bits.
pub(super) fn integer(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

fn text(key: &Key, value: &DeValue<'_>) -> Result<String, Refusal> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        other => Err(wrong_type(key, other)),
    }
}

fn within(duration: &Duration, least: u64, most: u64) -> bool {
    (Duration::from_millis(least)..=Duration::from_millis(most)).contains(duration)
}

fn size_bounds((least, most): (u64, u64)) -> (String, String) {
    (quantity::show_size(least), quantity::show_size(most))
}

fn no_word<T>(key: &Key, word: &str, meaning: &[(&str, T)]) -> Refusal {
    let words: Vec<&str> = meaning.iter().map(|(known, _)| *known).collect();
    let help = match nearest(word, words.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"? It may be {}", quoted(&words)),
        None => format!("it may be {}", quoted(&words)),
    };
    Refusal::new(format!("`{}` cannot be \"{word}\"", key.name), "not one of its words", help)
}

fn no_quantity(key: &Key, text: &str, wrong: NoQuantity, what: &str) -> Refusal {
    let help = match wrong.guess {
        Some(guess) => format!("did you mean {} = \"{guess}\"?", key.name),
        None => format!("a {what} is a whole number and a unit: {} = {}", key.name, key.example),
    };
    Refusal::new(format!("`{text}` is no {what}"), format!("expected a {what}"), help)
}

fn out_of_range(key: &Key, bounds: Option<(String, String)>) -> Refusal {
    match bounds {
        Some((least, most)) => Refusal::new(
            format!("`{}` is out of range", key.name),
            "out of range",
            format!("it may be from {least} to {most}"),
        ),
        None => Refusal::new(
            format!("`{}` is out of range", key.name),
            "does not fit 64 bits",
            format!("write it like this: {} = {}", key.name, key.example),
        ),
    }
}
