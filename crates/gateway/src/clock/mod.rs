//! The gateway's clock: it never goes backwards, and never jumps on a whim.
//!
//! Windows of limits follow the wall clock, and the wall clock can be wrong: set by hand, corrected after a
//! boot, torn by a glitch. A window that is entered twice would be granted twice. So the gateway's time is that of a
//! clock which nobody can set (`CLOCK_BOOTTIME`, which goes on while the machine is suspended) and an offset. The
//! control side compares it with the wall clock several times a second, see [`Clock::adjust`]:
//!
//! - The wall clock is a little ahead (less than [`LEAP`]): it is followed at once.
//! - It leaps forward: it is followed when it has stayed there for [`PROBATION`].
//! - It is behind: time goes on at 7/8 of its speed until the wall clock has caught up, never backwards.
//!
//! Between two adjustments time is one line, of which data threads read one word: 64ths of a millisecond, in
//! the lowest bit whether it is the slow line. Clocks are compared in ticks of an eighth of a millisecond, the wall clock
//! rounded down and the machine's own rounded up: no window begins before its second, and none a millisecond late.

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

/// Milliseconds that the wall clock has to be ahead or behind for it to be told.
pub const LEAP: i64 = 1_000;
/// Milliseconds that the wall clock has to have leapt forward for before it is followed.
pub const PROBATION: i64 = 10_000;
/// Milliseconds that the journal may be ahead of the wall clock at the start.
pub const MAX_AHEAD: u64 = 86_400_000;
/// Ticks in a millisecond.
const TICKS: i64 = 8;
/// Nanoseconds in a tick.
const NANOS: i64 = 125_000;
/// Two clocks that were read within so many ticks were read together.
const TOGETHER: i64 = 10 * TICKS;
/// Milliseconds that time may be ahead of the wall clock without slowing down, so that it does not answer
/// every tremble.
const TOLERANCE: i64 = 50;
/// The slow line meets the other this many milliseconds after it was decided on, so that it lies above it
/// until then: a thread that reads the old line meanwhile reads no later time than the next one.
const OVERLAP: i64 = 64;
/// The last millisecond of the year 9999. A wall clock past it is broken.
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

/// What the control side remembers from one adjustment to the next.
#[derive(Debug, Default)]
struct Steering {
    /// A leap forward that is not followed yet: when it was first seen (ticks of the boot clock), and how far it is
    /// (milliseconds).
    leap: Option<(i64, i64)>,
    /// That the wall clock is behind was told.
    is_behind: bool,
}

/// What became of a wall clock that was set. Spans are milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// It leapt forward and stayed there, so that time followed it by this much.
    Followed(u64),
    /// It is behind by this much: time slows down until it has caught up.
    Behind(u64),
    /// It has caught up: time goes at its own speed again.
    CaughtUp,
}

/// The journal is far ahead of the wall clock, so that one of the two is wrong. Unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the clock says {}, but usage was recorded until {}", shown(*.wall), shown(*.journal)
)]
pub struct Ahead {
    /// What the wall clock says.
    pub wall: u64,
    /// The newest time that the journal has seen.
    pub journal: u64,
}

// === impl Clock ===

impl Clock {
    /// A clock that begins with the wall clock.
    pub fn new() -> Self {
        // A kernel that has no such clock has at least one that nobody can set.
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

    /// Begins at the later of the wall clock and the newest time that the journal has seen, so that no
    /// window is entered again. With `is_trusted` the wall clock is right whatever the journal says. To be
    /// called before the first request.
    ///
    /// # Errors
    /// The journal is more than [`MAX_AHEAD`] ahead: to slow down until the wall clock has caught up would
    /// take weeks.
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

    /// Compares with the wall clock, and tells what became of it. To be called about ten times a second.
    pub fn follow(&self) -> Option<Event> {
        let (wall, boot, apart) = self.closest();
        // On a busy machine this thread was held up between them each time; whoever took them together would believe
        // in a leap. The next look will do.
        if apart > TOGETHER { None } else { self.adjust(wall, boot) }
    }

    /// Both clocks at one moment, in ticks.
    fn both(&self) -> (i64, i64) {
        let (wall, boot, _) = self.closest();
        (wall, boot)
    }

    /// Both clocks, and by how many ticks they were read apart at most: the best of a few attempts.
    ///
    /// The machine's own is read last: what little passes in between makes the wall clock seem behind, so that
    /// no window begins before its time.
    fn closest(&self) -> (i64, i64, i64) {
        let read = || {
            let before = ticks_of(self.source, 0);
            let wall = wall_ticks();
            let after = ticks_of(self.source, NANOS - 1);
            (wall, after, after - before)
        };
        let mut best = read();
        for _ in 0..3 {
            // Within one tick, as far as can be said.
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

    /// Compares with the wall clock at a time of the boot clock, both in ticks.
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
        // Whatever is ahead is not behind: time goes at its own speed while the leap is looked at.
        let line = Line::through(boot, line.eighths(boot), false);
        match self.leap {
            // A leap of another length is another leap.
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
    /// The line that is at these eighths at this time of the boot clock.
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

// === the system ===

/// What the system's clock says, in Unix milliseconds.
pub(crate) fn wall_millis() -> u64 {
    u64::try_from(since_1970().as_millis()).unwrap_or(u64::MAX)
}

/// The same in ticks, rounded down.
fn wall_ticks() -> i64 {
    let since = since_1970();
    ticks(since.as_secs().saturating_mul(1_000)) + i64::from(since.subsec_nanos()) / NANOS
}

fn since_1970() -> Duration {
    // A clock before 1970 counts as 1970: it is behind whatever was seen before.
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Ticks of a clock; `NANOS - 1` more nanoseconds round up.
fn ticks_of(source: ClockId, more: i64) -> i64 {
    // A clock that was read once can be read again; if not, time stands still in place of running wild.
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
