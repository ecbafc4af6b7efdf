//! A page before it is HTML or Markdown: headings, paragraphs, lists, tables, samples.
//!
//! Both forms are written from one document, so that they cannot differ.

use contract::{ErrorCode, Status};
use serde_json::Value;

/// A page of the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// What the API is and which codes there are.
    Index,
    /// An error code.
    Code(ErrorCode),
    /// Plans, windows, headers, costs.
    Limits,
    /// Endpoints: this page of them, from 1.
    Endpoints(usize),
    /// Windows of maintenance.
    Maintenance,
    /// What has moved, and what is deprecated.
    Moved,
}

/// A page, whatever form it takes.
pub(crate) struct Document {
    pub(crate) address: Address,
    /// The one heading of the first level.
    pub(crate) title: Text,
    /// The title where no markup can be.
    pub(crate) plain_title: String,
    pub(crate) blocks: Vec<Block>,
    /// The pages before and behind it, with their titles.
    pub(crate) before: Option<(Address, String)>,
    pub(crate) behind: Option<(Address, String)>,
    /// The same facts for programs.
    pub(crate) json: Value,
}

/// A status as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Badge {
    pub(crate) number: u16,
    pub(crate) tone: Tone,
}

/// What a status asks of its reader; its colour, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Fine,
    Elsewhere,
    Wrong,
    Wait,
    Ours,
}

/// A part of a page.
#[derive(Debug, Clone)]
pub(crate) enum Block {
    /// The first sentence of the page.
    Lead(Text),
    /// A heading of the second level; the identifier is unique in its page.
    Heading {
        id: String,
        text: Text,
    },
    Paragraph(Text),
    List(Vec<Text>),
    Table(Table),
    /// Lines to copy or to compare.
    Sample {
        label: String,
        language: &'static str,
        text: String,
    },
    /// Something that must not be overlooked.
    Notice(Text),
}

#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// What it shows, for those who do not see it. Unique in its page.
    pub(crate) label: String,
    pub(crate) head: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<Text>>,
}

/// Text with marks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) Vec<Inline>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Inline {
    Plain(String),
    Strong(String),
    /// Something to be typed or compared exactly.
    Code(String),
    Badge(Badge),
    /// What follows is on a separate line, where there are lines.
    Break,
    Link {
        to: Target,
        text: String,
        is_code: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Page(Address),
    /// A heading of this page.
    Heading(String),
    /// A heading of another page.
    Within(Address, String),
    /// A file beside the pages.
    File(&'static str),
    /// An e-mail address.
    Mail(String),
}

// === impl Address ===

impl Address {
    /// The path below that of the reference; empty for the index.
    pub fn path(&self) -> String {
        match self {
            Self::Index => String::new(),
            Self::Code(code) => format!("errors/{}", code.name()),
            Self::Limits => "limits".to_owned(),
            Self::Endpoints(0 | 1) => "endpoints".to_owned(),
            Self::Endpoints(number) => format!("endpoints/{number}"),
            Self::Maintenance => "maintenance".to_owned(),
            Self::Moved => "moved".to_owned(),
        }
    }
}

// === impl Badge ===

impl Badge {
    /// The badge of a row of the table.
    pub(crate) const fn of(status: Status, number: u16) -> Self {
        let tone = match status {
            Status::Moved => Tone::Elsewhere,
            Status::NotValid
            | Status::NoPermission
            | Status::KeyRefused
            | Status::NotFound
            | Status::Unprocessable
            | Status::Extra(_) => Tone::Wrong,
            Status::LimitExceeded | Status::Unavailable => Tone::Wait,
            Status::Unexpected => Tone::Ours,
        };
        Self { number, tone }
    }
}

// === impl Block ===

impl Block {
    pub(crate) fn heading(id: &str, text: impl Into<Text>) -> Self {
        Self::Heading { id: id.to_owned(), text: text.into() }
    }

    pub(crate) fn paragraph(text: impl Into<Text>) -> Self {
        Self::Paragraph(text.into())
    }

    pub(crate) fn table(label: &str, head: &[&'static str], rows: Vec<Vec<Text>>) -> Self {
        Self::Table(Table { label: label.to_owned(), head: head.to_vec(), rows })
    }

    pub(crate) fn sample(label: &str, language: &'static str, text: String) -> Self {
        Self::Sample { label: label.to_owned(), language, text }
    }
}

// === impl Text ===

impl Text {
    pub(crate) fn plain(mut self, text: impl Into<String>) -> Self {
        self.0.push(Inline::Plain(text.into()));
        self
    }

    pub(crate) fn strong(mut self, text: impl Into<String>) -> Self {
        self.0.push(Inline::Strong(text.into()));
        self
    }

    pub(crate) fn code(mut self, text: impl Into<String>) -> Self {
        self.0.push(Inline::Code(text.into()));
        self
    }

    pub(crate) fn badge(mut self, badge: Badge) -> Self {
        self.0.push(Inline::Badge(badge));
        self
    }

    pub(crate) fn line_break(mut self) -> Self {
        self.0.push(Inline::Break);
        self
    }

    pub(crate) fn link(mut self, to: Target, text: impl Into<String>) -> Self {
        self.0.push(Inline::Link { to, text: text.into(), is_code: false });
        self
    }

    /// A link to a page of the reference.
    pub(crate) fn page(self, to: Address, text: impl Into<String>) -> Self {
        self.link(Target::Page(to), text)
    }

    /// A link to the page of an error code, by its name.
    pub(crate) fn error(mut self, code: ErrorCode) -> Self {
        let to = Target::Page(Address::Code(code));
        self.0.push(Inline::Link { to, text: code.name().to_owned(), is_code: true });
        self
    }

    /// Appends all of another text.
    pub(crate) fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Texts one after the other, with something between each two.
    pub(crate) fn joined(texts: impl IntoIterator<Item = Self>, between: &str) -> Self {
        let mut joined = Self::default();
        for (position, text) in texts.into_iter().enumerate() {
            if position > 0 {
                joined = joined.plain(between);
            }
            joined = joined.then(text);
        }
        joined
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::default().plain(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::default().plain(text)
    }
}

/// Begins a text.
pub(crate) fn text() -> Text {
    Text::default()
}

/// Something to be typed or compared exactly.
pub(crate) fn code(exact: impl Into<String>) -> Text {
    Text::default().code(exact)
}
