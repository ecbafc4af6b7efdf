//! What a member of a cluster does beside serving: it follows changes, keeps its copy, and says that it lives.

use super::membership::Membership;
use crate::{
    Control,
    lifecycle::{Alarm, Lifecycle},
    serve::tasks::Tasks,
    system_clock,
};
use gateway::record::{Level, LogSink};
use std::{rc::Rc, sync::Arc, time::Duration};
use store::StoreError;
use tokio::time::sleep;

/// How often changes of others are asked for. A notification is a hint, no more.
const POLL: Duration = Duration::from_millis(250);
/// How often the copy is brought up to date, and this node reports to the others that it is alive.
const BEAT: Duration = Duration::from_secs(1);
/// Milliseconds between this machine's clock and the server's from which on an alarm is raised.
const FAR: i64 = 1_000;

/// Begins all that a member of a cluster does beside serving.
pub(in crate::serve) fn spawn(
    tasks: &mut Tasks,
    control: &Rc<Control>,
    membership: &Rc<Membership>,
    (lifecycle, log): (&Arc<Lifecycle>, &LogSink),
) {
    let (member, lifecycle, log) = (|| Rc::clone(membership), || Arc::clone(lifecycle), || log.clone());
    tasks.spawn("changes", follow_changes(Rc::clone(control), member(), lifecycle(), log()));
    tasks.spawn("copy", keep_copy(member(), lifecycle(), log()));
    tasks.spawn("membership", beat(member(), lifecycle(), log()));
}

/// Brings what other nodes change to the gateway, for ever.
async fn follow_changes(
    control: Rc<Control>,
    membership: Rc<Membership>,
    lifecycle: Arc<Lifecycle>,
    log: LogSink,
) {
    let hint = membership.clustered().shared().told();
    loop {
        tokio::select! {
            () = sleep(POLL) => {}
            () = hint.notified() => {}
        }
        let done = control.catch_up().await;
        membership.set_applied(control.applied());
        report(&membership, &done, &lifecycle, &log);
    }
}

/// Reports that the records are out of reach, once, and that they are in reach again, once.
fn report(membership: &Membership, done: &Result<(), StoreError>, lifecycle: &Lifecycle, log: &LogSink) {
    let why = done.as_ref().err().map(ToString::to_string);
    let what = why.as_ref().map(|why| {
        let age = membership.age().map_or_else(|| "there is none".to_owned(), |age| format!("{age} s old"));
        format!(
            "PostgreSQL cannot be reached, so changes of other nodes do not arrive, and no key can be made, changed or revoked: \
             {why}; copy of the records: {age}. Start PostgreSQL or repair the way to it; gateways need no restart"
        )
    });
    let health = lifecycle.cluster();
    // Started without the server, the log says so already.
    let was_away = health.records().is_some_and(|reach| reach.why.is_some());
    health.note_records(why.as_deref());
    lifecycle.raise(Alarm::Records, what);
    match why {
        Some(why) if !was_away => {
            let effect =
                "requests go on with the keys that this node knows; no key can be made, changed or revoked";
            log.event(
                Level::Error,
                "the shared records are out of reach",
                &[("error", &why), ("effect", effect)],
            );
        }
        None if was_away => log.event(Level::Info, "the shared records are in reach again", &[]),
        Some(_) | None => {}
    }
}

/// Keeps the copy, for ever.
async fn keep_copy(membership: Rc<Membership>, lifecycle: Arc<Lifecycle>, log: LogSink) {
    loop {
        let what = match membership.clustered().follow(system_clock()).await {
            // Reported by whoever follows the changes.
            Ok(()) | Err(StoreError::Away { .. }) => None,
            Err(error) => Some(format!("the copy of the records cannot be kept: {error}")),
        };
        if lifecycle.raise(Alarm::Copy, what.clone()) {
            match what {
                Some(what) => {
                    log.event(Level::Error, "the copy of the records cannot be kept", &[("error", &what)])
                }
                None => log.event(Level::Info, "the copy of the records is kept again", &[]),
            }
        }
        sleep(BEAT).await;
    }
}

/// Tells the others that this node lives, for ever. A node that started without the server joins here.
async fn beat(membership: Rc<Membership>, lifecycle: Arc<Lifecycle>, log: LogSink) {
    loop {
        let done = if membership.has_joined() {
            membership.beat().await
        } else {
            membership.join().await.map(|()| 0)
        };
        let what = match done {
            Ok(offset) if offset.abs() > FAR => Some(format!(
                "the clock of this node is {offset} ms ahead of PostgreSQL's: keys expire and maintenance begins at other times here; set both clocks by NTP"
            )),
            Ok(_) | Err(StoreError::Away { .. }) => None,
            Err(error) => Some(error.to_string()),
        };
        if lifecycle.raise(Alarm::Member, what.clone()) {
            match what {
                Some(what) => {
                    log.event(Level::Error, "this node does not fit into the cluster", &[("error", &what)])
                }
                None => log.event(Level::Info, "this node fits into the cluster again", &[]),
            }
        }
        sleep(BEAT).await;
    }
}
