//! The tables `[admin]` and `[log]`.

use super::syntax::socket_address;
use crate::{
    fault::Fault,
    raw::Section,
    registry::{
        Absent::{Default, Means},
        Shape,
    },
};
use gateway::settings::{Log, LogFormat, LogRequests};
use std::net::SocketAddr;

rows! {
    ADMIN_ADDRESS = Admin "address", Shape::Text, Means("not served"), "\"127.0.0.1:9901\"", also "port";
    "IP address and port that serve `/live`, `/ready` and `/metrics`, all of them read-only, to everyone who can reach them. \
     Choose an address that only this machine, or your load balancer and monitoring, can reach."

    LOG_REQUESTS = Log "requests", Shape::Words(&["all", "errors", "none"]), Default("\"all\""), "\"errors\"", also "level";
    "Which requests are logged."

    LOG_FORMAT = Log "format", Shape::Words(&["auto", "json", "text"]), Default("\"auto\""), "\"json\"";
    "The format of the log. `auto`: text if standard error is a terminal, otherwise JSON."
}

/// The address of `[admin]`, if there is one. `api`: where requests are served. None: a fault was noted.
pub(super) fn admin(section: &Section<'_>, api: &[SocketAddr]) -> Option<Option<SocketAddr>> {
    if !section.has(&ADMIN_ADDRESS) {
        let _ = section.text(&ADMIN_ADDRESS);
        return Some(None);
    }
    let address = section.text(&ADMIN_ADDRESS)?;
    let span = address.span.clone();
    let address = section.keep(address, socket_address)?;
    if let Some(taken) = api.iter().find(|taken| clash(**taken, address)) {
        section.reader.fault(
            Fault::at(span, "`[admin]` has the address of the API")
                .label(format!("the API is served at {taken}"))
                .help("choose another port, which only your monitoring can reach"),
        );
        return None;
    }
    Some(Some(address))
}

/// Whether only one of two can be listened at. Port 0 is any free one.
fn clash(one: SocketAddr, two: SocketAddr) -> bool {
    let (ours, theirs) = (one.ip(), two.ip());
    one.port() == two.port()
        && one.port() != 0
        && (ours == theirs || ours.is_unspecified() || theirs.is_unspecified())
}

pub(super) fn log(section: &Section<'_>) -> Option<Log> {
    let requests = section.word(
        &LOG_REQUESTS,
        &[("all", LogRequests::All), ("errors", LogRequests::Errors), ("none", LogRequests::None)],
    );
    let format = section.word(
        &LOG_FORMAT,
        &[("auto", LogFormat::Auto), ("json", LogFormat::Json), ("text", LogFormat::Text)],
    );
    Some(Log { requests: requests?.value, format: format?.value })
}
