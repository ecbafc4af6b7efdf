//! Gives back, now and then, the memory of accounts that are not needed.

use gateway::{
    Handle,
    record::{Level, Value},
};
use std::time::Duration;
use tokio::time::sleep;

/// Between two walks through all keys.
const EVERY: Duration = Duration::from_secs(600);
/// Keys that are looked at in one go: less than a millisecond, so that commands do not wait.
const SLICE: usize = 4096;
/// Between two slices: ten million keys take some seconds, and hardly any of a core.
const PAUSE: Duration = Duration::from_millis(2);

/// Walks through all keys every ten minutes, for ever, by the clock that requests are counted by: by one that is
/// ahead of it, a window would seem to be over that is not.
pub(super) async fn run(handle: Handle) {
    loop {
        sleep(EVERY).await;
        let mut given_back = 0;
        let sweep = handle.keyring().sweep();
        for slice in sweep.slices(SLICE, || handle.clock().now_millis()) {
            given_back += slice;
            sleep(PAUSE).await;
        }
        drop(sweep);
        if given_back > 0 {
            let members = [("count", Value::Number(given_back as u64))];
            handle.log().event_of(Level::Info, "accounts were given back", &members);
        }
    }
}
