//! 403 `KEY_EXPIRED`: the key is past its date. (401 under `rfc9110`.)

use crate::support::{
    Config, Stage, Upstream, assert_error, eventually, get, limits::assert_no_limit_headers,
};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    Stage::new(&Config::of(&upstream), upstream, (403, "KEY_EXPIRED"), |stage| {
        let short = stage.gateway.key_with(&["--plan", "free", "--expires", "3s"]);
        // It is valid until it expires: the first response other than 200 is the one to examine.
        eventually("the key expires", || {
            let answer = stage.gateway.send(&get("/items/7").key(&short));
            (answer.status != 200).then_some(answer)
        })
    })
}

#[test]
fn a_key_expires_on_an_open_connection() {
    let stage = stage();
    let short = stage.gateway.key_with(&["--plan", "free", "--expires", "4s"]);
    let mut connection = stage.gateway.connect();
    assert_eq!(connection.send(&get("/items/7").key(&short)).status, 200);
    let answer = eventually("the key expires", || {
        let answer = connection.send(&get("/items/7").key(&short));
        (answer.status != 200).then_some(answer)
    });
    assert_error(&stage.gateway, &answer, 403, "KEY_EXPIRED");
    assert_no_limit_headers(&answer);
}

#[test]
fn a_key_with_time_left_is_good() {
    let stage = stage();
    let long = stage.gateway.key_with(&["--plan", "free", "--expires", "90d"]);
    assert_eq!(stage.gateway.send(&get("/items/7").key(&long)).status, 200);
}
