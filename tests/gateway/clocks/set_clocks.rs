//! The wall clock is set while the gateway runs: no window is granted twice, and none is stuck.

use crate::{
    fake_time::FakeTime,
    support::{Config, Connection, Gateway, Key, Upstream, assert_error, eventually, get},
};
use std::time::{Duration, Instant};

/// A key of `2 per day`, which is used up, and one of `2 per second`.
struct Scene {
    time: FakeTime,
    gateway: Gateway,
    connection: Connection,
    daily: Key,
    quick: Key,
    _upstream: Upstream,
}

impl Scene {
    fn at(time: &str) -> Self {
        let upstream = Upstream::sample();
        let time = FakeTime::at(time);
        let config = Config::of(&upstream).plan("free", &["2 per day"]).plan("quick", &["2 per second"]);
        let home = time.home(&config);
        let daily = home.create_key(&["--plan", "free"]);
        let quick = home.create_key(&["--plan", "quick"]);
        let gateway = Gateway::start_in(&home);
        let connection = gateway.connect();
        let mut scene = Self { time, gateway, connection, daily, quick, _upstream: upstream };
        scene.grants_two();
        scene
    }

    #[track_caller]
    fn grants_two(&mut self) {
        for _ in 0..2 {
            assert_eq!(self.connection.send(&get("/items/7").key(&self.daily)).status, 200);
        }
        self.denies();
    }

    /// Denied; returns the seconds until the reset.
    #[track_caller]
    fn denies(&mut self) -> u64 {
        let answer = self.connection.send(&get("/items/7").key(&self.daily));
        assert_error(&self.gateway, &answer, 429, "API_LIMIT_EXCEEDED");
        answer.number("X-Rate-Limit-Reset")
    }

    /// Seconds follow each other: after a denial there is a grant within two seconds, three times.
    #[track_caller]
    fn goes_on(&mut self) {
        for _ in 0..3 {
            let quick = get("/items/7").key(&self.quick);
            eventually("a second is used up", || (self.connection.send(&quick).status == 429).then_some(()));
            let begun = Instant::now();
            eventually("the next second", || (self.connection.send(&quick).status == 200).then_some(()));
            assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        }
    }

    #[track_caller]
    fn logs(&self, text: &str) {
        eventually(text, || self.gateway.log().contains(text).then_some(()));
    }
}

#[test]
fn set_back_by_an_hour() {
    let mut scene = Scene::at("2026-11-23T00:20:00Z");
    let before = scene.denies();
    let begun = Instant::now();
    // Midnight is ahead once more, for the wall clock.
    scene.time.set_by(-3_600.0);
    scene.logs(" s behind");
    scene.goes_on();
    let after = scene.denies();
    let passed = before - after;
    let real = begun.elapsed().as_secs_f64();
    // At 7/8 of its speed, and never back.
    assert!(passed as f64 >= real * 0.87 - 1.5 && passed as f64 <= real + 1.5, "{passed} s in {real} s");
    // Corrected: a small step forward for the gateway.
    scene.time.set_by(3_600.0);
    scene.logs("caught up");
    scene.denies();
    scene.goes_on();
}

#[test]
fn a_glitch_of_a_day_changes_nothing() {
    let mut scene = Scene::at("2026-11-23T12:00:00Z");
    scene.time.set_by(86_400.0);
    std::thread::park_timeout(Duration::from_secs(4));
    scene.denies();
    scene.time.set_by(-86_400.0);
    scene.goes_on();
    let left = scene.denies();
    assert!((43_100..=43_200).contains(&left), "{left}");
    assert!(!scene.gateway.log().contains("jumped"), "{}", scene.gateway.log());
}

#[test]
fn forward_by_a_day_and_back() {
    let mut scene = Scene::at("2026-11-23T12:00:00Z");
    scene.time.set_by(86_400.0);
    scene.logs("jumped forward by 86");
    // The day that it jumped into is granted, once.
    scene.grants_two();
    scene.goes_on();
    scene.time.set_by(-86_400.0);
    scene.logs("behind");
    scene.denies();
    scene.goes_on();
    let left = scene.denies();
    assert!((43_000..=43_200).contains(&left), "{left}");
}
