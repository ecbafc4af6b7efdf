//! A proxy before the authority: it records requests, and adds what a version of Pebble may lack or
//! cannot be made to send.

use crate::support::{
    AUTHORITY, Connection, Next, Upstream, exchange::Exchange, request::request, wire::Wire,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rustls::{ServerConfig, ServerConnection};
use serde_json::{Value, json};
use std::{
    net::TcpStream,
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

/// What the proxy adds.
#[derive(Default, Clone)]
pub(super) struct Script {
    /// The renewal window, in seconds from now, and `Retry-After`. None: the authority has no renewal information.
    pub(super) window: Option<(i64, i64, u64)>,
    pub(super) profiles: Vec<&'static str>,
    /// The responses to the next orders in place of the authority's: status, type of the problem, `Retry-After`.
    pub(super) refusals: Vec<(u16, &'static str, Option<u64>)>,
}

pub(super) struct Front {
    upstream: Upstream,
    noted: Arc<Noted>,
}

#[derive(Default)]
struct Noted {
    script: Mutex<Script>,
    orders: Mutex<Vec<Value>>,
    accounts: Mutex<usize>,
    windows: Mutex<Vec<String>>,
}

impl Front {
    pub(super) fn start(pebble: u16, script: Script) -> Self {
        let noted = Arc::new(Noted { script: Mutex::new(script), ..Noted::default() });
        let own = AUTHORITY.issue(&["localhost"]);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(own.chain(), own.private()).unwrap();
        let (config, seen) = (Arc::new(config), Arc::clone(&noted));
        let upstream = Upstream::scripted_over(
            move |stream: TcpStream| {
                Wire::new(stream).under_tls(ServerConnection::new(Arc::clone(&config)).unwrap())
            },
            move |exchange| serve(exchange, pebble, &seen),
        );
        Self { upstream, noted }
    }

    pub(super) fn port(&self) -> u16 {
        self.upstream.address.port()
    }

    /// The payloads of new orders, refused ones as well.
    pub(super) fn orders(&self) -> Vec<Value> {
        self.noted.orders.lock().unwrap().clone()
    }

    /// How many accounts were requested.
    pub(super) fn accounts(&self) -> usize {
        *self.noted.accounts.lock().unwrap()
    }

    /// The certificates whose renewal windows were requested.
    pub(super) fn windows(&self) -> Vec<String> {
        self.noted.windows.lock().unwrap().clone()
    }

    pub(super) fn refuse(&self, status: u16, kind: &'static str, retry_after: Option<u64>) {
        self.noted.script.lock().unwrap().refusals.push((status, kind, retry_after));
    }
}

fn serve(exchange: &mut Exchange<'_>, pebble: u16, noted: &Noted) -> Next {
    let body = exchange.read_body().unwrap_or_default();
    let target = exchange.target().to_owned();
    let script = noted.script.lock().unwrap().clone();
    let payload = payload(&body);
    if let Some(id) = target.strip_prefix("/renewal-info/") {
        noted.windows.lock().unwrap().push(id.to_owned());
        let (start, end, after) = script.window.unwrap();
        let window = json!({ "suggestedWindow": { "start": from_now(start), "end": from_now(end) },
            "explanationURL": "https://ca.example.com/why" });
        let fields = [("Content-Type", "application/json"), ("Retry-After", &after.to_string())];
        return exchange.answer(200, &fields, window.to_string().as_bytes());
    }
    match target.as_str() {
        "/order-plz" => {
            noted.orders.lock().unwrap().push(payload.clone());
            let refusal = noted.script.lock().unwrap().refusals.pop();
            if let Some((status, kind, after)) = refusal {
                let problem = json!({ "type": format!("urn:ietf:params:acme:error:{kind}"), "status": status,
                    "detail": "not this time" });
                let after = after.map(|seconds| seconds.to_string());
                let mut fields = vec![("Content-Type", "application/problem+json")];
                fields.extend(after.as_deref().map(|after| ("Retry-After", after)));
                return exchange.answer(status, &fields, problem.to_string().as_bytes());
            }
        }
        "/sign-me-up" => *noted.accounts.lock().unwrap() += 1,
        _ => {}
    }
    let (status, fields, mut answer) = asked(exchange, pebble, &body);
    if target == "/dir" {
        let mut directory: Value = serde_json::from_slice(&answer).unwrap();
        directory.as_object_mut().unwrap().remove("renewalInfo");
        if script.window.is_some() {
            let host = exchange.seen.headers.get("host").unwrap();
            directory["renewalInfo"] = format!("https://{host}/renewal-info").into();
        }
        if !script.profiles.is_empty() {
            let profiles = script.profiles.iter().map(|&name| (name.to_owned(), json!("for tests")));
            directory["meta"]["profiles"] = Value::Object(profiles.collect());
        }
        answer = directory.to_string().into_bytes();
    }
    // RFC 9773, 5: a server that accepts `replaces` returns it.
    if target == "/order-plz" && payload.get("replaces").is_some() {
        let mut order: Value = serde_json::from_slice(&answer).unwrap();
        order["replaces"] = payload["replaces"].clone();
        answer = order.to_string().into_bytes();
    }
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    exchange.answer(status, &fields, &answer)
}

/// Forwards the request to Pebble.
fn asked(exchange: &Exchange<'_>, pebble: u16, body: &[u8]) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let address = ([127, 0, 0, 1], pebble).into();
    let mut connection = Connection::try_open_tls(address, AUTHORITY.client(None), "localhost").unwrap();
    let headers = &exchange.seen.headers;
    let mut passed = request(&exchange.seen.method, exchange.target());
    for name in ["Host", "User-Agent"] {
        if let Some(value) = headers.get(name) {
            passed = passed.replace(name, value);
        }
    }
    if let Some(media_type) = headers.get("Content-Type") {
        passed = passed.body(media_type, body);
    }
    let answer = connection.send(&passed);
    let framing = |name: &str| {
        ["content-length", "transfer-encoding", "connection", "date"]
            .iter()
            .any(|own| name.eq_ignore_ascii_case(own))
    };
    let fields = answer.headers.0.into_iter().filter(|(name, _)| !framing(name)).collect();
    (answer.status, fields, answer.body)
}

/// The payload of a signed message.
fn payload(body: &[u8]) -> Value {
    let signed: Value = serde_json::from_slice(body).unwrap_or_default();
    let payload = signed["payload"].as_str().unwrap_or_default();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap_or_default()
}

fn from_now(seconds: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    jiff::Timestamp::from_second(i64::try_from(now).unwrap() + seconds).unwrap().to_string()
}
