//! Charges are exact, whatever the upstream does, and no more are admitted than may be.

use crate::{
    config,
    server::{Bytes, Server, head},
    support::{Gateway, get},
};

/// One in three answers is an error, one breaks off, one is a success, by the path's number.
fn mixed() -> Server {
    Server::scripted(|mut asked| async move {
        let number: usize = asked.path().trim_start_matches('/').parse().unwrap();
        match number % 5 {
            0 => asked.answer(500, &[], b"no"),
            1 => asked.respond.send_reset(h2::Reason::INTERNAL_ERROR),
            2 => {
                let mut stream = asked.respond.send_response(head(200, &[]), false).unwrap();
                stream.send_data(Bytes::from_static(b"half"), false).unwrap();
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                stream.send_reset(h2::Reason::CANCEL);
            }
            _ => asked.answer(200, &[], b"whole"),
        }
    })
}

#[test]
fn what_was_charged_is_what_clients_have_received_whole() {
    let server = mixed();
    let gateway = Gateway::start(&config(&server.url()).upstream("consecutive_failures = \"off\""));
    let key = gateway.key();
    let before = gateway.limits(&key);
    let asking: Vec<_> = (0..8)
        .map(|client| {
            let (address, key) = (gateway.address, key.clone());
            std::thread::spawn(move || {
                let mut whole = 0;
                for number in 0..100 {
                    let mut connection = crate::support::Connection::open(address);
                    let answer = connection.send(&get(&format!("/{}", client * 100 + number)).key(&key));
                    whole += u64::from(answer.status == 200 && answer.cut.is_none());
                }
                whole
            })
        })
        .collect();
    let whole: u64 = asking.into_iter().map(|one| one.join().unwrap()).sum();
    assert_eq!(whole, 320);
    gateway.limits(&key).assert_charged_since(&before, whole, "what arrived whole");
}

#[test]
fn no_more_are_admitted_than_remain() {
    let server = Server::scripted(|mut asked| async move { asked.answer(200, &[], b"whole") });
    let gateway = Gateway::start(&config(&server.url()).plan("free", &["25 per day"]));
    let key = gateway.key();
    let asking: Vec<_> = (0..10)
        .map(|_| {
            let (mut connection, key) = (gateway.connect(), key.clone());
            std::thread::spawn(move || {
                (0..10).filter(|_| connection.send(&get("/a").key(&key)).status == 200).count()
            })
        })
        .collect();
    assert_eq!(asking.into_iter().map(|one| one.join().unwrap()).sum::<usize>(), 25);
    assert_eq!(server.count(), 25);
}
