//! Host names of upstreams: resolved beside the requests, anew when their time is over, and kept while nobody answers.

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

/// What the name server says.
#[derive(Debug, Clone)]
enum Say {
    /// These addresses, for so many seconds.
    Addresses(Vec<Ipv4Addr>, u32),
    NoName,
    Nothing,
}

/// A name server for `api.test` alone.
struct NameServer {
    address: SocketAddr,
    say: Arc<Mutex<Say>>,
    asked: Arc<AtomicUsize>,
}

impl NameServer {
    fn saying(say: Say) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let (say, asked) = (Arc::new(Mutex::new(say)), Arc::<AtomicUsize>::default());
        let (told, count) = (Arc::clone(&say), Arc::clone(&asked));
        std::thread::spawn(move || {
            let mut question = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut question) {
                count.fetch_add(1, Ordering::SeqCst);
                let say = told.lock().unwrap().clone();
                if let Some(answer) = answer(&question[..length], &say) {
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        Self { address, say, asked }
    }

    fn say(&self, say: Say) {
        *self.say.lock().unwrap() = say;
    }
}

fn answer(question: &[u8], say: &Say) -> Option<Vec<u8>> {
    let name = b"\x03api\x04test\x00";
    assert_eq!(&question[12..12 + name.len()], name, "another name was asked for");
    let is_a = question[12 + name.len()..][..2] == [0, 1];
    let (code, addresses, lives) = match say {
        Say::Addresses(addresses, lives) => (0, if is_a { addresses.as_slice() } else { &[] }, *lives),
        Say::NoName => (3, &[][..], 0),
        Say::Nothing => return None,
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

/// They end each connection after its answer.
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
        // Free now, and as good as surely still in a moment.
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
    let server = NameServer::saying(Say::Addresses(vec![FIRST], 1));
    let gateway = before(&server, first.address.port(), "dns_refresh_interval = \"1d\"");
    let key = gateway.key();
    let mut connection = gateway.connect();
    assert_eq!(connection.send(&get("/a").key(&key)).text(), "first");
    server.say(Say::Addresses(vec![SECOND], 86_400));
    eventually("the new place is asked", || {
        (connection.send(&get("/a").key(&key)).text() == "second").then_some(())
    });
    let (seen, asked) = (first.count(), server.asked.load(Ordering::SeqCst));
    for _ in 0..20 {
        assert_eq!(connection.send(&get("/a").key(&key)).text(), "second");
    }
    assert_eq!(first.count(), seen);
    // The answer holds for a day, and no request asks.
    assert_eq!(server.asked.load(Ordering::SeqCst), asked);
    let places = &listed(&gateway)[0]["places"];
    assert_eq!(places.as_array().unwrap().len(), 1, "{places}");
    assert_eq!(places[0], second.address.to_string().as_str());
}

#[test]
fn while_the_name_server_is_away_the_old_place_is_asked() {
    let (first, _second) = two_places();
    let server = NameServer::saying(Say::Addresses(vec![FIRST], 0));
    let gateway = before(&server, first.address.port(), "dns_refresh_interval = \"100ms\"");
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/a").key(&key)).text(), "first");
    for say in [Say::NoName, Say::Nothing] {
        server.say(say.clone());
        let asked = server.asked.load(Ordering::SeqCst);
        eventually("it was asked again", || (server.asked.load(Ordering::SeqCst) >= asked + 4).then_some(()));
        for _ in 0..5 {
            assert_eq!(gateway.send(&get("/a").key(&key)).text(), "first", "{say:?}");
        }
        if matches!(say, Say::NoName) {
            eventually("it is told", || {
                let error = listed(&gateway)[0]["error"].as_str().unwrap_or_default().to_owned();
                error.contains("no such name").then_some(())
            });
        }
    }
}

#[test]
fn a_name_that_leads_to_several_places_is_asked_at_each_and_a_dead_one_is_passed_over() {
    let (first, second) = two_places_that_close();
    // Nobody listens at the third.
    let all = vec![FIRST, SECOND, Ipv4Addr::new(127, 0, 0, 3)];
    let server = NameServer::saying(Say::Addresses(all, 86_400));
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
    let server = NameServer::saying(Say::NoName);
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
