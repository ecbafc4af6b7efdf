//! The memory of charges, held against what was charged.

mod crash;
mod damage;
mod sending;
mod world;
