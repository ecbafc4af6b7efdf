//! The tables about the gateway itself: api, listen, timeouts, sizes, store, usage, keys, abuse, log.

use super::{
    pattern,
    syntax::{check_email, check_header_name, check_prefix, check_public_url},
    top::twice,
};
use crate::{
    OnDiskFull, StoreSettings, UsageSettings,
    fault::Fault,
    raw::{At, Refusal, Section},
    registry::{
        ABUSE_PER_ADDRESS, ABUSE_PER_KEY, ADMIN_ADDRESS, API_NAME, API_PUBLIC_URL, API_RESERVED_PREFIX,
        API_SUPPORT_EMAIL, HTTP2_ENABLED, HTTP2_INITIAL_STREAM_WINDOW_SIZE, HTTP2_MAX_CONCURRENT_STREAMS,
        KEYS_CHALLENGE, KEYS_HEADERS, KEYS_PATTERN, Key, LISTEN_ADDRESS, LISTEN_PROXY_PROTOCOL,
        LISTEN_THREADS, LOG_FORMAT, LOG_REQUESTS, MAX_BODY_SIZE, MAX_BODY_VALUES, MAX_HEADER_SIZE,
        STORE_DURABLE, STORE_FLUSH_INTERVAL, STORE_ON_DISK_FULL, STORE_PATH, STORE_SHARED_MEMORY,
        TIMEOUT_BODY, TIMEOUT_CONNECT, TIMEOUT_DRAIN, TIMEOUT_FIRST_BYTE, TIMEOUT_HEADER, TIMEOUT_KEEP_ALIVE,
        TIMEOUT_STALL, TIMEOUT_STREAM_IDLE, TIMEOUT_TOTAL, USAGE_DAY_RETENTION, USAGE_ENABLED,
        USAGE_FLUSH_INTERVAL, USAGE_HOUR_RETENTION, USAGE_MINUTE_RETENTION, VALIDATION_FORMATS,
        VALIDATION_READ_ONLY, VALIDATION_UNKNOWN_QUERY,
    },
};
use gateway::settings::{
    Abuse, Api, Challenge, Http2, Keys, Listen, Log, LogFormat, LogRequests, Sizes, Timeouts,
};
use openapi::rules::{Formats, ReadOnly, Strictness, UnknownQuery};
use std::{net::SocketAddr, ops::Range, path::Path};
use usage::Retention;

/// The variable that wins over `[listen] threads`.
const THREADS_VARIABLE: &str = "FAIRGATE_THREADS";
const MAX_THREADS: usize = 1_024;

/// The reserved prefix, and where it stands if the file sets it.
#[derive(Debug)]
pub(super) struct Prefix {
    pub(super) text: String,
    pub(super) place: Option<Range<usize>>,
}

/// The table `[api]`. The prefix is told apart, because paths are checked against it whatever else is wrong.
///
/// `title` is that of the document, which stands in for a name.
pub(super) fn api(section: &Section<'_>, title: Option<&str>) -> (Option<Api>, Option<Prefix>) {
    if title.is_none() {
        section.need(&API_NAME);
    }
    let title = title.filter(|_| !section.has(&API_NAME)).map(shown);
    let name = section.text(&API_NAME).and_then(|name| {
        keep(section, name, |name| {
            let is_good =
                !name.trim().is_empty() && name.chars().count() <= 200 && !name.contains(char::is_control);
            is_good.then(|| name.trim().to_owned()).ok_or_else(|| {
                Refusal::new(
                    "invalid API name",
                    "expected 1 to 200 characters on one line",
                    "write the name that the API's users know",
                )
            })
        })
    });
    let name = name.or(title);
    let email = section.text(&API_SUPPORT_EMAIL).and_then(|email| keep(section, email, check_email));
    if !section.has(&API_SUPPORT_EMAIL) {
        section.reader.warn(
            "`[api] support_email` is not set, so a 500 response includes no contact address".to_owned(),
        );
    }
    let url = section.text(&API_PUBLIC_URL).and_then(|url| keep(section, url, check_public_url));
    let prefix = section.text(&API_RESERVED_PREFIX).and_then(|prefix| {
        let place = section.has(&API_RESERVED_PREFIX).then(|| prefix.span.clone());
        keep(section, prefix, check_prefix).map(|text| Prefix { text, place })
    });
    let reserved_prefix = prefix.as_ref().map(|prefix| prefix.text.clone());
    let api = name.zip(reserved_prefix).map(|(name, reserved_prefix)| Api {
        name,
        support_email: email,
        public_url: url,
        reserved_prefix,
    });
    (api, prefix)
}

