//! The gateway's clock: it never goes backwards, and is not misled by glitches of the system clock.
//!
//! Limits have calendar windows, which follow the wall clock, and the wall clock can be wrong: set
//! by hand, corrected after boot, or upset by a glitch. Entering a window twice would grant its
//! limit twice. So the gateway's time is a clock that cannot be set (`CLOCK_BOOTTIME`, which
//! continues while the machine is suspended) plus an offset. The control plane compares it with the
//! wall clock several times a second, see [`Clock::adjust`]:
//!
//! - The wall clock is slightly ahead (less than [`LEAP`]): it is followed at once.
//! - It jumps forward: it is followed once the jump has lasted for [`PROBATION`].
//! - It is behind: time runs at 7/8 speed until the wall clock has caught up, never backwards.
//!
//! Between two adjustments time is a linear function, which data threads read from one word: 64ths
//! of a millisecond, with the lowest bit set if it is slow. Clocks are compared in ticks of an
//! eighth of a millisecond, the wall clock rounded down and the boot clock rounded up: no window
//! begins before its second, and none a millisecond late.

pub(crate) mod text;

use nix::time::{ClockId, clock_gettime};
use std::{
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

#[cfg(test)]
mod tests;

/// The minimum difference from the wall clock, in milliseconds, that is reported.
pub const LEAP: i64 = 1_000;
/// How long a forward jump must last before it is followed, in milliseconds.
pub const PROBATION: i64 = 10_000;
/// Maximum number of milliseconds that the journal may be ahead of the wall clock at startup.
pub const MAX_AHEAD: u64 = 86_400_000;
/// Ticks in a millisecond.
const TICKS: i64 = 8;
/// Nanoseconds in a tick.
const NANOS: i64 = 125_000;
/// Clocks that were read within this many ticks count as read simultaneously.
const TOGETHER: i64 = 10 * TICKS;
/// Milliseconds that time may be ahead of the wall clock without slowing down, so that jitter has no effect.
const TOLERANCE: i64 = 50;
/// The slow line meets the previous one this many milliseconds after the decision and is above it
/// until then: a thread that still reads the previous line meanwhile does not read a later time
/// than the next one.
const OVERLAP: i64 = 64;
/// The last millisecond of the year 9999. A later wall clock is invalid.
const LATEST: u64 = 253_402_300_799_999;

/// The gateway's clock.
#[derive(Debug)]
pub struct Clock {
    source: ClockId,
    /// See [`Line`].
    line: AtomicI64,
    steering: Mutex<Steering>,
}

/// Time as a function of the boot clock, in ticks. Its eighths of a tick are `8 * boot + at`, or `7 * boot + at`
/// if it is slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Line {
    at: i64,
    is_slow: bool,
}

/// State of the control plane between adjustments.
#[derive(Debug, Default)]
struct Steering {
    /// A forward jump that is not followed yet: when it was first seen (ticks of the boot clock),
    /// and its size (milliseconds).
    leap: Option<(i64, i64)>,
    /// It was reported that the wall clock is behind.
    is_behind: bool,
}

/// How time reacts to the wall clock. Spans are milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// It jumped forward and stayed there, so time advanced by this much.
    Followed(u64),
    /// It is behind by this much: time slows down until it has caught up.
    Behind(u64),
    /// It has caught up: time runs at normal speed again.
    CaughtUp,
}

/// The journal is far ahead of the wall clock, so one of the two is wrong. Unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the clock says {}, but usage was recorded until {}", shown(*.wall), shown(*.journal)
)]
pub struct Ahead {
    /// The time of the wall clock.
    pub wall: u64,
    /// The newest time in the journal.
    pub journal: u64,
}

// === impl Clock ===

impl Clock {
    /// A clock that starts at the wall clock.
    pub fn new() -> Self {
        // A kernel without this clock has at least one that cannot be set.
        let source = match clock_gettime(ClockId::CLOCK_BOOTTIME) {
            Ok(_) => ClockId::CLOCK_BOOTTIME,
            Err(_) => ClockId::CLOCK_MONOTONIC,
        };
        let clock = Self::at(source, 0, 0);
        let (wall, boot) = clock.both();
        Self::at(source, wall, boot)
    }

