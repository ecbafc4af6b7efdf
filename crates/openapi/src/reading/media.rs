//! Media types of a document as they are compared.

use crate::media;

/// A media type in lower case, without parameters.
pub(super) fn essence(media_type: &str) -> String {
    let end = media_type.find(';').unwrap_or(media_type.len());
    media_type.get(..end).unwrap_or_default().trim().to_ascii_lowercase()
}

/// A media type with its parameters, as it is compared: type and names in lower case, values in quotes where they need
/// them. What distinguishes no two types is left out.
pub(super) fn canonical(media_type: &str) -> String {
    let mut canonical = essence(media_type);
    for (name, value) in media::parameters(media_type) {
        let value = String::from_utf8_lossy(&value);
        if is_token(&value) {
            canonical.push_str(&format!("; {name}={value}"));
        } else {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
            canonical.push_str(&format!("; {name}=\"{escaped}\""));
        }
    }
    canonical
}

/// Whether a text is a media type or a range of them.
pub(super) fn is_media_type(essence: &str) -> bool {
    essence.split_once('/').is_some_and(|(kind, name)| {
        is_token(kind) && is_token(name) && (kind != "*" || name == "*" || name.starts_with("*+"))
    })
}

/// The media types of a list such as `image/png, image/jpeg`, as they are compared.
pub(super) fn list(text: &str) -> Vec<String> {
    media::listed(text).map(canonical).filter(|each| !each.is_empty()).collect()
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_compared_without_case_and_quotes() {
        assert_eq!(essence("Application/JSON; charset=utf-8"), "application/json");
        assert_eq!(list("image/png, Image/JPEG;q=1,"), ["image/png", "image/jpeg"]);
        for (written, compared) in [
            ("Application/X+JSON;Profile=\"a;b\"", "application/x+json; profile=\"a;b\""),
            ("a/b; type=\"full\"; charset=utf-8", "a/b; type=full"),
            (r#"a/b; c="d\"e\\f""#, r#"a/b; c="d\"e\\f""#),
            ("a/b", "a/b"),
        ] {
            assert_eq!(canonical(written), compared);
            assert_eq!(canonical(compared), compared);
        }
        assert_eq!(list("a/b;c=\"d,e\", f/g; h=i"), ["a/b; c=\"d,e\"", "f/g; h=i"]);
        for fine in ["application/vnd.api+json", "*/*", "text/*"] {
            assert!(is_media_type(fine), "{fine}");
        }
        for wrong in ["", "json", "/", "a/", "*/json", "a b/c", "a/b/c"] {
            assert!(!is_media_type(wrong), "{wrong}");
        }
    }
}
