//! The memory of charges, held against what was charged.

mod crash;
mod damage;
mod disk_full;
mod killed;
mod sending;
mod world;
