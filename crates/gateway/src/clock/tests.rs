//! The clock with random wall clocks, and each of its rules.

use super::*;
use proptest::prelude::*;

const DAY: i64 = 86_400_000;
const BEGIN: i64 = 1_795_000_000_000;

fn clock() -> Clock {
    Clock::at(ClockId::CLOCK_MONOTONIC, ticks(BEGIN as u64), 0)
}

fn wall(offset: i64, boot: i64) -> u64 {
    u64::try_from(BEGIN + boot + offset).unwrap_or(0)
}

/// Adjusts every 100 ms for this long with a wall clock that is off by `offset`. Returns the events.
fn run(clock: &Clock, boot: &mut i64, millis: i64, offset: i64) -> Vec<Event> {
    let mut events = Vec::new();
    for _ in 0..millis / 100 {
        *boot += 100;
        events.extend(clock.adjust(ticks(wall(offset, *boot)), *boot * TICKS));
    }
    events
}

#[test]
fn small_steps_forward_are_followed_at_once_and_silently() {
    let (clock, mut boot) = (clock(), 0);
    assert_eq!(run(&clock, &mut boot, 100, 999), []);
    assert_eq!(clock.millis_at(boot * TICKS), wall(999, boot));
}

#[test]
fn a_leap_forward_is_followed_after_ten_seconds_and_a_glitch_is_not() {
    let (clock, mut boot) = (clock(), 0);
    assert_eq!(run(&clock, &mut boot, 9_000, DAY), []);
    assert_eq!(clock.millis_at(boot * TICKS), wall(0, boot));
    assert_eq!(run(&clock, &mut boot, 100, 0), []);
    assert_eq!(run(&clock, &mut boot, 9_000, DAY), []);
    // Another jump starts its own ten seconds.
    assert_eq!(run(&clock, &mut boot, 9_000, 2 * DAY), []);
    assert_eq!(clock.millis_at(boot * TICKS), wall(0, boot));
    assert_eq!(run(&clock, &mut boot, 2_000, 2 * DAY), [Event::Followed(2 * DAY as u64)]);
    assert_eq!(clock.millis_at(boot * TICKS), wall(2 * DAY, boot));
}

#[test]
fn a_wall_clock_that_is_set_back_slows_time_down_until_it_has_caught_up() {
    let (clock, mut boot) = (clock(), 0);
    run(&clock, &mut boot, 1_000, 0);
    let before = (boot, clock.millis_at(boot * TICKS));
    assert_eq!(run(&clock, &mut boot, 10_000, -3_600_000), [Event::Behind(3_600_000)]);
    let passed = clock.millis_at(boot * TICKS) - before.1;
    // The first tenth of a second was not slow, and the slow line begins 8 ms above.
    assert!((8_750..8_750 + 22).contains(&passed), "{passed}");
    let events = run(&clock, &mut boot, 8 * 3_600_000, -3_600_000);
    assert_eq!(events, [Event::CaughtUp]);
    let off = clock.millis_at(boot * TICKS) as i64 - wall(-3_600_000, boot) as i64;
    assert!((0..=TOLERANCE).contains(&off), "{off}");
}

#[test]
fn a_small_lag_is_not_reported_and_jitter_changes_nothing() {
    let (clock, mut boot) = (clock(), 0);
    assert_eq!(run(&clock, &mut boot, 20_000, -900), []);
    assert!((wall(-900, boot)..wall(-900, boot) + 51).contains(&clock.millis_at(boot * TICKS)));
    let (clock, mut boot) = (self::clock(), 0);
    for turn in 0..1_000 {
        assert_eq!(run(&clock, &mut boot, 100, if turn % 2 == 0 { 0 } else { -40 }), []);
        assert_eq!(clock.millis_at(boot * TICKS), wall(0, boot));
    }
}

