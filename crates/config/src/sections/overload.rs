//! The table `[overload]`.

use crate::{
    raw::Section,
    registry::{
        OVERLOAD_MAX_BUFFERED_BYTES, OVERLOAD_MAX_CONNECTIONS, OVERLOAD_MAX_CONNECTIONS_PER_ADDRESS,
        OVERLOAD_MAX_LAG, OVERLOAD_MAX_REQUESTS, OVERLOAD_MIN_BODY_RATE,
    },
};
use gateway::settings::{Endpoint, Overload, Sizes};

pub(super) fn overload(section: &Section<'_>) -> Option<Overload> {
    let connections = section.whole(&OVERLOAD_MAX_CONNECTIONS);
    let per_address = section.count_or_off(&OVERLOAD_MAX_CONNECTIONS_PER_ADDRESS);
    let requests = section.whole(&OVERLOAD_MAX_REQUESTS);
    let lag = section.duration(&OVERLOAD_MAX_LAG);
    let body_rate = section.size(&OVERLOAD_MIN_BODY_RATE);
    let buffered = section.size(&OVERLOAD_MAX_BUFFERED_BYTES);
    Some(Overload {
        connections: usize::try_from(connections?.value).ok()?,
        connections_per_address: per_address?.value,
        requests: usize::try_from(requests?.value).ok()?,
        lag: Some(lag?.value),
        body_rate: body_rate?.value,
        buffered_bytes: usize::try_from(buffered?.value).ok()?,
    })
}

/// Warns of bodies that are checked and could never be buffered.
pub(super) fn warn_of_bodies(
    top: &Section<'_>,
    overload: Option<&Overload>,
    sizes: Option<&Sizes>,
    endpoints: &[Endpoint],
) {
    let (Some(overload), Some(sizes)) = (overload, sizes) else { return };
    let checked = endpoints.iter().filter(|endpoint| endpoint.takes.checks_body);
    let largest = checked.map(|endpoint| endpoint.max_body.unwrap_or(sizes.body)).max().unwrap_or_default();
    if usize::try_from(largest).map_or(true, |largest| largest > overload.buffered_bytes) {
        top.reader.warn(format!(
            "`[overload] max_buffered_bytes` allows {} bytes, but a body that is validated may have {largest}: a larger one is always answered 503",
            overload.buffered_bytes
        ));
    }
}
