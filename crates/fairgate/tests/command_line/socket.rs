//! The admin socket: who may use it, and that nobody can stop it for others.

use crate::fixture::{Gateway, Site};
use control::{AdminSocket, ListMaintenance, Place, SocketError, ask};
use std::{
    fs,
    io::{Read, Write},
    os::unix::{
        fs::{FileTypeExt, PermissionsExt},
        net::{UnixListener, UnixStream},
    },
    path::Path,
    time::{Duration, Instant},
};

fn connect(folder: &Path) -> UnixStream {
    UnixStream::connect(folder.join("admin.sock")).unwrap()
}

fn place(folder: &Path) -> Place {
    Place { store: Some(folder.to_owned()), config: None }
}

fn answers(folder: &Path) -> bool {
    ask(&place(folder), &ListMaintenance {}).unwrap().is_some()
}

#[test]
fn only_the_owner_may_use_the_socket() {
    let site = Site::new();
    let gateway = Gateway::start(&site.store());
    let found = fs::metadata(site.store().join("admin.sock")).unwrap();
    assert!(found.file_type().is_socket());
    assert_eq!(found.permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(site.store()).unwrap().permissions().mode() & 0o777, 0o700);
    let mut names: Vec<_> =
        fs::read_dir(site.store()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["admin.sock", "fairgate.redb", "secret"]);
    gateway.stop();
    assert!(!site.store().join("admin.sock").exists());
}

#[test]
fn a_socket_that_a_dead_gateway_left_is_replaced_and_a_live_one_is_not() {
    let site = Site::new();
    fs::create_dir(site.store()).unwrap();
    drop(UnixListener::bind(site.store().join("admin.sock")).unwrap());
    assert!(ask(&place(&site.store()), &ListMaintenance {}).unwrap().is_none(), "nobody is there");
    site.run(&["keys", "list"]).fine();
    let gateway = Gateway::start(&site.store());
    assert!(answers(&site.store()));
    let names = AdminSocket::reserve(&place(&site.path("elsewhere"))).unwrap();
    assert!(matches!(AdminSocket::bind(&site.store(), &names), Err(SocketError::InUse { .. })));
    assert!(matches!(AdminSocket::reserve(&place(&site.store())), Err(SocketError::InUse { .. })));
    assert!(answers(&site.store()));
    gateway.stop();
}

#[test]
fn a_folder_with_a_very_long_path_has_its_socket() {
    let site = Site::new();
    let deep = site.store().join("d".repeat(100)).join("e".repeat(100));
    let gateway = Gateway::start(&deep);
    assert!(answers(&deep));
    let text = fs::read_to_string(site.path("fairgate.toml")).unwrap();
    let path = format!("path = {:?}", deep.to_str().unwrap());
    fs::write(site.path("fairgate.toml"), text.replace("path = \"data\"", &path)).unwrap();
    site.run(&["keys", "create", "--plan", "running"]).fine();
    gateway.stop();
}

#[test]
fn nonsense_is_answered_and_harms_nobody() {
    let site = Site::new();
    let gateway = Gateway::start(&site.store());
    for nonsense in
        [&b"\n"[..], b"{}\n", b"GET / HTTP/1.1\r\n\r\n", b"\"list_nothing\"\n", b"\xff\xff\n", b"[[[[\n"]
    {
        let mut stream = connect(&site.store());
        stream.write_all(nonsense).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains("not_understood"), "{answer}");
    }
    let deep = format!("{}\n", "[".repeat(1 << 20));
    connect(&site.store()).write_all(deep.as_bytes()).unwrap();
    drop(connect(&site.store()));
    assert!(answers(&site.store()));
    gateway.stop();
}

#[test]
fn a_request_without_end_is_refused() {
    let site = Site::new();
    let gateway = Gateway::start(&site.store());
    let mut stream = connect(&site.store());
    let block = vec![b'x'; 1 << 20];
    // It stops reading at its bound, so that our writing fails at last.
    while stream.write_all(&block).is_ok() {}
    assert!(answers(&site.store()));
    gateway.stop();
}

#[test]
fn clients_that_say_nothing_do_not_keep_others_waiting() {
    let site = Site::new();
    let gateway = Gateway::start(&site.store());
    let mut silent: Vec<_> = (0..20).map(|_| connect(&site.store())).collect();
    for stream in &mut silent {
        stream.write_all(b"{\"list_").unwrap();
    }
    let begun = Instant::now();
    assert!(answers(&site.store()));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    drop(silent);
    gateway.stop();
}
