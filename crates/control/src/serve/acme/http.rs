//! How requests of ACME are sent: each on a connection of its own, by the same TLS as everything else.

use bytes::Bytes;
use gateway::tls::{self, Client};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, Response, Uri,
    header::{HOST, HeaderValue, RETRY_AFTER},
};
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};
use tokio::{net::TcpStream, time::timeout};

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// No answer of ACME is larger.
const LARGEST: usize = 1 << 20;

/// What the authority's last `Retry-After` on a 429 or 503 asked for. The library has no place for it.
#[derive(Clone, Default)]
pub(super) struct RetryAfter(Arc<Mutex<Option<Duration>>>);

/// Sends requests. The client has been told whom to trust.
pub(super) struct Http {
    pub(super) client: Client,
    pub(super) retry_after: RetryAfter,
}

impl HttpClient for Http {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let (client, retry_after) = (self.client.clone(), self.retry_after.clone());
        Box::pin(async move {
            let sent = timeout(PATIENCE, send(client, request)).await;
            let sent = sent.unwrap_or_else(|_| Err("no answer came in time".to_owned()));
            if let Ok(answer) = &sent
                && matches!(answer.status().as_u16(), 429 | 503)
            {
                retry_after.note(answer.headers().get(RETRY_AFTER));
            }
            sent.map(BytesResponse::from).map_err(|error| Error::Other(io::Error::other(error).into()))
        })
    }
}

async fn send(client: Client, request: Request<BodyWrapper<Bytes>>) -> Result<Response<Full<Bytes>>, String> {
    let (mut parts, body) = request.into_parts();
    if parts.uri.scheme_str() != Some("https") {
        return Err(format!("`{}` is no https URL", parts.uri));
    }
    let authority = parts.uri.authority().ok_or("a URL without a host")?.clone();
    let (host, port) = (authority.host(), authority.port_u16().unwrap_or(443));
    let told = |what: &str, error: &dyn std::fmt::Display| format!("{what} {authority}: {error}");
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let socket = TcpStream::connect((name, port)).await.map_err(|error| told("no connection to", &error))?;
    let client = client.named(name).map_err(|error| told("no TLS with", &error))?;
    let stream = tls::connect(socket, &client, false).await.map_err(|error| told("no TLS with", &error))?;

    let host = HeaderValue::from_str(authority.as_str()).map_err(|error| error.to_string())?;
    parts.headers.insert(HOST, host);
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    parts.uri = target.parse::<Uri>().map_err(|error| error.to_string())?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| told("no HTTP with", &error))?;
    let moving = tokio::spawn(connection);
    let answer = sender.send_request(Request::from_parts(parts, body)).await;
    let answer = answer.map_err(|error| told("no answer from", &error))?;
    let (parts, body) = answer.into_parts();
    let body =
        Limited::new(body, LARGEST).collect().await.map_err(|error| told("half an answer from", &error))?;
    moving.abort();
    Ok(Response::from_parts(parts, Full::new(body.to_bytes())))
}

// === impl RetryAfter ===

impl RetryAfter {
    pub(super) fn get(&self) -> Option<Duration> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, value: Option<&HeaderValue>) {
        let asked = value.and_then(|value| value.to_str().ok()).and_then(parse);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = asked;
    }
}

/// Seconds, or a date.
fn parse(value: &str) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?;
    SystemTime::from(date.timestamp()).duration_since(SystemTime::now()).ok()
}
