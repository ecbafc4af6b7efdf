//! The text of a limit as people write it: read with the time zones of this machine, or explained.

mod meant;
mod zones;

use contract::{Limit, LimitError};

/// Why a text is not a limit, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What is wrong, as shown below the text.
    pub why: String,
    /// What was probably meant, or how it is written.
    pub help: String,
}

/// Reads the text of a limit, such as `1000 per day in Europe/Berlin`.
pub fn read(text: &str) -> Result<Limit, Wrong> {
    parse(text).map_err(|error| wrong(text, &error))
}

fn parse(text: &str) -> Result<Limit, LimitError> {
    Limit::parse(text, &mut zones::calendar)
}

fn wrong(text: &str, error: &LimitError) -> Wrong {
    const FORM: &str = "write it like this: \"1000 per day\"";
    // Texts that are longer than any limit were not meant as one.
    let meant = if text.len() <= 200 { meant::meant(text) } else { None };
    let guess = || meant.clone().unwrap_or_else(|| FORM.to_owned());
    let (why, help) = match error {
        LimitError::Form => (
            "expected N per second, minute, hour, day or month, N per rolling time, N at once or N in all".to_owned(),
            guess(),
        ),
        LimitError::Period(word) if word.to_ascii_lowercase().starts_with("year") => (
            error.to_string(),
            "write a limit per month, or \"N in all\" for one that never resets".to_owned(),
        ),
        LimitError::Period(_) | LimitError::Unit(_) => (error.to_string(), guess()),
        LimitError::Span => (
            error.to_string(),
            "for a shorter span, write a limit per second or a rate such as \"10 per second, burst 50\"; for a longer one, a limit per month or in all".to_owned(),
        ),
        LimitError::Zero => (
            error.to_string(),
            "write 1 or more; to close the API for a plan, revoke its keys".to_owned(),
        ),
        LimitError::TooLarge => {
            (error.to_string(), "to allow everything, remove the limit".to_owned())
        }
        LimitError::ZeroBurst => {
            (error.to_string(), "write 1 or more; \"burst 1\" admits requests one at a time".to_owned())
        }
        LimitError::BurstPeriod(period) => {
            let word = period.word();
            (error.to_string(), format!("write \"N per {word}\", and a second limit such as \"10 per second, burst 50\""))
        }
        LimitError::Zone(name) => {
            let help = match zones::nearest(name) {
                Some(zone) => format!("did you mean \"{}\"?", text.replacen(name.as_str(), &zone, 1)),
                None => "write a name from the time zone database, such as Europe/Berlin; without \"in …\" it is UTC".to_owned(),
            };
            (format!("unknown time zone `{name}`"), help)
        }
        LimitError::ZonePeriod => (
            error.to_string(),
            "remove \"in …\": seconds, minutes, hours and rolling spans are the same everywhere".to_owned(),
        ),
        LimitError::Group(_) => (error.to_string(), "write the `group` of the endpoints to count".to_owned()),
    };
    Wrong { why, help }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_read_and_their_names_are_corrected() {
        assert_eq!(read("5 per day in europe/berlin").unwrap().to_string(), "5 per day in Europe/Berlin");
        for (text, meant) in [
            ("5 per day in Europe/Berln", "5 per day in Europe/Berlin"),
            ("5 per month in Berlin", "5 per month in Europe/Berlin"),
            ("5 per day in kathmandu", "5 per day in Asia/Kathmandu"),
            ("5 per day in America/New-York for a", "5 per day in America/New_York for a"),
        ] {
            assert_eq!(read(text).unwrap_err().help, format!("did you mean \"{meant}\"?"));
        }
        assert!(read("5 per day in Xyzzy/Plugh").unwrap_err().help.contains("Europe/Berlin"));
    }

    #[test]
    fn every_error_names_the_remedy() {
        for text in [
            "",
            "5",
            "5 per year",
            "5 per rolling month",
            "5 per rolling second",
            "0 per day",
            "9999999999 per day",
            "5 per second, burst 0",
            "5 per day, burst 5",
            "5 per hour in Europe/Berlin",
            "5 per day for a.b",
        ] {
            let wrong = read(text).unwrap_err();
            assert!(!wrong.why.is_empty() && !wrong.help.is_empty(), "{text}");
            assert!(!wrong.why.ends_with('.') && !wrong.help.ends_with('.'), "{text}: {wrong:?}");
        }
    }
}
