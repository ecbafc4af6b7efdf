//! Where the name of an address leads to.
//!
//! Names are looked up beside the requests: what was found last stays until something else is found, so that a name
//! server that is away for a while takes no API with it.

use super::{backend::Backend, dns, resolved::Resolved};
use crate::settings::Names;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use transport::deadline::within;

/// How soon a name is asked for again that could not be found.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a name is asked for.
const LOOKUP: Duration = Duration::from_secs(5);

/// Whether somebody has to be asked where this host is.
pub fn is_name(host: &str) -> bool {
    host.parse::<IpAddr>().is_err()
}

/// Asks for the name of an address, and notes what comes of it. Gives when to ask again.
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

/// The addresses, and how long they hold.
async fn ask(backend: &Backend, names: &Names) -> Result<(Vec<SocketAddr>, Duration), String> {
    if names.dns_servers.is_empty() {
        // The system's resolver knows /etc/hosts and search domains, but does not tell how long an answer holds.
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
