//! Bytes as what a client and a server of HTTP/2 say: judged without panic, alike however they are cut, within bounds.
#![no_main]

use fuzz::guarded;
use http2::{Config, Connection, ErrorCode, Event, PREFACE, Request, Role, check_trailers};
use libfuzzer_sys::fuzz_target;

const MAX_LIST_SIZE: u32 = 4096;

fuzz_target!(|input: &[u8]| guarded(input, || check(input)));

fn check(input: &[u8]) {
    let [cut, role, bytes @ ..] = input else { return };
    let role = if role % 2 == 0 { Role::Server } else { Role::Client };
    let piece = usize::from(*cut).max(1);
    let whole = run(role, bytes, bytes.len().max(1), false);
    assert_eq!(whole, run(role, bytes, piece, false), "a cut makes a difference");
    // What is used opens windows, so that more may come: where it is cut then matters.
    run(role, bytes, piece, true);
}

/// All that a connection makes of bytes that come in pieces of this length.
fn run(role: Role, bytes: &[u8], piece: usize, uses: bool) -> (Vec<Event>, Vec<u8>, Option<ErrorCode>) {
    let mut connection = Connection::new(Config {
        role,
        max_concurrent_streams: 4,
        window: 65_535,
        connection_window: 65_535,
        max_header_list_size: MAX_LIST_SIZE,
    });
    let (mut events, mut written, mut pending) = (Vec::new(), Vec::new(), Vec::new());
    match role {
        // What every connection begins with need not be found out again and again.
        Role::Server => {
            connection.receive(PREFACE, 0);
            connection.receive(&[0, 0, 0, 4, 0, 0, 0, 0, 0], 0);
        }
        Role::Client => {
            let fields = [(&b":method"[..], &b"GET"[..])];
            connection.open(fields, true, false);
            connection.open(fields, false, true);
        }
    }
    for piece in bytes.chunks(piece) {
        pending.extend_from_slice(piece);
        let used = connection.receive(&pending, 0);
        pending.drain(..used);
        assert!(pending.len() < 16_384 + 9, "a frame is waited for that is too large");
        while let Some(event) = connection.next_event() {
            judge(&mut connection, &event, uses);
            events.push(event);
        }
        written.extend_from_slice(connection.output());
        connection.take_output(usize::MAX);
    }
    assert!(connection.streams() <= 6, "more streams than may be");
    (events, written, connection.failed())
}

/// Reads what came, as a gateway does, and answers every other request at once, before its body.
fn judge(connection: &mut Connection, event: &Event, uses: bool) {
    match event {
        Event::Head { stream, fields, malformed, .. } => {
            let size: usize = fields.iter().map(|(name, value)| name.len() + value.len() + 32).sum();
            assert!(size <= MAX_LIST_SIZE as usize, "a list that is too large is kept");
            if malformed.is_none() {
                let is_clean = |bytes: &[u8]| !bytes.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n'));
                assert!(fields.iter().all(|(name, value)| is_clean(name) && is_clean(value)));
                if let Ok(request) = Request::of(fields) {
                    assert!(!request.path.unwrap_or_default().contains(&b' '));
                }
            }
            if uses && stream % 4 == 1 {
                connection.send_head(*stream, [(&b":status"[..], &b"200"[..])], false);
                connection.send_data(*stream, &[b'x'; 20_000], true);
                connection.release(*stream);
            }
        }
        Event::Readable(stream) => {
            let length = connection.readable(*stream).len();
            assert!(length <= 65_535, "more than the window");
            if uses {
                connection.consume(*stream, length / 2);
            }
            if let Some(trailers) = connection.take_trailers(*stream) {
                assert_eq!(check_trailers(&trailers), Ok(()));
            }
        }
        Event::Writable(_) | Event::Broken { .. } | Event::Reset { .. } | Event::GoAway { .. } => {}
    }
}
