//! RFC 9113 section 3: how HTTP/2 begins.

use crate::{
    gateway,
    peer::{ACK, DATA, HEADERS, PING, PREFACE, PROTOCOL_ERROR, Peer, SETTINGS, plain},
    support::{
        AUTHORITY, Config, Connection, Gateway, Upstream, assert_error, client::session, get, request::HOST,
        sample::sample, wire::Wire,
    },
};
use std::net::TcpStream;

#[test]
fn s3_3_the_preface_is_recognised_beside_http_1_on_the_same_address_however_it_arrives() {
    let (_upstream, gateway) = gateway();
    let key = gateway.key();
    for piece in [1, 5, 24] {
        let mut peer = Peer::silent(gateway.address);
        for part in PREFACE.chunks(piece) {
            peer.write(part);
        }
        peer.settings(&[]);
        let greeting = peer.next().unwrap();
        assert_eq!((greeting.kind, greeting.flags, greeting.stream), (SETTINGS, 0, 0));
        assert_eq!(peer.get(1, "/items/7", &key).status, 200);
        assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
    }
}

#[test]
fn s3_4_a_request_may_come_with_the_preface() {
    let (_upstream, gateway) = gateway();
    let mut peer = Peer::silent(gateway.address);
    let settings = crate::peer::frame(SETTINGS, 0, 0, &[]);
    let ask = crate::peer::frame(HEADERS, 5, 1, &plain());
    peer.write(&[PREFACE, &settings, &ask].concat());
    assert_eq!(peer.answer(1).status, 403);
}

#[test]
fn s3_4_another_preface_is_answered_by_our_400() {
    let (_upstream, gateway) = gateway();
    for bytes in [&b"INVALID CONNECTION PREFACE\r\n\r\n"[..], b"PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n"] {
        let answer = gateway.send_bytes(bytes);
        assert_error(&gateway, &answer, 400, "REQUEST_MALFORMED");
    }
    // The second half of the preface is not HTTP/1.1 any more.
    let mut peer = Peer::silent(gateway.address);
    peer.write(b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n");
    assert_eq!(peer.goaway(), Some(PROTOCOL_ERROR));
    assert!(peer.next().is_none());
}

#[test]
fn s3_4_the_first_frame_has_to_be_settings() {
    let (_upstream, gateway) = gateway();
    for (kind, flags, stream, payload) in
        [(PING, 0, 0, vec![0; 8]), (HEADERS, 5, 1, plain()), (DATA, 0, 0, vec![]), (SETTINGS, ACK, 0, vec![])]
    {
        let mut peer = Peer::silent(gateway.address);
        peer.write(PREFACE);
        peer.send(kind, flags, stream, &payload);
        assert_eq!(peer.goaway(), Some(PROTOCOL_ERROR), "{kind}");
        assert!(peer.next().is_none());
    }
}

#[test]
fn http_2_can_be_turned_off_and_is_then_refused_by_our_400() {
    let upstream = Upstream::scripted(sample);
    let gateway = Gateway::start(&Config::of(&upstream).section("[http2]\nenabled = false"));
    let answer = gateway.send_bytes(PREFACE);
    assert_error(&gateway, &answer, 400, "REQUEST_MALFORMED");
}

#[test]
fn s3_4_what_alpn_has_chosen_holds_whatever_the_first_bytes_look_like() {
    let upstream = Upstream::scripted(sample);
    let gateway = Gateway::start(&Config::of(&upstream).over_tls());
    let key = gateway.key();
    let request = get("/items/7").key(&key).bytes();
    for bytes in [
        request.as_slice(),
        b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
        b"INVALID CONNECTION PREFACE\r\n\r\n",
        b"\0\0\0\x04\0\0\0\0\0",
    ] {
        let mut peer = Peer::silent_over_tls(gateway.address);
        peer.write(bytes);
        assert_eq!(peer.goaway(), Some(PROTOCOL_ERROR), "{bytes:?}");
        assert!(peer.next().is_none());
    }
    assert_eq!((upstream.count(), gateway.used(&key)), (0, 0));
    // However the preface itself arrives, it is accepted.
    let mut peer = Peer::silent_over_tls(gateway.address);
    for byte in PREFACE {
        peer.write(&[*byte]);
    }
    peer.settings(&[]);
    assert_eq!(peer.get(1, "/items/7", &key).status, 200);
}

#[test]
fn s3_4_where_alpn_has_chosen_http_1_1_the_preface_is_a_malformed_request() {
    let upstream = Upstream::scripted(sample);
    let gateway = Gateway::start(&Config::of(&upstream).over_tls());
    let connect = |protocols: &[&[u8]]| {
        let mut client = AUTHORITY.client(None);
        client.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let socket = TcpStream::connect(gateway.address).unwrap();
        let mut wire = Wire::new(socket).under_tls(session(client, HOST));
        wire.shake_hands().unwrap();
        wire
    };
    let mut connection = Connection { wire: connect(&[b"http/1.1"]) };
    connection.write(PREFACE);
    assert_error(&gateway, &connection.answer(), 400, "REQUEST_MALFORMED");
    // Without ALPN nothing was chosen, and a client may know beforehand (RFC 9113 section 3.3).
    let mut peer = Peer::on(connect(&[]));
    peer.write(PREFACE);
    peer.settings(&[]);
    assert_eq!(peer.next().unwrap().kind, SETTINGS);
}
