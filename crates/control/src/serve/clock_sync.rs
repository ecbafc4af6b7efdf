//! Has the gateway's clock follow the system's, and tells when that was set.

use gateway::{Handle, clock::Event, record::Level};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Between two comparisons.
const EVERY: Duration = Duration::from_millis(100);

/// Compares ten times a second, for ever.
pub(super) async fn run(handle: Handle) {
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let Some(event) = handle.clock().follow() else { continue };
        let level = match event {
            Event::Followed(_) | Event::Behind(_) => Level::Warn,
            Event::CaughtUp => Level::Info,
        };
        handle.log().event(level, "clock", &[("what", &event.to_string())]);
    }
}
