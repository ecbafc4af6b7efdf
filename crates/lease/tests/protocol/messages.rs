//! What a message means, and what becomes of one that is lost, late or doubled.

use crate::cluster::{COUNTER, Cluster, MILLI, granted, message, question, window};
use lease::{CounterId, Outcome, Recall, State, Take};

#[test]
fn a_message_that_comes_twice_or_late_changes_nothing() {
    let mut cluster = Cluster::new(1);
    let (first, second) =
        (message(1, vec![question(window(100), 40)]), message(2, vec![question(window(100), 10)]));
    assert_eq!(cluster.ask(&first).0.answers[0].granted, 40);
    assert_eq!(cluster.ask(&first).0.outcome, Outcome::Late);
    assert_eq!(cluster.granted(window(100)), [40]);
    assert_eq!(cluster.ask(&second).0.answers[0].granted, 10);
    assert_eq!(cluster.ask(&first).0.outcome, Outcome::Late);
    assert_eq!(cluster.granted(window(100)), [10]);
}

#[test]
fn a_question_that_is_asked_again_names_the_same_total() {
    let mut cluster = Cluster::new(1);
    let Take::Wait(waiting) = cluster.begin(0, window(100), 30) else { panic!() };
    let lost = cluster.nodes[0].message(cluster.now).unwrap();
    cluster.ask(&lost); // the reply is lost
    cluster.wait(60);
    cluster.exchange(0);
    assert_eq!(cluster.granted(window(100)), [30]);
    granted(cluster.nodes[0].retry(cluster.now, waiting));
}

#[test]
fn an_answer_is_worth_nothing_once_another_question_was_asked() {
    let mut cluster = Cluster::new(1);
    let Take::Wait(waiting) = cluster.begin(0, window(100), 30) else { panic!() };
    let first = cluster.nodes[0].message(cluster.now).unwrap();
    let (late, _) = cluster.ask(&first);
    cluster.nodes[0].abandon(waiting);
    cluster.wait(60);
    cluster.nodes[0].tick(cluster.now);
    let second = cluster.nodes[0].message(cluster.now).unwrap();
    assert_eq!(second.questions[0].total, 0);
    cluster.nodes[0].hear(cluster.now, &late);
    let handle = cluster.nodes[0].find(COUNTER, 9).unwrap();
    assert_eq!(cluster.nodes[0].account(handle).unwrap().granted, 0);
    assert!(matches!(cluster.begin(0, window(100), 30), Take::Wait(_)));
}

#[test]
fn what_is_given_back_is_not_spent_from_the_question_on() {
    let mut cluster = Cluster::new(1);
    let receipt = granted(cluster.take(0, window(100), 5));
    cluster.nodes[0].release(cluster.now, receipt);
    cluster.nodes[0].recall(cluster.now, &Recall { to: 0, counter: COUNTER, slice: 9 });
    cluster.wait(2);
    let gives_back = cluster.nodes[0].message(cluster.now).unwrap();
    assert_eq!(gives_back.questions[0].total, 0);
    assert!(matches!(cluster.begin(0, window(100), 5), Take::Wait(_)));
}

#[test]
fn questions_travel_together_but_for_the_first_after_a_pause() {
    let mut cluster = Cluster::new(1);
    cluster.wait(5);
    let take = |cluster: &mut Cluster, who: u8| {
        let counter = CounterId { who: [who; 16], limit: 1 };
        let handle = cluster.nodes[0].lease(cluster.now, counter, window(10)).unwrap();
        assert!(matches!(cluster.nodes[0].take(cluster.now, handle, 1), Take::Wait(_)));
    };
    let said = |cluster: &mut Cluster| {
        let message = cluster.nodes[0].message(cluster.now)?;
        let reply = cluster.ask(&message).0;
        cluster.now += 100;
        cluster.nodes[0].hear(cluster.now, &reply);
        Some(message.questions.len())
    };
    take(&mut cluster, 0);
    assert_eq!(said(&mut cluster), Some(1));
    take(&mut cluster, 1);
    assert_eq!(said(&mut cluster), None);
    take(&mut cluster, 2);
    assert!(cluster.nodes[0].due() <= cluster.now + MILLI);
    cluster.wait(1);
    assert_eq!(said(&mut cluster), Some(2));
    for who in 3..18 {
        take(&mut cluster, who);
        assert_eq!(said(&mut cluster), None);
    }
    take(&mut cluster, 18);
    assert_eq!(said(&mut cluster), Some(16));
}

#[test]
fn a_question_that_is_scarce_says_so_and_whom_it_called() {
    let mut cluster = Cluster::new(2);
    granted(cluster.take(1, window(10), 8));
    let (reply, recalls) = cluster.ask(&message(1, vec![question(window(10), 5)]));
    assert_eq!(reply.answers[0].state, State::Scarce { held: true, flows_in: None });
    assert_eq!((reply.answers[0].granted, reply.answers[0].left), (0, 2));
    assert_eq!(recalls, [Recall { to: 1, counter: COUNTER, slice: 9 }]);
}
