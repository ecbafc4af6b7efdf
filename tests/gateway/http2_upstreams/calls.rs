//! HTTP/2 on both sides, with the crate `h2` at both ends: streams both ways at once, trailers, gRPC.

use crate::{
    gateway,
    server::{Asked, Bytes, Server, head},
    support::{Gateway, Key},
};
use h2::{RecvStream, SendStream, client::SendRequest};
use hyper::http::{HeaderMap, Request, Response};
use std::{
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// An upstream that echoes each message as it arrives, and sends its status at the end.
fn echoing() -> Server {
    counting(Arc::default())
}

/// The same; `taken_back` counts the calls that were cancelled while silent.
fn counting(taken_back: Arc<AtomicUsize>) -> Server {
    Server::scripted(move |asked: Asked| answer(asked, Arc::clone(&taken_back)))
}

async fn answer(mut asked: Asked, taken_back: Arc<AtomicUsize>) {
    let kind = [("content-type", "application/grpc")];
    match asked.path() {
        "/shop.Items/Fails" => {
            let failed = [kind[0], ("grpc-status", "5"), ("grpc-message", "nothing here")];
            asked.answer(200, &failed, b"");
            return;
        }
        "/shop.Items/FailsLate" | "/shop.Items/Echo" | "/shop.Items/Silent" => {}
        _ => return asked.answer(404, &[], b""),
    }
    let status = if asked.path() == "/shop.Items/FailsLate" { "13" } else { "0" };
    let mut stream = asked.respond.send_response(head(200, &kind), false).unwrap();
    let body = asked.request.body_mut();
    while let Some(Ok(data)) = body.data().await {
        let _ = body.flow_control().release_capacity(data.len());
        if stream.send_data(data, false).is_err() {
            return;
        }
    }
    if asked.request.uri().path() == "/shop.Items/Silent" {
        // Until the client cancels.
        let reset = std::future::poll_fn(|cx| stream.poll_reset(cx)).await;
        taken_back
            .fetch_add(usize::from(reset.is_ok_and(|code| code == h2::Reason::CANCEL)), Ordering::SeqCst);
        return;
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", status.parse().unwrap());
    let _ = stream.send_trailers(trailers);
}

/// Runs a client to its end.
fn with_client<F: Future<Output = ()>>(gateway: &Gateway, act: impl FnOnce(SendRequest<Bytes>) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let socket = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
        let (client, connection) = h2::client::handshake(socket).await.unwrap();
        tokio::spawn(connection);
        tokio::time::timeout(Duration::from_secs(60), act(client))
            .await
            .expect("the client is served in time");
    });
}

