//! The suite of all stores, over the one in PostgreSQL.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub,
    reason = "a test reports a fault by panicking, also outside of the test functions themselves"
)]

#[path = "../../../tests/servers/postgres.rs"]
mod server;
#[path = "../../store/tests/suite/mod.rs"]
mod suite;

use records::{Shared, Target};
use server::Server;
use std::{cell::RefCell, path::Path};
use store::{Secret, wait};
use suite::Home;

struct Database {
    server: Server,
    last: RefCell<String>,
}

impl Home for Database {
    type Store = Shared;

    fn new() -> Self {
        Self { server: Server::start(), last: RefCell::default() }
    }

    fn make(&self) -> Shared {
        *self.last.borrow_mut() = self.server.database();
        let shared = open(&self.last.borrow());
        assert!(wait(shared.init(&Secret::from_bytes([7; 32]), Path::new("secret"))).unwrap());
        shared
    }

    fn again(&self, store: Shared) -> Shared {
        drop(store);
        open(&self.last.borrow())
    }
}

fn open(url: &str) -> Shared {
    Shared::new(Target::parse(url).unwrap()).unwrap()
}

suite_over!(Database);