/// A document's title as a name: in one line, and not too long for a page.
fn shown(title: &str) -> String {
    let line: Vec<&str> = title.split_whitespace().collect();
    let name: String = line.join(" ").chars().filter(|c| !c.is_control()).take(200).collect();
    if name.is_empty() { "API".to_owned() } else { name }
}

/// Keeps what `check` makes of a value, or notes the fault.
pub(super) fn keep<T>(
    section: &Section<'_>,
    text: At<String>,
    check: impl Fn(&str) -> Result<T, Refusal>,
) -> Option<T> {
    match check(&text.value) {
        Ok(value) => Some(value),
        Err(refusal) => {
            section.reader.fault(refusal.into_fault(text.span));
            None
        }
    }
}

/// The table `[listen]`. The address is told apart, because the upstream is checked against it.
pub(super) fn listen(
    section: &Section<'_>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> (Option<Listen>, Option<At<SocketAddr>>) {
    let address = section.text(&LISTEN_ADDRESS).and_then(|address| {
        let span = address.span.clone();
        keep(section, address, socket_address).map(|value| At { value, span })
    });
    let in_file = section.whole(&LISTEN_THREADS).and_then(|threads| usize::try_from(threads.value).ok());
    let threads = match environment(THREADS_VARIABLE) {
        Some(text) => match text.trim().parse() {
            Ok(threads @ 1..=MAX_THREADS) => Some(threads),
            Ok(_) | Err(_) => {
                section.reader.fault(
                    Fault::nowhere(format!("the environment variable {THREADS_VARIABLE} is `{text}`"))
                        .help(format!("set it to a whole number from 1 to {MAX_THREADS}, or unset it")),
                );
                None
            }
        },
        None => in_file
            .or_else(|| Some(std::thread::available_parallelism().map_or(1, Into::into).min(MAX_THREADS))),
    };
    let proxy_protocol = section.word(&LISTEN_PROXY_PROTOCOL, &[("off", false), ("required", true)]);
    let listen = address.as_ref().zip(threads).zip(proxy_protocol).map(|((address, threads), required)| {
        Listen { address: address.value, threads, proxy_protocol: required.value }
    });
    (listen, address)
}

/// The address of `[admin]`, if there is one. None: a fault was noted.
pub(super) fn admin(section: &Section<'_>) -> Option<Option<SocketAddr>> {
    if !section.has(&ADMIN_ADDRESS) {
        let _ = section.text(&ADMIN_ADDRESS);
        return Some(None);
    }
    let address = section.text(&ADMIN_ADDRESS)?;
    keep(section, address, socket_address).map(Some)
}

pub(super) fn socket_address(text: &str) -> Result<SocketAddr, Refusal> {
    text.parse().map_err(|_| {
        let digits = text.trim_start_matches(':');
        let is_port = digits.parse::<u16>().is_ok();
        let guess = match text.split_once(':') {
            _ if is_port => Some(format!("0.0.0.0:{digits}")),
            Some(("localhost", port)) if port.parse::<u16>().is_ok() => Some(format!("127.0.0.1:{port}")),
            Some(("*", port)) if port.parse::<u16>().is_ok() => Some(format!("0.0.0.0:{port}")),
            _ if text == "localhost" => Some("127.0.0.1:8080".to_owned()),
            _ => text.parse().ok().map(|address| SocketAddr::new(address, 8080).to_string()),
        };
        let help = guess.map_or_else(
            || "write an IP address and a port: address = \"127.0.0.1:8080\"".to_owned(),
            |guess| format!("did you mean address = \"{guess}\"?"),
        );
        Refusal::new(
            format!("`{text}` is not an address to listen on"),
            "expected an IP address and a port",
            help,
        )
    })
}

