//! A data thread: it accepts connections, does periodic work, and drains.

use super::Listeners;
use crate::{
    connection::accept::{Protocol, enter, turn_away},
    record::{Level, Value},
    state::{shared::Shared, thread::Thread},
};
use std::{
    io,
    net::{IpAddr, SocketAddr, TcpListener},
    rc::Rc,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::{
    net::TcpStream,
    sync::watch,
    task::LocalSet,
    time::{Instant, MissedTickBehavior, interval, sleep},
};
use transport::{connection_limit::Verdict, connection_state::ConnectionState, turn};

/// How often a thread hands over its log lines.
const LOG_TICK: Duration = Duration::from_millis(50);
/// How often a thread checks for idle upstream connections that were closed.
const SWEEP: Duration = Duration::from_secs(5);
/// How long a connection is idle before a drain ends it.
const LAST_WAIT: Duration = Duration::from_millis(300);
/// How often a thread hands over its usage.
const USAGE: Duration = Duration::from_secs(1);

/// Runs a data thread to its end.
pub(super) fn run(
    shared: Arc<Shared>,
    number: usize,
    journal: Option<journal::Writer>,
    listeners: Listeners,
    draining: watch::Receiver<bool>,
) {
    let log = shared.log.clone();
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = match builder.enable_all().event_interval(61).on_thread_unpark(turn::begin).build() {
        Ok(runtime) => runtime,
        Err(error) => {
            log.event(Level::Error, "a data thread has no runtime", &[("error", &error.to_string())]);
            return;
        }
    };
    let thread = Rc::new(Thread::new(shared, number, journal));
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        tokio::task::spawn_local(keep_house(Rc::clone(&thread)));
        let accepting: Vec<_> = listeners
            .into_iter()
            .map(|(protocol, listener)| {
                let (thread, draining, log) = (Rc::clone(&thread), draining.clone(), log.clone());
                tokio::task::spawn_local(async move {
                    if let Err(error) = accept(&thread, listener, protocol, draining).await {
                        let error = error.to_string();
                        log.event(Level::Error, "a data thread cannot listen", &[("error", &error)]);
                    }
                })
            })
            .collect();
        for ended in accepting {
            let _ = ended.await; // a panic is printed to standard error
        }
        finish(&thread).await;
    });
    thread.flush_log();
    thread.hand_usage_over();
}

/// Accepts connections until the drain begins.
async fn accept(
    thread: &Rc<Thread>,
    listener: TcpListener,
    protocol: Protocol,
    mut draining: watch::Receiver<bool>,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = draining.wait_for(|draining| *draining) => {
                // Closing the socket would reset connections that completed the handshake and were
                // not accepted yet.
                while !thread.shared.is_handed_over.load(Ordering::Relaxed)
                    && let Ok((stream, peer)) = accept_now(&listener)
                {
                    admit(thread, stream, peer, protocol);
                }
                return Ok(());
            }
        };
        match accepted {
            Ok((stream, peer)) => {
                admit(thread, stream, peer, protocol);
            }
            // Most likely out of file descriptors. A busy loop would not help.
            Err(error) => {
                thread.shared.log.event(
                    Level::Error,
                    "a connection cannot be accepted",
                    &[("error", &error.to_string())],
                );
                let _ = thread.connection_limit.make_room(&thread.connections);
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

fn accept_now(listener: &tokio::net::TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let mut cx = Context::from_waker(Waker::noop());
    match listener.poll_accept(&mut cx) {
        Poll::Ready(accepted) => accepted,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

fn admit(thread: &Rc<Thread>, socket: TcpStream, peer: SocketAddr, protocol: Protocol) {
    let peer = peer.ip().to_canonical();
    // Nagle's delay would cost every response; without the option everything still works.
    let _ = socket.set_nodelay(true);
    let (shared, config) = (&thread.shared, thread.config());
    let bounds = &config.settings.overload;
    let has_room = shared.loads.connections() < bounds.connections.min(shared.room);
    let is_trusted = || config.settings.trusted_proxies.iter().any(|net| net.contains(&peer));
    let per_address = bounds.connections_per_address.filter(|_| !is_trusted());
    let per_address = per_address.map(|most| (most, shared.peers.get_or_init(Default::default)));
    match thread.connection_limit.decide(&thread.connections, peer, has_room, per_address) {
        Verdict::Admit(counted) => spawn(thread, socket, peer, protocol, counted),
        Verdict::Refuse => {
            let own = Rc::clone(thread);
            tokio::task::spawn_local(async move {
                turn_away(&own, socket, peer, protocol).await;
                own.connection_limit.refused_closed();
            });
        }
        Verdict::Close => {}
    }
}

fn spawn(thread: &Rc<Thread>, socket: TcpStream, peer: IpAddr, protocol: Protocol, counted: Option<IpAddr>) {
    let number = thread.next_connection();
    let connection_state = Rc::new(ConnectionState::default());
    thread.connections.borrow_mut().insert(number, Rc::clone(&connection_state));
    let own = Rc::clone(thread);
    tokio::task::spawn_local(async move {
        let _open = own.load().connection();
        enter(&own, socket, peer, protocol, &connection_state).await;
        own.connections.borrow_mut().remove(&number);
        if let (Some(address), Some(peers)) = (counted, own.shared.peers.get()) {
            peers.leave(address);
        }
    });
}

/// Periodic work.
async fn keep_house(thread: Rc<Thread>) {
    let mut tick = interval(LOG_TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut swept = Instant::now();
    let mut handed_over = swept;
    let mut lag_before = Duration::ZERO;
    loop {
        let now = tick.tick().await;
        // The smaller of two: a single long task is not overload.
        let lag = now.elapsed();
        let millis = u64::try_from(lag.min(lag_before).as_millis()).unwrap_or(u64::MAX);
        thread.load().tick(millis, thread.shared.age_millis());
        lag_before = lag;
        // A thread that never sleeps has turns too.
        turn::begin();
        thread.flush_log();
        // So that a thread without requests releases a replaced configuration, too.
        drop(thread.config());
        if now.saturating_duration_since(swept) >= SWEEP {
            swept = now;
            thread.pool.sweep(&thread.config().services);
            buffer::trim();
        }
        if now.saturating_duration_since(handed_over) >= USAGE {
            handed_over = now;
            thread.hand_usage_over();
            thread.failed_handshakes.borrow_mut().log(&thread.shared.log);
        }
    }
}

/// Ends idle connections, and waits for the others.
async fn finish(thread: &Rc<Thread>) {
    thread.is_draining.set(true);
    thread.http2_connections.wake();
    let end = Instant::now() + thread.config().settings.timeouts.drain;
    thread.drain_end.set(Some(end));
    thread.drain_begun.notify_waiters();
    loop {
        // A client that just got a response may be sending the next request already. It gets a
        // response too, with the notice that it is the last one.
        let now = Instant::now();
        for connection_state in thread.connections.borrow().values() {
            if connection_state.idle(now).is_some_and(|idle| idle >= LAST_WAIT) {
                connection_state.dismiss();
            }
        }
        let running = thread.connections.borrow().len();
        if running == 0 {
            return;
        }
        if Instant::now() >= end {
            // Reservations of what is cut off here are released on drop: free, like every error.
            thread.shared.log.event_of(
                Level::Warn,
                "responses were cut off at the end of the drain",
                &[("count", Value::Number(running as u64))],
            );
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
}
