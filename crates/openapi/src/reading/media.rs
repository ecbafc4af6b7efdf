//! Media types as they are compared: without parameters, in lower case.

/// A media type in lower case, without parameters.
pub(super) fn essence(media_type: &str) -> String {
    let end = media_type.find(';').unwrap_or(media_type.len());
    media_type.get(..end).unwrap_or_default().trim().to_ascii_lowercase()
}

/// A media type with its parameters, as it is compared: type and names in lower case. A charset tells no two types apart.
pub(super) fn canonical(media_type: &str) -> String {
    let mut canonical = essence(media_type);
    for (name, value) in media_type.split(';').skip(1).filter_map(|part| part.split_once('=')) {
        let name = name.trim().to_ascii_lowercase();
        if name != "charset" {
            canonical.push_str(&format!("; {name}={}", value.trim()));
        }
    }
    canonical
}

/// Whether a text is a media type or a range of them.
pub(super) fn is_media_type(essence: &str) -> bool {
    essence.split_once('/').is_some_and(|(kind, name)| {
        let token = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
        };
        token(kind) && token(name) && (kind != "*" || name == "*" || name.starts_with("*+"))
    })
}

/// The media types of a list such as `image/png, image/jpeg`.
pub(super) fn list(text: &str) -> Vec<String> {
    text.split(',').map(essence).filter(|each| !each.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_lose_parameters_and_case() {
        assert_eq!(essence("Application/JSON; charset=utf-8"), "application/json");
        assert_eq!(list("image/png, Image/JPEG;q=1,"), ["image/png", "image/jpeg"]);
        for fine in ["application/vnd.api+json", "*/*", "text/*"] {
            assert!(is_media_type(fine), "{fine}");
        }
        for wrong in ["", "json", "/", "a/", "*/json", "a b/c", "a/b/c"] {
            assert!(!is_media_type(wrong), "{wrong}");
        }
    }
}
