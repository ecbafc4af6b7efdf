//! How the upstream handles a request. The client selects it by the path, so that both know.

use crate::support::{Exchange, Next, Request, Upstream, get, head, post, sample::pattern};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// A way to respond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Deed {
    // Successes, of every framing.
    Small,
    Large,
    Chunked,
    UntilClose,
    NoContent,
    Head,
    /// In pieces, with waits between them.
    Slow,
    /// The upstream reports the cost.
    Reported,
    // Faults.
    ServerError,
    ClientError,
    ClosedBefore,
    ClosedInHead,
    ClosedInLength,
    ClosedInLargeLength,
    ClosedInChunked,
    Garbled,
    Silence,
}

pub(crate) const SUCCESSES: [Deed; 8] = [
    Deed::Small,
    Deed::Large,
    Deed::Chunked,
    Deed::UntilClose,
    Deed::NoContent,
    Deed::Head,
    Deed::Slow,
    Deed::Reported,
];
pub(crate) const MISDEEDS: [Deed; 9] = [
    Deed::ServerError,
    Deed::ClientError,
    Deed::ClosedBefore,
    Deed::ClosedInHead,
    Deed::ClosedInLength,
    Deed::ClosedInLargeLength,
    Deed::ClosedInChunked,
    Deed::Garbled,
    Deed::Silence,
];
/// The percentage of requests that meet a fault.
const MISDEEDS_PERCENT: u64 = 30;

/// The maximum of a reported cost, as the configuration reserves it.
pub(crate) const MAX_REPORTED: u64 = 5;
/// More than the gateway holds back, so that it streams.
const LARGE: usize = 300_000;
const SMALL: usize = 700;

/// The endpoints, for the configuration: a cost of 1, a cost of 3, a reported one.
pub(crate) const ENDPOINTS: [(&str, &str, &str); 4] = [
    ("GET", "/one/{deed}", ""),
    ("POST", "/one/{deed}", ""),
    ("GET", "/three/{deed}", "cost = 3"),
    ("GET", "/reported/{cost}", "cost = 5\ncost_header = \"X-Cost\""),
];

/// A request that the client sends, and what its success costs.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) deed: Deed,
    pub(crate) cost: u64,
    pub(crate) request: Request,
}

impl Deed {
    pub(crate) fn is_success(self) -> bool {
        SUCCESSES.contains(&self)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Large => "large",
            Self::Chunked => "chunked",
            Self::UntilClose => "until-close",
            Self::NoContent => "no-content",
            Self::Head => "head",
            Self::Slow => "slow",
            Self::Reported => "reported",
            Self::ServerError => "server-error",
            Self::ClientError => "client-error",
            Self::ClosedBefore => "closed-before",
            Self::ClosedInHead => "closed-in-head",
            Self::ClosedInLength => "closed-in-length",
            Self::ClosedInLargeLength => "closed-in-large-length",
            Self::ClosedInChunked => "closed-in-chunked",
            Self::Garbled => "garbled",
            Self::Silence => "silence",
        }
    }

    /// The body that a client gets if it gets all of it.
    pub(crate) fn body(self) -> Vec<u8> {
        match self {
            Self::Large => pattern(LARGE),
            Self::Chunked | Self::UntilClose | Self::Slow => pattern(4 * SMALL),
            Self::Small | Self::Reported => pattern(SMALL),
            Self::NoContent
            | Self::Head
            | Self::ServerError
            | Self::ClientError
            | Self::ClosedBefore
            | Self::ClosedInHead
            | Self::ClosedInLength
            | Self::ClosedInLargeLength
            | Self::ClosedInChunked
            | Self::Garbled
            | Self::Silence => Vec::new(),
        }
    }
}

impl Wish {
    /// A random wish.
    pub(crate) fn random(random: &mut fastrand::Rng) -> Self {
        let deeds: &[Deed] = if random.u64(..100) < MISDEEDS_PERCENT { &MISDEEDS } else { &SUCCESSES };
        // Silence and slow answers hold up their client, so they are rarer than the rest.
        let mut deed = deeds[random.usize(..deeds.len())];
        if matches!(deed, Deed::Silence | Deed::Slow) && random.u8(..4) > 0 {
            deed = deeds[0];
        }
        if deed == Deed::Reported {
            // Sometimes more than was reserved, and sometimes (9) nothing that is a number.
            let reported = random.u64(..=9);
            let cost = reported.min(MAX_REPORTED);
            return Self { deed, cost, request: get(&format!("/reported/{reported}")) };
        }
        if deed == Deed::Head {
            return Self { deed, cost: 1, request: head("/one/head") };
        }
        let name = deed.name();
        let (cost, request) = match random.u8(..3) {
            0 => (3, get(&format!("/three/{name}"))),
            1 => (1, post(&format!("/one/{name}"), "{\"a\": [1, 2, 3]}")),
            _ => (1, get(&format!("/one/{name}"))),
        };
        Self { deed, cost, request }
    }
}