async fn call(
    client: &mut SendRequest<Bytes>,
    path: &str,
    key: &Key,
) -> (h2::client::ResponseFuture, SendStream<Bytes>) {
    *client = client.clone().ready().await.unwrap();
    let asked = Request::builder()
        .method("POST")
        .uri(format!("http://api.example.com{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("x-api-key", &key.key)
        .body(())
        .unwrap();
    client.send_request(asked, false).unwrap()
}

async fn read(answer: &mut RecvStream, length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < length {
        let data = answer.data().await.expect("more of the answer").unwrap();
        let _ = answer.flow_control().release_capacity(data.len());
        bytes.extend_from_slice(&data);
    }
    bytes
}

async fn end(answer: &mut RecvStream) -> Option<String> {
    while let Some(data) = answer.data().await {
        let _ = answer.flow_control().release_capacity(data.ok()?.len());
    }
    let trailers = answer.trailers().await.ok()??;
    Some(trailers.get("grpc-status")?.to_str().unwrap().to_owned())
}

#[test]
fn a_call_speaks_both_ways_at_once_and_is_charged_at_its_end() {
    let server = echoing();
    let gateway = gateway(&server);
    let key = gateway.key();
    let before = gateway.limits(&key);
    with_client(&gateway, |mut client| {
        let key = key.clone();
        async move {
            let (answer, mut sending) = call(&mut client, "/shop.Items/Echo", &key).await;
            // The head arrives before a byte of the request's body was sent.
            let mut answer = answer.await.unwrap().into_body();
            for number in 0..50u8 {
                let message = vec![number; 1000];
                sending.send_data(Bytes::from(message.clone()), false).unwrap();
                assert_eq!(
                    read(&mut answer, 1000).await,
                    message,
                    "each message comes back before the next is sent"
                );
            }
            sending.send_data(Bytes::new(), true).unwrap();
            assert_eq!(end(&mut answer).await.as_deref(), Some("0"));
        }
    });
    gateway.limits(&key).assert_charged_since(&before, 1, "one call");
    let seen = server.last();
    assert_eq!(
        (seen.header("te"), seen.header("content-type")),
        (Some("trailers"), Some("application/grpc"))
    );
    assert_eq!(seen.header("via"), Some("2.0 fairgate"));
}

#[test]
fn calls_that_fail_are_free_and_pass_unchanged() {
    let server = echoing();
    let gateway = gateway(&server);
    let key = gateway.key();
    let before = gateway.limits(&key);
    with_client(&gateway, |mut client| {
        let key = key.clone();
        async move {
            let (answer, mut sending) = call(&mut client, "/shop.Items/Fails", &key).await;
            sending.send_data(Bytes::new(), true).unwrap();
            let answer: Response<RecvStream> = answer.await.unwrap();
            assert_eq!(answer.headers().get("grpc-status").unwrap(), "5");
            assert_eq!(answer.headers().get("grpc-message").unwrap(), "nothing here");
            let (answer, mut sending) = call(&mut client, "/shop.Items/FailsLate", &key).await;
            sending.send_data(Bytes::from_static(b"message"), true).unwrap();
            assert_eq!(end(answer.await.unwrap().body_mut()).await.as_deref(), Some("13"));
            let (answer, mut sending) = call(&mut client, "/shop.Items/Missing", &key).await;
            sending.send_data(Bytes::new(), true).unwrap();
            assert_eq!(answer.await.unwrap().headers().get("grpc-status").unwrap(), "5");
        }
    });
    gateway.limits(&key).assert_charged_since(&before, 0, "calls that fail");
}

#[test]
fn a_call_that_is_answered_by_another_protocol_is_internal_and_free_and_an_incident() {
    let server = Server::scripted(|mut asked: Asked| async move {
        match asked.path() {
            "/shop.Items/Html" => asked.answer(200, &[("content-type", "text/html")], b"<p>Hello</p>"),
            "/shop.Items/Created" => asked.answer(201, &[("content-type", "application/grpc")], b""),
            "/shop.Items/Elsewhere" => asked.answer(302, &[("location", "/a")], b""),
            "/shop.Items/Untyped" => asked.answer(200, &[("grpc-status", "0")], b""),
            _ => asked.answer(200, &[("content-type", "application/json")], b"{\"id\": 7}"),
        }
    });
    let gateway = gateway(&server);
    let key = gateway.key();
    let before = gateway.limits(&key);
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let ids = Arc::clone(&asked);
    with_client(&gateway, |mut client| {
        let key = key.clone();
        async move {
            for name in ["Json", "Html", "Created", "Elsewhere", "Untyped"] {
                let (answer, mut sending) = call(&mut client, &format!("/shop.Items/{name}"), &key).await;
                sending.send_data(Bytes::from_static(b"message"), true).unwrap();
                let answer = answer.await.unwrap();
                let header = |name| answer.headers().get(name).map(|value| value.to_str().unwrap());
                assert_eq!((answer.status().as_u16(), header("grpc-status")), (200, Some("13")), "{name}");
                assert_eq!(
                    (header("x-error-code"), header("location")),
                    (Some("UNEXPECTED_ERROR"), None),
                    "{name}"
                );
                ids.lock().unwrap().push(header("x-request-id").unwrap().to_owned());
            }
        }
    });
    gateway.limits(&key).assert_charged_since(&before, 0, "calls answered by another protocol");
    let ids = asked.lock().unwrap();
    assert_eq!(ids.len(), 5);
    for id in ids.iter() {
        let incident = gateway.incident(id);
        assert_eq!(incident["cause"], "the upstream's response does not use the protocol of the call");
    }
}

#[test]
fn many_calls_at_once_keep_their_messages_apart() {
    let server = echoing();
    let gateway = gateway(&server);
    let key = gateway.key();
    let before = gateway.limits(&key);
    with_client(&gateway, |mut client| {
        let key = key.clone();
        async move {
            let mut running = Vec::new();
            for number in 0..60u8 {
                let (answer, mut sending) = call(&mut client, "/shop.Items/Echo", &key).await;
                running.push(tokio::spawn(async move {
                    let mut answer = answer.await.unwrap().into_body();
                    for round in 0..20usize {
                        let message = vec![number; 1 + round * 997];
                        sending.reserve_capacity(message.len());
                        send_all(&mut sending, &message).await;
                        assert_eq!(read(&mut answer, message.len()).await, message);
                    }
                    sending.send_data(Bytes::new(), true).unwrap();
                    assert_eq!(end(&mut answer).await.as_deref(), Some("0"));
                }));
            }
            for one in running {
                one.await.unwrap();
            }
        }
    });
    gateway.limits(&key).assert_charged_since(&before, 60, "sixty calls");
    assert!(server.connections() <= 2, "one connection for each data thread: {}", server.connections());
}

/// Sends as the window opens.
async fn send_all(sending: &mut SendStream<Bytes>, message: &[u8]) {
    let mut rest = message;
    while !rest.is_empty() {
        sending.reserve_capacity(rest.len());
        let room = std::future::poll_fn(|cx| sending.poll_capacity(cx)).await.unwrap().unwrap();
        let (now, later) = rest.split_at(room.min(rest.len()));
        sending.send_data(Bytes::copy_from_slice(now), false).unwrap();
        rest = later;
    }
}

#[test]
fn a_client_that_cancels_a_call_is_charged_and_its_upstream_is_notified() {
    let taken_back = Arc::new(AtomicUsize::new(0));
    let server = counting(Arc::clone(&taken_back));
    let gateway = gateway(&server);
    let key = gateway.key();
    let before = gateway.limits(&key);
    with_client(&gateway, |mut client| {
        let (key, taken_back) = (key.clone(), Arc::clone(&taken_back));
        async move {
            // Once with a request that has ended, once with one that is still open.
            for (times, has_ended) in [(1, true), (2, false)] {
                let (answer, mut sending) = call(&mut client, "/shop.Items/Silent", &key).await;
                sending.send_data(Bytes::from_static(b"message"), has_ended).unwrap();
                let mut answer = answer.await.unwrap().into_body();
                assert_eq!(read(&mut answer, 7).await, b"message");
                sending.send_reset(h2::Reason::CANCEL);
                drop(answer);
                if has_ended {
                    while taken_back.load(Ordering::SeqCst) < times {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                }
            }
            // The connection continues.
            let (answer, mut sending) = call(&mut client, "/shop.Items/Echo", &key).await;
            sending.send_data(Bytes::new(), true).unwrap();
            assert_eq!(end(answer.await.unwrap().body_mut()).await.as_deref(), Some("0"));
        }
    });
    gateway.limits(&key).assert_charged_since(
        &before,
        3,
        "two successes that were hung up on, and another one",
    );
}
