//! Figures as people read them: `12,345`, `1.2 MB`, `3.1 ms`.

/// A number with its thousands apart.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of bytes, in powers of 1000.
pub(super) fn bytes(number: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if number < 1000 {
        return format!("{number} B");
    }
    let mut value = number as f64 / 1000.0;
    let mut unit = 0;
    // What would be rounded to 1000 belongs to the next unit.
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{} {}", short(value), UNITS.get(unit).copied().unwrap_or_default())
}

/// How long something took.
pub(super) fn duration(micros: u64) -> String {
    if micros < 1000 {
        return format!("{micros} µs");
    }
    let millis = micros as f64 / 1000.0;
    if millis < 999.5 { format!("{} ms", short(millis)) } else { format!("{} s", short(millis / 1000.0)) }
}

/// A part of a whole, in percent. A part that is there is never 0 %, and less than the whole never 100 %.
pub(super) fn share(part: u64, whole: u64) -> String {
    let percent = if whole == 0 { 0.0 } else { part as f64 / whole as f64 * 100.0 };
    if part > 0 && percent < 0.1 {
        "<0.1 %".to_owned()
    } else if part < whole && percent > 99.9 {
        ">99.9 %".to_owned()
    } else if percent >= 99.95 || part == 0 {
        format!("{percent:.0} %")
    } else {
        format!("{percent:.1} %")
    }
}

/// With one digit behind the point while there is but one before it.
fn short(value: f64) -> String {
    if value < 9.95 { format!("{value:.1}") } else { format!("{value:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), text);
        }
        for (number, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (9_949, "9.9 kB"),
            (9_960, "10 kB"),
            (999_499, "999 kB"),
            (999_500, "1.0 MB"),
            (u64::MAX, "18 EB"),
        ] {
            assert_eq!(bytes(number), text);
        }
        for (micros, text) in [
            (0, "0 µs"),
            (840, "840 µs"),
            (3_140, "3.1 ms"),
            (12_300, "12 ms"),
            (999_600, "1.0 s"),
            (75_000_000, "75 s"),
        ] {
            assert_eq!(duration(micros), text);
        }
    }

    #[test]
    fn a_share_never_hides_what_is_there() {
        for (part, whole, text) in [
            (0, 0, "0 %"),
            (0, 7, "0 %"),
            (7, 7, "100 %"),
            (1, 3, "33.3 %"),
            (1, 100_000, "<0.1 %"),
            (99_999, 100_000, ">99.9 %"),
        ] {
            assert_eq!(share(part, whole), text, "{part} of {whole}");
        }
    }
}
