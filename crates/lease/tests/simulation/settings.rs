//! What a simulation is made of.

use lease::{Kind, Micros, Rule, Unreachable};

/// The ledger's clock at the beginning, in milliseconds: a whole minute.
pub const BASE: u64 = 1_700_000_040_000;

/// How limits count in a simulation.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// In windows of so many milliseconds.
    Window(u64),
    InAll,
    /// In spans of sixteen parts of so many milliseconds.
    Rolling(u64),
    /// So many milliseconds for the amount, and the burst.
    Rate(u64, u32),
    AtOnce,
}

#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub seed: u64,
    pub nodes: usize,
    pub keys: u32,
    /// 0: all keys alike.
    pub zipf: f64,
    /// Requests of all keys at all nodes.
    pub per_second: u32,
    /// All in microseconds of virtual time.
    pub ends: Micros,
    pub faults_until: Micros,
    pub longest_fault: Micros,
    pub slowest: Micros,
    pub slow_permille: u32,
    pub errors_percent: u32,
    pub costs: bool,
    pub clocks_jump: bool,
    pub shape: Shape,
    pub amount: u32,
    pub unreachable: Unreachable,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            nodes: 3,
            keys: 1,
            zipf: 0.0,
            per_second: 1_000,
            ends: 60_000_000,
            faults_until: 0,
            longest_fault: 3_000_000,
            slowest: 5_000_000,
            slow_permille: 2,
            errors_percent: 30,
            costs: false,
            clocks_jump: false,
            shape: Shape::Window(60_000),
            amount: 10_000,
            unreachable: Unreachable::Deny,
        }
    }
}

impl Settings {
    /// The limit of a key.
    pub fn rule(&self, _key: u32, now: u64) -> Rule {
        let kind = match self.shape {
            Shape::Window(length) => {
                let index = now / length;
                Kind::Window { index, begins: index * length, ends: (index + 1) * length }
            }
            Shape::InAll => Kind::InAll,
            Shape::Rolling(part) => Kind::Rolling { part },
            Shape::Rate(period, burst) => Kind::Rate { period, burst },
            Shape::AtOnce => Kind::AtOnce,
        };
        Rule { amount: self.amount, kind }
    }

    pub const fn is_at_once(&self) -> bool {
        matches!(self.shape, Shape::AtOnce)
    }

    /// Whether a window (or all) ends so soon that what fails now could not be used by others.
    pub const fn is_closing(&self, now: Micros) -> bool {
        let length = match self.shape {
            Shape::Window(length) => length * 1_000,
            Shape::InAll | Shape::Rolling(_) | Shape::Rate(..) | Shape::AtOnce => self.ends,
        };
        now % length + 8_000_000 > length
    }
}
