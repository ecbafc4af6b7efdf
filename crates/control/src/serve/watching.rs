//! Looks after the files of the configuration: what has changed and stayed so for a while is read again.
//!
//! By looking once a second, not by being told: that sees files that are written in place, replaced by another
//! one or by a link, on every kind of disk, for the price of a few system calls.

use super::reload::Source;
use crate::{Actor, Control, Reload};
use gateway::Handle;
use std::{cell::RefCell, fs, os::unix::fs::MetadataExt, path::Path, rc::Rc, time::Duration};
use tokio::time::sleep;

/// Between two looks. A file that is the same in two of them is taken for written.
const EVERY: Duration = Duration::from_secs(1);

/// What tells that a file is another one. None: there is none.
type Stamp = Option<(u64, u64, u64, i64, i64)>;

/// Reads the configuration again whenever its files have changed, for ever. What comes of it stands in the log.
pub(super) async fn run(control: Rc<Control>, source: Rc<RefCell<Source>>) {
    let look = || -> Vec<Stamp> { source.borrow().files().iter().map(|file| stamp(file)).collect() };
    // What changed between the reading at the start and now is only seen in what the file says.
    let mut settled = if source.borrow().differs() { Vec::new() } else { look() };
    let mut before = settled.clone();
    loop {
        sleep(EVERY).await;
        if !source.borrow().is_watched() {
            continue;
        }
        let now = look();
        if now == settled {
            continue;
        }
        // Still being written, perhaps: half a file may be a valid one.
        if now != before {
            before = now;
            continue;
        }
        let is_document = now.get(1..) != settled.get(1..);
        settled = now;
        // A command or a signal may have been faster.
        if is_document || source.borrow().differs() {
            let _ = control.execute(Actor::FileWatcher, Reload {}).await;
            // The next configuration may have other files; what changed while it was read is not settled.
            if source.borrow().files().len() != settled.len() {
                settled = look();
            }
            before.clone_from(&settled);
        }
    }
}

fn stamp(file: &Path) -> Stamp {
    let about = fs::metadata(file).ok()?;
    Some((about.dev(), about.ino(), about.size(), about.mtime(), about.mtime_nsec()))
}

/// Gives memory back of configurations that were replaced, for ever: on a thread of its own, because a large one
/// takes a while.
pub(super) async fn let_go(handle: Handle) {
    loop {
        sleep(EVERY).await;
        if let Some(unused) = handle.take_unused() {
            let _ = tokio::task::spawn_blocking(move || drop(unused)).await;
        }
    }
}
