//! Every case of the catalogue: either our 400 and the connection closed, or exactly one well-formed request at the
//! upstream. What follows it never arrives as a part of it, nor as an unchecked request.

use crate::{
    cases::{self, Case, Wanted},
    recorder::Recorder,
    support::{Answer, Config, Gateway, wire::Ended},
};
use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

/// What is wrong with the outcome of a case; None if nothing is.
fn fault(number: usize, case: &Case, gateway: &Gateway, recorder: &Recorder, piece: usize) -> Option<String> {
    let mut connection = gateway.connect();
    for piece in case.bytes.chunks(piece) {
        connection.write(piece);
    }
    // No more bytes follow: what is incomplete stays incomplete.
    connection.wire.finish_writing();
    let mut answers: Vec<Answer> = Vec::new();
    while answers.len() < 4 {
        let method = if answers.is_empty() { case.method } else { "GET" };
        match connection.try_answer_to(method) {
            Ok(answer) => answers.push(answer),
            Err(Ended::Silent) => return Some("the connection hangs".into()),
            Err(_) => break,
        }
    }
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    let arrived = recorder.of_case(&number.to_string());
    let Some(first) = answers.first() else { return Some("no answer".into()) };
    let code = serde_json::from_slice::<serde_json::Value>(&first.body).unwrap_or_default()["error"]["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let is_refused = first.status == 400
        && (case.method == "HEAD"
            || ["REQUEST_MALFORMED", "HEADER_NOT_VALID", "BODY_TOO_LARGE"].contains(&code.as_str()));
    let closes = first.headers.list("Connection").contains(&"close".to_owned());
    let outcome = || format!("answers {statuses:?} ({code}), arrived {arrived:?}");
    match (first.status, case.wanted) {
        (400, Wanted::Refused) if is_refused && closes && arrived.is_empty() && answers.len() == 1 => None,
        // An unwanted body is refused, and what follows on the connection is judged by itself.
        (400, Wanted::Either) if is_refused && arrived.is_empty() && !statuses[1..].contains(&200) => None,
        (200, Wanted::Taken(body)) if arrived.len() == 1 && arrived[0].body == body => None,
        (200, Wanted::Either) if arrived.len() == 1 => None,
        _ => Some(outcome()),
    }
}

fn all_cases_in_pieces_of(piece: usize) {
    let recorder = Recorder::start();
    let gateway = Gateway::start(&Config::of_url(&recorder.url()));
    let cases = cases::all(&gateway.key().key);
    assert!(cases.len() > 1_000, "{} cases", cases.len());
    let (next, faults) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(number) else { return };
                    if let Some(fault) = fault(number, case, &gateway, &recorder, piece) {
                        faults
                            .lock()
                            .unwrap()
                            .push(format!("{} wanted {:?}: {fault}", case.name, case.wanted));
                    }
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{} of {} cases:\n{}", faults.len(), cases.len(), faults.join("\n"));
    let smuggled: Vec<_> = recorder.all().into_iter().filter(|one| one.target() == "/smuggled").collect();
    assert!(smuggled.is_empty(), "{smuggled:?}");
    assert_eq!(recorder.violations(), Vec::<String>::new());
    println!("{} cases", cases.len());
}

#[test]
fn each_case_is_refused_or_arrives_as_exactly_one_well_formed_request() {
    all_cases_in_pieces_of(usize::MAX);
}

#[test]
fn each_case_ends_the_same_if_its_bytes_arrive_in_pieces() {
    all_cases_in_pieces_of(7);
}