pub(super) fn http2(section: &Section<'_>) -> Option<Http2> {
    let enabled = section.boolean(&HTTP2_ENABLED);
    let (streams, window) =
        (section.whole(&HTTP2_MAX_CONCURRENT_STREAMS), section.size(&HTTP2_INITIAL_STREAM_WINDOW_SIZE));
    Some(Http2 {
        enabled: enabled?.value,
        streams: u32::try_from(streams?.value).ok()?,
        window: u32::try_from(window?.value).ok()?,
    })
}

pub(super) fn timeouts(section: &Section<'_>) -> Option<Timeouts> {
    let head = section.duration(&TIMEOUT_HEADER);
    let body = section.duration(&TIMEOUT_BODY);
    let keep_alive = section.duration(&TIMEOUT_KEEP_ALIVE);
    let connect = section.duration(&TIMEOUT_CONNECT);
    let first_byte = section.duration(&TIMEOUT_FIRST_BYTE);
    let stall = section.duration(&TIMEOUT_STALL);
    let total = section.duration(&TIMEOUT_TOTAL);
    let stream = section.duration(&TIMEOUT_STREAM_IDLE);
    let drain = section.duration(&TIMEOUT_DRAIN);
    Some(Timeouts {
        head: head?.value,
        body: body?.value,
        keep_alive: keep_alive?.value,
        connect: connect?.value,
        first_byte: first_byte?.value,
        stall: stall?.value,
        total: total.map(|total| total.value),
        stream: stream?.value,
        drain: drain?.value,
    })
}

pub(super) fn sizes(section: &Section<'_>) -> Option<Sizes> {
    let (head, body) = (section.size(&MAX_HEADER_SIZE), section.size(&MAX_BODY_SIZE));
    let values = section.whole(&MAX_BODY_VALUES);
    Some(Sizes {
        head: usize::try_from(head?.value).ok()?,
        body: body?.value,
        body_values: usize::try_from(values?.value).ok()?,
    })
}

pub(super) fn store(
    section: &Section<'_>,
    folder: &Path,
    usage: Option<UsageSettings>,
) -> Option<StoreSettings> {
    let folder_of = |key: &Key| {
        let named = section.text(key)?;
        keep(section, named, |path| {
            let is_good = !path.trim().is_empty() && !path.contains('\0');
            is_good.then(|| folder.join(path)).ok_or_else(|| {
                Refusal::new(
                    format!("`{}` is not a folder", key.name),
                    "expected the path of a folder",
                    format!("write it like this: {} = {}", key.name, key.example),
                )
            })
        })
    };
    let (path, shared_memory) = (folder_of(&STORE_PATH), folder_of(&STORE_SHARED_MEMORY));
    let flush_interval = section.duration(&STORE_FLUSH_INTERVAL);
    let meaning = [("continue", OnDiskFull::Continue), ("reject", OnDiskFull::Reject)];
    let on_disk_full = section.word(&STORE_ON_DISK_FULL, &meaning);
    let durable = section.boolean(&STORE_DURABLE);
    Some(StoreSettings {
        path: path?,
        flush_interval: flush_interval?.value,
        shared_memory: shared_memory?,
        on_disk_full: on_disk_full?.value,
        durable: durable?.value,
        usage: usage?,
    })
}

pub(super) fn usage(section: &Section<'_>) -> Option<UsageSettings> {
    let enabled = section.boolean(&USAGE_ENABLED);
    let flush_interval = section.duration(&USAGE_FLUSH_INTERVAL);
    let minutes = section.duration(&USAGE_MINUTE_RETENTION);
    let hours = section.duration(&USAGE_HOUR_RETENTION);
    let days = section.duration(&USAGE_DAY_RETENTION);
    let keep = Retention {
        minutes: minutes?.value.as_secs(),
        hours: hours?.value.as_secs(),
        days: days?.value.as_secs(),
    };
    Some(UsageSettings { enabled: enabled?.value, flush_interval: flush_interval?.value, keep })
}

