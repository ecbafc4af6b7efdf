//! The form of a page: by the suffix of its path, else by `Accept`.

/// The form of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Html,
    /// For people in a terminal, and for language models.
    Markdown,
    /// For programs.
    Json,
}

/// How well a media range names a format.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
struct Match {
    /// 3: by its name; 2: `text/*`; 1: `*/*`.
    specificity: u8,
    weight: f32,
}

impl Format {
    /// Every format, the one that is preferred among equals coming first.
    pub const ALL: [Self; 3] = [Self::Html, Self::Markdown, Self::Json];

    /// The Content-Type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Markdown => "text/markdown; charset=utf-8",
            Self::Json => "application/json",
        }
    }

    /// The suffix of a file.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Html => ".html",
            Self::Markdown => ".md",
            Self::Json => ".json",
        }
    }

    /// Takes the suffix off a path. None: it has none, so `Accept` decides.
    pub fn of_path(path: &str) -> (&str, Option<Self>) {
        let found = Self::ALL.into_iter().find_map(|format| {
            let name = path.strip_suffix(format.suffix())?;
            Some((name, Some(format)))
        });
        found.unwrap_or((path, None))
    }

    /// The format that `Accept` prefers (RFC 9110 section 12.5.1). Of equal weights the one that is named
    /// more exactly wins, so that `application/json, */*` is JSON. HTML, if it accepts none of ours: a
    /// page that explains an error is worth more than a refusal to show it.
    pub fn accepted(accept: &[u8]) -> Self {
        let Ok(accept) = std::str::from_utf8(accept) else { return Self::Html };
        let mut best: Option<(Self, Match)> = None;
        for format in Self::ALL {
            let Some(found) = format.matched(accept) else { continue };
            let order = |found: Match| (found.weight, found.specificity);
            if found.weight > 0.0 && best.is_none_or(|(_, known)| order(found) > order(known)) {
                best = Some((format, found));
            }
        }
        best.map_or(Self::Html, |(format, _)| format)
    }

    /// The most exact range that names this format; of several such, the heaviest.
    fn matched(self, accept: &str) -> Option<Match> {
        let mut best: Option<Match> = None;
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let specificity = self.specificity(&parts.next().unwrap_or_default().to_ascii_lowercase());
            if specificity == 0 {
                continue;
            }
            let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
            // An invalid weight is zero: RFC 9110 has no such weight, and 1 would favour mistakes.
            let weight = weight.map_or(1.0, |q| q.parse().unwrap_or(0.0));
            let found = Match { specificity, weight: f32::clamp(weight, 0.0, 1.0) };
            if best.is_none_or(|known| found > known) {
                best = Some(found);
            }
        }
        best
    }

    fn specificity(self, range: &str) -> u8 {
        let is_named = match self {
            Self::Html => matches!(range, "text/html" | "application/xhtml+xml"),
            Self::Markdown => matches!(range, "text/markdown" | "text/x-markdown"),
            // Who reads problem details and follows `type` wants to go on reading JSON.
            Self::Json => range == "application/json" || range.ends_with("+json"),
        };
        let kind = match self {
            Self::Html | Self::Markdown => "text/*",
            Self::Json => "application/*",
        };
        match range {
            _ if is_named => 3,
            _ if range == kind => 2,
            "*/*" => 1,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn accept_is_weighed() {
        for (accept, format) in [
            ("", Format::Html),
            ("*/*", Format::Html),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Format::Html),
            ("application/json", Format::Json),
            ("application/json, text/plain, */*", Format::Json),
            ("text/html;q=0.5, application/json", Format::Json),
            ("text/html, application/json", Format::Html),
            ("application/problem+json", Format::Json),
            ("text/markdown", Format::Markdown),
            ("text/markdown;q=0.9, text/html;q=0.8", Format::Markdown),
            ("text/*;q=0.5, application/json;q=0.4", Format::Html),
            ("text/html;q=0, */*", Format::Markdown),
            ("text/html;q=0, text/markdown;q=0, */*;q=0.1", Format::Json),
            ("image/png", Format::Html),
            ("*/*;q=0", Format::Html),
            ("APPLICATION/JSON;Q=1", Format::Json),
            ("application/json;q=nonsense, text/markdown;q=0.1", Format::Markdown),
        ] {
            assert_eq!(Format::accepted(accept.as_bytes()), format, "{accept}");
        }
    }

    #[test]
    fn a_suffix_is_taken_off() {
        assert_eq!(Format::of_path("limits.md"), ("limits", Some(Format::Markdown)));
        assert_eq!(Format::of_path("errors/KEY_NOT_SET.json"), ("errors/KEY_NOT_SET", Some(Format::Json)));
        assert_eq!(Format::of_path("limits"), ("limits", None));
    }

    proptest! {
        #[test]
        fn any_accept_header_is_judged_without_panic(accept: Vec<u8>) {
            Format::accepted(&accept);
        }
    }
}
