//! Addresses in the configuration: networks, and which of them may use the API or an endpoint.

use crate::{
    fault::Fault,
    raw::{Refusal, Section},
    registry::Key,
};
use gateway::settings::Access;
use ipnet::IpNet;
use std::net::IpAddr;

/// Networks that may use something, and networks that may not. None: not configured.
pub(super) fn access(section: &Section<'_>, allow: &Key, deny: &Key) -> Option<Access> {
    let access = Access { allow: networks(section, allow), deny: networks(section, deny) };
    if section.has(allow) && access.allow.is_empty() && section.is_empty_list(allow) {
        section.reader.fault(
            Fault::at(section.key_place(allow), "no address is allowed")
                .label("the list is empty")
                .help("list the allowed networks, or remove this line to allow every address"),
        );
    }
    (section.has(allow) || section.has(deny)).then_some(access)
}

pub(super) fn networks(section: &Section<'_>, key: &Key) -> Vec<IpNet> {
    let mut networks = Vec::new();
    for text in section.texts(key) {
        match network(&text.value) {
            Ok(network) => networks.push(network),
            Err(refusal) => section.reader.fault(refusal.into_fault(text.span)),
        }
    }
    networks
}

pub(super) fn network(text: &str) -> Result<IpNet, Refusal> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(address.to_canonical()));
    }
    let Ok(network) = text.parse::<IpNet>() else {
        return Err(Refusal::new(
            format!("`{text}` is not a network"),
            "expected an IP address or a network",
            "write an address such as \"127.0.0.1\", or a network such as \"10.0.0.0/8\" or \"fd00::/8\"",
        ));
    };
    if network.trunc() != network {
        return Err(Refusal::new(
            format!("`{text}` is not a network"),
            format!("the address has bits set beyond its first {}", network.prefix_len()),
            format!(
                "write \"{}\" for the network, or \"{}\" for this address alone",
                network.trunc(),
                network.addr()
            ),
        ));
    }
    Ok(canonical(network))
}

/// An IPv4 network that is written in IPv6 (`::ffff:10.0.0.0/104`). Clients' addresses are compared as IPv4, so it would
/// match none of them.
fn canonical(network: IpNet) -> IpNet {
    const MAPPED: u8 = 96;
    let mapped = match (network.addr().to_canonical(), network.prefix_len().checked_sub(MAPPED)) {
        (IpAddr::V4(address), Some(length)) if matches!(network, IpNet::V6(_)) => {
            IpNet::new(IpAddr::V4(address), length).ok()
        }
        (IpAddr::V4(_) | IpAddr::V6(_), _) => None,
    };
    mapped.unwrap_or(network)
}
