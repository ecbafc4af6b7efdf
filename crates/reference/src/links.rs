//! Where links lead: absolute paths where the pages are served, relative files where they are exported.

use crate::{document::Address, format::Format};

/// How the pages refer to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Links {
    /// By absolute paths that begin with this one, such as `/_docs`, so that a page reads the same with
    /// and without a slash at the end of its own path.
    Served(String),
    /// By relative files, so that they can be opened from a disk and put below any path.
    Files,
}

impl Links {
    /// The link from one page to another, in the form that the page itself has.
    pub(crate) fn to(&self, from: &Address, to: &Address, format: Format) -> String {
        match (self, format) {
            (Self::Served(docs), _) => match to.path().as_str() {
                "" => format!("{docs}/"),
                path => format!("{docs}/{path}"),
            },
            (Self::Files, _) => relative(from, &file(to, format)),
        }
    }

    /// The link from a page to its own other form.
    pub(crate) fn to_form(&self, page: &Address, form: Format) -> String {
        match self {
            Self::Served(docs) => format!("{docs}/{}", file(page, form)),
            Self::Files => relative(page, &file(page, form)),
        }
    }

    /// The link to a file beside the pages.
    pub(crate) fn to_file(&self, from: &Address, name: &str) -> String {
        match self {
            Self::Served(docs) => format!("{docs}/{name}"),
            Self::Files => relative(from, name),
        }
    }
}

/// The path of a page's file.
pub(crate) fn file(page: &Address, format: Format) -> String {
    let path = page.path();
    let path = if path.is_empty() { "index" } else { &path };
    format!("{path}{}", format.suffix())
}

fn relative(from: &Address, file: &str) -> String {
    let depth = from.path().matches('/').count();
    format!("{}{file}", "../".repeat(depth))
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::ErrorCode;

    #[test]
    fn links_lead_from_any_page_to_any_other() {
        let (code, limits) = (Address::Code(ErrorCode::KeyNotSet), Address::Limits);
        let served = Links::Served("/_docs".into());
        assert_eq!(served.to(&code, &Address::Index, Format::Html), "/_docs/");
        assert_eq!(served.to(&limits, &code, Format::Html), "/_docs/errors/KEY_NOT_SET");
        assert_eq!(served.to_form(&Address::Index, Format::Json), "/_docs/index.json");
        assert_eq!(Links::Files.to(&code, &limits, Format::Html), "../limits.html");
        assert_eq!(Links::Files.to(&limits, &code, Format::Markdown), "errors/KEY_NOT_SET.md");
        assert_eq!(Links::Files.to(&Address::Endpoints(3), &Address::Index, Format::Json), "../index.json");
        assert_eq!(Links::Files.to_file(&code, "openapi.json"), "../openapi.json");
    }
}
