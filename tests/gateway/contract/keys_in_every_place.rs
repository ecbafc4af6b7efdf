//! Where a key may be sent: the headers of the configuration, Bearer, Basic as user or password.

use crate::support::{Config, Gateway, Key, Upstream, assert_error, get};

/// Base64 (RFC 4648): small enough to need no crate.
pub(crate) fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let at = (bits >> (18 - 6 * digit)) & 63;
            out.push(if digit <= chunk.len() { char::from(DIGITS[at as usize]) } else { '=' });
        }
    }
    out
}

fn authorized(gateway: &Gateway, value: &str) -> u16 {
    gateway.send(&get("/items/7").header("Authorization", value)).status
}

#[test]
fn a_key_is_found_in_every_place_and_never_reaches_the_upstream() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let Key { key, id } = gateway.key();
    let basic = |text: String| format!("Basic {}", base64(&text));
    for (name, value) in [
        ("X-API-Key", key.clone()),
        ("x-api-key", key.clone()),
        ("Authorization", format!("Bearer {key}")),
        ("authorization", format!("bearer {key}")),
        ("Authorization", format!("BEARER   {key}")),
        ("Authorization", basic(format!("{key}:"))),
        ("Authorization", basic(format!(":{key}"))),
        ("Authorization", basic(format!("user:{key}"))),
        ("Authorization", basic(format!("__token__:{key}"))),
        ("Authorization", basic(format!("{key}:x"))),
        ("Authorization", format!("basic {}", base64(&format!("{key}:")))),
    ] {
        let answer = gateway.send(&get("/items/7").header(name, &value));
        assert_eq!(answer.status, 200, "{name}: {value}: {}", answer.text());
        let seen = upstream.last().headers;
        assert!(!seen.has(name), "{name} reached the upstream: {seen:?}");
        assert_eq!(seen.get("X-Consumer-Id"), Some(id.as_str()));
    }
}

#[test]
fn the_first_place_that_holds_a_key_counts() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).section("[keys]\nheaders = [\"X-First\", \"X-Second\"]");
    let gateway = Gateway::start(&config);
    let (one, two) = (gateway.key(), gateway.key());
    let request = get("/items/7").header("X-Second", &two.key).header("X-First", &one.key);
    assert_eq!(gateway.send(&request).status, 200);
    assert_eq!(upstream.last().headers.get("X-Consumer-Id"), Some(one.id.as_str()));
    // An empty first one counts as not set.
    let request = get("/items/7").header("X-First", "").header("X-Second", &two.key);
    assert_eq!(gateway.send(&request).status, 200);
    assert_eq!(upstream.last().headers.get("X-Consumer-Id"), Some(two.id.as_str()));
    let request = get("/items/7").header("X-Second", &two.key).header("Authorization", "Bearer nonsense");
    assert_eq!(gateway.send(&request).status, 200);
    // The usual name is just another header here.
    assert_error(&gateway, &gateway.send(&get("/items/7").key(&one)), 403, "KEY_NOT_SET");
    assert_eq!(authorized(&gateway, &format!("Bearer {}", one.key)), 200);
}

#[test]
fn an_authorization_that_held_no_key_passes_on_to_the_upstream() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let request = get("/items/7").key(&key).header("Authorization", "Digest username=\"a\"");
    assert_eq!(gateway.send(&request).status, 200);
    assert_eq!(upstream.last().headers.get("Authorization"), Some("Digest username=\"a\""));
}

#[test]
fn invalid_base64_in_basic_is_an_error_of_the_client() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    for value in ["Basic ***", "Basic a", "Basic /w==", "Basic AAAA", "Basic  ", "Bearer \u{e9}", "Basic ="] {
        let status = authorized(&gateway, value);
        assert!(matches!(status, 400 | 403), "{value}: {status}");
    }
    let key = gateway.key();
    assert_eq!(authorized(&gateway, &format!("Basic {}", base64(&format!("{}:", key.key)))), 200);
}

