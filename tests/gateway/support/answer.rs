//! A response as it was on the wire, parsed strictly.

use super::wire::{Ended, Wire};
use serde_json::Value;

/// Fields in their order, looked up without regard to case.
#[derive(Debug, Clone, Default)]
pub(crate) struct Headers(pub(crate) Vec<(String, String)>);

/// How the end of the body was framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// The status or the method forbids a body.
    None,
    Length(usize),
    Chunked,
    Close,
}

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) version: String,
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Headers,
    pub(crate) framing: Framing,
    /// None: the message arrived whole. Otherwise: what cut it short.
    pub(crate) cut: Option<Ended>,
    /// Interim (1xx) responses before it.
    pub(crate) interim: Vec<(u16, Headers)>,
}

// === impl Headers ===

impl Headers {
    /// The value of a field that appears at most once. Twice is a fault of the sender.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let all = self.all(name);
        assert!(all.len() < 2, "the field {name} appears {} times: {all:?}", all.len());
        all.first().copied()
    }

    /// The values of a field in their order.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let same = |field: &&(String, String)| field.0.eq_ignore_ascii_case(name);
        self.0.iter().filter(same).map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        !self.all(name).is_empty()
    }

    /// The members of a list field, over all its lines.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let parts = self.all(name).into_iter().flat_map(|value| value.split(','));
        parts.map(|part| part.trim().to_ascii_lowercase()).filter(|part| !part.is_empty()).collect()
    }
}

// === impl Answer ===

impl Answer {
    /// Reads the response to a request with this method, and the 1xx responses before it.
    pub(crate) fn read(wire: &mut Wire, method: &str) -> Result<Self, Ended> {
        let mut interim = Vec::new();
        let mut answer = loop {
            let head = Self::read_head(wire)?;
            if head.status >= 200 || head.status == 101 {
                break head;
            }
            interim.push((head.status, head.headers));
            assert!(interim.len() < 1000, "endless 1xx responses");
        };
        answer.interim = interim;
        answer.read_body(wire, method);
        Ok(answer)
    }

    /// Reads a head alone, whatever its status.
    pub(crate) fn read_head(wire: &mut Wire) -> Result<Self, Ended> {
        let line = String::from_utf8_lossy(&wire.line()?).into_owned();
        let mut words = line.splitn(3, ' ');
        let version = words.next().unwrap_or_default().to_owned();
        assert!(version == "HTTP/1.1" || version == "HTTP/1.0", "no status line: {line:?}");
        let number = words.next().unwrap_or_default();
        assert!(number.len() == 3, "a status without exactly three digits: {line:?}");
        let status = number.parse().unwrap_or_else(|_| panic!("no status: {line:?}"));
        let reason = words.next().unwrap_or_else(|| panic!("no space after the status: {line:?}")).to_owned();
        let headers = Headers(wire.fields()?);
        Ok(Self {
            version,
            status,
            reason,
            headers,
            body: Vec::new(),
            trailers: Headers::default(),
            framing: Framing::None,
            cut: None,
            interim: Vec::new(),
        })
    }

    pub(crate) fn read_body(&mut self, wire: &mut Wire, method: &str) {
        self.framing = self.framing_for(method);
        match self.framing {
            Framing::None => {}
            Framing::Length(length) => (self.body, self.cut) = wire.exactly(length),
            Framing::Chunked => {
                let (body, trailers, cut) = wire.chunked();
                self.body = body;
                self.trailers = Headers(trailers);
                self.cut = cut;
            }
            Framing::Close => {
                let (body, ended) = wire.rest();
                self.body = body;
                self.cut = (ended != Ended::Closed).then_some(ended);
            }
        }
    }

    fn framing_for(&self, method: &str) -> Framing {
        let coding = self.headers.get("transfer-encoding");
        let length = self.headers.get("content-length");
        assert!(coding.is_none() || length.is_none(), "both framings in one answer: {:?}", self.headers);
        if method == "HEAD" || self.status < 200 || matches!(self.status, 204 | 304) {
            return Framing::None;
        }
        match (coding, length) {
            (Some(coding), _) => {
                assert!(coding.eq_ignore_ascii_case("chunked"), "an unknown coding: {coding:?}");
                Framing::Chunked
            }
            (None, Some(length)) => {
                Framing::Length(length.parse().unwrap_or_else(|_| panic!("no length: {length:?}")))
            }
            (None, None) => Framing::Close,
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// The integer in a field that must be present.
    pub(crate) fn number(&self, name: &str) -> u64 {
        let value = self.header(name).unwrap_or_else(|| panic!("no {name} in {self:?}"));
        value.parse().unwrap_or_else(|_| panic!("{name} is not an integer: {value:?}"))
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.cut.is_none()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("the body is not JSON ({error}): {} {:?}", self.status, self.text())
        })
    }
}