///
/// `of_document` are the headers that the document's own schemes name; they stand in if the file names none.
pub(super) fn keys(section: &Section<'_>, of_document: &[String]) -> Option<Keys> {
    let mut headers: Vec<At<String>> = Vec::new();
    for name in section.texts(&KEYS_HEADERS) {
        let span = name.span.clone();
        let Some(name) = keep(section, name, key_header) else { continue };
        match headers.iter().find(|known| known.value == name) {
            Some(known) => section.reader.fault(twice("header", &name, &span, &known.span)),
            None => headers.push(At { value: name, span }),
        }
    }
    let pattern = pattern::whole(section, &KEYS_PATTERN);
    let mut headers: Vec<String> = headers.into_iter().map(|name| name.value).collect();
    if !section.has(&KEYS_HEADERS) && !of_document.is_empty() {
        let (named, unfit): (Vec<_>, Vec<_>) = of_document.iter().partition(|name| key_header(name).is_ok());
        for name in unfit {
            section.reader.warn(format!(
                "the document uses the header `{name}` for keys, which Fairgate does not read as a whole; \
                 keys are read from `Authorization` as Bearer or Basic, and from `[keys] headers`"
            ));
        }
        if !named.is_empty() {
            headers = named.into_iter().map(|name| name.to_ascii_lowercase()).collect();
        }
    }
    let words = [("bearer", Challenge::Bearer), ("basic", Challenge::Basic)];
    let challenge = section.word(&KEYS_CHALLENGE, &words)?.value;
    Some(Keys { headers, pattern, challenge })
}

/// The name of a header that may hold a key: none that already means something to HTTP.
fn key_header(name: &str) -> Result<String, Refusal> {
    let name = check_header_name(name)?;
    match name.as_str() {
        "authorization" => Err(Refusal::new(
            "`Authorization` is always read",
            "not needed here",
            "remove it from the list: Authorization with Bearer and Basic is read after the others",
        )),
        "host" | "connection" | "content-length" | "content-type" | "transfer-encoding" | "te"
        | "trailer" | "upgrade" | "expect" | "accept" | "cookie" | "x-consumer-id" | "x-request-id"
        | "forwarded" | "x-forwarded-for" => Err(Refusal::new(
            format!("`{name}` cannot hold a key"),
            "this header has a meaning of its own",
            "use a header of your own, such as \"X-API-Key\"",
        )),
        _ => Ok(name),
    }
}

pub(super) fn abuse(section: &Section<'_>) -> Option<Abuse> {
    let (key, address) = (section.count_or_off(&ABUSE_PER_KEY), section.count_or_off(&ABUSE_PER_ADDRESS));
    Some(Abuse { errors_per_key: key?.value, errors_per_address: address?.value })
}

/// How strict the validation of requests is.
pub(super) fn validation(section: &Section<'_>) -> Option<Strictness> {
    let unknown_query = section.word(
        &VALIDATION_UNKNOWN_QUERY,
        &[("ignore", UnknownQuery::Ignored), ("reject", UnknownQuery::Refused)],
    );
    let read_only =
        section.word(&VALIDATION_READ_ONLY, &[("ignore", ReadOnly::Ignored), ("reject", ReadOnly::Refused)]);
    let formats =
        section.word(&VALIDATION_FORMATS, &[("strict", Formats::Strict), ("lenient", Formats::Lenient)]);
    Some(Strictness {
        unknown_query: unknown_query?.value,
        read_only: read_only?.value,
        formats: formats?.value,
    })
}

pub(super) fn log(section: &Section<'_>) -> Option<Log> {
    let requests = section.word(
        &LOG_REQUESTS,
        &[("all", LogRequests::All), ("errors", LogRequests::Errors), ("none", LogRequests::None)],
    );
    let format = section.word(
        &LOG_FORMAT,
        &[("auto", LogFormat::Auto), ("json", LogFormat::Json), ("text", LogFormat::Text)],
    );
    Some(Log { requests: requests?.value, format: format?.value })
}