#[test]
fn no_key_of_this_api_reaches_the_upstream_in_the_usual_header_where_another_one_is_configured() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).section("[keys]\nheaders = [\"X-Token\"]");
    let gateway = Gateway::start(&config.endpoint("GET", "/open", "public = true").endpoint("GET", "/a", ""));
    let (own, other) = (gateway.key(), gateway.key());
    for request in [get("/open"), get("/a").header("X-Token", &own.key)] {
        for (value, passes) in [(other.key.as_str(), false), ("of-the-upstream", true), ("", true)] {
            assert_eq!(gateway.send(&request.clone().header("X-API-Key", value)).status, 200, "{value}");
            let seen = upstream.last().headers;
            assert_eq!(seen.get("X-API-Key"), passes.then_some(value), "{seen:?}");
        }
    }
}

#[test]
fn no_imported_key_reaches_the_upstream_behind_another_scheme() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).endpoint("GET", "/open", "public = true");
    let gateway = Gateway::start(&config);
    let imported = ["sk-imported/one==", "sk:imported;two&x"];
    let file = gateway.home().path("imported.txt");
    std::fs::write(&file, imported.join("\n")).unwrap();
    gateway.run(&["keys", "import", file.to_str().unwrap(), "--plan", "free"]);
    for key in imported {
        for value in
            [key.to_owned(), format!("Token {key}"), format!("Token token={key}"), format!("Token \"{key}\"")]
        {
            assert_eq!(gateway.send(&get("/open").header("Authorization", &value)).status, 200, "{value}");
            assert!(!upstream.last().headers.has("Authorization"), "{value}");
        }
    }
    // An endless list of words must not cost a digest each.
    let words = format!("Token {}", "a=".repeat(2_000));
    assert_eq!(gateway.send(&get("/open").header("Authorization", &words)).status, 200);
    assert_eq!(upstream.last().headers.get("Authorization"), Some(words.as_str()));
}

#[test]
fn no_key_of_this_api_reaches_the_upstream_in_authorization_and_other_credentials_do() {
    let upstream = Upstream::sample();
    let config =
        Config::of(&upstream).endpoint("GET", "/items/{id}", "").endpoint("GET", "/open", "public = true");
    let gateway = Gateway::start(&config);
    let (own, other, revoked) = (gateway.key(), gateway.key(), gateway.key());
    gateway.run(&["keys", "revoke", &revoked.id]);
    let kept = ["Bearer of.another.kind", "Basic dXNlcjpwYXNz", "Token abc", "Digest username=\"a\""];
    for key in [&own.key, &other.key, &revoked.key] {
        for value in [
            format!("Bearer {key}"),
            format!("bearer   {key}"),
            format!("Basic {}", base64(&format!("{key}:"))),
            format!("Basic {}", base64(&format!("user:{key}"))),
            format!("Token {key}"),
            format!("Token token=\"{key}\", a=b"),
            format!("Token token={key}"),
            format!("Token token='{key}'"),
            format!("ApiKey user:{key}"),
            format!("Custom a=b;key={key};v=1"),
            // Many servers read base64 without its padding, and in its other alphabet.
            format!("Basic {}", base64(&format!("{key}:")).trim_end_matches('=')),
            format!("Basic {}", base64(&format!("?>?>:{key}")).replace('+', "-").replace('/', "_")),
            key.clone(),
        ] {
            for request in [get("/items/7").key(&own), get("/open")] {
                assert_eq!(gateway.send(&request.header("Authorization", &value)).status, 200, "{value}");
                let seen = upstream.last().headers;
                assert!(!seen.has("Authorization"), "{value}: {seen:?}");
            }
        }
    }
    for value in kept {
        for request in [get("/items/7").key(&own), get("/open")] {
            assert_eq!(gateway.send(&request.header("Authorization", value)).status, 200, "{value}");
            assert_eq!(upstream.last().headers.get("Authorization"), Some(value));
        }
    }
}

