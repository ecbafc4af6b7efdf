//! Errors are free: no code of the registry changes a limit or a window.

use crate::{for_every_code, stage_of};

#[test]
fn no_error_of_the_registry_costs_anything_and_the_success_after_it_costs_one() {
    for_every_code(|code| {
        let stage = stage_of(code);
        let before = stage.gateway.limits(&stage.key);
        let shown = stage.provoke();
        stage.restore();
        let after = stage.gateway.limits(&stage.key);
        after.assert_charged_since(&before, shown.charged, code.name());
        stage.succeed();
        let charged = stage.gateway.limits(&stage.key);
        charged.assert_charged_since(
            &before,
            shown.charged + 1,
            &format!("the success after {}", code.name()),
        );
    });
}

#[test]
fn asking_for_the_limits_is_free() {
    let stage = stage_of(contract::ErrorCode::ResourceNotFound);
    let before = stage.gateway.limits(&stage.key);
    for _ in 0..5 {
        stage.gateway.limits(&stage.key);
    }
    stage.gateway.limits(&stage.key).assert_charged_since(&before, 0, "six questions");
}

#[test]
fn the_headers_of_an_error_are_those_of_before() {
    let stage = stage_of(contract::ErrorCode::ResourceNotFound);
    let limit = |answer: &crate::support::Answer| crate::support::limits::assert_limit_headers(answer);
    let first = stage.succeed();
    let error = stage.provoke().answer;
    let again = stage.provoke().answer;
    let second = stage.succeed();
    assert_eq!(limit(&error), limit(&first));
    assert_eq!(limit(&again), limit(&first));
    assert_eq!(limit(&second).1, limit(&first).1 - 1);
}
