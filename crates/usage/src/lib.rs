//! What was used: tallies of requests, rolled up by minute, hour and day.
//!
//! A [`Tally`] counts requests that belong together; two tallies merge into one. A [`Grain`] cuts time
//! into buckets, [`Retention`] says how long those of each grain are kept. Minutes, hours and days are
//! those of UTC. The crate knows no clock, no runtime and no store: times are passed in, as seconds
//! since the Unix epoch.

mod encoding;
mod grain;
mod latency;
mod tally;

pub use grain::{Grain, Retention};
pub use latency::Latency;
pub use tally::{MAX_CODES, NotATally, OTHER_CODES, Sample, Tally};
