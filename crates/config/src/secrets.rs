//! Passwords in a configuration, which no message shows: they are found here, whatever is wrong with the file.

use std::ops::Range;

/// A secret as short as this is not looked for by itself: it would be found in words of our own.
const MIN_LENGTH: usize = 4;

const MAX_SECRETS: usize = 1_000;

/// Ends of names of keys and parameters whose values are secrets.
const NAMES: [&str; 7] = ["password", "passwd", "pwd", "sentinel", "token", "eab_key", "eab_hmac_key"];

/// The secrets of a configuration file.
#[derive(Debug, Clone)]
pub(super) struct Secrets {
    /// The file, with each secret covered byte for byte, so that all places stay where they are.
    pub(super) shown: String,
    /// The secrets themselves, without doubles.
    secrets: Vec<String>,
}

impl Secrets {
    pub(super) fn of(source: &str) -> Self {
        let places = places(source);
        let mut secrets: Vec<String> =
            places.iter().filter_map(|place| source.get(place.clone())).map(str::to_owned).collect();
        secrets.retain(|secret| secret.len() >= MIN_LENGTH && !secret.contains('\n'));
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        // A file with more of them is no configuration, and each is looked for in each text.
        secrets.truncate(MAX_SECRETS);
        Self { shown: cover(source, &places), secrets }
    }

    /// A text of a message, which may repeat a part of the file.
    pub(super) fn hide(&self, text: &str) -> String {
        let mut places = in_urls(text);
        places.extend(without_scheme(text));
        let mut text = cover(text, &places);
        for secret in &self.secrets {
            if text.contains(secret.as_str()) {
                text = without(&text, secret);
            }
        }
        text
    }
}

/// The text without the secret, where it is not a part of a word.
fn without(text: &str, secret: &str) -> String {
    let is_part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(secret) {
        let (before, found) = rest.split_at(at);
        let behind = found.get(secret.len()..).unwrap_or_default();
        out.push_str(before);
        if is_part(out.chars().next_back()) || is_part(behind.chars().next()) {
            out.push_str(secret);
        } else {
            out.push_str(&"*".repeat(secret.len()));
        }
        rest = behind;
    }
    out + rest
}

fn cover(text: &str, places: &[Range<usize>]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for place in places {
        for byte in bytes.get_mut(place.clone()).unwrap_or_default() {
            if !matches!(byte, b'\n' | b'\r') {
                *byte = b'*';
            }
        }
    }
    // Each place begins and ends with a character.
    String::from_utf8(bytes).unwrap_or_default()
}

fn places(text: &str) -> Vec<Range<usize>> {
    let mut places = in_urls(text);
    places.extend(without_scheme(text));
    places.extend(by_name(text));
    places
}

/// What ends a value on a line, wherever it began.
const ENDS: [char; 4] = ['"', '\'', '`', '\n'];

/// Passwords of URLs: between the first `:` after the scheme, or the scheme itself, and the last `@`.
fn in_urls(text: &str) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let mut start = 0;
    while let Some(at) = text.get(start..).and_then(|rest| rest.find("://")) {
        let before = text.get(..start + at).unwrap_or_default();
        let begin = start + at + 3;
        let rest = text.get(begin..).unwrap_or_default();
        // As far as the quotes go, or the line: a `/` or `@` in a password may not be written as it should.
        let scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        let quote =
            before.trim_end_matches(scheme).chars().next_back().filter(|c| ENDS.contains(c)).unwrap_or('"');
        let url = rest.get(..end_of(rest, quote)).unwrap_or_default();
        start = begin + url.len();
        let Some(end) = url.rfind('@') else { continue };
        match url.get(..end).and_then(|user| user.find(':')) {
            Some(colon) => places.push(begin + colon + 1..begin + end),
            // A user of PostgreSQL alone is no secret; elsewhere it may be the password in the wrong place.
            None if before.ends_with("postgresql") || before.ends_with("postgres") => {}
            None => places.push(begin..begin + end),
        }
    }
    places
}

/// Where a quoted text ends: at its quote, unless that is escaped, or with the line.
fn end_of(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    let end = text.find(|c: char| {
        let is_end = c == '\n' || c == quote && !is_escaped;
        is_escaped = c == '\\' && quote == '"' && !is_escaped;
        is_end
    });
    end.unwrap_or(text.len())
}

/// Passwords in what should have been a URL: a quoted `user:password@host` without a scheme.
fn without_scheme(text: &str) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let mut start = 0;
    for part in text.split(ENDS) {
        let begin = start;
        start += part.len() + 1; // each end is one byte
        // A value without quotes begins after the `=`.
        let is_key =
            |key: &str| key.trim().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let value = part.split_once('=').filter(|(key, _)| is_key(key)).map_or(part, |(_, value)| value);
        let begin = begin + (part.len() - value.len());
        let Some((user, rest)) = value.split_once(':') else { continue };
        let is_user =
            user.trim_start().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.%+".contains(&byte));
        let Some(end) = rest.rfind('@').filter(|end| end + 1 < rest.len()) else { continue };
        let is_password = !rest.get(..end).unwrap_or_default().contains(char::is_whitespace);
        if is_user && is_password && !rest.starts_with("//") && user.trim() != "mailto" {
            let begin = begin + user.len() + 1;
            places.push(begin..begin + end);
        }
    }
    places
}

