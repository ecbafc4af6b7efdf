//! Processes that are killed or run out of room. Apart from the other tests: a process that is being
//! begun holds all locks of this one for a moment.

mod disk_full;
mod killed;
#[path = "../journal/world.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod world;
