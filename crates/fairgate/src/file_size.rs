//! A limit on the size of files (`ulimit -f`, `LimitFSIZE=`) is handled like a full disk: by an error of the write that
//! goes beyond it. The system would otherwise end the process with SIGXFSZ.

use rustix::process::Signal;
use std::io;
use tokio::signal::unix::{SignalKind, signal};

/// Has the signal do nothing, for the rest of the process.
pub(crate) fn make_it_an_error() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let _entered = runtime.enter();
    // The stream may be dropped: the handler stays installed, so the write fails with an error.
    signal(SignalKind::from_raw(Signal::XFSZ.as_raw())).map(drop)
}
