//! `X-Forwarded-*` and `Forwarded` (RFC 7239): two ways to say the same.

use super::lists::{Lists, begin_prolonged};
use crate::context::{
    RequestContext,
    origin::{elements, node, parameter},
};
use http1::field::{self, ForwardedKind, RequestField};
use std::{io::Write, net::IpAddr};

/// Appends origin, host and scheme of the request. What a trusted proxy sends in one of the two ways only is sent in
/// the other one as well, because the upstream may read either.
pub(super) fn write(context: &RequestContext<'_>, lists: &Lists<'_>, out: &mut Vec<u8>) {
    let (head, peer) = (&context.head, context.peer.address);
    let given = |kind| head.value(RequestField::Forwarded(kind)).filter(|_| context.is_peer_trusted);
    let earlier = match (lists.forwarded_for, lists.forwarded) {
        (None, Some(_)) => addresses(context),
        (Some(_), _) | (None, None) => None,
    };
    begin_prolonged(b"X-Forwarded-For", lists.forwarded_for.or(earlier.as_deref()), out);
    let written = out.len();
    write_address(peer, out);
    let written = written..out.len();
    out.extend_from_slice(b"\r\n");
    if given(ForwardedKind::Proto).is_none() {
        field::write(b"X-Forwarded-Proto", context.scheme().name().as_bytes(), out);
    }
    if given(ForwardedKind::Host).is_none() && !head.host().is_empty() {
        field::write(b"X-Forwarded-Host", head.host().as_bytes(), out);
    }

    let earlier = match (lists.forwarded, lists.forwarded_for) {
        (None, Some(_)) => elements_of_addresses(context),
        (Some(_), _) | (None, None) => None,
    };
    begin_prolonged(b"Forwarded", lists.forwarded.or(earlier.as_deref()), out);
    // The first element is about the client's own request, any other about that of a proxy.
    let is_first = lists.forwarded.is_none() && earlier.is_none();
    let scheme = if is_first { context.scheme() } else { context.peer.scheme };
    write_for(peer, |out| out.extend_from_within(written), out);
    write_host(head.host().as_bytes(), out);
    for part in [";proto=", scheme.name(), "\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
}

/// The addresses of the elements of `Forwarded` as a list. None: not all of them are addresses.
fn addresses(context: &RequestContext<'_>) -> Option<Vec<u8>> {
    let lines = context.head.values(RequestField::Forwarded(ForwardedKind::Forwarded));
    let known: Option<Vec<IpAddr>> =
        lines.flat_map(elements).map(|element| node(parameter(element, b"for")?)).collect();
    let known = known.filter(|known| !known.is_empty())?;
    let mut list = Vec::with_capacity(known.len() * 16);
    for (turn, address) in known.into_iter().enumerate() {
        if turn > 0 {
            list.extend_from_slice(b", ");
        }
        write_address(address, &mut list);
    }
    Some(list)
}

/// The elements of `Forwarded` for `X-Forwarded-For`, with the host and scheme of the client's request in the first. None:
/// not all of them are addresses.
fn elements_of_addresses(context: &RequestContext<'_>) -> Option<Vec<u8>> {
    let lines = context.head.values(RequestField::Forwarded(ForwardedKind::For));
    let nodes: Option<Vec<IpAddr>> = lines.flat_map(field::list).map(node).collect();
    let nodes = nodes.filter(|nodes| !nodes.is_empty())?;
    let mut list = Vec::with_capacity(nodes.len() * 24 + 64);
    for (turn, address) in nodes.into_iter().enumerate() {
        if turn > 0 {
            list.extend_from_slice(b", ");
        }
        write_for(address, |list| write_address(address, list), &mut list);
        if turn == 0 {
            let host = context.head.value(RequestField::Forwarded(ForwardedKind::Host));
            let is_plain =
                |host: &&[u8]| host.iter().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(b));
            write_host(host.filter(is_plain).unwrap_or(context.head.host().as_bytes()), &mut list);
            list.extend_from_slice(b";proto=");
            list.extend_from_slice(context.scheme().name().as_bytes());
        }
    }
    Some(list)
}

/// Appends the parameter `for`, with an address that `write` appends. Colons and brackets require a quoted string.
#[inline]
fn write_for(address: IpAddr, write: impl FnOnce(&mut Vec<u8>), out: &mut Vec<u8>) {
    let (before, behind): (&[u8], &[u8]) = match address {
        IpAddr::V4(_) => (b"for=", b""),
        IpAddr::V6(_) => (b"for=\"[", b"]\""),
    };
    out.extend_from_slice(before);
    write(out);
    out.extend_from_slice(behind);
}

/// Appends the parameter `host`. It may contain a colon, which is allowed only in a quoted string.
fn write_host(host: &[u8], out: &mut Vec<u8>) {
    if !host.is_empty() {
        for part in [&b";host=\""[..], host, b"\""] {
            out.extend_from_slice(part);
        }
    }
}

/// Appends an address. IPv4 is formatted by hand, because `Display` takes ten times as long and
/// each request has one.
fn write_address(address: IpAddr, out: &mut Vec<u8>) {
    match address {
        IpAddr::V4(address) => {
            for (turn, octet) in address.octets().into_iter().enumerate() {
                if turn > 0 {
                    out.push(b'.');
                }
                out.extend_from_slice(itoa::Buffer::new().format(octet).as_bytes());
            }
        }
        IpAddr::V6(address) => {
            let _ = write!(out, "{address}"); // into memory: cannot fail
        }
    }
}
