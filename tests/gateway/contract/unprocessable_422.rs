//! 422 `UNPROCESSABLE`: the upstream understood the request and cannot carry it out.

use crate::support::{Config, Stage, Upstream, assert_error, get, post};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    Stage::new(&Config::of(&upstream), upstream, (422, "UNPROCESSABLE"), |stage| {
        stage.send(post("/status/422", "{\"age\":-1}"))
    })
}

#[test]
fn conflicts_and_preconditions_of_the_upstream_are_one_too() {
    let stage = stage();
    for status in [409, 412, 422, 428] {
        let answer = stage.send(get(&format!("/status/{status}")));
        assert_error(&stage.gateway, &answer, 422, "UNPROCESSABLE");
        assert!(answer.text().contains(&format!("The sample returns {status}.")), "{}", answer.text());
    }
}
