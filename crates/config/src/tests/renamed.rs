//! A former name is an error that names the present one.

use super::read_plain;

/// A table, the former name of one of its keys, and the present one.
const RENAMED: &[(&str, &str, &str)] = &[
    ("[http2]", "streams", "max_concurrent_streams"),
    ("[http2]", "window", "initial_stream_window_size"),
    ("[tls]", "plain", "plaintext"),
    ("[tls]", "hsts_subdomains", "hsts_include_subdomains"),
    ("[tls]", "handshake", "handshake_timeout"),
    ("[upstream]", "max_in_flight", "max_requests"),
    ("[upstream]", "queue", "max_pending_requests"),
    ("[upstream]", "queue_time", "pending_timeout"),
    ("[upstream]", "retry_percent", "retry_budget_percent"),
    ("[upstream]", "retry_per_second", "retry_budget_min_per_second"),
    ("[upstream]", "failures", "consecutive_failures"),
    ("[upstream]", "out_for", "base_ejection_time"),
    ("[upstream]", "out_at_most", "max_ejection_time"),
    ("[upstream]", "name_servers", "dns_servers"),
    ("[upstream]", "resolve_every", "dns_refresh_interval"),
    ("[upstream.health_check]", "every", "interval"),
    ("[upstream.health_check]", "statuses", "expected_statuses"),
    ("[upstream.health_check]", "good", "healthy_threshold"),
    ("[upstream.health_check]", "bad", "unhealthy_threshold"),
    ("[timeouts]", "head", "header"),
    ("[timeouts]", "stream", "stream_idle"),
    ("[sizes]", "head", "max_header_size"),
    ("[sizes]", "body", "max_body_size"),
    ("[sizes]", "body_values", "max_body_values"),
    ("[store]", "memory", "shared_memory"),
    ("[store]", "when_full", "on_disk_full"),
    ("[usage]", "minutes", "minute_retention"),
    ("[usage]", "hours", "hour_retention"),
    ("[usage]", "days", "day_retention"),
    ("[strictness]", "body_of_get", "get_body"),
    ("[cors]", "expose", "exposed_headers"),
    ("[compression]", "minimum", "min_size"),
    ("[[endpoints]]", "rest", "catch_all"),
    ("[[endpoints]]", "max_body", "max_body_size"),
    ("[[endpoints]]\n[[endpoints.parameters]]", "one_of", "enum"),
    ("[overload]", "connections", "max_connections"),
    ("[overload]", "connections_per_address", "max_connections_per_address"),
    ("[overload]", "requests", "max_requests"),
    ("[overload]", "lag", "max_lag"),
    ("[overload]", "body_rate", "min_body_rate"),
    ("[overload]", "buffered_bytes", "max_buffered_bytes"),
    ("[[services]]", "max_in_flight", "max_requests"),
    ("[[services]]", "strip", "strip_path"),
];

fn errors(source: &str) -> String {
    read_plain(source).unwrap_err().render(false)
}

#[test]
fn a_former_key_is_an_error_that_names_the_present_one() {
    for (header, former, present) in RENAMED {
        let errors = errors(&format!("{header}\n{former} = 1\n"));
        assert!(errors.contains(&format!("unknown key `{former}`")), "{header} {former}: {errors}");
        assert!(
            errors.contains(&format!("did you mean `{present}`, as in {present} = ")),
            "{header} {former}: {errors}"
        );
    }
}

#[test]
fn a_former_table_is_an_error_that_names_the_present_one() {
    for (former, present) in [
        ("[upstream]\n[upstream.check]", "[upstream.health_check]"),
        ("[[services]]\n[services.check]", "[services.health_check]"),
    ] {
        let errors = errors(&format!("{former}\npath = \"/\"\n"));
        assert!(errors.contains("unknown table `check`"), "{errors}");
        assert!(errors.contains(&format!("did you mean `{present}`?")), "{errors}");
    }
}

#[test]
fn a_former_word_is_an_error_that_lists_the_present_ones() {
    for (line, present) in [
        ("[store]\non_disk_full = \"go_on\"", "\"continue\" or \"reject\""),
        ("[store]\non_disk_full = \"stop\"", "\"continue\" or \"reject\""),
        ("[strictness]\nget_body = \"refuse\"", "\"reject\" or \"pass\""),
        ("[validation]\nunknown_query = \"refuse\"", "\"ignore\" or \"reject\""),
    ] {
        let errors = errors(&format!("{line}\n"));
        assert!(errors.contains(present), "{line}: {errors}");
    }
}
