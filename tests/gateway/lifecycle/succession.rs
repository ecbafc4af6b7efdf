//! Hot restarts under load: no connection is refused, no request lost, no unit granted twice. And sockets that a
//! service manager opened.

use crate::support::{
    Config, Connection, Gate, Gateway, Upstream, eventually, gateway::Home, get, program, sample::sample,
};
use std::{
    net::TcpListener,
    os::{fd::OwnedFd, unix::net::UnixDatagram},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

#[test]
fn a_hot_restart_under_load_loses_no_request_and_counts_each_once() {
    let upstream = Upstream::sample();
    let home = Home::new(&Config::of(&upstream));
    let mut old = Gateway::start_in(&home);
    let key = old.key();
    let address = old.address;
    let (is_over, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    let new = std::thread::scope(|scope| {
        for number in 0..6 {
            let (is_over, answered, key) = (&is_over, &answered, &key);
            scope.spawn(move || {
                let mut connection = Connection::open(address);
                while !is_over.load(Ordering::Relaxed) {
                    let answer = connection.send(&get("/items/7").key(key));
                    assert_eq!(answer.status, 200, "{answer:?}");
                    answered.fetch_add(1, Ordering::Relaxed);
                    // Some get `Connection: close`, the others open a new connection each time.
                    if answer.header("Connection") == Some("close") || number % 2 == 0 {
                        connection = Connection::open(address);
                    }
                }
            });
        }
        let so_far = || answered.load(Ordering::Relaxed);
        eventually("load", || (so_far() > 100).then_some(()));
        let new = Gateway::start_with(&home, &["serve", "--take-over"]);
        let before = so_far();
        eventually("load at the new one", || (so_far() > before + 100).then_some(()));
        is_over.store(true, Ordering::Relaxed);
        new
    });
    assert_eq!(old.ended().code(), Some(0), "{}", old.log());
    assert_eq!(new.address, address);
    assert!(old.log().contains("another gateway takes over"));
    assert_eq!(new.used(&key), answered.into_inner());
    // Again, with another number of threads.
    drop(old);
    home.configure(&Config::of(&upstream).listen("address = \"127.0.0.1:0\"\nthreads = 3"));
    let third = Gateway::start_with(&home, &["serve", "--take-over"]);
    assert_eq!(third.address, address);
    for _ in 0..12 {
        assert_eq!(third.send(&get("/items/7").key(&key)).status, 200);
    }
    let mut new = new;
    assert_eq!(new.ended().code(), Some(0));
}

#[test]
fn clients_that_connect_while_the_old_one_drains_wait_and_are_served_by_the_new_one() {
    let may_answer = Gate::default();
    let wait = may_answer.clone();
    let upstream = Upstream::scripted(move |exchange| {
        if exchange.target() == "/slow" {
            wait.wait();
        }
        sample(exchange)
    });
    let home = Home::new(&Config::of(&upstream).plan("free", &["2 per day"]));
    let mut old = Gateway::start_in(&home);
    let key = old.key();
    let mut slow = old.connect();
    slow.write(&get("/slow").key(&key).bytes());
    eventually("it is at the upstream", || (upstream.count() == 1).then_some(()));
    let (at, its_home) = (old.address, Arc::clone(&home));
    let starting = std::thread::spawn(move || Gateway::start_with(&its_home, &["serve", "--take-over"]));
    eventually("the old one drains", || old.has_event("draining").then_some(()));
    // The old one may still accept for a moment after it logged that.
    eventually("no connection is accepted", || {
        let mut connection = Connection::open(at);
        connection.write(&get("/items/7").bytes());
        connection.wire.stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        connection.wire.wait_unread().is_err().then_some(())
    });
    let mut waiting: Vec<Connection> = (0..3).map(|_| Connection::open(at)).collect();
    for connection in &mut waiting {
        connection.write(&get("/items/7").key(&key).bytes());
    }
    waiting[0].wire.stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(waiting[0].wire.wait_unread().is_err(), "two gateways are open at once");
    may_answer.open();
    assert_eq!(slow.answer().status, 200);
    assert_eq!(old.ended().code(), Some(0));
    let _new = starting.join().unwrap();
    waiting[0].wire.stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
    let mut statuses: Vec<u16> = waiting.iter_mut().map(|one| one.answer().status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 429, 429], "one unit was left after the old one's responses");
}

#[test]
fn without_a_gateway_there_is_nothing_to_take_over_and_a_plain_start_is_refused_beside_one() {
    let upstream = Upstream::sample();
    let home = Home::new(&Config::of(&upstream));
    let gateway = Gateway::start_with(&home, &["serve", "--take-over"]);
    assert!(gateway.has_event("nothing to take over"));
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
    // A configuration with a fault starts no hot restart, and the gateway continues.
    home.configure(&Config::of(&upstream).plan("free", &["3 per fortnight"]));
    assert_eq!(home.run(&["serve", "--take-over"]).code, Some(2));
    assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
}

#[test]
fn a_hot_restart_stays_at_its_address_and_on_its_store() {
    let upstream = Upstream::sample();
    let home = Home::new(&Config::of(&upstream));
    let gateway = Gateway::start_in(&home);
    let key = gateway.key();
    let written = std::fs::read_to_string(home.config()).unwrap();
    let data = home.path("data");
    let elsewhere = home.path("elsewhere");
    for (from, to, why) in [
        (
            "address = \"127.0.0.1:0\"".to_owned(),
            "address = \"127.0.0.2:0\"".to_owned(),
            "keeps the addresses",
        ),
        (data.display().to_string(), elsewhere.display().to_string(), "stays on one store"),
    ] {
        let next = written.replace(&from, &to);
        assert_ne!(next, written, "{from}");
        std::fs::write(home.config(), next).unwrap();
        let output = home.run(&["serve", "--take-over"]);
        assert_eq!((output.code, output.err.contains(why)), (Some(1), true), "{to}: {output:?}");
        std::fs::write(home.config(), &written).unwrap();
        assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
    }
    assert!(!elsewhere.exists() && !gateway.has_event("draining"));
}

#[test]
fn sockets_of_a_service_manager_are_served_and_it_is_notified_of_start_and_stop() {
    let upstream = Upstream::sample();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let listen = format!("address = \"{address}\"\nthreads = 2");
    let home = Home::new(&Config::of(&upstream).listen(&listen));
    let place = home.path("notify.sock");
    let manager = UnixDatagram::bind(&place).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
    // Clients that connect before there is a gateway wait, too.
    let mut early = Connection::open(address);
    early.write(&get("/items/7").bytes());
    let mut command = Command::new("sh");
    command
        .args(["-c", "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" \"$@\""])
        .arg(program())
        .args(["serve", "--config"])
        .arg(home.config())
        .env("NOTIFY_SOCKET", &place)
        .stdin(Stdio::from(OwnedFd::from(listener)));
    let mut gateway = Gateway::start_by(&home, command);
    assert_eq!(gateway.address, address);
    let heard = || {
        let mut buffer = [0; 256];
        let length = manager.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    assert!(heard().contains("READY=1\n"));
    assert_eq!(early.answer().status, 403);
    let key = gateway.key();
    for _ in 0..8 {
        assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
    }
    gateway.terminate();
    assert!(heard().contains("STOPPING=1\n"));
    assert_eq!(gateway.ended().code(), Some(0));
}
