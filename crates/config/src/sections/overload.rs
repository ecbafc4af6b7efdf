//! The tables `[overload]` and `[abuse]`.

use crate::{
    raw::Section,
    registry::{Absent::Default, KIB, MIB, Shape, TIB},
};
use gateway::settings::{Abuse, Endpoint, Overload, Sizes};

rows! {
    OVERLOAD_MAX_CONNECTIONS = Overload "max_connections", Shape::Whole { least: 1, most: 1_000_000 }, Default("50000"), "50000",
    also "connections";
    "Open client connections. Fewer if the system's limit on file descriptors is lower: each connection needs two. At the \
     limit, the connections that have been idle longest are closed; if none has been idle for a second, the new one is \
     answered 503 `UNAVAILABLE`."

    OVERLOAD_MAX_CONNECTIONS_PER_ADDRESS = Overload "max_connections_per_address", Shape::CountOrOff, Default("\"off\""), "1000",
    also "connections_per_address", "connections_per_ip";
    "Open connections of one address (IPv6: of one /64). Exceeded: new ones are answered 503 `UNAVAILABLE`. `trusted_proxies` \
     are exempt. `off` by default, because many clients may share an address."

    OVERLOAD_MAX_REQUESTS = Overload "max_requests", Shape::Whole { least: 1, most: 1_000_000 }, Default("10000"), "10000",
    also "requests", "in_flight";
    "Requests in flight, of all clients together. Exceeded: 503 `UNAVAILABLE`."

    OVERLOAD_MAX_LAG = Overload "max_lag", Shape::Duration { least: 10, most: 60_000 }, Default("\"1s\""), "\"500ms\"", also "lag";
    "How far a data thread may fall behind its timers. While it is further behind, new requests are answered 503 \
     `UNAVAILABLE` before any work is done for them. At least 10 ms, at most 1 minute."

    OVERLOAD_MIN_BODY_RATE = Overload "min_body_rate", Shape::Size { least: 0, most: KIB * KIB }, Default("\"100B\""), "\"1KiB\"",
    also "body_rate";
    "The lowest rate of a request body, in bytes per second, over any span longer than `[timeouts] body`; earlier bursts do \
     not count beyond that span. Time in which the upstream accepts no data is excluded. A slower body is 400 \
     `REQUEST_TIMEOUT`. 0: any rate."

    OVERLOAD_MAX_BUFFERED_BYTES = Overload "max_buffered_bytes", Shape::Size { least: MIB, most: TIB }, Default("\"256MiB\""),
    "\"256MiB\"", also "buffered_bytes";
    "Memory for bodies that are buffered for validation, of all requests together. Exceeded: 503 `UNAVAILABLE` with \
     `Retry-After`. At least the largest body that is validated; the first 16 KiB of each body are not counted."

    ABUSE_PER_KEY = Abuse "errors_per_key", Shape::CountOrOff, Default("6000"), "6000";
    "Errors per minute and key."

    ABUSE_PER_ADDRESS = Abuse "errors_per_address", Shape::CountOrOff, Default("30000"), "30000", also "errors_per_ip";
    "Errors per minute and address (IPv6: per /64)."
}

pub(super) fn overload(section: &Section<'_>) -> Option<Overload> {
    let connections = section.whole(&OVERLOAD_MAX_CONNECTIONS);
    let per_address = section.count_or_off(&OVERLOAD_MAX_CONNECTIONS_PER_ADDRESS);
    let requests = section.whole(&OVERLOAD_MAX_REQUESTS);
    let lag = section.duration(&OVERLOAD_MAX_LAG);
    let body_rate = section.size(&OVERLOAD_MIN_BODY_RATE);
    let buffered = section.size(&OVERLOAD_MAX_BUFFERED_BYTES);
    Some(Overload {
        connections: usize::try_from(connections?.value).ok()?,
        connections_per_address: per_address?.value,
        requests: usize::try_from(requests?.value).ok()?,
        lag: Some(lag?.value),
        body_rate: body_rate?.value,
        buffered_bytes: usize::try_from(buffered?.value).ok()?,
    })
}

/// Warns of bodies that are checked and could never be buffered.
pub(super) fn warn_of_bodies(
    top: &Section<'_>,
    overload: Option<&Overload>,
    sizes: Option<&Sizes>,
    endpoints: &[Endpoint],
) {
    let (Some(overload), Some(sizes)) = (overload, sizes) else { return };
    let checked = endpoints.iter().filter(|endpoint| endpoint.takes.checks_body);
    let largest = checked.map(|endpoint| endpoint.max_body.unwrap_or(sizes.body)).max().unwrap_or_default();
    if usize::try_from(largest).map_or(true, |largest| largest > overload.buffered_bytes) {
        top.reader.warn(format!(
            "`[overload] max_buffered_bytes` allows {} bytes, but a body that is validated may have {largest}: a larger one is always answered 503",
            overload.buffered_bytes
        ));
    }
}

pub(super) fn abuse(section: &Section<'_>) -> Option<Abuse> {
    let (key, address) = (section.count_or_off(&ABUSE_PER_KEY), section.count_or_off(&ABUSE_PER_ADDRESS));
    Some(Abuse { errors_per_key: key?.value, errors_per_address: address?.value })
}
