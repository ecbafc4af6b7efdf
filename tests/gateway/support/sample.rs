//! The sample upstream: a well-behaved API with a path for every kind of response.

use super::{
    exchange::{Exchange, Next},
    upstream::Upstream,
};

impl Upstream {
    /// `/status/409` answers that status with a JSON message, `/bytes/9` nine bytes with a length,
    /// `/chunked/9` in chunks, `/html/404` a page, `/slow` waits for nothing but is named so in logs;
    /// every other path returns in JSON what arrived.
    pub(crate) fn sample() -> Self {
        Self::scripted(sample)
    }
}

/// How the sample upstream handles a request; scripts fall back on it.
pub(crate) fn sample(exchange: &mut Exchange<'_>) -> Next {
    let target = exchange.target().to_owned();
    let path = target.split('?').next().unwrap_or_default();
    let mut parts = path.trim_matches('/').split('/');
    let kind = parts.next().unwrap_or_default();
    let number = parts.next().and_then(|text| text.parse::<usize>().ok());
    match (kind, number) {
        ("status", Some(status)) => {
            let body = format!("{{\"message\":\"The sample returns {status}.\"}}");
            exchange.json(u16::try_from(status).unwrap(), &body)
        }
        ("html", Some(status)) => {
            let page = b"<html><body><h1>Traceback at /srv/app/main.py on db-7.internal</h1></body></html>";
            let status = u16::try_from(status).unwrap();
            exchange.answer(status, &[("Content-Type", "text/html")], page)
        }
        ("bytes", Some(length)) => {
            let body = pattern(length);
            exchange.answer(200, &[("Content-Type", "application/octet-stream")], &body)
        }
        ("chunked", Some(length)) => chunked(exchange, length),
        _ => echo(exchange),
    }
}

/// Bytes that repeat with a prime period, so that a piece that is lost or doubled is seen.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

fn chunked(exchange: &mut Exchange<'_>, length: usize) -> Next {
    exchange.read_body();
    let mut bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in pattern(length).chunks(1000) {
        bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    exchange.send_raw(&bytes, Next::Keep)
}

fn echo(exchange: &mut Exchange<'_>) -> Next {
    let length = exchange.read_body().map(|body| body.len());
    let seen = &exchange.seen;
    let body = serde_json::json!({
        "method": seen.method,
        "target": seen.target,
        "length": length,
    });
    exchange.json(200, &body.to_string())
}
