//! Formats: which are enforced, what else they mean, and how a person reads them.

use serde_json::Number;

/// How a `format` is handled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Format {
    /// A check of strings.
    Checked,
    /// Bounds of numbers; a check of digits where the value is a string.
    Bounded(Bounds),
    /// It constrains nothing.
    Annotation,
    /// Unknown here.
    Unknown,
}

/// The least and the greatest number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bounds {
    /// Of whole numbers.
    Whole(i64, u64),
    /// Of a single precision number.
    Single,
}

impl Bounds {
    /// Least and greatest, as JSON numbers.
    pub(crate) fn numbers(self) -> Option<(Number, Number)> {
        match self {
            Self::Whole(least, most) => Some((least.into(), most.into())),
            Self::Single => {
                let most = f64::from(f32::MAX);
                Some((Number::from_f64(-most)?, Number::from_f64(most)?))
            }
        }
    }
}

/// `date-time`, of which seconds and zone may be missing.
pub(crate) const LOCAL_DATE_TIME: &str = "fairgate:date-time";
/// `time`, of which seconds and zone may be missing.
pub(crate) const LOCAL_TIME: &str = "fairgate:time";
/// `duration`, which may have fractions, signs and weeks beside other units.
pub(crate) const ANY_DURATION: &str = "fairgate:duration";
/// `byte` and `base64url`, in either alphabet, with padding or without.
pub(crate) const ANY_BASE64: &str = "fairgate:byte";

/// What a format that is checked asks for where formats are as frameworks write them.
pub(crate) fn lenient(format: &str) -> &str {
    match format {
        "date-time" => LOCAL_DATE_TIME,
        "time" => LOCAL_TIME,
        "duration" => ANY_DURATION,
        "byte" | "base64url" => ANY_BASE64,
        "email" => "idn-email",
        "uri" => "iri",
        "uri-reference" => "iri-reference",
        other => other,
    }
}

/// What a format means.
pub(crate) fn meaning(format: &str) -> Format {
    match format {
        "date"
        | "date-time"
        | "time"
        | "duration"
        | "email"
        | "hostname"
        | "ipv4"
        | "ipv6"
        | "uri"
        | "uri-reference"
        | "iri"
        | "iri-reference"
        | "uri-template"
        | "uuid"
        | "json-pointer"
        | "relative-json-pointer"
        | "regex"
        | "byte"
        | "base64url" => Format::Checked,
        "int8" => Format::Bounded(Bounds::Whole(-128, 127)),
        "uint8" => Format::Bounded(Bounds::Whole(0, 255)),
        "int16" => Format::Bounded(Bounds::Whole(-32_768, 32_767)),
        "uint16" => Format::Bounded(Bounds::Whole(0, 65_535)),
        "int32" => Format::Bounded(Bounds::Whole(i32::MIN.into(), 2_147_483_647)),
        "uint32" => Format::Bounded(Bounds::Whole(0, u32::MAX.into())),
        "int64" => Format::Bounded(Bounds::Whole(i64::MIN, 9_223_372_036_854_775_807)),
        "uint64" => Format::Bounded(Bounds::Whole(0, u64::MAX)),
        "float" => Format::Bounded(Bounds::Single),
        "double" | "password" | "binary" | "" => Format::Annotation,
        _ => Format::Unknown,
    }
}

/// A format for people: its description, and an example.
pub(crate) fn described(format: &str) -> Option<(&'static str, &'static str)> {
    Some(match format {
        "date" => ("a date", "2026-01-31"),
        "date-time" => ("a date and time with a zone", "2026-01-31T12:00:00Z"),
        "time" => ("a time with a zone", "12:00:00Z"),
        LOCAL_DATE_TIME => ("a date and time", "2026-01-31T12:00:00"),
        LOCAL_TIME => ("a time", "12:00:00"),
        "duration" | ANY_DURATION => ("a duration", "P1DT12H"),
        "email" | "idn-email" => ("an e-mail address", "name@example.com"),
        "hostname" => ("a host name", "www.example.com"),
        "ipv4" => ("an IPv4 address", "192.0.2.1"),
        "ipv6" => ("an IPv6 address", "2001:db8::1"),
        "uri" => ("an absolute URI", "https://example.com/a"),
        "uri-reference" => ("a URI or a relative reference", "/a?b=c"),
        "iri" => ("an absolute IRI", "https://example.com/a"),
        "iri-reference" => ("an IRI or a relative reference", "/a?b=c"),
        "uri-template" => ("a URI template", "/items/{id}"),
        "uuid" => ("a UUID", "123e4567-e89b-12d3-a456-426614174000"),
        "json-pointer" => ("a JSON pointer", "/a/0"),
        "relative-json-pointer" => ("a relative JSON pointer", "1/a"),
        "regex" => ("a regular expression", "^[a-z]+$"),
        "byte" | ANY_BASE64 => ("base64 text", "aGVsbG8="),
        "base64url" => ("base64url text", "aGVsbG8"),
        "int8" | "int16" | "int32" | "int64" => ("an integer as digits", "42"),
        "uint8" | "uint16" | "uint32" | "uint64" => ("an unsigned integer as digits", "42"),
        _ => return None,
    })
}

