//! Which certificate a client gets, in which files it may be, and what happens when they change.

use crate::support::{
    AUTHORITY, Authority, Config, Connection, Gateway, Upstream, eventually, gateway::Home, get,
    request::HOST,
};
use std::{path::Path, process::Command, sync::Arc};

const TWO: &str = "[tls]\naddress = \"127.0.0.1:0\"\ncertificate = \"one.pem\"\nkey = \"one.key\"\n\
     [[tls.certificates]]\ncertificate = \"two.pem\"\nkey = \"two.key\"\n";

fn home(config: &Config) -> Arc<Home> {
    Home::new(config)
}

/// The names in the certificate that is presented for this server name.
fn shown(gateway: &Gateway, name: &str) -> Vec<u8> {
    Connection::try_open_tls(gateway.address, AUTHORITY.client(None), name).unwrap().certificate()
}

#[test]
fn the_name_that_is_asked_for_decides() {
    let upstream = Upstream::sending("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let home = home(&Config::of(&upstream).over_tls().section(TWO));
    let one = AUTHORITY.issue(&[HOST, "*.wild.example.com", "exact.wild.example.com"]);
    let two = AUTHORITY.issue(&["Other.example.com", "*.example.org"]);
    one.write(&home.path(""), "one");
    two.write(&home.path(""), "two");
    let gateway = Gateway::start_in(&home);
    let (one, two) = (one.chain()[0].to_vec(), two.chain()[0].to_vec());
    for (name, expected) in [
        (HOST, &one),
        ("a.wild.example.com", &one),
        ("exact.wild.example.com", &one),
        ("other.example.com", &two),
        ("any.example.org", &two),
    ] {
        assert_eq!(shown(&gateway, name), *expected, "{name}");
    }
    // A name without a certificate gets the first one, and the client refuses it; so with a label too many.
    for name in ["unknown.example", "a.b.wild.example.com", "wild.example.com", "example.org"] {
        let error = Connection::try_open_tls(gateway.address, AUTHORITY.client(None), name).unwrap_err();
        assert!(error.to_string().contains("not valid for name"), "{name}: {error}");
    }
}

#[test]
fn a_client_that_asks_for_no_name_gets_the_first() {
    let upstream = Upstream::unreachable();
    let home = home(&Config::of(&upstream).over_tls().section(TWO));
    let one = AUTHORITY.issue(&["127.0.0.1"]);
    one.write(&home.path(""), "one");
    AUTHORITY.issue(&["other.example.com"]).write(&home.path(""), "two");
    let gateway = Gateway::start_in(&home);
    assert_eq!(shown(&gateway, "127.0.0.1"), one.chain()[0].to_vec()); // an address is not sent as SNI
}

#[test]
fn of_two_kinds_a_client_gets_the_one_that_it_knows() {
    let upstream = Upstream::unreachable();
    let home = home(&Config::of(&upstream).over_tls().section(TWO));
    AUTHORITY.issue(&[HOST]).write(&home.path(""), "one");
    let rsa = rsa_key(&home.path("two.key"));
    let two = AUTHORITY.issue_with(&[HOST], &rcgen::KeyPair::from_pem(&rsa).unwrap());
    std::fs::write(home.path("two.pem"), &two.certificate).unwrap();
    let gateway = Gateway::start_in(&home);
    for (algorithms, expected) in [("RSA+SHA256", "rsaEncryption"), ("ECDSA+SHA256", "id-ecPublicKey")] {
        let address = gateway.address.to_string();
        let words =
            ["s_client", "-connect", &address, "-servername", HOST, "-tls1_2", "-sigalgs", algorithms];
        let out = pipe(Command::new("openssl").args(words), b"");
        let text = pipe(Command::new("openssl").args(["x509", "-noout", "-text"]), out.as_bytes());
        assert!(text.contains(expected), "{algorithms}: {text}{out}");
    }
}

#[test]
fn keys_come_in_each_usual_form() {
    let upstream = Upstream::sending("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let folder = tempfile::tempdir().unwrap();
    let ec = rcgen::KeyPair::generate().unwrap();
    std::fs::write(folder.path().join("pkcs8"), ec.serialize_pem()).unwrap();
    let rsa = rsa_key(&folder.path().join("rsa"));
    let sec1 = openssl(&["ec", "-in", &folder.path().join("pkcs8").to_string_lossy()]);
    let pkcs1 = openssl(&["rsa", "-traditional", "-in", &folder.path().join("rsa").to_string_lossy()]);
    assert!(
        sec1.contains("BEGIN EC PRIVATE KEY") && pkcs1.contains("BEGIN RSA PRIVATE KEY"),
        "{sec1}{pkcs1}"
    );
    for text in [ec.serialize_pem(), sec1, rsa.clone(), pkcs1] {
        let home = home(&Config::of(&upstream).over_tls());
        let key =
            if text.contains("RSA") || text == rsa { &rcgen::KeyPair::from_pem(&rsa).unwrap() } else { &ec };
        std::fs::write(home.path("tests.pem"), AUTHORITY.issue_with(&[HOST], key).certificate).unwrap();
        std::fs::write(home.path("tests.key"), &text).unwrap();
        let gateway = Gateway::start_in(&home);
        assert_eq!(gateway.send(&get("/_docs/errors/KEY_NOT_SET")).status, 200);
    }
}

#[test]
fn files_that_change_are_taken_over_and_bad_ones_are_not() {
    let upstream = Upstream::unreachable();
    let gateway = Gateway::start(&Config::of(&upstream).over_tls());
    let home = gateway.home();
    let mut open = gateway.connect();
    assert_eq!(open.send(&get("/items/7")).status, 403);

    let second = AUTHORITY.issue(&[HOST, "second.example.com"]);
    second.write(&home.path(""), "tests");
    eventually("the new certificate is shown", || {
        (shown(&gateway, HOST) == second.chain()[0].to_vec()).then_some(())
    });
    // An open connection keeps its certificate.
    assert_eq!(open.send(&get("/items/7")).status, 403);

    std::fs::write(home.path("tests.pem"), "-----BEGIN CERTIFICATE-----\nbroken").unwrap();
    let event = gateway.event("certificates not taken over");
    assert!(event["error"].as_str().unwrap().contains("tests.pem"), "{event}");
    assert_eq!(shown(&gateway, HOST), second.chain()[0].to_vec());

    // The key of another certificate.
    let third = AUTHORITY.issue(&[HOST]);
    std::fs::write(home.path("tests.pem"), &third.certificate).unwrap();
    eventually("the wrong key is logged", || {
        gateway.log().contains("its private key does not match the certificate").then_some(())
    });
    assert_eq!(shown(&gateway, HOST), second.chain()[0].to_vec());
    third.write(&home.path(""), "tests");
    eventually("the third certificate is shown", || {
        (shown(&gateway, HOST) == third.chain()[0].to_vec()).then_some(())
    });
}

#[test]
fn it_does_not_start_with_files_that_cannot_be_used() {
    let upstream = Upstream::unreachable();
    let other = Authority::new("another").issue(&[HOST]);
    for (file, text, expected) in [
        ("tests.pem", "", "it contains no certificate in PEM form"),
        ("tests.key", "", "it contains no private key in PEM form"),
        ("tests.key", other.key.as_str(), "its private key does not match the certificate"),
        ("tests.pem", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", "cannot be read"),
    ] {
        let home = home(&Config::of(&upstream).over_tls());
        std::fs::write(home.path(file), text).unwrap();
        let output = home.run(&["serve"]);
        assert_eq!(output.code, Some(2), "{output:?}");
        assert!(output.err.contains(expected), "{file}: {}", output.err);
    }
}

fn rsa_key(path: &Path) -> String {
    let text = openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]);
    std::fs::write(path, &text).unwrap();
    text
}

fn openssl(words: &[&str]) -> String {
    pipe(Command::new("openssl").args(words), b"")
}

fn pipe(command: &mut Command, input: &[u8]) -> String {
    use std::{io::Write, process::Stdio};
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    String::from_utf8_lossy(&child.wait_with_output().unwrap().stdout).into_owned()
}
