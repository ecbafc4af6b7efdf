//! Usage: tallies of requests, rolled up by minute, hour and day.
//!
//! A [`Tally`] counts requests that belong together; two tallies can be merged. A [`Grain`] divides
//! time into buckets, and [`Retention`] defines how long those of each grain are kept. Minutes,
//! hours and days are in UTC. The crate has no clock, no runtime and no store: times are
//! parameters, in seconds since the Unix epoch.

mod encoding;
mod grain;
mod latency;
mod tally;

pub use grain::{Grain, Retention};
pub use latency::Latency;
pub use tally::{MAX_CODES, NotATally, OTHER_CODES, Sample, Tally};