    fn at(source: ClockId, wall: i64, boot: i64) -> Self {
        let line = Line::through(boot, wall * 8, false);
        Self { source, line: AtomicI64::new(line.to_word()), steering: Mutex::default() }
    }

    /// Starts at the later of the wall clock and the newest time in the journal, so that no window
    /// is entered again. With `is_trusted` the wall clock is right whatever the journal contains.
    /// To be called before the first request.
    ///
    /// # Errors
    /// The journal is more than [`MAX_AHEAD`] ahead: slowing down until the wall clock has caught
    /// up would take weeks.
    pub fn begin(&self, journal: u64, is_trusted: bool) -> Result<(), Ahead> {
        let (wall, boot) = self.both();
        self.begin_at(wall, boot, journal, is_trusted)
    }

    /// `wall` and `boot` in ticks.
    fn begin_at(&self, wall: i64, boot: i64, journal: u64, is_trusted: bool) -> Result<(), Ahead> {
        let millis = u64::try_from(wall / TICKS).unwrap_or(0);
        let begin = match journal.saturating_sub(millis) {
            _ if is_trusted => wall,
            ahead if ahead > MAX_AHEAD => return Err(Ahead { wall: millis, journal }),
            _ => wall.max(ticks(journal)),
        };
        self.line.store(Line::through(boot, begin * 8, false).to_word(), Ordering::Release);
        *self.steering() = Steering::default();
        Ok(())
    }

    /// The time, in Unix milliseconds.
    pub fn now_millis(&self) -> u64 {
        self.millis_at(ticks_of(self.source, 0))
    }

    /// At a tick of the boot clock.
    fn millis_at(&self, boot: i64) -> u64 {
        let line = Line::of_word(self.line.load(Ordering::Acquire));
        u64::try_from(line.eighths(boot) >> 6).unwrap_or(0)
    }

    /// Compares with the wall clock and returns the event, if any. To be called about ten times a second.
    pub fn follow(&self) -> Option<Event> {
        let (wall, boot, apart) = self.closest();
        // On a busy machine this thread was preempted between the two reads in each attempt.
        // Treating them as simultaneous would look like a jump. The next call will succeed.
        if apart > TOGETHER { None } else { self.adjust(wall, boot) }
    }

    /// Both clocks, read together, in ticks.
    fn both(&self) -> (i64, i64) {
        let (wall, boot, _) = self.closest();
        (wall, boot)
    }

    /// Both clocks, and at most how many ticks apart they were read: the best of a few attempts.
    ///
    /// The boot clock is read last: the small delay makes the wall clock seem behind, so that no
    /// window begins early.
    fn closest(&self) -> (i64, i64, i64) {
        let read = || {
            let before = ticks_of(self.source, 0);
            let wall = wall_ticks();
            let after = ticks_of(self.source, NANOS - 1);
            (wall, after, after - before)
        };
        let mut best = read();
        for _ in 0..3 {
            // Within one tick, as precisely as can be measured.
            if best.2 <= 2 {
                break;
            }
            let next = read();
            if next.2 < best.2 {
                best = next;
            }
        }
        best
    }

    /// Compares with the wall clock at this time of the boot clock, both in ticks.
    fn adjust(&self, wall: i64, boot: i64) -> Option<Event> {
        let mut steering = self.steering();
        let line = Line::of_word(self.line.load(Ordering::Acquire));
        let own = line.eighths(boot);
        let ahead = (wall * 8 - own) >> 6;
        let (line, event) = if ahead >= LEAP {
            steering.leap(line, boot, ahead)
        } else if ahead >= 0 {
            steering.leap = None;
            let event = std::mem::take(&mut steering.is_behind).then_some(Event::CaughtUp);
            (Line::through(boot, own.max(wall * 8), false), event)
        } else {
            steering.leap = None;
            steering.behind(line, boot, -ahead)
        };
        self.line.store(line.to_word(), Ordering::Release);
        event
    }

