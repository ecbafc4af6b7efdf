//! A sentence in several languages: an object whose members are named by language tags.

use super::json::Json;

/// Languages whose tags are no words that a member of a request might be named by, as "id", "to" or "is" are.
const LANGUAGES: [&str; 27] = [
    "ar", "bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "he", "hu", "ja", "ko", "lt", "lv",
    "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sv", "uk", "zh",
];

/// The sentence in English, or else in the first language. None: the value is something else.
pub(super) fn localized<'j>(value: &'j Json<'_>) -> Option<&'j str> {
    let members = value.object()?;
    let is_tag = |tag: &str| {
        let (language, region) = tag.split_once(['-', '_']).map_or((tag, None), |(l, r)| (l, Some(r)));
        let is_region = |r: &str| (2..=4).contains(&r.len()) && r.bytes().all(|b| b.is_ascii_alphanumeric());
        LANGUAGES.contains(&language) && region.is_none_or(is_region)
    };
    if !members.iter().all(|(tag, text)| is_tag(tag) && text.text().is_some()) {
        return None;
    }
    let english = members.iter().find(|(tag, _)| tag.starts_with("en"));
    english.or(members.first()).and_then(|(_, text)| text.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_english_sentence_is_taken_and_members_of_a_request_are_no_languages() {
        for (value, text) in [
            (r#"{"en":"Hello"}"#, Some("Hello")),
            (r#"{"de":"Hallo","en-GB":"Hello"}"#, Some("Hello")),
            (r#"{"pt_BR":"Olá","zh-Hant":"你好"}"#, Some("Olá")),
            (r#"{"to":"is required"}"#, None),
            (r#"{"en":"Hello","name":"is required"}"#, None),
            (r#"{"en":["is required"]}"#, None),
            (r#"{"en-":"Hello"}"#, None),
            ("{}", None),
            ("[]", None),
        ] {
            assert_eq!(localized(&Json::read(value.as_bytes()).unwrap()), text, "{value}");
        }
    }
}
