//! Paths: the normal form that is matched and forwarded, and other paths that servers might read it as.
//!
//! A path that names one endpoint here and another one at the upstream would bypass every check. So
//! a path is normalized; what servers are known to read differently is refused; and any remaining
//! ambiguity is compared (`other_views`). docs/strictness.md has a table with the reasons.

use super::reading::Slashes;
use super::{Fault, locate::quoted};

/// A valid path.
#[derive(Debug, PartialEq, Eq)]
pub struct Normal {
    /// Its normal form, which is matched and forwarded. None: it was in normal form already.
    pub text: Option<String>,
    /// Some servers could read it as another path.
    pub has_other_views: bool,
}

/// Maximum number of decodings until a path must be plain.
const MAX_DECODINGS: usize = 4;

/// The normal form of `path`, which begins with a slash.
pub fn normal(path: &str, slashes: Slashes) -> Result<Normal, Fault> {
    if let Some(has_other_views) = plain(path.as_bytes()) {
        return Ok(Normal { text: None, has_other_views });
    }
    let text = rewrite(path.as_bytes(), slashes)?;
    check_dots(&text)?;
    let has_other_views = text.contains(';')
        || text.contains("//")
        || decode(text.as_bytes(), is_structural) != text.as_bytes();
    Ok(Normal { text: (text != path).then_some(text), has_other_views })
}

/// Whether a path is in normal form, by a quick check: no percent-encoding, no segment that begins
/// with a dot, no consecutive slashes. If so, whether it has other views. This suffices for nearly
/// every path.
fn plain(path: &[u8]) -> Option<bool> {
    let (mut before, mut has_other_views) = (0, false);
    for &byte in path {
        match LOOKS.get(usize::from(byte)).copied().unwrap_or(Look::Other) {
            Look::Plain => {}
            Look::SlashOrDot if before == b'/' => return None,
            Look::SlashOrDot => {}
            Look::Semicolon => has_other_views = true,
            Look::Other => return None,
        }
        before = byte;
    }
    Some(has_other_views)
}

