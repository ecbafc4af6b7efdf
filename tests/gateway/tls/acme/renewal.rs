//! When a certificate is renewed, and what the clock has to do with it.

use super::{
    config,
    front::{Front, Script},
    names_of,
    pebble::Pebble,
    ports, shown, trusting,
};
use crate::{
    fake_time::FakeTime,
    support::{Gateway, Upstream, eventually},
};
use std::{
    io::Write,
    process::{Command, Stdio},
};

const DAY: u32 = 86_400;

/// A correct wall clock.
fn right() -> FakeTime {
    FakeTime::at(&jiff::Timestamp::now().to_string())
}

#[test]
fn without_a_window_it_is_renewed_at_two_thirds_of_its_life() {
    let ports = ports();
    let pebble = Pebble::start(ports, 3 * 3600);
    let front = Front::start(pebble.port, Script::default());
    let upstream = Upstream::unreachable();
    let time = right();
    let home = trusting(time.home_of_all_clocks(&config(&upstream, front.port(), ports, "")));
    let gateway = Gateway::start_in(&home);
    gateway.event("certificate fetched");
    let first = shown(gateway.address, "api.example.com").unwrap();
    time.set_by(7_150.0);
    assert_eq!(shown(gateway.address, "api.example.com").as_ref(), Some(&first));
    time.set_by(60.0);
    let second = eventually("another certificate is shown", || {
        shown(gateway.address, "api.example.com").filter(|second| *second != first)
    });
    assert!(names_of(&second).contains("DNS:www.example.com"));
}

#[test]
fn a_clock_that_is_ahead_costs_no_orders_and_is_named() {
    let ports = ports();
    let pebble = Pebble::start(ports, 90 * DAY);
    let front = Front::start(pebble.port, Script::default());
    let upstream = Upstream::unreachable();
    let time = right();
    time.set_by(f64::from(61 * DAY));
    let home = trusting(time.home(&config(&upstream, front.port(), ports, "")));
    let gateway = Gateway::start_in(&home);
    let event = gateway.event("a new certificate is already due for renewal");
    let clock =
        time.now() as i64 - event["clock"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second();
    assert!((-5..=60).contains(&clock), "{event}");
    let wait: u64 = event["again_in"].as_str().unwrap().trim_end_matches(" s").parse().unwrap();
    assert!((45..=60).contains(&wait), "{event}");
    // A restart does not help either.
    let _ = gateway.stop();
    let gateway = Gateway::start_in(&home);
    gateway.event("a new certificate is already due for renewal");
    assert_eq!(front.orders().len(), 1);
    assert!(shown(gateway.address, "api.example.com").is_some());
}

#[test]
fn a_clock_that_is_behind_is_named() {
    let ports = ports();
    let pebble = Pebble::start(ports, 90 * DAY);
    let upstream = Upstream::unreachable();
    let time = right();
    time.set_by(-f64::from(3 * DAY));
    let home = trusting(time.home(&config(&upstream, pebble.port, ports, "")));
    let event = Gateway::start_in(&home).event("a new certificate is not valid yet");
    assert!(event["clock"].as_str() < event["valid_from"].as_str(), "{event}");
}

#[test]
fn a_renewal_that_the_authority_wants_now_names_what_it_replaces() {
    for is_refused in [false, true] {
        let ports = ports();
        let pebble = Pebble::start(ports, 90 * DAY);
        let front =
            Front::start(pebble.port, Script { window: Some((-7_200, -3_600, 3_600)), ..Script::default() });
        let upstream = Upstream::unreachable();
        let time = right();
        let home = trusting(time.home_of_all_clocks(&config(&upstream, front.port(), ports, "")));
        let gateway = Gateway::start_in(&home);
        gateway.event("certificate fetched");
        let event = gateway.event("renewal window");
        assert_eq!(event["explanation"], "https://ca.example.com/why");
        let first = shown(gateway.address, "api.example.com").unwrap();
        let id = id_of(&first);
        assert_eq!(front.windows(), [id.as_str()]);
        if is_refused {
            front.refuse(409, "alreadyReplaced", None);
        }
        time.set_by(62.0);
        let second = eventually("another certificate is shown", || {
            shown(gateway.address, "api.example.com").filter(|second| *second != first)
        });
        let orders = front.orders();
        assert_eq!(orders[0].get("replaces"), None);
        assert_eq!(orders[1]["replaces"], id);
        if is_refused {
            assert_eq!((orders.len(), orders[2].get("replaces")), (3, None));
        }
        // The window of the new one is requested as well, and because the authority always wants another one, the
        // gateway waits longer.
        eventually("the window of the second", || front.windows().contains(&id_of(&second)).then_some(()));
        let event = gateway.event("a new certificate is already due for renewal");
        assert!(event["again_in"].as_str().is_some(), "{event}");
    }
}

#[test]
fn an_authority_is_asked_for_the_window_again_when_it_says() {
    let ports = ports();
    let pebble = Pebble::start(ports, 90 * DAY);
    let window = Some((i64::from(50 * DAY), i64::from(51 * DAY), 7_200));
    let front = Front::start(pebble.port, Script { window, ..Script::default() });
    let upstream = Upstream::unreachable();
    let time = right();
    let home = trusting(time.home_of_all_clocks(&config(&upstream, front.port(), ports, "")));
    let gateway = Gateway::start_in(&home);
    gateway.event("renewal window");
    let began = time.now();
    // The gateway reads its clocks every five seconds: a request that is too early would come before that time.
    time.set_by(7_200.0 - 8.0);
    eventually("the window is requested again", || (front.windows().len() > 1).then_some(()));
    assert!(time.now() - began > 7_195.0, "{}", time.now() - began);
    assert_eq!(front.orders().len(), 1);
}

/// The identifier of a certificate for its authority, by openssl: RFC 9773, 4.1.
fn id_of(certificate: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let mut command = Command::new("openssl");
    command.args(["x509", "-inform", "der", "-noout", "-serial", "-ext", "authorityKeyIdentifier"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(certificate).unwrap();
    let printed = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let bytes = |text: &str| {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits
            .chunks(2)
            .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
            .collect()
    };
    let mut serial: Vec<u8> = bytes(printed.lines().find_map(|line| line.strip_prefix("serial=")).unwrap());
    if serial[0] >= 0x80 {
        serial.insert(0, 0); // DER integers are signed
    }
    let key: Vec<u8> = bytes(
        printed
            .lines()
            .find(|line| line.trim_start().matches(':').count() > 10)
            .unwrap()
            .trim_start()
            .trim_start_matches("keyid:"),
    );
    format!("{}.{}", URL_SAFE_NO_PAD.encode(key), URL_SAFE_NO_PAD.encode(serial))
}