/// Values of keys, and of parameters of a URL or a list of libpq, that are secrets by their name.
fn by_name(text: &str) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    for (equals, _) in text.match_indices('=') {
        let before =
            text.get(..equals).unwrap_or_default().trim_end_matches(' ').trim_end_matches(['"', '\'']);
        let is_secret = NAMES.iter().any(|name| {
            let at = before.len().saturating_sub(name.len());
            before.as_bytes().get(at..).is_some_and(|end| end.eq_ignore_ascii_case(name.as_bytes()))
        });
        if !is_secret {
            continue;
        }
        let rest = text.get(equals + 1..).unwrap_or_default();
        let value = rest.trim_start_matches([' ', '\t']);
        let start = equals + 1 + (rest.len() - value.len());
        places.extend(of_value(value).into_iter().map(|place| start + place.start..start + place.end));
    }
    places
}

/// The contents of a value, without its quotes: of a string, of each string of a list, or of a bare word.
fn of_value(value: &str) -> Vec<Range<usize>> {
    if value.starts_with('[') {
        let end = value.find(']').unwrap_or(value.len());
        let mut places = Vec::new();
        let mut start = 0;
        for (turn, part) in value.get(..end).unwrap_or_default().split(['"', '\'']).enumerate() {
            if turn % 2 == 1 {
                places.push(start..start + part.len());
            }
            start += part.len() + 1;
        }
        return places;
    }
    for quote in ["\"\"\"", "'''", "\"", "'"] {
        if let Some(inside) = value.strip_prefix(quote) {
            let line_end = if quote.len() == 1 { inside.find('\n') } else { None };
            let end = inside.find(quote).or(line_end).unwrap_or(inside.len());
            return std::iter::once(quote.len()..quote.len() + end).collect();
        }
    }
    let end = value.find(|c: char| ENDS.contains(&c) || c.is_whitespace() || c == '&').unwrap_or(value.len());
    std::iter::once(0..end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_covered_wherever_it_stands() {
        for (source, shown) in [
            ("url = \"http://u:secret@a\"", "url = \"http://u:******@a\""),
            ("url = 'http://u:se\"ret@a'", "url = 'http://u:******@a'"),
            ("url = \"http://u:se\\\"ret@a\"", "url = \"http://u:*******@a\""),
            ("url = \"http://u:se'r`t@a\"", "url = \"http://u:******@a\""),
            ("url = \"redis://secret@a\"", "url = \"redis://******@a\""),
            ("url = \"postgresql://user@a\"", "url = \"postgresql://user@a\""),
            ("url = \"u:secret@a:9\"", "url = \"u:******@a:9\""),
            ("url = \"u:sec=et@a:9\"", "url = \"u:******@a:9\""),
            ("url = u:secret@a", "url = u:******@a"),
            ("records=postgresql://u:secret@h/f", "records=postgresql://u:******@h/f"),
            ("r = \"host=a password=secret dbname=b\"", "r = \"host=a password=****** dbname=b\""),
            ("r = \"host=a password = 'my secret' b=c\"", "r = \"host=a password = '*********' b=c\""),
            ("r = \"postgresql://h/f?password=secret&a=b\"", "r = \"postgresql://h/f?password=******&a=b\""),
            ("l = \"redis+sentinel://a?sentinel=u:secret\"", "l = \"redis+sentinel://a?sentinel=********\""),
            ("eab_key = \"secret !\"", "eab_key = \"********\""),
            ("eab_key=[\"secret\", 'b']", "eab_key=[\"******\", '*']"),
            ("eab_key = \"\"\"\nsecret\"\"\"", "eab_key = \"\"\"\n******\"\"\""),
            ("password = secret # why", "password = ****** # why"),
            ("contact = \"mailto:ops@example.com\"", "contact = \"mailto:ops@example.com\""),
            ("path = \"/a:b@c\"", "path = \"/a:b@c\""),
            ("a = \"ä\" # http://ü:ö@é", "a = \"ä\" # http://ü:**@é"),
        ] {
            assert_eq!(Secrets::of(source).shown, shown, "{source}");
        }
    }

    #[test]
    fn a_message_repeats_no_secret_of_the_file() {
        let secrets = Secrets::of("a = \"http://u:s3cret@a\"\neab_key = k3y\neab_hmac_key = longer");
        for (text, shown) in [
            ("`http://u:s3cret@a` cannot be the upstream", "`http://u:******@a` cannot be the upstream"),
            ("write \"longer\"", "write \"******\""),
            ("the list is longerthan that", "the list is longerthan that"),
            ("expected `USER:PASSWORD@` before the host", "expected `USER:PASSWORD@` before the host"),
            ("`u:p@a` cannot be the upstream", "`u:*@a` cannot be the upstream"),
        ] {
            assert_eq!(secrets.hide(text), shown);
        }
    }
}