/// Base64 with its padding (RFC 4648, section 4).
pub(crate) fn is_base64(text: &str) -> bool {
    let bytes = text.as_bytes();
    let unpadded = text.trim_end_matches('=').as_bytes();
    bytes.len().is_multiple_of(4)
        && bytes.len() - unpadded.len() <= 2
        && unpadded.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

/// Base64 for URLs, with or without padding (RFC 4648, section 5).
pub(crate) fn is_base64url(text: &str) -> bool {
    let unpadded = text.trim_end_matches('=').as_bytes();
    let padded = text.len() != unpadded.len();
    unpadded.len() % 4 != 1
        && (!padded || (text.len().is_multiple_of(4) && text.len() - unpadded.len() <= 2))
        && unpadded.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Base64 in either alphabet, with padding or without.
pub(crate) fn is_any_base64(text: &str) -> bool {
    is_base64(text) || is_base64url(text) || {
        let unpadded = text.trim_end_matches('=');
        text.len() == unpadded.len() && is_base64url(&text.replace('+', "-").replace('/', "_"))
    }
}

/// A duration of ISO 8601 as frameworks write it: `PT0.5S`, `-PT1H`, `PT-6H`, `P1W2D`.
pub(crate) fn is_any_duration(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let Some(parts) = unsigned.strip_prefix('P') else { return false };
    let (date, time) = match parts.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (parts, None),
    };
    let is_time = |time: &str| !time.is_empty() && has_units(time, "HMS");
    !parts.is_empty() && has_units(date, "YMWD") && time.is_none_or(is_time)
}

/// Whether a text is numbers, each with its unit behind it, in the order of the units.
fn has_units(text: &str, units: &str) -> bool {
    let (mut rest, mut units) = (text, units);
    while let Some(at) = rest.find(|c: char| c.is_ascii_alphabetic()) {
        let (number, from) = rest.split_at(at);
        let number = number.strip_prefix(['+', '-']).unwrap_or(number);
        let (whole, fraction) = number.split_once(['.', ',']).unwrap_or((number, "0"));
        let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let Some(unit) = from.chars().next().and_then(|unit| units.find(unit)) else { return false };
        if !are_digits(whole) || !are_digits(fraction) {
            return false;
        }
        units = units.get(unit + 1..).unwrap_or_default();
        rest = from.get(1..).unwrap_or_default();
    }
    rest.is_empty()
}

/// A date and a time of RFC 3339, with seconds and zone or without.
pub(crate) fn is_local_date_time(text: &str) -> bool {
    let Some((date, time)) = text.split_once(['T', 't', ' ']) else { return false };
    is_date(date) && is_local_time(time)
}

/// A time of RFC 3339, with seconds and zone or without.
pub(crate) fn is_local_time(text: &str) -> bool {
    let (time, zone) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let (clock, fraction) = match time.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (time, None),
    };
    let is_clock = match clock.as_bytes() {
        [_, _, b':', _, _] => fraction.is_none() && is_in(clock, 0, 23) && is_in(clock, 3, 59),
        [_, _, b':', _, _, b':', _, _] => is_in(clock, 0, 23) && is_in(clock, 3, 59) && is_in(clock, 6, 60),
        _ => false,
    };
    let has_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_zone = match zone.as_bytes() {
        [] | [b'Z' | b'z'] => true,
        [b'+' | b'-', _, _, b':', _, _] => is_in(zone, 1, 23) && is_in(zone, 4, 59),
        [b'+' | b'-', _, _, _, _] => is_in(zone, 1, 23) && is_in(zone, 3, 59),
        _ => false,
    };
    is_clock && fraction.is_none_or(has_digits) && is_zone
}

