//! Clients that authenticate with a certificate, and what the upstream learns of it.

use crate::support::{
    AUTHORITY, Authority, Config, Connection, Gateway, Upstream, gateway::Home, get, request::HOST,
};
use rcgen::DnType;
use std::sync::Arc;

fn tls(more: &str) -> String {
    format!(
        "[tls]\naddress = \"127.0.0.1:0\"\ncertificate = \"tests.pem\"\nkey = \"tests.key\"\nclient_ca = \"clients.pem\"\n{more}"
    )
}

fn start(upstream: &Upstream, clients: &Authority, more: &str) -> Gateway {
    let home: Arc<Home> = Home::new(&Config::of(upstream).over_tls().section(&tls(more)));
    std::fs::write(home.path("clients.pem"), clients.pem()).unwrap();
    Gateway::start_in(&home)
}

fn upstream() -> Upstream {
    Upstream::scripted(|exchange| exchange.json(200, "{}"))
}

/// In TLS 1.3 a client only learns by reading that it was refused.
fn is_let_in(gateway: &Gateway, config: rustls::ClientConfig) -> Result<u16, String> {
    let mut connection =
        Connection::try_open_tls(gateway.address, config, HOST).map_err(|error| error.to_string())?;
    connection.write(&get("/items").bytes());
    connection.try_answer_to("GET").map(|answer| answer.status).map_err(|ended| format!("{ended:?}"))
}

#[test]
fn clients_without_a_certificate_are_refused_where_one_is_required() {
    let (upstream, clients) = (upstream(), Authority::new("Clients"));
    let gateway = start(&upstream, &clients, "");
    let good = clients.issue_to(&[(DnType::CommonName, "billing")]);
    let other = Authority::new("Others").issue_to(&[(DnType::CommonName, "billing")]);
    assert_eq!(is_let_in(&gateway, AUTHORITY.client(Some(&good))), Ok(403)); // a key is still needed
    assert!(is_let_in(&gateway, AUTHORITY.client(None)).is_err());
    assert!(is_let_in(&gateway, AUTHORITY.client(Some(&other))).is_err());
    assert_eq!(upstream.count(), 0);
}

#[test]
fn the_upstream_learns_who_the_client_is_from_the_gateway_alone() {
    let (upstream, clients) = (upstream(), Authority::new("Clients"));
    let more = "client_certificate = \"optional\"\nclient_subject_header = \"X-Client-Subject\"";
    let gateway = start(&upstream, &clients, more);
    let key = gateway.key();
    let billing =
        clients.issue_to(&[(DnType::OrganizationName, "Example, Inc."), (DnType::CommonName, "billing")]);
    let mut known =
        Connection::try_open_tls(gateway.address, AUTHORITY.client(Some(&billing)), HOST).unwrap();
    let mut unknown = Connection::try_open_tls(gateway.address, AUTHORITY.client(None), HOST).unwrap();
    let lie =
        get("/items").key(&key).header("X-Client-Subject", "CN=admin").header("x_client-SUBJECT", "CN=admin");
    for _ in 0..2 {
        assert_eq!(known.send(&lie).status, 200);
        let seen = upstream.last();
        assert_eq!(seen.headers.all("X-Client-Subject"), ["CN=billing,O=Example\\, Inc."]);
        assert!(!seen.headers.has("x_client-SUBJECT"), "{seen:?}");
    }
    assert_eq!(unknown.send(&lie).status, 200);
    let seen = upstream.last();
    assert!(!seen.headers.has("X-Client-Subject") && !seen.headers.has("x_client-SUBJECT"), "{seen:?}");
    let other = Authority::new("Others").issue_to(&[(DnType::CommonName, "billing")]);
    assert!(is_let_in(&gateway, AUTHORITY.client(Some(&other))).is_err());
}

#[test]
fn no_spelling_that_becomes_the_same_variable_reaches_the_upstream_even_where_odd_names_pass() {
    let (upstream, clients) = (upstream(), Authority::new("Clients"));
    let more = "client_certificate = \"optional\"\nclient_subject_header = \"X-Client-Subject\"\n\
                [strictness]\nheader_names = \"pass\"";
    let gateway = start(&upstream, &clients, more);
    let lie = get("/items")
        .key(&gateway.key())
        .header("X_Client_Subject", "CN=admin")
        .header("x-client_subject", "CN=admin")
        .header("X.Client.Subject", "CN=admin")
        .header("x_other", "1");
    let billing = clients.issue_to(&[(DnType::CommonName, "billing")]);
    for identity in [Some(&billing), None] {
        let mut connection =
            Connection::try_open_tls(gateway.address, AUTHORITY.client(identity), HOST).unwrap();
        assert_eq!(connection.send(&lie).status, 200);
        let seen = upstream.last().headers;
        assert!(!format!("{seen:?}").contains("admin"), "{seen:?}");
        assert_eq!(seen.get("x_other"), Some("1"));
        // Nor in trailers.
        let head = crate::support::request("POST", "/items")
            .key(&gateway.key())
            .header("Transfer-Encoding", "chunked");
        connection.write(&head.head());
        connection.write(
            b"2\r\nok\r\n0\r\nX-Client-Subject: CN=admin\r\nX_Client_Subject: CN=admin\r\nX-Sum: 1\r\n\r\n",
        );
        assert_eq!(connection.answer_to("POST").status, 200);
        assert_eq!(upstream.last().trailers.0, [("X-Sum".to_owned(), "1".to_owned())]);
    }
}

