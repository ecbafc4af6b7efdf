//! Resolution of the names of addresses.
//!
//! Names are resolved independently of requests: the last result is kept until there is a new one,
//! so that an unavailable DNS server causes no outage.

use super::{backend::Backend, dns, resolved::Resolved};
use crate::settings::Names;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use transport::deadline::within;

/// How soon to retry a name that could not be resolved.
const AGAIN: Duration = Duration::from_secs(1);
/// The timeout of a lookup.
const LOOKUP: Duration = Duration::from_secs(5);

/// Whether this host must be resolved.
pub fn is_name(host: &str) -> bool {
    host.parse::<IpAddr>().is_err()
}

/// Resolves the name of an address, and stores the result. Returns when to resolve it again.
pub async fn look_up(backend: &Backend, names: &Names) -> Duration {
    let found = within(LOOKUP, ask(backend, names)).await;
    let found = found.unwrap_or_else(|| Err(format!("no response within {LOOKUP:?}")));
    let known = backend.resolved.load();
    match found {
        Ok((mut addresses, lives)) => {
            addresses.sort_unstable();
            addresses.dedup();
            if known.addresses != addresses {
                let generation = known.generation.wrapping_add(1);
                backend.resolved.store(Arc::new(Resolved { addresses, generation, error: None }));
            } else if known.error.is_some() {
                backend.resolved.store(Arc::new(Resolved { error: None, ..Resolved::clone(&known) }));
            }
            lives
        }
        Err(error) => {
            let error = Some(format!("the name {} cannot be resolved: {error}", backend.host));
            backend.resolved.store(Arc::new(Resolved { error, ..Resolved::clone(&known) }));
            AGAIN.min(names.dns_refresh_interval)
        }
    }
}

/// The addresses, and their TTL.
async fn ask(backend: &Backend, names: &Names) -> Result<(Vec<SocketAddr>, Duration), String> {
    if names.dns_servers.is_empty() {
        // The system's resolver supports /etc/hosts and search domains, but does not return a TTL.
        let found = tokio::net::lookup_host((backend.host.as_str(), backend.port)).await;
        let addresses: Vec<_> = found.map_err(|error| error.to_string())?.collect();
        return if addresses.is_empty() {
            Err("it has no address".to_owned())
        } else {
            Ok((addresses, names.dns_refresh_interval))
        };
    }
    let (addresses, lives) = dns::ask(&names.dns_servers, &backend.host).await?;
    let addresses = addresses.into_iter().map(|address| SocketAddr::new(address, backend.port)).collect();
    Ok((addresses, lives.clamp(AGAIN.min(names.dns_refresh_interval), names.dns_refresh_interval)))
}
