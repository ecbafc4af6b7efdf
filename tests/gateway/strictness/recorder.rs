//! An upstream that keeps every byte and parses them as strictly as RFC 9112 allows: what it cannot accept is reported.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// A complete request as it arrived.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// The request line.
    pub line: String,
    /// Names in lower case, and values.
    pub fields: Vec<(String, String)>,
    /// The body without its framing.
    pub body: Vec<u8>,
}

/// What the upstream got so far.
#[derive(Debug, Default)]
pub struct Got {
    pub arrived: Vec<Arrived>,
    /// Bytes that no strict server accepts, with the reason.
    pub violations: Vec<String>,
}

pub struct Recorder {
    pub address: SocketAddr,
    got: Arc<Mutex<Got>>,
}

impl Recorder {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let got = Arc::new(Mutex::new(Got::default()));
        let shared = Arc::clone(&got);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let got = Arc::clone(&shared);
                thread::spawn(move || serve(stream, &got));
            }
        });
        Self { address, got }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The whole requests that had this `X-Case`.
    pub fn of_case(&self, case: &str) -> Vec<Arrived> {
        let is_of = |arrived: &&Arrived| arrived.field("x-case") == Some(case);
        self.got.lock().unwrap().arrived.iter().filter(is_of).cloned().collect()
    }

    pub fn all(&self) -> Vec<Arrived> {
        self.got.lock().unwrap().arrived.clone()
    }

    pub fn violations(&self) -> Vec<String> {
        self.got.lock().unwrap().violations.clone()
    }
}

impl Arrived {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn target(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }
}

fn serve(mut stream: TcpStream, got: &Mutex<Got>) {
    let mut bytes = Vec::new();
    loop {
        match take(&mut bytes) {
            Ok(Some(arrived)) => {
                let is_head = arrived.line.starts_with("HEAD ");
                got.lock().unwrap().arrived.push(arrived);
                let answer = if is_head {
                    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
                } else {
                    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
                };
                if stream.write_all(answer.as_bytes()).is_err() {
                    return;
                }
                continue;
            }
            Ok(None) => {}
            Err(reason) => {
                let shown = String::from_utf8_lossy(&bytes).into_owned();
                got.lock().unwrap().violations.push(format!("{reason}: {shown:?}"));
                return;
            }
        }
        let mut part = [0; 16 * 1024];
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return, // what is incomplete was aborted by the gateway
            Ok(length) => bytes.extend_from_slice(&part[..length]),
        }
    }
}

/// Takes a whole request from the front; None if it is incomplete.
fn take(bytes: &mut Vec<u8>) -> Result<Option<Arrived>, &'static str> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap().to_owned();
    check_line(&line)?;
    let mut fields = Vec::new();
    for field in lines {
        fields.push(read_field(field)?);
    }
    let count = |name: &str| fields.iter().filter(|(known, _)| known == name).count();
    let value = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    if count("host") != 1 {
        return Err("not one Host");
    }
    if count("content-length") + count("transfer-encoding") > 1 {
        return Err("framed more than once");
    }
    let rest = &bytes[end + 4..];
    let (body, length) = match (value("content-length"), value("transfer-encoding")) {
        (Some(length), _) if length.bytes().all(|b| b.is_ascii_digit()) => {
            let length: usize = length.parse().map_err(|_| "a length past all numbers")?;
            if rest.len() < length {
                return Ok(None);
            }
            (rest[..length].to_vec(), length)
        }
        (Some(_), _) => return Err("a length that is not a number"),
        (None, Some("chunked")) => match chunks(rest)? {
            Some(taken) => taken,
            None => return Ok(None),
        },
        (None, Some(_)) => return Err("a coding that is not chunked"),
        (None, None) => (Vec::new(), 0),
    };
    bytes.drain(..end + 4 + length);
    Ok(Some(Arrived { line, fields, body }))
}

fn check_line(line: &str) -> Result<(), &'static str> {
    let words: Vec<&str> = line.split(' ').collect();
    let [method, target, "HTTP/1.1"] = words.as_slice() else { return Err("an invalid request line") };
    let is_method = !method.is_empty()
        && method.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b"-_".contains(&b));
    let is_target = (target.starts_with('/') || *target == "*")
        && target.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&b));
    if is_method && is_target { Ok(()) } else { Err("an invalid method or target") }
}

fn read_field(field: &str) -> Result<(String, String), &'static str> {
    let (name, value) = field.split_once(':').ok_or("a field without a colon")?;
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !is_name || value.chars().any(|c| c.is_control() && c != '\t') {
        return Err("an invalid field");
    }
    Ok((name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned()))
}

/// A chunked body and the bytes that it took: sizes without anything else, exact ends.
fn chunks(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, &'static str> {
    let (mut at, mut body) = (0, Vec::new());
    loop {
        let rest = &bytes[at..];
        let Some(end) = rest.windows(2).position(|two| two == b"\r\n") else {
            return if rest.len() > 20 { Err("a size line without end") } else { Ok(None) };
        };
        let size = std::str::from_utf8(&rest[..end]).map_err(|_| "a size that is not text")?;
        if size.is_empty() || !size.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err("a size that is not a number");
        }
        let size = usize::from_str_radix(size, 16).map_err(|_| "a size past all numbers")?;
        at += end + 2;
        if size == 0 {
            let rest = &bytes[at..];
            if rest.starts_with(b"\r\n") {
                return Ok(Some((body, at + 2)));
            }
            let Some(end) = rest.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
            for field in String::from_utf8_lossy(&rest[..end]).split("\r\n") {
                read_field(field)?;
            }
            return Ok(Some((body, at + end + 4)));
        }
        if bytes.len() < at + size + 2 {
            return Ok(None);
        }
        body.extend_from_slice(&bytes[at..at + size]);
        if &bytes[at + size..at + size + 2] != b"\r\n" {
            return Err("a chunk that does not end at its size");
        }
        at += size + 2;
    }
}
