//! Makes text of an upstream safe for clients: one line, of limited length, no markup, no stack traces.

use super::internals::names_internals;

/// Maximum number of characters of a message.
pub(super) const MAX_MESSAGE: usize = 500;
/// Maximum size of a plain text body that may be a message, in bytes.
const MAX_PLAIN: usize = 1_000;
/// Its maximum number of lines.
const MAX_LINES: usize = 5;

/// The text on one line, with at most this many characters. None: nothing is left, or it is not
/// human-readable.
pub(super) fn clean(text: &str, most: usize) -> Option<String> {
    // Nearly every text: short, printable ASCII. Checked without a branch for each byte.
    let bytes = text.as_bytes();
    let is_simple = bytes.iter().fold(true, |all, byte| all & matches!(byte, b' '..=b'~'));
    if is_simple && bytes.len() <= most && !text.starts_with([' ', '<']) && !text.ends_with(' ') {
        let has_gap = memchr::memchr_iter(b' ', bytes).any(|at| bytes.get(at + 1) == Some(&b' '));
        if !has_gap {
            return (!text.is_empty() && !is_trace(text)).then(|| text.to_owned());
        }
    }
    if is_trace(text) {
        return None;
    }
    let mut line = String::new();
    let mut left = most;
    let words = text.split(|c: char| c.is_control() || is_invisible(c) || c == ' ');
    for word in words.filter(|word| !word.is_empty()) {
        let space = usize::from(!line.is_empty());
        if left <= space {
            line.push('…');
            break;
        }
        line.push_str(if space == 1 { " " } else { "" });
        left -= space;
        match word.char_indices().nth(left) {
            Some((end, _)) => {
                line.push_str(word.get(..end).unwrap_or_default());
                line.push('…');
                break;
            }
            None => {
                line.push_str(word);
                left -= word.chars().count();
            }
        }
    }
    (!line.is_empty() && !line.starts_with('<')).then_some(line)
}

/// A human-readable message on one line, without information about the upstream's hosts.
pub(super) fn sentence(text: &str, most: usize) -> Option<String> {
    if names_internals(text) { None } else { clean(text, most) }
}

/// Whether a text contains more than the status. A list serialized as text is parsed as one: see `fields`.
pub(super) fn is_sentence(text: &str) -> bool {
    const STATUSES: [&str; 18] = [
        "error",
        "bad request",
        "unauthorized",
        "payment required",
        "forbidden",
        "not found",
        "method not allowed",
        "not acceptable",
        "request timeout",
        "conflict",
        "gone",
        "precondition failed",
        "payload too large",
        "content too large",
        "unsupported media type",
        "unprocessable entity",
        "unprocessable content",
        "service unavailable",
    ];
    let is_status = text.len() < 24 && STATUSES.iter().any(|status| text.eq_ignore_ascii_case(status));
    let is_code = !text.bytes().any(|byte| byte == b' ') && text.bytes().any(|byte| byte == b'_');
    let is_list = text.starts_with('[') && text.ends_with(']') && text.contains('{');
    !is_status && !is_code && !is_list
}

/// A plain text body, if it can be a human-readable message.
pub(super) fn plain(body: &[u8]) -> Option<String> {
    let body = body.trim_ascii();
    let is_short = body.len() <= MAX_PLAIN && memchr::memchr_iter(b'\n', body).count() < MAX_LINES;
    // A closing tag anywhere, or a declaration: markup with a wrong media type.
    let is_markup = memchr::memmem::find(body, b"</").is_some() || body.starts_with(b"<");
    // A single word is a code, or not text at all.
    if !is_short || is_markup || !body.contains(&b' ') {
        return None;
    }
    sentence(std::str::from_utf8(body).ok()?, MAX_MESSAGE)
}

/// Characters that change the direction or line structure of surrounding text, or are invisible.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Whether it is the output of a program that failed.
fn is_trace(text: &str) -> bool {
    let has = |part: &str| memchr::memmem::find(text.as_bytes(), part.as_bytes()).is_some();
    if text.starts_with("Traceback") || text.starts_with("panic:") || text.starts_with("goroutine ") {
        return true;
    }
    memchr::memchr(b'\n', text.as_bytes()).is_some()
        && (has("\n    at ")
            || has("\n\tat ")
            || has("\n   at ")
            || has("Traceback (most recent call last)")
            || has("\n#0 ")
            || has("\ngoroutine "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_one_line_of_printable_characters() {
        for (text, line) in [
            ("Out of stock", Some("Out of stock")),
            ("  Out\n\tof \u{0} stock  ", Some("Out of stock")),
            ("Out\u{202e} of\u{2028}stock", Some("Out of stock")),
            ("Caf\u{e9} \"7\" \u{2192}", Some("Café \"7\" →")),
            ("", None),
            (" \n\u{7f}", None),
            ("<b>Out</b>", None),
            (" <b>Out</b>", None),
            ("TypeError: x\n    at read (/app/index.js:10:5)", None),
            ("java.lang.NullPointerException\n\tat com.example.Shop.read(Shop.java:7)", None),
            ("Traceback (most recent call last):\n  File \"/srv/app.py\", line 7", None),
            ("Traceback on a host", None),
        ] {
            assert_eq!(clean(text, 500).as_deref(), line, "{text:?}");
        }
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        for text in
            ["é".repeat(2000), "é ".repeat(2000), "x".repeat(2000), "x ".repeat(2000), "x".repeat(501)]
        {
            let line = clean(&text, 500).unwrap();
            assert!((499..=501).contains(&line.chars().count()) && line.ends_with('…'), "{line}");
        }
        assert_eq!(clean(&"x".repeat(500), 500).unwrap().len(), 500);
    }

    #[test]
    fn plain_text_is_kept_if_it_is_a_sentence_and_names_no_host() {
        for text in [
            "Item 7 is not here.",
            "Failed to deserialize the JSON body into the target type: name: missing field `name` at line 1 column 13",
            "The time is 10:30, the price 9.50: too late.",
            "id: 77 is not a number",
            "The path /items/7/app/ does not exist, see https://example.com/var/log",
            "Lines [0]:12 are too many, and items.local_name is missing",
        ] {
            assert_eq!(plain(format!("{text}\n").as_bytes()).as_deref(), Some(text));
        }
        for text in [
            "<!doctype html>\n<title>No</title>",
            "No <b>bold</b> words",
            "dial tcp 10.0.0.5:5432: connect: connection refused",
            "could not connect to db-7.internal:5432",
            "one\ntwo\nthree\nfour\nfive\nsix",
            "\u{0}\u{1}",
            "connect to [fe80::1]:8080 failed",
            "no connection to localhost:5432",
            "open '/srv/app/secret.txt': permission denied",
            "cannot read C:\\app\\settings.json",
            "the machine db-7.internal is away",
            "SQLSTATE[23505]: Unique violation",
        ] {
            assert_eq!(plain(text.as_bytes()), None, "{text}");
        }
        assert_eq!(plain(&b"word ".repeat(300)), None);
        assert_eq!(plain(b"caf\xe9"), None);
    }
}
