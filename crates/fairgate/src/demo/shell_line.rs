//! A command line that can be pasted into bash and zsh as it is.

use std::path::Path;

/// A command line, made of pieces between which it may be broken.
#[derive(Debug, Clone)]
pub(super) struct ShellLine {
    pieces: Vec<String>,
}

impl ShellLine {
    /// A program with its first words.
    pub(super) fn program(path: &Path, words: &str) -> Self {
        Self { pieces: vec![format!("{} {words}", quoted(&path.to_string_lossy()))] }
    }

    /// Whatever is shell already.
    pub(super) fn shell(piece: &str) -> Self {
        Self { pieces: vec![piece.to_owned()] }
    }

    /// The pieces of another line behind these.
    pub(super) fn then(mut self, line: Self) -> Self {
        self.pieces.extend(line.pieces);
        self
    }

    /// curl, which shows the head of the answer, too.
    pub(super) fn curl(url: &str) -> Self {
        Self::curl_with("-i", url)
    }

    /// curl with other options than `-i`.
    pub(super) fn curl_with(options: &str, url: &str) -> Self {
        Self { pieces: vec![format!("curl {options}"), quoted(url)] }
    }

    /// Another transfer by the same curl.
    pub(super) fn next(self, options: &str, url: &str) -> Self {
        self.option(&format!("--next {options}"), url)
    }

    pub(super) fn key(self, key: &str) -> Self {
        self.header(&format!("X-API-Key: {key}"))
    }

    pub(super) fn header(self, header: &str) -> Self {
        self.option("-H", header)
    }

    pub(super) fn json(self, body: &str) -> Self {
        self.header("Content-Type: application/json").option("-d", body)
    }

    /// An option and its value, kept together.
    pub(super) fn option(self, option: &str, value: &str) -> Self {
        let value = quoted(value);
        self.raw(&format!("{option} {value}"))
    }

    /// A piece that is shell already.
    pub(super) fn raw(mut self, piece: &str) -> Self {
        self.pieces.push(piece.to_owned());
        self
    }

    /// The whole on one line.
    pub(super) fn line(&self) -> String {
        self.pieces.join(" ")
    }

    /// The same over as many lines of this width as it takes, each indented, each but the last
    /// ending in a backslash.
    pub(super) fn lines(&self, width: usize, indent: usize) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let mut line = " ".repeat(indent);
        let mut is_begun = false;
        for (number, piece) in self.pieces.iter().enumerate() {
            let is_last = number + 1 == self.pieces.len();
            let backslash = if is_last { 0 } else { 2 };
            if is_begun && line.len() + 1 + piece.len() + backslash > width {
                line.push_str(" \\");
                lines.push(std::mem::replace(&mut line, " ".repeat(indent + 2)));
                is_begun = false;
            }
            if is_begun {
                line.push(' ');
            }
            line.push_str(piece);
            is_begun = true;
        }
        lines.push(line);
        lines
    }
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:,@%+".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_understand_is_quoted() {
        assert_eq!(quoted("http://127.0.0.1:8080/items/7"), "http://127.0.0.1:8080/items/7");
        assert_eq!(quoted("/items?limit=3"), "'/items?limit=3'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn a_long_line_is_broken_between_its_pieces_and_stays_the_same_command() {
        let line =
            ShellLine::curl("http://127.0.0.1:8080/items").key("fg_0123456789").json("{\"name\":\"Bowl\"}");
        let lines = line.lines(62, 4);
        assert_eq!(
            lines,
            [
                "    curl -i http://127.0.0.1:8080/items \\",
                "      -H 'X-API-Key: fg_0123456789' \\",
                "      -H 'Content-Type: application/json' -d '{\"name\":\"Bowl\"}'",
            ]
        );
        assert!(lines.iter().all(|line| line.len() <= 62));
        let joined: Vec<_> = lines.iter().map(|line| line.trim().trim_end_matches(" \\")).collect();
        assert_eq!(joined.join(" "), line.line());
        assert_eq!(line.lines(4 + line.line().len(), 4).len(), 1, "the backslash needs no room at the end");
    }
}
