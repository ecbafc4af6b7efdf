//! Values of each shape of the registry: from a TOML value to a number, a word, a duration, a size.

use super::{
    nearest,
    quantity::{self, NoQuantity},
    raw::{At, Refusal, Section, wrong_type},
    registry::{Key, quoted},
};
use std::time::Duration;
use toml::de::{DeInteger, DeValue};

impl Section<'_> {
    /// A string.
    pub(super) fn text(&self, key: &Key) -> Option<At<String>> {
        self.value(key, |value| text(key, value))
    }

    /// A list of strings. None: a fault was noted.
    pub(super) fn text_list(&self, key: &Key) -> Option<At<Vec<At<String>>>> {
        self.list(key, |value| text(key, value))
    }

    /// The items of a list of strings.
    pub(super) fn texts(&self, key: &Key) -> Vec<At<String>> {
        self.text_list(key).map(|list| list.value).unwrap_or_default()
    }

    /// Keeps what `check` makes of a value, or notes the fault.
    pub(super) fn keep<T>(&self, text: At<String>, check: impl Fn(&str) -> Result<T, Refusal>) -> Option<T> {
        match check(&text.value) {
            Ok(value) => Some(value),
            Err(refusal) => {
                self.reader.fault(refusal.into_fault(text.span));
                None
            }
        }
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
        self.value(key, |value| {
            let DeValue::Integer(number) = value else { return Err(wrong_type(key, value)) };
            let bounds = key.shape.whole_bounds();
            let fits = |number: &i64| bounds.is_none_or(|(least, most)| (least..=most).contains(number));
            integer(number).filter(fits).ok_or_else(|| out_of_range(key, bounds.map(in_words)))
        })
    }

    /// A list of whole numbers within the bounds of the key's shape.
    pub(super) fn numbers(&self, key: &Key) -> Option<At<Vec<At<i64>>>> {
        self.list(key, |value| {
            let DeValue::Integer(number) = value else { return Err(wrong_type(key, value)) };
            let bounds = key.shape.whole_bounds();
            let fits = |number: &i64| bounds.is_none_or(|(least, most)| (least..=most).contains(number));
            integer(number).filter(fits).ok_or_else(|| out_of_range(key, bounds.map(in_words)))
        })
    }

    /// One of these numbers, which are those of the key's shape.
    pub(super) fn whole_of(&self, key: &Key, allowed: &[i64]) -> Option<At<i64>> {
        self.value(key, |value| {
            let DeValue::Integer(number) = value else { return Err(wrong_type(key, value)) };
            integer(number).filter(|number| allowed.contains(number)).ok_or_else(|| {
                Refusal::new(
                    format!("`{}` cannot be {number}", key.name),
                    "not one of the allowed numbers",
                    format!("write {}", key.shape.words()),
                )
            })
        })
    }

    /// A finite number.
    pub(super) fn number(&self, key: &Key) -> Option<At<f64>> {
        self.value(key, |value| {
            let number: Option<f64> = match value {
                // Past 2^53 it is the nearest number that can be represented, as in JSON.
                DeValue::Integer(number) => integer(number).map(|number| number as f64),
                DeValue::Float(number) => number.as_str().parse().ok(),
                DeValue::String(_)
                | DeValue::Boolean(_)
                | DeValue::Datetime(_)
                | DeValue::Array(_)
                | DeValue::Table(_) => return Err(wrong_type(key, value)),
            };
            number.filter(|number| number.is_finite()).ok_or_else(|| out_of_range(key, None))
        })
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self, key: &Key) -> Option<At<bool>> {
        self.value(key, |value| value.as_bool().ok_or_else(|| wrong_type(key, value)))
    }

    /// A duration within the bounds of the key's shape.
    pub(super) fn duration(&self, key: &Key) -> Option<At<Duration>> {
        self.value(key, |value| {
            let DeValue::String(text) = value else {
                let mut refusal = wrong_type(key, value);
                if let DeValue::Integer(number) = value {
                    let name = key.name;
                    refusal.help =
                        Some(format!("write the unit and quotes: {name} = \"{number}s\" or \"{number}ms\""));
                }
                return Err(refusal);
            };
            let duration = quantity::duration(text)
                .map_err(|wrong| no_quantity(key, text, wrong, ("duration", "10s")))?;
            let bounds = key.shape.bounds();
            let fits = bounds.is_none_or(|(least, most)| {
                (Duration::from_millis(least)..=Duration::from_millis(most)).contains(&duration)
            });
            let show = |(least, most)| (quantity::show_duration(least), quantity::show_duration(most));
            if fits { Ok(duration) } else { Err(out_of_range(key, bounds.map(show))) }
        })
    }

    /// A size within the bounds of the key's shape.
    pub(super) fn size(&self, key: &Key) -> Option<At<u64>> {
        self.value(key, |value| {
            let size = match value {
                DeValue::String(text) => Some(
                    quantity::size(text).map_err(|wrong| no_quantity(key, text, wrong, ("size", "10MiB")))?,
                ),
                DeValue::Integer(number) => integer(number).and_then(|number| u64::try_from(number).ok()),
                DeValue::Float(_)
                | DeValue::Boolean(_)
                | DeValue::Datetime(_)
                | DeValue::Array(_)
                | DeValue::Table(_) => return Err(wrong_type(key, value)),
            };
            let bounds = key.shape.bounds();
            let fits = |size: &u64| bounds.is_none_or(|(least, most)| (least..=most).contains(size));
            let show = |(least, most)| (quantity::show_size(least), quantity::show_size(most));
            size.filter(fits).ok_or_else(|| out_of_range(key, bounds.map(show)))
        })
    }

    /// A count from 1, or `"off"`.
    pub(super) fn count_or_off(&self, key: &Key) -> Option<At<Option<u32>>> {
        self.value(key, |value| {
            if let DeValue::String(word) = value {
                return if word == "off" { Ok(None) } else { Err(no_off(key, word)) };
            }
            let DeValue::Integer(number) = value else { return Err(wrong_type(key, value)) };
            let count =
                integer(number).and_then(|number| u32::try_from(number).ok()).filter(|&count| count > 0);
            count.map(Some).ok_or_else(|| {
                let mut refusal = out_of_range(key, Some(in_words((1, u32::MAX.into()))));
                refusal.help = Some(format!("for no limit, write {} = \"off\"", key.name));
                refusal
            })
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
            DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => Err(wrong_type(key, value)),
        })
    }
}

