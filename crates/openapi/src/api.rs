//! What a document declares about an API, as far as a gateway needs it. The same for every version.

use crate::documents::Place;

/// An API.
#[derive(Debug)]
pub struct Api {
    /// `info.title`.
    pub title: String,
    /// `info.version`.
    pub version: String,
    /// Every operation, on every base path of its servers, in the order of the document.
    pub operations: Vec<Operation>,
    /// Headers that the document's own `apiKey` schemes name, as they are written.
    pub key_headers: Vec<String>,
    /// The base paths that `servers` name, each once: empty, or `/base` without a slash at its end.
    pub base_paths: Vec<String>,
}

/// An operation: what an endpoint of the gateway is made of.
#[derive(Debug, Clone)]
pub struct Operation {
    /// `operationId`.
    pub id: Option<String>,
    /// Method as it is sent: upper case for the methods that the specification names.
    pub method: String,
    /// Base path and path template, such as `/v1/items/{id}`.
    pub path: String,
    /// The path template without the base path, as in the document.
    pub own_path: String,
    /// One line, from `summary`; else the first line of `description`. May be empty.
    pub summary: String,
    /// First of the `tags`, for lists. May be empty.
    pub tag: String,
    /// `deprecated: true`.
    pub deprecated: bool,
    /// Who may use it.
    pub access: Access,
    /// Of the operation and its path, references followed; the operation's win.
    pub parameters: Vec<Parameter>,
    /// The body. None: the document declares none.
    pub body: Option<Body>,
    /// Its location.
    pub at: Place,
}

impl Operation {
    /// The names of the path template, in its order.
    pub fn path_names(&self) -> Vec<&str> {
        path_names(&self.path)
    }
}

/// The names of a path template such as `/items/{id}`, in its order.
pub fn path_names(template: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = template;
    while let Some((_, behind)) = rest.split_once('{') {
        let Some((name, after)) = behind.split_once('}') else { break };
        names.push(name);
        rest = after;
    }
    names
}

/// The parameter that a name of a path template refers to: `{*p}` and `{**p}` take the rest of the path as `p`, and
/// other frameworks write that as `{p:path}`, `{p=**}`, `{p+}` and `{p...}`.
pub fn parameter_name(name: &str) -> &str {
    let name = name.split_once([':', '=']).map_or(name, |(name, _)| name);
    let name = name.trim_start_matches('*').trim_end_matches(['+', '*', '?']);
    name.strip_suffix("...").unwrap_or(name)
}

/// The name of a parameter in the notation of another framework, such as `:id`, `<int:id>` or `[id]`: as a segment of a
/// path it only takes requests that have these very characters.
pub fn foreign_name(segment: &str) -> Option<&str> {
    // `<int:id>` names a type before its name; behind `:id` there may be a sign, a pattern or an extension.
    let angled = segment.strip_prefix('<').and_then(|rest| rest.split_once('>')).map(|(inner, _)| inner);
    let angled = angled.map(|inner| inner.rsplit(':').next().unwrap_or(inner));
    let squared = segment.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(inner, _)| inner);
    let names = [angled, squared, segment.strip_prefix(':')].into_iter().flatten();
    let begins = |name: &&str| name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let name = names.into_iter().find(begins)?;
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
    name.get(..end)
}

/// Who may use an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Everyone: `security: []`, or `{}` among the alternatives.
    Public,
    /// Holders of a key that has all permissions of one of these sets. An empty set: any key.
    /// A document without any security declaration requires a key, too: fail closed.
    Keys(Vec<Vec<String>>),
}

/// The location of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum In {
    /// A name of the path template.
    Path,
    /// The query string.
    Query,
    /// The whole query string as one value (3.2 `querystring`).
    QueryString,
    /// A request header.
    Header,
    /// A cookie.
    Cookie,
}

/// How a value is written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `1,2,3`
    Simple,
    /// `.1.2.3`
    Label,
    /// `;a=1;a=2`
    Matrix,
    /// `a=1&a=2`
    Form,
    /// `1%202%203`
    SpaceDelimited,
    /// `1|2|3`
    PipeDelimited,
    /// `1%092%093`, Swagger 2.0 only.
    TabDelimited,
    /// `a[b]=1`
    DeepObject,
    /// 3.2: as `Form`, but nothing is percent-decoded and cookies are separated by `; `.
    Cookie,
}

/// A parameter of an operation.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its location.
    pub place: In,
    /// Its name, as the document writes it.
    pub name: String,
    /// Its absence is an error. Always true in the path.
    pub required: bool,
    /// An empty value means "present, but without a value".
    pub allow_empty: bool,
    /// How its value is written.
    pub form: ParameterForm,
    /// Its location in the document.
    pub at: Place,
}

/// How a parameter's value is written, and what it may be.
#[derive(Debug, Clone)]
pub enum ParameterForm {
    /// By a style.
    Styled {
        /// The style.
        style: Style,
        /// Whether arrays and objects are spread over several pairs.
        explode: bool,
        /// Whether `:/?#[]@!$&'()*+,;=` may be unencoded.
        allow_reserved: bool,
        /// What it may be. None: anything.
        schema: Option<Place>,
    },
    /// As a document of a media type.
    Content {
        /// Lower case, without parameters.
        media_type: String,
        /// What it may be. None: anything.
        schema: Option<Place>,
    },
}

/// The body of an operation's requests.
#[derive(Debug, Clone)]
pub struct Body {
    /// Its absence is an error.
    pub required: bool,
    /// The media types that it may have, as the document writes them. Never empty.
    pub content: Vec<Media>,
    /// Its location in the document.
    pub at: Place,
}

/// A media type of a body.
#[derive(Debug, Clone)]
pub struct Media {
    /// A media type or range, lower case, without parameters: `application/json`, `text/*`, `*/*`.
    pub media_type: String,
    /// What the body may be. None: anything.
    pub schema: Option<Place>,
    /// How single members of a form are written.
    pub encodings: Vec<Encoding>,
}

/// How a member of a form is written.
#[derive(Debug, Clone)]
pub struct Encoding {
    /// The member.
    pub name: String,
    /// Media types that a part may have, lower case, without parameters. Empty: by its schema.
    pub content_types: Vec<String>,
    /// None: by the defaults of the specification.
    pub style: Option<Style>,
    /// None: by the defaults of the specification.
    pub explode: Option<bool>,
    /// Whether reserved characters may be unencoded.
    pub allow_reserved: bool,
}
