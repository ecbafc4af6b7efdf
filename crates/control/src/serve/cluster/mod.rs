//! A gateway of a cluster: it follows the changes of all, keeps a copy of the records, and says that it lives.

mod membership;
mod node_file;
mod opening;
mod tasks;
mod visit;

pub(super) use membership::Membership;
pub(super) use opening::{Opened, open};
pub(super) use tasks::spawn;
pub(super) use visit::{Visit, visit};
