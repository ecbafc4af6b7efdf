//! Host names of upstreams: resolved off the request path, again when their TTL ends, and kept while no server answers.

use crate::{
    addresses::{listed, named},
    support::{Config, Exchange, Gateway, Next, Upstream, assert_error, eventually, get},
};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The reply of the name server.
#[derive(Debug, Clone)]
enum Reply {
    /// These addresses, with a TTL in seconds.
    Addresses(Vec<Ipv4Addr>, u32),
    NoName,
    Nothing,
}

/// A name server for `api.test` alone.
struct NameServer {
    address: SocketAddr,
    reply: Arc<Mutex<Reply>>,
    asked: Arc<AtomicUsize>,
}

impl NameServer {
    fn replying(reply: Reply) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let (reply, asked) = (Arc::new(Mutex::new(reply)), Arc::<AtomicUsize>::default());
        let (current, count) = (Arc::clone(&reply), Arc::clone(&asked));
        std::thread::spawn(move || {
            let mut question = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut question) {
                count.fetch_add(1, Ordering::SeqCst);
                let reply = current.lock().unwrap().clone();
                if let Some(answer) = answer(&question[..length], &reply) {
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        Self { address, reply, asked }
    }

    fn set_reply(&self, reply: Reply) {
        *self.reply.lock().unwrap() = reply;
    }
}

fn answer(question: &[u8], reply: &Reply) -> Option<Vec<u8>> {
    let name = b"\x03api\x04test\x00";
    assert_eq!(&question[12..12 + name.len()], name, "another name was asked for");
    let is_a = question[12 + name.len()..][..2] == [0, 1];
    let (code, addresses, lives) = match reply {
        Reply::Addresses(addresses, lives) => (0, if is_a { addresses.as_slice() } else { &[] }, *lives),
        Reply::NoName => (3, &[][..], 0),
        Reply::Nothing => return None,
    };
    let mut out = [&question[..2], &[0x81, 0x80 | code, 0, 1, 0, addresses.len() as u8, 0, 0, 0, 0]].concat();
    out.extend_from_slice(&question[12..]);
    for address in addresses {
        out.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1]);
        out.extend_from_slice(&lives.to_be_bytes());
        out.extend_from_slice(&[0, 4]);
        out.extend_from_slice(&address.octets());
    }
    Some(out)
}

/// They close each connection after its response.
fn two_places_that_close() -> (Upstream, Upstream) {
    two_places_by(|exchange, name| {
        exchange.answer(200, &[("Connection", "close")], name.as_bytes());
        Next::Close
    })
}

/// Two upstreams with the same port at different addresses, so that one name can lead to either.
fn two_places() -> (Upstream, Upstream) {
    two_places_by(|exchange, name| exchange.answer(200, &[], name.as_bytes()))
}

fn two_places_by(answer: fn(&mut Exchange<'_>, &str) -> Next) -> (Upstream, Upstream) {
    let speak = |name: &'static str| move |exchange: &mut Exchange<'_>| answer(exchange, name);
    for _ in 0..50 {
        let first = Upstream::scripted(speak("first"));
        let other = SocketAddr::new(IpAddr::from([127, 0, 0, 2]), first.address.port());
        // Free now, and almost certainly still in a moment.
        if TcpListener::bind(other).is_ok() {
            return (first, Upstream::scripted_at(other, speak("second")));
        }
    }
    panic!("no port is free at both addresses");
}

fn before(server: &NameServer, port: u16, lines: &str) -> Gateway {
    let config = Config::of_url(&format!("http://api.test:{port}"));
    let servers = format!("dns_servers = [\"{}\"]", server.address);
    Gateway::start(&config.upstream(&servers).upstream(lines))
}

const FIRST: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);
const SECOND: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

