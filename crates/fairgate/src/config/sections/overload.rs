//! The table `[overload]`.

use crate::config::{
    raw::Section,
    registry::{
        OVERLOAD_BODY_RATE, OVERLOAD_CONNECTIONS, OVERLOAD_LAG, OVERLOAD_PER_ADDRESS, OVERLOAD_REQUESTS,
    },
};
use gateway::settings::Overload;

pub(super) fn overload(section: &Section<'_>) -> Option<Overload> {
    let connections = section.whole(&OVERLOAD_CONNECTIONS);
    let per_address = section.count_or_off(&OVERLOAD_PER_ADDRESS);
    let requests = section.whole(&OVERLOAD_REQUESTS);
    let lag = section.duration(&OVERLOAD_LAG);
    let body_rate = section.size(&OVERLOAD_BODY_RATE);
    Some(Overload {
        connections: usize::try_from(connections?.value).ok()?,
        connections_per_address: per_address?.value,
        requests: usize::try_from(requests?.value).ok()?,
        lag: Some(lag?.value),
        body_rate: body_rate?.value,
    })
}