/// The upstream of one round, and how many successes it has sent to their last byte.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) upstream: Upstream,
    pub(crate) delivered: Arc<AtomicU64>,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let delivered = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&delivered);
        let upstream = Upstream::scripted(move |exchange| answer(exchange, &count));
        Self { upstream, delivered }
    }
}

fn answer(exchange: &mut Exchange<'_>, delivered: &AtomicU64) -> Next {
    if exchange.read_body().is_none() {
        return Next::Close;
    }
    let name = exchange.target().rsplit('/').next().unwrap_or_default().to_owned();
    let found = SUCCESSES.into_iter().chain(MISDEEDS).find(|deed| deed.name() == name);
    let next = match (found, name.parse::<u64>()) {
        (_, Ok(reported)) => report_cost(exchange, reported),
        (Some(deed), Err(_)) if deed.is_success() => succeed(exchange, deed),
        (Some(deed), Err(_)) => return misbehave(exchange, deed),
        (None, Err(_)) => panic!("no deed: {name}"),
    };
    let (next, is_whole) = next;
    delivered.fetch_add(u64::from(is_whole), Ordering::SeqCst);
    next
}

fn report_cost(exchange: &mut Exchange<'_>, reported: u64) -> (Next, bool) {
    let cost = if reported == 9 { "many".to_owned() } else { reported.to_string() };
    let next = exchange.answer(200, &[("X-Cost", &cost)], &Deed::Reported.body());
    (next, next == Next::Keep)
}

/// A success, and whether the gateway took all of it.
fn succeed(exchange: &mut Exchange<'_>, deed: Deed) -> (Next, bool) {
    let body = deed.body();
    match deed {
        Deed::Chunked | Deed::Slow => {
            let mut is_whole = exchange.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            for piece in body.chunks(SMALL) {
                if deed == Deed::Slow {
                    std::thread::park_timeout(Duration::from_millis(15));
                }
                let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
                chunk.extend_from_slice(piece);
                chunk.extend_from_slice(b"\r\n");
                is_whole = is_whole && exchange.write(&chunk);
            }
            is_whole = is_whole && exchange.write(b"0\r\n\r\n");
            (if is_whole { Next::Keep } else { Next::Close }, is_whole)
        }
        Deed::UntilClose => {
            let mut bytes = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
            bytes.extend_from_slice(&body);
            (Next::Close, exchange.write(&bytes))
        }
        Deed::NoContent => {
            let next = exchange.answer(204, &[], b"");
            (next, next == Next::Keep)
        }
        Deed::Small
        | Deed::Large
        | Deed::Head
        | Deed::Reported
        | Deed::ServerError
        | Deed::ClientError
        | Deed::ClosedBefore
        | Deed::ClosedInHead
        | Deed::ClosedInLength
        | Deed::ClosedInLargeLength
        | Deed::ClosedInChunked
        | Deed::Garbled
        | Deed::Silence => {
            let next = exchange.answer(200, &[], &body);
            (next, next == Next::Keep)
        }
    }
}

fn misbehave(exchange: &mut Exchange<'_>, deed: Deed) -> Next {
    let half = pattern(SMALL);
    let broken: &[u8] = match deed {
        Deed::ServerError => return exchange.json(502, "{\"message\": \"It broke.\"}"),
        Deed::ClientError => return exchange.json(409, "{\"message\": \"It is there already.\"}"),
        Deed::Silence => return exchange.stall(),
        Deed::ClosedInHead => b"HTTP/1.1 200 OK\r\nContent-Len",
        Deed::ClosedInLength => b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n",
        Deed::ClosedInLargeLength => b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n",
        Deed::ClosedInChunked => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2bc\r\n",
        Deed::Garbled => b"HTTP/1.1 two hundred\r\n\r\n",
        Deed::ClosedBefore
        | Deed::Small
        | Deed::Large
        | Deed::Chunked
        | Deed::UntilClose
        | Deed::NoContent
        | Deed::Head
        | Deed::Slow
        | Deed::Reported => return Next::Close,
    };
    let mut bytes = broken.to_vec();
    if matches!(deed, Deed::ClosedInLength | Deed::ClosedInLargeLength | Deed::ClosedInChunked) {
        bytes.extend_from_slice(&half);
    }
    if deed == Deed::ClosedInChunked {
        bytes.extend_from_slice(b"\r\n");
    }
    exchange.send_raw(&bytes, Next::Close)
}
