//! Addresses in the configuration: networks, and which of them may use the API or an endpoint.

use crate::{
    fault::Fault,
    raw::{Refusal, Section},
    registry::{Key, TRUSTED_HOPS, TRUSTED_PROXIES},
};
use gateway::settings::Access;
use ipnet::IpNet;
use std::net::IpAddr;

/// How many proxies stand before us, if they are told by their number.
pub(super) fn trusted_hops(top: &Section<'_>) -> Option<usize> {
    let hops = top.whole(&TRUSTED_HOPS)?;
    if top.has(&TRUSTED_PROXIES) {
        top.reader.fault(
            Fault::at(hops.span.clone(), "trusted proxies are configured in two ways")
                .label("by their number")
                .also(top.key_place(&TRUSTED_PROXIES), "by their addresses")
                .help("keep one of the two: the addresses, if you know them"),
        );
    }
    usize::try_from(hops.value).ok()
}

/// Networks that may use something, and networks that may not. None: nothing is said.
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
        return Ok(IpNet::from(address));
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
    Ok(network)
}