#[test]
fn a_name_is_asked_for_again_when_its_time_is_over_and_kept_connections_do_not_keep_the_old_place() {
    let (first, second) = two_places();
    let server = NameServer::replying(Reply::Addresses(vec![FIRST], 1));
    let gateway = before(&server, first.address.port(), "dns_refresh_interval = \"1d\"");
    let key = gateway.key();
    let mut connection = gateway.connect();
    assert_eq!(connection.send(&get("/a").key(&key)).text(), "first");
    server.set_reply(Reply::Addresses(vec![SECOND], 86_400));
    eventually("the new address gets requests", || {
        (connection.send(&get("/a").key(&key)).text() == "second").then_some(())
    });
    let (seen, asked) = (first.count(), server.asked.load(Ordering::SeqCst));
    for _ in 0..20 {
        assert_eq!(connection.send(&get("/a").key(&key)).text(), "second");
    }
    assert_eq!(first.count(), seen);
    // The TTL is a day, and no request triggers a lookup.
    assert_eq!(server.asked.load(Ordering::SeqCst), asked);
    let places = &listed(&gateway)[0]["places"];
    assert_eq!(places.as_array().unwrap().len(), 1, "{places}");
    assert_eq!(places[0], second.address.to_string().as_str());
}

#[test]
fn while_the_name_server_is_away_the_old_place_is_asked() {
    let (first, _second) = two_places();
    let server = NameServer::replying(Reply::Addresses(vec![FIRST], 0));
    let gateway = before(&server, first.address.port(), "dns_refresh_interval = \"100ms\"");
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/a").key(&key)).text(), "first");
    for reply in [Reply::NoName, Reply::Nothing] {
        server.set_reply(reply.clone());
        let asked = server.asked.load(Ordering::SeqCst);
        eventually("it was queried again", || {
            (server.asked.load(Ordering::SeqCst) >= asked + 4).then_some(())
        });
        for _ in 0..5 {
            assert_eq!(gateway.send(&get("/a").key(&key)).text(), "first", "{reply:?}");
        }
        if matches!(reply, Reply::NoName) {
            eventually("it is logged", || {
                let error = listed(&gateway)[0]["error"].as_str().unwrap_or_default().to_owned();
                error.contains("no such name").then_some(())
            });
        }
    }
}

#[test]
fn a_name_that_leads_to_several_places_is_asked_at_each_and_a_dead_one_is_passed_over() {
    let (first, second) = two_places_that_close();
    // Nothing listens at the third.
    let all = vec![FIRST, SECOND, Ipv4Addr::new(127, 0, 0, 3)];
    let server = NameServer::replying(Reply::Addresses(all, 86_400));
    let gateway = before(&server, first.address.port(), "");
    let key = gateway.key();
    for number in 0..12 {
        let answer = gateway.send(&get("/a").key(&key));
        assert_eq!(answer.status, 200, "request {number}: {}", answer.text());
    }
    assert_eq!(first.count() + second.count(), 12);
    assert!(first.count() >= 4 && second.count() >= 4, "{} and {}", first.count(), second.count());
    assert_eq!(listed(&gateway)[0]["failures"], 0);
}

#[test]
fn a_name_that_leads_nowhere_is_a_503_that_is_free_and_found() {
    let server = NameServer::replying(Reply::NoName);
    let gateway = before(&server, 9, "");
    let key = gateway.key();
    let before = gateway.limits(&key);
    let answer = gateway.send(&get("/a").key(&key));
    assert_error(&gateway, &answer, 503, "UNAVAILABLE");
    assert!(!answer.text().contains("api.test"), "{}", answer.text());
    gateway.limits(&key).assert_charged_since(&before, 0, "errors are free");
    let incident = gateway.incident(answer.header("X-Request-Id").unwrap());
    let detail = incident["detail"].as_str().unwrap();
    assert!(detail.contains("api.test") && detail.contains("no such name"), "{detail}");
    assert_eq!(listed(&gateway)[0]["state"], "not resolved");
}

#[test]
fn the_systems_resolver_is_asked_where_no_server_is_set() {
    let upstream = named("local");
    let gateway = Gateway::start(&Config::of_url(&format!("http://localhost:{}", upstream.address.port())));
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/a").key(&key)).text(), "local");
}
