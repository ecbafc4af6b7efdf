//! The table `[upstream.health_check]`.

use super::{super::syntax::is_host_name, count, url::split_port};
use crate::{
    raw::{Refusal, Section},
    registry::{
        Absent::{Default, Means, Required},
        DAY, Shape,
    },
};
use gateway::settings::HealthCheck;

rows! {
    HEALTH_CHECK_PATH = HealthCheck "path", Shape::Text, Required, "\"/health\"", also "url";
    "The path to send a GET to, appended to the path of the address. It may have a query."

    HEALTH_CHECK_HOST = HealthCheck "host", Shape::Text, Means("the address itself"), "\"api.example.com\"";
    "The `Host` header of the check."

    HEALTH_CHECK_INTERVAL = HealthCheck "interval", Shape::Duration { least: 10, most: DAY }, Default("\"5s\""), "\"5s\"",
    also "every";
    "The time between the end of one check and the start of the next, with 10 % jitter."

    HEALTH_CHECK_TIMEOUT = HealthCheck "timeout", Shape::Duration { least: 1, most: DAY }, Default("\"2s\""), "\"2s\"";
    "How long a check may take, including the connection."

    HEALTH_CHECK_EXPECTED_STATUSES = HealthCheck "expected_statuses", Shape::Numbers { least: 200, most: 599 }, Default("[]"), "[200, 204]",
    also "statuses", "status";
    "Statuses of a healthy address. Empty: 200 to 299."

    HEALTH_CHECK_HEALTHY_THRESHOLD = HealthCheck "healthy_threshold", Shape::Whole { least: 1, most: 100 }, Default("2"), "2",
    also "good", "rise";
    "Consecutive successful checks before an unhealthy address is healthy again."

    HEALTH_CHECK_UNHEALTHY_THRESHOLD = HealthCheck "unhealthy_threshold", Shape::Whole { least: 1, most: 100 }, Default("3"), "3",
    also "bad", "fall";
    "Consecutive failed checks before an address is unhealthy."
}

pub(super) fn health_check(section: &Section<'_>) -> Option<HealthCheck> {
    let path = section.text(&HEALTH_CHECK_PATH).and_then(|path| section.keep(path, check_path));
    let host = section.text(&HEALTH_CHECK_HOST).map(|host| section.keep(host, check_host));
    let (interval, timeout) =
        (section.duration(&HEALTH_CHECK_INTERVAL), section.duration(&HEALTH_CHECK_TIMEOUT));
    let statuses = section.numbers(&HEALTH_CHECK_EXPECTED_STATUSES);
    let (healthy_threshold, unhealthy_threshold) =
        (count(section, &HEALTH_CHECK_HEALTHY_THRESHOLD), count(section, &HEALTH_CHECK_UNHEALTHY_THRESHOLD));
    Some(HealthCheck {
        path: path?,
        host: match host {
            Some(host) => Some(host?),
            None => None,
        },
        interval: interval?.value,
        timeout: timeout?.value,
        expected_statuses: statuses?
            .value
            .into_iter()
            .filter_map(|one| u16::try_from(one.value).ok())
            .collect(),
        healthy_threshold: healthy_threshold?,
        unhealthy_threshold: unhealthy_threshold?,
    })
}

/// Path and query of a check.
fn check_path(text: &str) -> Result<String, Refusal> {
    let is_good = text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    is_good.then(|| text.to_owned()).ok_or_else(|| {
        Refusal::new(
            format!("`{text}` is not the path of a health check"),
            "expected `/` and visible ASCII characters",
            "write it like this: path = \"/health\"",
        )
    })
}

fn check_host(text: &str) -> Result<String, Refusal> {
    let is_good = split_port(text, 80).is_some_and(|(host, _)| is_host_name(host));
    is_good.then(|| text.to_owned()).ok_or_else(|| {
        Refusal::new(
            format!("`{text}` is not a host"),
            "expected a host name and an optional port",
            "write it like this: host = \"api.example.com\"",
        )
    })
}
