//! An active health check: a request of the gateway to an address.

use super::{
    backend::Backend,
    connection::{Upstream, connect},
    http2::{StreamTimeouts, open_alone},
};
use crate::settings::{HealthCheck, Service};
use http1::response::ResponseHead;
use std::{sync::Arc, time::Duration};
use tokio::io::AsyncWriteExt;
use transport::{Fill, deadline::within};

/// Maximum size of the head of a response to a check.
const MAX_HEAD_SIZE: usize = 64 * 1024;

/// Sends the check. The error is for the operator.
pub async fn ask(backend: &Arc<Backend>, service: &Service, check: &HealthCheck) -> Result<(), String> {
    match within(check.timeout, exchange(backend, service, check)).await {
        Some(Ok(status)) if check.takes(status) => Ok(()),
        Some(Ok(status)) => Err(format!("the health check got status {status}")),
        Some(Err(reason)) => Err(reason),
        None => Err(format!("the health check got no response within {:?}", check.timeout)),
    }
}

async fn exchange(backend: &Arc<Backend>, service: &Service, check: &HealthCheck) -> Result<u16, String> {
    // A new connection: that one can still be opened is part of the check.
    let mut upstream = open(backend, check.timeout).await?;
    let host = check.host.as_deref().unwrap_or(&backend.authority);
    let request = format!(
        "GET {}{} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: fairgate-check\r\nConnection: close\r\n\r\n",
        service.upstream.base_path, check.path
    );
    upstream
        .io
        .write_all(request.as_bytes())
        .await
        .map_err(|error| format!("the health check failed: {error}"))?;
    loop {
        let filled = std::future::poll_fn(|cx| upstream.input.poll_fill(cx, &mut upstream.io)).await;
        match filled {
            Ok(1..) if upstream.input.len() <= MAX_HEAD_SIZE => {}
            Ok(1..) => return Err("the response to the health check has endless headers".to_owned()),
            Ok(0) => return Err("the connection was closed before a response to the health check".to_owned()),
            Err(error) => return Err(format!("the health check failed: {error}")),
        }
        while let Some(head) = ResponseHead::read(upstream.input.filled(), false, Vec::new())
            .map_err(|reason| format!("the response to the health check is malformed: {reason}"))?
        {
            if head.status >= 200 {
                return Ok(head.status);
            }
            upstream.input.consume(head.length);
        }
    }
}

async fn open(backend: &Arc<Backend>, time: Duration) -> Result<Upstream, String> {
    if backend.speaks_http2 {
        let timeouts = StreamTimeouts { connect: time, open: time, stall: time, pending: time };
        open_alone(backend, timeouts).await.map(|stream| Upstream::of_stream(stream, backend))
    } else {
        connect(backend, time).await
    }
}

/// Counts check results until a threshold is reached.
#[derive(Debug, Default)]
pub struct Verdict {
    good: u32,
    bad: u32,
}

impl Verdict {
    /// Some: the address becomes healthy, or unhealthy.
    pub const fn add(&mut self, is_good: bool, check: &HealthCheck) -> Option<bool> {
        if is_good {
            self.bad = 0;
            self.good = self.good.saturating_add(1);
            // Until a check has failed, it counts as healthy.
            if self.good >= check.healthy_threshold { Some(true) } else { None }
        } else {
            self.good = 0;
            self.bad = self.bad.saturating_add(1);
            if self.bad >= check.unhealthy_threshold { Some(false) } else { None }
        }
    }

    /// The time until the next check: with 10 % jitter, so that several gateways do not check at once.
    pub fn pause(check: &HealthCheck) -> Duration {
        check.interval.mul_f64(0.9 + 0.2 * fastrand::f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_as_many_checks_in_a_row_as_are_set() {
        let check = HealthCheck {
            path: "/health".into(),
            host: None,
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            expected_statuses: vec![],
            healthy_threshold: 2,
            unhealthy_threshold: 3,
        };
        let mut verdict = Verdict::default();
        let found =
            [false, false, true, false, false, false, true, true].map(|good| verdict.add(good, &check));
        assert_eq!(found, [None, None, None, None, None, Some(false), None, Some(true)]);
        assert!(check.takes(204) && !check.takes(301) && !check.takes(404));
        let pause = Verdict::pause(&check);
        assert!((Duration::from_millis(900)..=Duration::from_millis(1100)).contains(&pause));
    }
}