/// Normalizes a path: decodes unreserved characters, writes all other escapes in upper case,
/// encodes what browsers leave unencoded.
fn rewrite(path: &[u8], slashes: Slashes) -> Result<String, Fault> {
    let mut out = Vec::with_capacity(path.len() + 16);
    let mut rest = path;
    while let Some(&byte) = rest.first() {
        let at = path.len() - rest.len() + 1;
        match byte {
            b'/' if out.last() == Some(&b'/') => match slashes {
                Slashes::Merge => {}
                Slashes::Keep => out.push(b'/'),
                Slashes::Refuse => {
                    return Err(Fault::at(format!(
                        "The path has two consecutive slashes at byte {at}; send one."
                    )));
                }
            },
            b'%' => {
                let Some(code) = escaped(rest) else {
                    return Err(Fault::at(format!(
                        "The percent sign at byte {at} of the path is not followed by two hexadecimal digits; write a literal percent sign as %25."
                    )));
                };
                if code.is_ascii_control() {
                    return Err(Fault::at(format!(
                        "The path contains an encoded control character, %{code:02X}, at byte {at}."
                    )));
                }
                if is_unreserved(code) {
                    out.push(code);
                } else {
                    escape(code, &mut out);
                }
                rest = rest.get(3..).unwrap_or_default();
                continue;
            }
            b'/' => out.push(byte),
            b'[' | b']' | b'{' | b'}' | b'|' | b'^' | b'`' => escape(byte, &mut out),
            other if is_pchar(other) => out.push(other),
            other => {
                return Err(Fault::at(format!(
                    "The path contains {} at byte {at}, which must be percent-encoded.",
                    quoted(&[other])
                )));
            }
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    if std::str::from_utf8(&decode(&out, |_| true)).is_err() {
        return Err(Fault::malformed(
            "The percent-encoded bytes of the path are not UTF-8, or are overlong UTF-8.",
        ));
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// Refuses a path that has a `.` or `..` segment for any server: however often it decodes,
/// whichever character it takes for a slash, whatever it cuts off the end of a segment.
fn check_dots(path: &str) -> Result<(), Fault> {
    let mut view = path.as_bytes().to_vec();
    for _ in 0..=MAX_DECODINGS {
        let is_dots = |segment: &[u8]| {
            let name = segment.split(|&b| matches!(b, b';' | b'?' | b'#')).next().unwrap_or_default();
            matches!(name.trim_ascii_end(), b"." | b"..")
        };
        if view.split(|&b| matches!(b, b'/' | b'\\')).any(is_dots) {
            return Err(Fault::malformed(
                "The path has a `.` or `..` segment, plain or encoded; send the resolved path.",
            ));
        }
        // 0xC0 and 0xC1 begin only overlong forms of ASCII, including dots and slashes.
        if view.iter().any(|&b| b.is_ascii_control() || matches!(b, 0xc0 | 0xc1)) {
            return Err(Fault::malformed(
                "The path contains a control character or overlong UTF-8 that is percent-encoded more than once.",
            ));
        }
        let decoded = decode(&view, |_| true);
        if decoded == view {
            return Ok(());
        }
        view = decoded;
    }
    Err(Fault::malformed("The path is percent-encoded too many times; encode it once."))
}

/// The paths that other servers might read a normal path as: servers that decode once or twice
/// before routing; that cut off what follows a semicolon, or a decoded question mark or hash; that
/// take a backslash for a slash; that merge slashes.
pub fn other_views(path: &str) -> Vec<String> {
    let once = decode(path.as_bytes(), is_structural);
    let twice = decode(&once, |byte| is_structural(byte) || is_unreserved(byte));
    let mut views: Vec<String> = Vec::new();
    for view in [path.as_bytes(), &once, &twice] {
        // A path has no raw `?` or `#`. An encoded one ends the path on servers that decode too early.
        let end = view.iter().position(|b| matches!(b, b'?' | b'#')).unwrap_or(view.len());
        for view in [view, view.get(..end).unwrap_or_default()] {
            for without_parameters in [false, true] {
                let view = as_served(view, without_parameters);
                if view != path && !views.contains(&view) {
                    views.push(view);
                }
            }
        }
    }
    views
}

/// The path with consecutive slashes merged.
pub fn merged(path: &str) -> String {
    as_served(path.as_bytes(), false)
}

fn as_served(path: &[u8], without_parameters: bool) -> String {
    let mut served = Vec::with_capacity(path.len());
    let mut skips = false;
    for &byte in path {
        match byte {
            b'/' | b'\\' => {
                skips = false;
                if served.last() != Some(&b'/') {
                    served.push(b'/');
                }
            }
            b';' if without_parameters => skips = true,
            _ if skips => {}
            other => served.push(other),
        }
    }
    String::from_utf8_lossy(&served).into_owned()
}

/// The path with the escapes of those bytes decoded that are `wanted`.
fn decode(path: &[u8], wanted: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some(&byte) = rest.first() {
        match escaped(rest).filter(|&code| wanted(code)) {
            Some(code) => {
                decoded.push(code);
                rest = rest.get(3..).unwrap_or_default();
            }
            None => {
                decoded.push(byte);
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }
    decoded
}

/// The byte that `%XX` at the front encodes.
fn escaped(bytes: &[u8]) -> Option<u8> {
    let &[b'%', high, low, ..] = bytes else { return None };
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    Some(digit(high)? * 16 + digit(low)?)
}

fn escape(byte: u8, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or_default();
    out.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
}

/// RFC 3986 section 2.3: the same whether encoded or not.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Characters that have a special meaning for some servers: encoded, the path differs for some
/// servers and not for others.
const fn is_structural(byte: u8) -> bool {
    matches!(
        byte,
        b'/' | b'\\'
            | b'%'
            | b';'
            | b':'
            | b'@'
            | b'!'
            | b'$'
            | b'&'
            | b'\''
            | b'('
            | b')'
            | b'*'
            | b'+'
            | b','
            | b'='
            | b'?'
            | b'#'
    )
}

/// RFC 3986 section 3.3, without percent-encoding.
const fn is_pchar(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(
            byte,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':' | b'@'
        )
}

/// The class of a byte in the quick check of a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Plain,
    SlashOrDot,
    Semicolon,
    Other,
}

#[expect(clippy::indexing_slicing, reason = "a constant: what is out of bounds does not compile")]
const LOOKS: [Look; 256] = {
    let mut looks = [Look::Other; 256];
    let mut byte = 0u8;
    loop {
        looks[byte as usize] = match byte {
            b'/' | b'.' => Look::SlashOrDot,
            b';' => Look::Semicolon,
            plain if is_pchar(plain) => Look::Plain,
            _ => Look::Other,
        };
        if byte == u8::MAX {
            break looks;
        }
        byte += 1;
    }
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(path: &str) -> Option<String> {
        normal(path, Slashes::Merge).ok().map(|normal| normal.text.unwrap_or_else(|| path.to_owned()))
    }

    #[test]
    fn one_resource_has_one_name() {
        for (path, expected) in [
            ("/items/7", "/items/7"),
            ("/%69tems/b%65st%2fx%20", "/items/best%2Fx%20"),
            ("//a///b//", "/a/b/"),
            ("/a|b[1]{c}^`", "/a%7Cb%5B1%5D%7Bc%7D%5E%60"),
            ("/caf%c3%a9", "/caf%C3%A9"),
            ("/...", "/..."),
            ("/.well-known/x", "/.well-known/x"),
            ("/a..b/..a/b..", "/a..b/..a/b.."),
            ("/a%25b", "/a%25b"),
            ("/a;v=1/b", "/a;v=1/b"),
            ("/@!$&'()*+,=:~", "/@!$&'()*+,=:~"),
        ] {
            assert_eq!(text(path).as_deref(), Some(expected), "{path}");
        }
    }

    #[test]
    fn dot_segments_are_seen_in_every_encoding() {
        for path in [
            "/..",
            "/.",
            "/a/../b",
            "/a/./b",
            "/a/..",
            "/%2e%2E/a",
            "/.%2e",
            "/%2e",
            "/a%2f..%2fb",
            "/a%2f%2e%2e",
            "/a/..%5cb",
            "/a/%2e%2e%5c",
            "/..;/a",
            "/..;x=1/a",
            "/.;/a",
            "/%2e%2e;/a",
            "/..%3b/a",
            "/..%3Fx",
            "/.%23/a",
            "/a%5C..%3F",
            "/a/..%253Fx",
            "/%252e%252e/a",
            "/a/.%252e",
            "/%25252e%25252e/",
            "/a%252f..%252fb",
            "/..%20/a",
            "/.%20",
            "/..%255c",
            "/%25%32%65%25%32%65/a",
        ] {
            assert_eq!(text(path), None, "{path}");
        }
    }

    #[test]
    fn paths_that_servers_read_differently_are_refused() {
        for path in [
            "/a%00",
            "/a%0d%0aX:b",
            "/%7f",
            "/%c0%ae%c0%ae/",
            "/%c0%af",
            "/%e0%80%ae",
            "/%ff",
            "/%ed%a0%80",
            "/%",
            "/%4",
            "/%zz",
            "/%u002e",
            "/a%2500",
            "/a%25c0%25ae",
            "/a b",
            "/a\\b",
            "/a\"",
            "/<a>",
            "/a#b",
            "/%25252525252525",
        ] {
            assert_eq!(text(path), None, "{path}");
        }
        assert!(normal("//a", Slashes::Refuse).is_err() && normal("/a/b", Slashes::Refuse).is_ok());
        assert_eq!(normal("//a", Slashes::Keep).unwrap(), Normal { text: None, has_other_views: true });
    }

    #[test]
    fn other_views_are_those_of_servers() {
        assert_eq!(other_views("/a%2Fb;c/d"), ["/a%2Fb/d", "/a/b;c/d", "/a/b/d"]);
        assert_eq!(other_views("/a%252Fb"), ["/a%2Fb", "/a/b"]);
        assert_eq!(other_views("/%2561dmin"), ["/%61dmin", "/admin"]);
        assert_eq!(other_views("/a%5Cb"), ["/a/b"]);
        assert_eq!(other_views("/;x/admin"), ["/admin"]);
        assert_eq!(other_views("/admin%3Fx"), ["/admin?x", "/admin"]);
        assert_eq!(other_views("/admin%2523x"), ["/admin%23x", "/admin#x", "/admin"]);
        assert!(other_views("/x%3F%2Fadmin").contains(&"/x?/admin".to_owned()));
        for (path, has) in [
            ("/a", false),
            ("/a%20b", false),
            ("/a;b", true),
            ("/a%3Ab", true),
            ("/a%3Fb", true),
            ("/a%23b", true),
            ("/caf%C3%A9", false),
        ] {
            assert_eq!(normal(path, Slashes::Merge).unwrap().has_other_views, has, "{path}");
        }
    }

    /// What servers do to a path before routing, in any order and number.
    fn decodings() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(0u8..7, 0..6)
    }

    fn decoded_by_a_server(path: &[u8], kind: u8) -> Vec<u8> {
        match kind {
            0 => decode(path, |_| true),
            1 => path.iter().map(|&b| if b == b'\\' { b'/' } else { b }).collect(),
            2 => as_served(path, true).into_bytes(),
            3 => as_served(path, false).into_bytes(),
            4 => path.split(|&b| b == 0).next().unwrap_or_default().to_vec(),
            5 => path.split(|&b| matches!(b, b'?' | b'#')).next().unwrap_or_default().to_vec(),
            _ => path.to_ascii_lowercase(),
        }
    }

    /// Paths built of the parts of known attacks.
    fn paths() -> impl Strategy<Value = String> {
        let part = proptest::sample::select(vec![
            "/", ".", "..", "%2e", "%2E", "%252e", "%25", "%32", "%65", "2e", "%2f", "%252F", "\\", "%5c",
            "%255c", ";", "%3b", "x", "admin", "%61", "%00", "%c0%ae", "%c3%a9", "//", "%20", "a=b", "%",
            "[", "%2525", "%3f", "%23", "%253F",
        ]);
        proptest::collection::vec(part, 0..10).prop_map(|parts| format!("/{}", parts.concat()))
    }

    proptest! {
        #[test]
        fn a_normal_path_is_unchanged(path in paths()) {
            if let Some(once) = text(&path) {
                prop_assert_eq!(text(&once), Some(once));
            }
        }

        #[test]
        fn no_dot_segment_comes_out_of_any_decodings_that_servers_do(path in paths(), steps in decodings()) {
            if let Some(normal) = text(&path) {
                let mut view = normal.into_bytes();
                for step in steps {
                    view = decoded_by_a_server(&view, step);
                    prop_assert!(!view.split(|&b| b == b'/' || b == b'\\').any(|s| s == b"." || s == b".."), "{:?}", view);
                    prop_assert!(!view.contains(&0));
                }
            }
        }

        #[test]
        fn one_decoding_and_its_semicolons_are_among_the_views(path in paths()) {
            if let Some(normal) = text(&path) {
                let views = other_views(&normal);
                for once in [normal.clone().into_bytes(), decode(normal.as_bytes(), is_structural)] {
                    for cut in [false, true] {
                        let view = as_served(&once, cut);
                        prop_assert!(view == normal || views.contains(&view), "{view}");
                    }
                }
            }
        }

        #[test]
        fn any_path_is_judged_without_panic(path in "/.*") {
            let _ = normal(&path, Slashes::Merge);
            let _ = other_views(&path);
        }
    }
}