#[test]
fn a_day_forward_and_back_is_slow_and_then_forward_again_is_quick() {
    let (clock, mut boot) = (clock(), 0);
    assert_eq!(run(&clock, &mut boot, 11_000, DAY), [Event::Followed(DAY as u64)]);
    assert_eq!(run(&clock, &mut boot, 5_000, 0), [Event::Behind(DAY as u64)]);
    // It is ahead of the wall clock by slightly less than a day, so this is a small step.
    let events = run(&clock, &mut boot, 1_000, DAY);
    assert_eq!(events, [Event::CaughtUp]);
    assert_eq!(clock.millis_at(boot * TICKS), wall(DAY, boot));
    // From behind to far ahead.
    run(&clock, &mut boot, 5_000, 0);
    assert_eq!(run(&clock, &mut boot, 12_000, 3 * DAY)[0], Event::CaughtUp);
    assert_eq!(clock.millis_at(boot * TICKS), wall(3 * DAY, boot));
}

#[test]
fn a_suspended_machine_is_time_going_on() {
    let (clock, mut boot) = (clock(), 0);
    run(&clock, &mut boot, 1_000, 0);
    boot += 7 * DAY;
    assert_eq!(clock.millis_at(boot * TICKS), wall(0, boot));
    assert_eq!(clock.adjust(ticks(wall(0, boot)), boot * TICKS), None);
}

#[test]
fn it_begins_with_the_later_of_wall_clock_and_journal() {
    let clock = clock();
    let wall = BEGIN as u64;
    clock.begin_at(ticks(wall), 5 * TICKS, wall - 1, false).unwrap();
    assert_eq!(clock.millis_at(5 * TICKS), wall);
    clock.begin_at(ticks(wall), 5 * TICKS, wall + 3_600_000, false).unwrap();
    assert_eq!(clock.millis_at(5 * TICKS), wall + 3_600_000);
    assert_eq!(clock.adjust(ticks(wall + 100), 105 * TICKS), Some(Event::Behind(3_600_000)));
    assert_eq!(
        clock.begin_at(ticks(wall), 5 * TICKS, wall + MAX_AHEAD + 1, false),
        Err(Ahead { wall, journal: wall + MAX_AHEAD + 1 })
    );
    clock.begin_at(ticks(wall), 5 * TICKS, wall + MAX_AHEAD, false).unwrap();
    clock.begin_at(ticks(wall), 5 * TICKS, u64::MAX, true).unwrap();
    assert_eq!(clock.millis_at(5 * TICKS), wall);
    let message = Ahead { wall: 1_795_392_000_000, journal: 1_795_564_800_000 }.to_string();
    assert_eq!(
        message,
        "the clock says 2026-11-23T00:00:00Z, but usage was recorded until 2026-11-25T00:00:00Z"
    );
}

#[test]
fn a_second_begins_with_that_of_the_wall_clock_or_at_most_a_millisecond_later() {
    // Every offset of the two clocks within a millisecond, each as the system would report it.
    for wall_nanos in (0..1_000_000).step_by(31_250) {
        for boot_nanos in (0..1_000_000).step_by(31_250) {
            let at = |nanos: i64| (nanos / NANOS, (nanos + NANOS - 1) / NANOS);
            let (wall, boot) = (ticks(BEGIN as u64) + at(wall_nanos).0, at(boot_nanos).1);
            let clock = Clock::at(ClockId::CLOCK_MONOTONIC, wall, boot);
            clock.adjust(wall, boot);
            for later in (0..3_000_000).step_by(62_500) {
                let read = clock.millis_at(at(boot_nanos + later).0) as i64;
                let true_nanos = wall_nanos + later;
                assert!(read <= BEGIN + true_nanos / 1_000_000, "early: {wall_nanos} {boot_nanos} {later}");
                let behind = BEGIN + (true_nanos - 500_000).div_euclid(1_000_000);
                assert!(read >= behind, "late: {wall_nanos} {boot_nanos} {later}");
            }
        }
    }
}

#[test]
fn no_second_of_the_systems_clock_begins_early() {
    let clock = Clock::new();
    for _ in 0..100_000 {
        let now = clock.now_millis();
        assert!(now <= wall_millis(), "the wall clock is read behind it");
    }
}