#[test]
fn no_key_of_this_api_reaches_the_upstream_where_no_key_belongs() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).section("[strictness]\nheader_names = \"pass\"");
    let config = config.endpoint("GET", "/items/{id}", "").endpoint("GET", "/open", "public = true");
    let gateway = Gateway::start(&config.endpoint("POST", "/open", "public = true"));
    let (own, other) = (gateway.key(), gateway.key());
    let key = &other.key;
    for (name, value, seen) in [
        ("X-Auth-Token", key.clone(), None),
        ("Api-Key", format!("a{key}b"), None),
        ("Ocp-Apim-Subscription-Key", key.clone(), None),
        ("User-Agent", format!("curl/8 ({key})"), None),
        ("Via", format!("1.1 {key}"), Some("1.1 fairgate")),
        ("Authorization", format!("Basic\t{}", base64(&format!("{key}:"))), None),
        ("Authorization", format!("Foo {}", base64(key)), None),
        ("X_API_Key", key.clone(), None),
        ("X_Auth_Token", key.clone(), None),
        ("Cookie", key.clone(), None),
        ("Cookie", format!("session=fg_1; key={key};theme=\"d\""), Some("session=fg_1; theme=\"d\"")),
        // What only looks like one passes.
        ("X-Auth-Token", format!("{}0", &key[..key.len() - 1]), Some("")),
        ("Cookie", "session=fg_1; a_b=fg_; _c=d".into(), Some("")),
    ] {
        for request in [get("/items/7").key(&own), get("/open")] {
            let answer = gateway.send(&request.header(name, &value).header("X-Kept", "a_b"));
            assert_eq!(answer.status, 200, "{name}: {value}: {}", answer.text());
            let got = upstream.last().headers;
            let seen = seen.map(|seen| if seen.is_empty() { value.as_str() } else { seen });
            assert_eq!((got.get(name), got.get("X-Kept")), (seen, Some("a_b")), "{name}: {value}");
            assert!(!format!("{got:?}").contains(key.as_str()), "{got:?}");
        }
    }
    // Its id is ours, and not a key.
    let answer = gateway.send(&get("/open").header("X-Request-Id", key));
    assert!(answer.header("X-Request-Id").unwrap().starts_with("req_"), "{answer:?}");
    let mark = key.replace('_', "%5f");
    for (query, seen) in [
        (format!("?a=1&key={key}&b=%20"), "?a=1&b=%20"),
        (format!("?key={mark}"), ""),
        (format!("?b=%20&{mark}=x"), "?b=%20"),
        ("?a_b=fg_&c=%5f".to_owned(), "?a_b=fg_&c=%5f"),
    ] {
        assert_eq!(gateway.send(&get(&format!("/open{query}"))).status, 200);
        assert_eq!(upstream.last().target, format!("/open{seen}"));
    }
    let mut connection = gateway.connect();
    let head = crate::support::request("POST", "/open").header("Transfer-Encoding", "chunked");
    let trailers = format!("X-Token: {key}\r\nX-Sum: 2\r\n\r\n");
    connection.write(&[&head.head()[..], b"5\r\nhello\r\n0\r\n", trailers.as_bytes()].concat());
    assert_eq!(connection.answer_to("POST").status, 200);
    assert_eq!(upstream.last().trailers.0, [("X-Sum".to_owned(), "2".to_owned())]);
}

#[test]
fn a_key_in_the_path_is_masked_in_the_log_and_in_incidents() {
    let upstream = Upstream::scripted(|exchange| exchange.answer(500, &[], b""));
    let gateway = Gateway::start(&Config::of(&upstream));
    let (own, other) = (gateway.key(), gateway.key());
    let masked = format!("/x/{}…/y", &other.key[..7]);
    for path in [format!("/x/{}/y", other.key), format!("/x/%66{}/y", &other.key[1..])] {
        let answer = gateway.send(&get(&path).key(&own));
        let id = answer.header("X-Request-Id").unwrap();
        assert_eq!(gateway.logged(id)["path"], masked.as_str());
        assert_eq!(gateway.incident(id)["path"], masked.as_str());
    }
    assert!(!gateway.log().contains(&other.key));
}
