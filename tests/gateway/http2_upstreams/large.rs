//! Bodies of any size in constant memory, and one that is read slowly keeps no other one waiting.

use crate::{
    config,
    server::{Asked, Bytes, Server, head},
    support::{Answer, Gateway, get, request},
};
use std::io::{Read, Write};

/// Bytes that pass: much more than the process may grow by.
const LARGE: usize = 256 << 20;
const GROWTH: u64 = 24 << 20;
const PIECE: usize = 64 << 10;

async fn send_large(asked: &mut Asked, length: usize) {
    let declared = length.to_string();
    let mut stream = asked.respond.send_response(head(200, &[("content-length", &declared)]), false).unwrap();
    let piece = Bytes::from(vec![b'x'; PIECE]);
    let mut left = length;
    while left > 0 {
        stream.reserve_capacity(PIECE.min(left));
        let Some(Ok(room)) = std::future::poll_fn(|cx| stream.poll_capacity(cx)).await else { return };
        let count = room.min(left).min(PIECE);
        left -= count;
        if stream.send_data(piece.slice(..count), left == 0).is_err() {
            return;
        }
    }
}

async fn count(asked: &mut Asked) -> usize {
    let body = asked.request.body_mut();
    let mut count = 0;
    while let Some(Ok(data)) = body.data().await {
        count += data.len();
        let _ = body.flow_control().release_capacity(data.len());
    }
    count
}

fn server() -> Server {
    Server::scripted(|mut asked: Asked| async move {
        match asked.path() {
            "/download" => send_large(&mut asked, LARGE).await,
            "/upload" => {
                let count = count(&mut asked).await;
                asked.answer(200, &[], count.to_string().as_bytes());
            }
            _ => asked.answer(200, &[], b"small"),
        }
    })
}

fn start(server: &Server) -> Gateway {
    let one = "address = \"127.0.0.1:0\"\nthreads = 1";
    Gateway::start(&config(&server.url()).listen(one).section("[sizes]\nmax_body_size = \"1GiB\""))
}

#[test]
fn a_large_download_and_a_large_upload_pass_in_constant_memory() {
    let server = server();
    let gateway = start(&server);
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/small").key(&key)).status, 200);
    let before = gateway.resident();
    let mut connection = gateway.connect();
    let head = request("PUT", "/upload").key(&key).header("Content-Length", &LARGE.to_string());
    connection.write(&head.head());
    let piece = vec![b'x'; PIECE];
    for _ in 0..LARGE / PIECE {
        connection.wire.stream.write_all(&piece).unwrap();
    }
    let answer = connection.answer_to("PUT");
    assert_eq!((answer.status, answer.text()), (200, LARGE.to_string()));
    connection.write(&get("/download").key(&key).bytes());
    assert_eq!(Answer::read_head(&mut connection.wire).unwrap().status, 200);
    let mut left = LARGE - connection.wire.ahead().len();
    let mut piece = vec![0; PIECE];
    while left > 0 {
        let count = connection.wire.stream.read(&mut piece).unwrap();
        assert!(count > 0, "{left} bytes are missing");
        left -= count;
    }
    let grown = gateway.resident().saturating_sub(before);
    assert!(grown < GROWTH, "grown by {} MiB", grown >> 20);
}

#[test]
fn downloads_that_nobody_reads_hold_little_and_keep_no_other_request_waiting() {
    let server = server();
    let gateway = start(&server);
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/small").key(&key)).status, 200);
    let before = gateway.resident();
    let stuck: Vec<_> = (0..40)
        .map(|_| {
            let mut connection = gateway.connect();
            connection.write(&get("/download").key(&key).bytes());
            assert_eq!(Answer::read_head(&mut connection.wire).unwrap().status, 200);
            connection
        })
        .collect();
    for _ in 0..200 {
        assert_eq!(gateway.send(&get("/small").key(&key)).text(), "small");
    }
    assert_eq!(server.connections(), 1, "they share a connection");
    let grown = gateway.resident().saturating_sub(before);
    assert!(grown < GROWTH, "grown by {} MiB", grown >> 20);
    drop(stuck);
}