/// The whole number, if it fits 64 bits.
pub(super) fn integer(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

fn text(key: &Key, value: &DeValue<'_>) -> Result<String, Refusal> {
    value.as_str().map(str::to_owned).ok_or_else(|| wrong_type(key, value))
}

fn in_words((least, most): (i64, i64)) -> (String, String) {
    (least.to_string(), most.to_string())
}

fn no_off(key: &Key, word: &str) -> Refusal {
    let name = key.name;
    Refusal::new(
        format!("`{name}` cannot be \"{word}\""),
        "the only word allowed here is \"off\"",
        format!("write a whole number from 1, or {name} = \"off\""),
    )
}

fn no_word<T>(key: &Key, word: &str, meaning: &[(&str, T)]) -> Refusal {
    let words: Vec<&str> = meaning.iter().map(|(known, _)| *known).collect();
    let help = match nearest(word, words.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"? It can be {}", quoted(&words).replace('`', "")),
        None => format!("it can be {}", quoted(&words).replace('`', "")),
    };
    Refusal::new(format!("`{}` cannot be \"{word}\"", key.name), "not an allowed value", help)
}

fn no_quantity(key: &Key, text: &str, wrong: NoQuantity, (what, such_as): (&str, &str)) -> Refusal {
    let help = match wrong.guess {
        Some(guess) => format!("did you mean {} = \"{guess}\"?", key.name),
        None => format!("write it like this: {} = {}", key.name, key.example),
    };
    Refusal::new(
        format!("invalid {what} `{text}`: expected a number and a unit, such as `{such_as}`"),
        format!("not a {what}"),
        help,
    )
}

fn out_of_range(key: &Key, bounds: Option<(String, String)>) -> Refusal {
    let label = match bounds {
        Some((least, most)) => format!("expected {least} to {most}"),
        None => "expected a finite number of 64 bits".to_owned(),
    };
    Refusal::new(
        format!("`{}` is out of range", key.name),
        label,
        format!("write it like this: {} = {}", key.name, key.example),
    )
}