    fn steering(&self) -> std::sync::MutexGuard<'_, Steering> {
        self.steering.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

// === impl Steering ===

impl Steering {
    /// The wall clock is far ahead.
    fn leap(&mut self, line: Line, boot: i64, ahead: i64) -> (Line, Option<Event>) {
        // A clock that is ahead is not behind: time runs at normal speed while the jump is observed.
        let line = Line::through(boot, line.eighths(boot), false);
        match self.leap {
            // A jump of a different size is a new jump.
            Some((since, seen)) if (seen - ahead).abs() < LEAP => {
                if boot - since < PROBATION * TICKS {
                    return (line, None);
                }
                *self = Self::default();
                let followed = Line::through(boot, line.eighths(boot) + ahead * 8 * TICKS, false);
                (followed, Some(Event::Followed(ahead.unsigned_abs())))
            }
            Some(_) | None => {
                self.leap = Some((boot, ahead));
                let event = std::mem::take(&mut self.is_behind).then_some(Event::CaughtUp);
                (line, event)
            }
        }
    }

    /// The wall clock is behind.
    fn behind(&mut self, line: Line, boot: i64, behind: i64) -> (Line, Option<Event>) {
        let event = (behind >= LEAP && !self.is_behind).then_some(Event::Behind(behind.unsigned_abs()));
        self.is_behind |= event.is_some();
        if line.is_slow || behind < TOLERANCE {
            return (line, event);
        }
        let meets = boot + OVERLAP * TICKS;
        (Line::through(meets, line.eighths(meets), true), event)
    }
}

// === impl Line ===

impl Line {
    /// The line through this point: eighths of a tick at this time of the boot clock.
    const fn through(boot: i64, eighths: i64, is_slow: bool) -> Self {
        Self { at: eighths - Self::slope(is_slow) * boot, is_slow }
    }

    const fn slope(is_slow: bool) -> i64 {
        if is_slow { 7 } else { 8 }
    }

    const fn eighths(self, boot: i64) -> i64 {
        Self::slope(self.is_slow) * boot + self.at
    }

    const fn to_word(self) -> i64 {
        self.at << 1 | self.is_slow as i64
    }

    const fn of_word(word: i64) -> Self {
        Self { at: word >> 1, is_slow: word & 1 == 1 }
    }
}

// === system clocks ===

/// The system's wall clock, in Unix milliseconds.
pub(crate) fn wall_millis() -> u64 {
    u64::try_from(since_1970().as_millis()).unwrap_or(u64::MAX)
}

/// The same in ticks, rounded down.
fn wall_ticks() -> i64 {
    let since = since_1970();
    ticks(since.as_secs().saturating_mul(1_000)) + i64::from(since.subsec_nanos()) / NANOS
}

fn since_1970() -> Duration {
    // A clock before 1970 counts as 1970: it is behind any time seen before.
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Ticks of a clock; `NANOS - 1` more nanoseconds round up.
fn ticks_of(source: ClockId, more: i64) -> i64 {
    // A clock that was read once can be read again; if it cannot, time stops instead of being random.
    clock_gettime(source).map_or(0, |time| time.tv_sec() * 1_000 * TICKS + (time.tv_nsec() + more) / NANOS)
}

fn ticks(millis: u64) -> i64 {
    i64::try_from(millis.min(LATEST)).unwrap_or(0) * TICKS
}

fn shown(millis: u64) -> String {
    text::time(millis / 1_000)
}

impl fmt::Display for Event {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span = |millis: &u64| format!("{}.{:03} s", millis / 1_000, millis % 1_000);
        match self {
            Self::Followed(by) => {
                write!(out, "the system clock jumped forward by {} and stayed there; following it", span(by))
            }
            Self::Behind(by) => write!(
                out,
                "the system clock is {} behind; slowing time to 7/8 until it catches up",
                span(by)
            ),
            Self::CaughtUp => out.write_str("the system clock has caught up"),
        }
    }
}
