//! 500 `UNEXPECTED_ERROR`: our side failed. What upstreams do to cause it is in `tests/gateway/upstream`.

use crate::support::{Config, Stage, Upstream, assert_error, get, head, sample::sample};

pub fn stage() -> Stage {
    let upstream = Upstream::scripted(|exchange| match exchange.target() {
        "/garbage" => exchange.send_raw(b"\x16\x03\x01 garbage\r\n\r\n", crate::support::Next::Close),
        _ => sample(exchange),
    });
    Stage::new(&Config::of(&upstream), upstream, (500, "UNEXPECTED_ERROR"), |stage| {
        stage.send(get("/garbage"))
    })
}

#[test]
fn the_message_of_the_upstream_is_never_shown_but_kept_for_the_operator() {
    let stage = stage();
    for status in [500, 501, 502, 504, 505, 511, 599] {
        let answer = stage.send(get(&format!("/status/{status}")));
        assert_error(&stage.gateway, &answer, 500, "UNEXPECTED_ERROR");
        assert!(!answer.text().contains("The sample returns"), "{}", answer.text());
        let incident = stage.gateway.incident(answer.header("X-Request-Id").unwrap()).to_string();
        assert!(incident.contains(&status.to_string()), "{incident}");
    }
    let answer = stage.send(get("/html/500"));
    assert_error(&stage.gateway, &answer, 500, "UNEXPECTED_ERROR");
}

#[test]
fn the_incident_names_the_request_its_endpoint_its_key_and_the_cause() {
    let stage = stage();
    let answer = stage.provoke().answer;
    let id = answer.header("X-Request-Id").unwrap().to_owned();
    let incident = stage.gateway.incident(&id).to_string();
    for part in [&id, &stage.key.id, "/garbage", "GET"] {
        assert!(incident.contains(part), "{part} is not in {incident}");
    }
    assert!(!incident.contains(&stage.key.key), "the key itself is in the incident");
    let output = stage.gateway.home().run(&["incidents", "show", &id]);
    assert!(output.code == Some(0) && output.out.contains(&id), "{output:?}");
    let output = stage.gateway.home().run(&["incidents", "show", "req_that_is_none"]);
    assert_ne!(output.code, Some(0), "{output:?}");
}

#[test]
fn head_of_a_failure_is_500_without_a_body() {
    let stage = stage();
    let mut connection = stage.gateway.connect();
    let answer = connection.send(&head("/garbage").key(&stage.key));
    assert_eq!(answer.status, 500);
    assert_eq!(connection.send(&get("/items/7").key(&stage.key)).status, 200);
}

#[test]
fn our_failure_does_not_cost_the_client_its_connection() {
    let stage = stage();
    let mut connection = stage.gateway.connect();
    assert_eq!(connection.send(&get("/garbage").key(&stage.key)).status, 500);
    assert_eq!(connection.send(&get("/items/7").key(&stage.key)).status, 200);
}
