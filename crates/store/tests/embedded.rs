//! The suite of all stores, over the embedded one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports a fault by panicking, also outside of the test functions themselves"
)]

mod suite;

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
};
use store::Embedded;
use suite::Home;
use tempfile::TempDir;

struct Folder {
    folder: TempDir,
    last: RefCell<PathBuf>,
}

impl Home for Folder {
    type Store = Embedded;

    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), last: RefCell::default() }
    }

    fn make(&self) -> Embedded {
        let number = std::fs::read_dir(self.folder.path()).unwrap().count();
        *self.last.borrow_mut() = self.folder.path().join(number.to_string());
        open(&self.last.borrow())
    }

    fn again(&self, store: Embedded) -> Embedded {
        drop(store);
        open(&self.last.borrow())
    }
}

fn open(path: &Path) -> Embedded {
    Embedded::open(path).unwrap().0
}

suite_over!(Folder);