#[test]
fn events_are_described_in_words() {
    assert!(Event::Followed(86_400_000).to_string().contains("forward by 86400.000 s"));
    assert!(Event::Behind(3_600_005).to_string().contains("3600.005 s behind"));
    assert!(!Event::CaughtUp.to_string().is_empty());
}

#[test]
fn the_systems_own_clocks_are_followed() {
    let clock = Clock::new();
    let mut last = 0;
    for _ in 0..10_000 {
        let now = clock.now_millis();
        assert!(now >= last);
        last = now;
        assert_eq!(clock.follow(), None);
    }
    assert!(wall_millis().abs_diff(last) < 1_000);
}

/// A change of the wall clock before an adjustment.
#[derive(Debug, Clone)]
enum Step {
    /// This many milliseconds pass.
    Pass(i64),
    /// The wall clock is set by this many milliseconds.
    Set(i64),
    /// The wall clock is set to this.
    Broken(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (1i64..400).prop_map(Step::Pass),
        1 => (400i64..30_000).prop_map(Step::Pass),
        2 => (-2_000i64..2_000).prop_map(Step::Set),
        1 => (-3 * DAY..3 * DAY).prop_map(Step::Set),
        1 => prop_oneof![Just(0u64), Just(u64::MAX), any::<u64>()].prop_map(Step::Broken),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn never_backwards_never_further_than_was_accepted_never_slower_than_seven_eighths(
        steps in prop::collection::vec(step(), 1..200),
        reads in prop::collection::vec(0i64..400, 1..8),
    ) {
        let clock = clock();
        let (mut boot, mut wall) = (0i64, BEGIN as u64);
        let mut last = clock.millis_at(boot * TICKS);
        for step in steps {
            let begun = (boot, last);
            match step {
                Step::Pass(millis) => {
                    // Data threads read in between.
                    let mut at: Vec<i64> = reads.iter().map(|read| boot + read % millis).collect();
                    at.sort_unstable();
                    for at in at {
                        let now = clock.millis_at(at * TICKS);
                        prop_assert!(now >= last);
                        last = now;
                    }
                    boot += millis;
                    wall = wall.saturating_add(millis as u64);
                }
                Step::Set(by) => wall = wall.saturating_add_signed(by),
                Step::Broken(to) => wall = to,
            }
            let before = clock.millis_at(boot * TICKS);
            prop_assert!(before >= last);
            // A thread still reads the old line while the new one is being stored.
            let late = clock.millis_at((boot + OVERLAP / 2) * TICKS);
            let event = clock.adjust(ticks(wall), boot * TICKS);
            let now = clock.millis_at(boot * TICKS);
            prop_assert!(now >= before);
            prop_assert!(clock.millis_at((boot + OVERLAP / 2) * TICKS) >= late);
            let leapt = match event {
                Some(Event::Followed(by)) => by,
                Some(Event::Behind(_) | Event::CaughtUp) | None => LEAP as u64,
            };
            prop_assert!(now - before <= leapt + 1, "{before} to {now} by {event:?}");
            let least = (boot - begun.0) * 7 / 8 - 1;
            prop_assert!((now - begun.1) as i64 >= least, "{} ms in {} ms", now - begun.1, boot - begun.0);
            last = now;
        }
    }

    #[test]
    fn it_comes_back_to_a_wall_clock_that_stays(offset in -DAY..DAY, before in -DAY..DAY) {
        let (clock, mut boot) = (clock(), 0);
        run(&clock, &mut boot, 15_000, before);
        // At 1/8 of its speed a day takes eight; steps of a minute are as good as those of 100 ms.
        for _ in 0..(2 * DAY * 8 + DAY) / 60_000 {
            boot += 60_000;
            clock.adjust(ticks(wall(offset, boot)), boot * TICKS);
        }
        run(&clock, &mut boot, 120_000, offset);
        let off = clock.millis_at(boot * TICKS) as i64 - wall(offset, boot) as i64;
        prop_assert!((0..=TOLERANCE).contains(&off), "{off}");
    }
}
