//! Requests as tests write them: a method, a target, fields, a body, and the bytes these make.

use super::gateway::Key;

#[derive(Debug, Clone)]
pub(crate) struct Request {
    method: String,
    target: String,
    version: &'static str,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

/// The host that clients of these tests send.
pub(crate) const HOST: &str = "api.example.com";

pub(crate) fn request(method: &str, target: &str) -> Request {
    Request {
        method: method.to_owned(),
        target: target.to_owned(),
        version: "HTTP/1.1",
        fields: vec![("Host".into(), HOST.into())],
        body: Vec::new(),
    }
}

pub(crate) fn get(target: &str) -> Request {
    request("GET", target)
}

pub(crate) fn head(target: &str) -> Request {
    request("HEAD", target)
}

pub(crate) fn delete(target: &str) -> Request {
    request("DELETE", target)
}

pub(crate) fn post(target: &str, body: &str) -> Request {
    request("POST", target).json(body)
}

pub(crate) fn put(target: &str, body: &str) -> Request {
    request("PUT", target).json(body)
}

pub(crate) fn patch(target: &str, body: &str) -> Request {
    request("PATCH", target).json(body)
}

impl Request {
    pub(crate) fn key(self, key: &Key) -> Self {
        self.header("X-API-Key", &key.key)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Replaces the value of a field.
    pub(crate) fn replace(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.header(name, value)
    }

    pub(crate) fn version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    pub(crate) fn json(self, body: &str) -> Self {
        self.body("application/json", body.as_bytes())
    }

    pub(crate) fn body(mut self, media_type: &str, body: &[u8]) -> Self {
        self.fields.push(("Content-Type".into(), media_type.into()));
        self.fields.push(("Content-Length".into(), body.len().to_string()));
        self.body = body.to_vec();
        self
    }

    /// The body in chunks of this size, without trailers.
    pub(crate) fn chunked(mut self, media_type: &str, body: &[u8], size: usize) -> Self {
        self.fields.push(("Content-Type".into(), media_type.into()));
        self.fields.push(("Transfer-Encoding".into(), "chunked".into()));
        for chunk in body.chunks(size) {
            self.body.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            self.body.extend_from_slice(chunk);
            self.body.extend_from_slice(b"\r\n");
        }
        self.body.extend_from_slice(b"0\r\n\r\n");
        self
    }

    pub(crate) fn method(&self) -> &str {
        &self.method
    }

    /// The request line and the fields, with the empty line after them.
    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The body as it is sent.
    pub(crate) fn content(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn head(&self) -> Vec<u8> {
        let mut head = format!("{} {} {}\r\n", self.method, self.target, self.version);
        for (name, value) in &self.fields {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.head();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}
