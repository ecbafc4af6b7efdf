//! Responses of every protocol, in pieces of every size.

use super::*;
use base64_of::text;
use flate2::{Compression, write::GzEncoder};
use http1::response::ResponseHead;
use proptest::prelude::*;

mod base64_of {
    use ::base64::{Engine, engine::general_purpose::STANDARD};

    /// Each piece in base64, with its own padding.
    pub(super) fn text(pieces: &[&[u8]]) -> Vec<u8> {
        pieces.iter().map(|piece| STANDARD.encode(piece)).collect::<String>().into_bytes()
    }
}

/// Protocol, fields, body, trailers; the expected error.
type Case = (Protocol, &'static str, Vec<u8>, &'static str, Option<ErrorCode>);

fn frame(flags: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    [&[flags][..], &length, bytes].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn judge(protocol: Protocol, fields: &str) -> Judge {
    let head = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
    let answer = ResponseHead::read(head.as_bytes(), false, Vec::new()).unwrap().unwrap();
    Judge::new(protocol, &answer, head.as_bytes())
}

/// The result for a response whose body arrives in pieces of this size.
fn judged(
    (protocol, fields, body, trailers): (Protocol, &str, &[u8], &str),
    piece: usize,
) -> Option<ErrorCode> {
    let mut judge = judge(protocol, fields);
    for piece in body.chunks(piece.max(1)) {
        judge.read(piece);
    }
    judge.finish(trailers.as_bytes())
}

#[test]
fn the_status_is_read_wherever_grpc_web_puts_it_and_however_it_is_split() {
    use Protocol::{ConnectStream, Grpc, GrpcWeb, GrpcWebText};
    let message = frame(0, b"\x80\0\0\0\x05hello");
    let with = |end: Vec<u8>| [message.clone(), end].concat();
    let (good, bad) = (with(frame(0x80, b"grpc-status:0\r\n")), with(frame(0x80, b"Grpc-Status: 5\r\n")));
    let compressed = |end: &[u8]| with(frame(0x81, &gzip(end)));
    let bomb = gzip(&[b'a'; 70_000]);
    let unexpected = Some(ErrorCode::UnexpectedError);
    let not_found = Some(ErrorCode::ResourceNotFound);
    let json = |end: &[u8]| with(frame(2, end));
    let cases: Vec<Case> = vec![
        (Grpc, "", message.clone(), "grpc-status: 0\r\n", None),
        (Grpc, "", message.clone(), "", unexpected),
        (Grpc, "grpc-status: 0\r\n", message.clone(), "grpc-status: 5\r\n", not_found),
        (Grpc, "grpc-status: 0\r\n", vec![], "", None),
        (Grpc, "grpc-status: 0\r\ngrpc-status: 0\r\n", vec![], "", unexpected),
        (GrpcWeb, "grpc-status: 5\r\n", vec![], "", not_found),
        (GrpcWeb, "", message.clone(), "grpc-status: 5\r\n", not_found),
        (GrpcWeb, "", message.clone(), "grpc-status: 0\r\n", None),
        (GrpcWeb, "", message.clone(), "", unexpected),
        (GrpcWeb, "", vec![], "", unexpected),
        (GrpcWeb, "", good.clone(), "", None),
        (GrpcWeb, "", bad.clone(), "", not_found),
        (GrpcWeb, "grpc-status: 0\r\n", bad.clone(), "", not_found),
        (GrpcWeb, "", good.clone(), "grpc-status: 5\r\n", not_found),
        (GrpcWeb, "", [&good[..], b"\0"].concat(), "", unexpected),
        (GrpcWeb, "", [&good[..], &bad].concat(), "", unexpected),
        (GrpcWeb, "", good[..good.len() - 1].to_vec(), "", unexpected),
        (GrpcWeb, "", with(frame(0x80, b"grpc-status:0\r\ngrpc-status:0\r\n")), "", unexpected),
        (GrpcWeb, "", with(frame(0x80, b"grpc-status:zero\r\n")), "", unexpected),
        (GrpcWeb, "", with(frame(0x80, b"")), "", unexpected),
        (GrpcWeb, "", with(vec![0x80, 0xff, 0xff, 0xff, 0xff, b'g']), "", unexpected),
        (GrpcWeb, "grpc-encoding: gzip\r\n", compressed(b"grpc-status:0\r\n"), "", None),
        (GrpcWeb, "grpc-encoding: gzip\r\n", compressed(b"grpc-status:5\r\n"), "", not_found),
        (GrpcWeb, "", compressed(b"grpc-status:0\r\n"), "", unexpected),
        (GrpcWeb, "grpc-encoding: br\r\n", compressed(b"grpc-status:0\r\n"), "", unexpected),
        (GrpcWeb, "grpc-encoding: gzip\r\n", with(frame(0x81, b"no gzip")), "", unexpected),
        (GrpcWeb, "grpc-encoding: gzip\r\n", with(frame(0x81, &bomb)), "", unexpected),
        (GrpcWeb, "content-encoding: gzip\r\n", gzip(&good), "", None),
        (GrpcWeb, "content-encoding: gzip\r\n", gzip(&bad), "", not_found),
        (GrpcWeb, "content-encoding: gzip\r\n", good.clone(), "", unexpected),
        (GrpcWeb, "content-encoding: br\r\n", good.clone(), "", unexpected),
        (GrpcWebText, "", text(&[&good]), "", None),
        (GrpcWebText, "", text(&[&message, &good[message.len()..]]), "", None),
        (GrpcWebText, "", text(&[&message, &bad[message.len()..]]), "", not_found),
        (GrpcWebText, "content-encoding: gzip\r\n", gzip(&text(&[&good])), "", None),
        (GrpcWebText, "", good.clone(), "", unexpected),
        (GrpcWebText, "", [&text(&[&good])[..], b"!"].concat(), "", unexpected),
        (ConnectStream, "", json(b"{}"), "", None),
        (ConnectStream, "", json(br#"{"metadata":{"a":["b"]}}"#), "", None),
        (ConnectStream, "", json(br#"{"error":{"code":"not_found"}}"#), "", not_found),
        (ConnectStream, "", json(br#"{"error":{}}"#), "", unexpected),
        (ConnectStream, "", json(b""), "", unexpected),
        (ConnectStream, "", json(b"no JSON"), "", unexpected),
        (ConnectStream, "", message.clone(), "", unexpected),
        (ConnectStream, "connect-content-encoding: gzip\r\n", with(frame(3, &gzip(b"{}"))), "", None),
    ];
    for (protocol, fields, body, trailers, error) in &cases {
        for piece in [1, 2, 3, 5, 7, 64, 1 << 20] {
            let found = judged((*protocol, fields, body, trailers), piece);
            assert_eq!(found, *error, "{protocol:?} {fields:?} {body:?} {trailers:?} by {piece}");
        }
    }
}

#[test]
fn an_error_is_known_as_soon_as_its_frame_has_come() {
    let mut judge = judge(Protocol::GrpcWeb, "");
    judge.read(&frame(0, b"hello"));
    assert_eq!(judge.error(), None);
    judge.read(&frame(0x80, b"grpc-status: 5\r\n"));
    assert_eq!(judge.error(), Some(ErrorCode::ResourceNotFound));
}

#[test]
fn a_protocol_is_known_by_its_media_type() {
    for (media_type, protocol) in [
        ("application/grpc", Some(Protocol::Grpc)),
        ("application/grpc+proto", Some(Protocol::Grpc)),
        ("application/grpc-web", Some(Protocol::GrpcWeb)),
        ("Application/gRPC-Web+json; charset=utf-8", Some(Protocol::GrpcWeb)),
        ("application/grpc-web-text+proto", Some(Protocol::GrpcWebText)),
        ("application/connect+proto", Some(Protocol::ConnectStream)),
        ("application/connect", None),
        ("application/json", None),
        ("application/grpcx", None),
        ("text/html", None),
        ("", None),
    ] {
        assert_eq!(Protocol::of(media_type.as_bytes()), protocol, "{media_type}");
    }
}

#[test]
fn a_client_understands_its_own_protocol_alone() {
    use Protocol::{ConnectStream, Grpc, GrpcWeb, GrpcWebText};
    for (call, understood) in [
        (Grpc, &[Grpc][..]),
        (GrpcWeb, &[Grpc, GrpcWeb, GrpcWebText]),
        (GrpcWebText, &[Grpc, GrpcWeb, GrpcWebText]),
        (ConnectStream, &[ConnectStream]),
    ] {
        for answer in [Grpc, GrpcWeb, GrpcWebText, ConnectStream] {
            assert_eq!(call.understands(Some(answer)), understood.contains(&answer), "{call:?} {answer:?}");
        }
        assert!(!call.understands(None));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_judged_without_panic_and_alike_however_they_are_split(
        body in prop::collection::vec(prop_oneof![Just(0u8), Just(0x80), Just(1), any::<u8>()], 0..200),
        piece in 1usize..50,
    ) {
        for protocol in [Protocol::GrpcWeb, Protocol::GrpcWebText, Protocol::ConnectStream] {
            for fields in ["", "grpc-encoding: gzip\r\n", "content-encoding: gzip\r\n"] {
                let whole = judged((protocol, fields, &body, ""), body.len());
                prop_assert_eq!(judged((protocol, fields, &body, ""), piece), whole);
            }
        }
    }
}