#[test]
fn the_authority_of_clients_can_change_and_no_ticket_outlives_it() {
    let (upstream, first) = (upstream(), Authority::new("First"));
    let gateway = start(&upstream, &first, "");
    let own = first.issue_to(&[(DnType::CommonName, "billing")]);
    let config = AUTHORITY.client(Some(&own));
    assert_eq!(is_let_in(&gateway, config.clone()), Ok(403));
    std::fs::write(gateway.home().path("clients.pem"), Authority::new("Second").pem()).unwrap();
    gateway.event("certificates read again");
    assert!(is_let_in(&gateway, config).is_err());
}

fn tls_at(home: &Arc<Home>, listen: &str, more: &str) {
    let config = Config::of_url("http://127.0.0.1:9").over_tls().listen(listen).section(&tls(more));
    home.configure(&config);
}

#[test]
fn a_required_certificate_is_required_at_every_port() {
    let clients = Authority::new("Clients");
    let home = Home::new(&Config::of_url("http://127.0.0.1:9").over_tls());
    std::fs::write(home.path("clients.pem"), clients.pem()).unwrap();
    let check = |listen: &str, more: &str| {
        tls_at(&home, &format!("address = \"{listen}\"\nthreads = 1"), more);
        home.run(&["config", "check"])
    };
    for listen in ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:80"] {
        for required in ["", "client_certificate = \"required\"\n"] {
            let output = check(listen, &format!("{required}plaintext = \"serve\""));
            assert_eq!(output.code, Some(2), "{listen}: {output:?}");
            for part in
                ["client certificate is required, but not at every port", listen, "plaintext = \"off\""]
            {
                assert!(output.err.contains(part), "{part:?} is not in {}", output.err);
            }
            for plain in ["", "plaintext = \"off\"", "plaintext = \"redirect\""] {
                let output = check(listen, &format!("{required}{plain}"));
                assert_eq!((output.code, output.err.as_str()), (Some(0), ""), "{listen} {plain}: {output:?}");
            }
        }
        assert_eq!(check(listen, "client_certificate = \"optional\"\nplaintext = \"serve\"").code, Some(0));
    }
    // On this machine alone: only if configured, and with a warning.
    let output = check("127.0.0.1:8080", "plaintext = \"serve\"");
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.err.contains("without the client certificate that HTTPS requires"), "{output:?}");
}

#[test]
fn where_a_certificate_is_required_nobody_is_served_without_tls() {
    let (upstream, clients) = (upstream(), Authority::new("Clients"));
    let gateway = start(&upstream, &clients, "");
    assert_eq!(gateway.event("listening")["address"], gateway.address.to_string(), "there is no other port");
    drop(gateway);

    let home = Home::new(
        &Config::of(&upstream)
            .over_tls()
            .top("trusted_proxies = [\"127.0.0.1\"]")
            .section(&tls("plaintext = \"redirect\"")),
    );
    std::fs::write(home.path("clients.pem"), clients.pem()).unwrap();
    let gateway = Gateway::start_in(&home);
    let key = gateway.key();
    let plain = gateway.event("listening")["address"].as_str().unwrap().parse().unwrap();
    // A proxy's claim that the client used https is not a certificate.
    for scheme in ["http", "https"] {
        let request = get("/items").header("X-Forwarded-Proto", scheme);
        assert_eq!(Connection::open(plain).send(&request).status, 301, "{scheme}");
        let with_key = request.key(&key);
        assert_eq!(Connection::open(plain).send(&with_key).status, 400, "{scheme}");
    }
    assert_eq!(upstream.count(), 0);
}

#[test]
fn client_certificates_without_a_client_ca_are_a_fault() {
    let home = Home::new(&Config::of_url("http://127.0.0.1:9").over_tls());
    let write = |more: &str| {
        let config = Config::of_url("http://127.0.0.1:9").over_tls();
        home.configure(&config.section(&tls(more).replace("client_ca = \"clients.pem\"\n", "")));
        home.run(&["config", "check"])
    };
    for word in ["required", "optional"] {
        let output = write(&format!("client_certificate = \"{word}\""));
        assert_eq!(output.code, Some(2), "{output:?}");
        assert!(output.err.contains("`client_certificate` without `client_ca`"), "{output:?}");
    }
    let output = write("client_subject_header = \"X-Client\"");
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.err.contains("`client_subject_header` without `client_ca`"), "{output:?}");
}