fn is_date(text: &str) -> bool {
    let number = |from: usize, to: usize| -> Option<u32> {
        let digits = text.get(from..to).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        digits.parse().ok()
    };
    let parts = (number(0, 4), number(5, 7), number(8, 10));
    let (&[_, _, _, _, b'-', _, _, b'-', _, _], (Some(year), Some(month), Some(day))) =
        (text.as_bytes(), parts)
    else {
        return false;
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Whether there are two digits, no greater than this.
fn is_in(text: &str, at: usize, most: u8) -> bool {
    text.get(at..at + 2)
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse::<u8>().ok())
        .is_some_and(|number| number <= most)
}

/// Whether a text is a whole number in these bounds.
pub(crate) fn is_whole(text: &str, least: i64, most: u64) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    text.parse::<i128>().is_ok_and(|number| number >= i128::from(least) && number <= i128::from(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_has_to_be_padded_and_of_its_alphabet() {
        for fine in ["", "aGk=", "aA==", "aGVs", "+/+/"] {
            assert!(is_base64(fine), "{fine}");
        }
        for wrong in ["a", "aGk", "a===", "====", "aG=k", "aGk-", "aGk =", "é==="] {
            assert!(!is_base64(wrong), "{wrong}");
        }
        assert!(is_base64url("aGk") && is_base64url("aGk=") && is_base64url("_-_-"));
        assert!(!is_base64url("a") && !is_base64url("aGk==") && !is_base64url("a+bc"));
    }

    #[test]
    fn times_of_frameworks_are_times() {
        for fine in
            ["12:30:00", "12:30", "12:30:00.123", "12:30:00Z", "12:30:00+01:00", "23:59:60z", "12:30+0100"]
        {
            assert!(is_local_time(fine), "{fine}");
            assert!(is_local_date_time(&format!("2024-02-29T{fine}")), "{fine}");
        }
        for wrong in [
            "",
            "24:00",
            "12:60",
            "1:30",
            "12:30:00.",
            "12:30.5",
            "12:30:00+1",
            "+1:30",
            "12:30:00 Z",
            "é:30",
        ] {
            assert!(!is_local_time(wrong), "{wrong}");
        }
        for wrong in [
            "2023-02-29T12:30",
            "2024-13-01T12:30",
            "2024-01-00T12:30",
            "2024-01-01",
            "2024-1-1T12:30",
            "é24-01-01T12:30",
        ] {
            assert!(!is_local_date_time(wrong), "{wrong}");
        }
    }

    #[test]
    fn durations_of_frameworks_are_durations() {
        for fine in
            ["PT0.5S", "-PT1H", "P1DT2H3.5S", "PT-6H", "P1W2D", "P1Y2M3W4DT5H6M7S", "P0D", "PT0,5S", "P1.5D"]
        {
            assert!(is_any_duration(fine), "{fine}");
        }
        for wrong in [
            "", "P", "PT", "1D", "P1", "P1S", "PT1D", "P1DT", "PT1S1H", "PT.5S", "PT1.S", "P1D ", "PéD",
            "--P1D",
        ] {
            assert!(!is_any_duration(wrong), "{wrong}");
        }
    }

    #[test]
    fn base64_of_frameworks_is_base64() {
        for fine in ["", "aGk=", "aGk", "a+/b", "a-_b", "_-8", "+/8"] {
            assert!(is_any_base64(fine), "{fine}");
        }
        for wrong in ["a", "a===", "aGk ", "aG=k", "é"] {
            assert!(!is_any_base64(wrong), "{wrong}");
        }
    }

    #[test]
    fn digits_have_to_be_in_bounds() {
        assert!(is_whole("-128", -128, 127) && is_whole("0", 0, 0) && !is_whole("128", -128, 127));
        for wrong in ["", "-", "+1", "1.0", "1e3", " 1", "99999999999999999999999999999999999999999999"] {
            assert!(!is_whole(wrong, i64::MIN, u64::MAX), "{wrong}");
        }
    }
}
