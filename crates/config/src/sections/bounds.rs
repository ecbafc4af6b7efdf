//! The tables `[timeouts]` and `[sizes]`.

use crate::{
    raw::Section,
    registry::{
        Absent::{Default, Means},
        DAY, KIB, Shape, TIB,
    },
};
use gateway::settings::{ClientTimeouts, Sizes, Timeouts};

rows! {
    TIMEOUT_HEADER = Timeouts "header", Shape::Duration { least: 1, most: DAY }, Default("\"10s\""), "\"10s\"", also "head";
    "From the first byte of a request to the end of its header section. Exceeded: 400 `REQUEST_TIMEOUT`."

    TIMEOUT_BODY = Timeouts "body", Shape::Duration { least: 1, most: DAY }, Default("\"30s\""), "\"30s\"";
    "Between two reads of a request body. Exceeded: 400 `REQUEST_TIMEOUT`."

    TIMEOUT_KEEP_ALIVE = Timeouts "keep_alive", Shape::Duration { least: 1, most: DAY }, Default("\"75s\""), "\"75s\"",
    also "idle";
    "How long a connection may stay open without a request."

    TIMEOUT_CONNECT = Timeouts "connect", Shape::Duration { least: 1, most: DAY }, Default("\"5s\""), "\"5s\"";
    "How long opening a connection to the upstream may take."

    TIMEOUT_FIRST_BYTE = Timeouts "first_byte", Shape::Duration { least: 1, most: DAY }, Default("\"30s\""), "\"30s\"",
    also "response";
    "From the request to the first byte of the upstream's response. Exceeded: 500."

    TIMEOUT_STALL = Timeouts "stall", Shape::Duration { least: 1, most: DAY }, Default("\"30s\""), "\"30s\"";
    "Between two reads of the upstream's response, and between two writes to either side."

    TIMEOUT_TOTAL = Timeouts "total", Shape::Duration { least: 1, most: DAY }, Means("no timeout"), "\"1m\"", also "request";
    "From the end of a request, including its body, to the end of its response; if the response starts earlier, from its \
     start. Exceeded: 500, or the response is cut off if it has started; both are free. An event stream or a gRPC call that \
     is cut off was delivered, and is charged."

    TIMEOUT_STREAM_IDLE = Timeouts "stream_idle", Shape::Duration { least: 1, most: DAY }, Default("\"1h\""), "\"1h\"",
    also "stream", "tunnel";
    "How long a WebSocket or another upgraded connection may be silent in both directions, and how long an event stream \
     (`text/event-stream`) or a gRPC stream from the upstream may be silent."

    TIMEOUT_DRAIN = Timeouts "drain", Shape::Duration { least: 0, most: DAY }, Default("\"30s\""), "\"30s\"",
    also "shutdown";
    "How long responses in flight may take after SIGTERM."

    MAX_HEADER_SIZE = Sizes "max_header_size", Shape::Size { least: KIB, most: KIB * KIB }, Default("\"32KiB\""), "\"32KiB\"",
    also "head", "headers";
    "The largest header section of a request, including the request line. Exceeded: 400 `HEADERS_TOO_LARGE`. At least 1 KiB, \
     at most 1 MiB."

    MAX_BODY_SIZE = Sizes "max_body_size", Shape::Size { least: 0, most: TIB }, Default("\"10MiB\""), "\"10MiB\"",
    also "body", "max_body";
    "The largest request body. Exceeded: 400 `BODY_TOO_LARGE`. An endpoint may set its own with `max_body_size`."

    MAX_BODY_VALUES = Sizes "max_body_values", Shape::Whole { least: 1, most: 100_000_000 }, Default("1000000"), "1000000",
    also "body_values";
    "The number of values in a body that is validated: in JSON every value, including properties and items; in a form its \
     pairs. Exceeded: 400 `BODY_TOO_LARGE`. Each value takes about 50 to 300 bytes of memory during validation."
}

/// The timeouts of client connections, and those of services that set none of their own.
pub(super) fn timeouts(section: &Section<'_>) -> Option<(ClientTimeouts, Timeouts)> {
    let head = section.duration(&TIMEOUT_HEADER);
    let body = section.duration(&TIMEOUT_BODY);
    let keep_alive = section.duration(&TIMEOUT_KEEP_ALIVE);
    let connect = section.duration(&TIMEOUT_CONNECT);
    let first_byte = section.duration(&TIMEOUT_FIRST_BYTE);
    let stall = section.duration(&TIMEOUT_STALL);
    let total = section.duration(&TIMEOUT_TOTAL);
    let stream = section.duration(&TIMEOUT_STREAM_IDLE);
    let drain = section.duration(&TIMEOUT_DRAIN);
    let stall = stall?.value;
    let of_clients = ClientTimeouts {
        head: head?.value,
        body: body?.value,
        keep_alive: keep_alive?.value,
        stall,
        drain: drain?.value,
    };
    let of_upstreams = Timeouts {
        connect: connect?.value,
        first_byte: first_byte?.value,
        stall,
        total: total.map(|total| total.value),
        stream: stream?.value,
    };
    Some((of_clients, of_upstreams))
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
