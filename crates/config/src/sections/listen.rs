//! The tables `[listen]` and `[http2]`.

use super::syntax::socket_address;
use crate::{
    fault::Fault,
    raw::{At, Section},
    registry::{
        Absent::{Default, Means},
        KIB, Shape,
    },
};
use gateway::settings::{Http2, Listen};
use std::net::SocketAddr;

rows! {
    LISTEN_ADDRESS = Listen "address", Shape::Text, Default("\"127.0.0.1:8080\""), "\"127.0.0.1:8080\"", also "port";
    "IP address and port. `0.0.0.0:8080` listens on every IPv4 address, `[::]:8080` on every address; port 0 lets the \
     system choose."

    LISTEN_THREADS = Listen "threads", Shape::Whole { least: 1, most: 1_024 }, Means("the number of cores"), "2",
    also "workers";
    "The number of data threads. The environment variable `FAIRGATE_THREADS` overrides it."

    LISTEN_PROXY_PROTOCOL = Listen "proxy_protocol", Shape::Words(&["off", "required"]), Default("\"off\""),
    "\"required\"";
    "`required`: each connection starts with a PROXY protocol header, version 1 or 2, that carries the client's address. \
     Only `trusted_proxies` can connect then."

    HTTP2_ENABLED = Http2 "enabled", Shape::Boolean, Default("true"), "false";
    "Whether clients may use HTTP/2: over TLS by ALPN, without TLS by prior knowledge."

    HTTP2_MAX_CONCURRENT_STREAMS = Http2 "max_concurrent_streams", Shape::Whole { least: 1, most: 10_000 }, Default("100"), "100",
    also "streams";
    "The number of requests that a client may have open at once on one connection. Further streams are refused, and \
     clients may retry them."

    HTTP2_INITIAL_STREAM_WINDOW_SIZE = Http2 "initial_stream_window_size", Shape::Size { least: 64 * KIB, most: 16 * KIB * KIB },
    Default("\"64KiB\""), "\"1MiB\"", also "window", "initial_window_size";
    "How many bytes of one request body a client may send before Fairgate has consumed them. The window of a connection \
     is 16 times as large. At least 64 KiB, at most 16 MiB."
}

/// The variable that wins over `[listen] threads`.
const THREADS_VARIABLE: &str = "FAIRGATE_THREADS";
const MAX_THREADS: usize = 1_024;

/// The table `[listen]`. The address is returned separately, because the upstream is checked against it.
pub(super) fn listen(
    section: &Section<'_>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> (Option<Listen>, Option<At<SocketAddr>>) {
    let address = section.text(&LISTEN_ADDRESS).and_then(|address| {
        let span = address.span.clone();
        section.keep(address, socket_address).map(|value| At { value, span })
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
