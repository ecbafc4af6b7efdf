//! The last bytes of an answer on real sockets.

use crate::world::{Opened, World, charge};
use std::{
    io::{ErrorKind, Read},
    net::{TcpListener, TcpStream},
    os::{fd::AsFd, unix::net::UnixStream},
};

const NOW: u64 = 1_800_000_000;

fn units(world: &World) -> u32 {
    world.open(NOW).rows.values().sum()
}

#[test]
fn an_answer_that_is_taken_is_charged() {
    let world = World::new(1, 64);
    let Opened { journal, mut writers, .. } = world.open(NOW);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    for _ in 0..100 {
        let one = charge(1, 3, &[(5, 7)]);
        assert_eq!(writers[0].send_last(server.as_fd(), b"an answer", &one, NOW).unwrap(), 9);
        let mut answer = [0; 9];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"an answer");
        // The ring is small: some charges go beside it.
    }
    drop((journal, writers));
    // 64 outlive the crash; the rest had no place.
    assert_eq!(units(&world), 64 * 3);
}

#[test]
fn an_answer_that_is_taken_in_part_is_not_charged() {
    let world = World::new(1, 64);
    let Opened { mut journal, mut writers, .. } = world.open(NOW);
    let (server, mut client) = UnixStream::pair().unwrap();
    server.set_nonblocking(true).unwrap();
    let large = vec![b'x'; 8 << 20];
    let one = charge(1, 1, &[(5, 7)]);
    let taken = writers[0].send_last(server.as_fd(), &large, &one, NOW).unwrap();
    assert!(taken > 0 && taken < large.len());
    let error = writers[0].send_last(server.as_fd(), &large[taken..], &one, NOW).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    assert_eq!(journal.commit(NOW).unwrap().charges, 0);
    // Crashes before the end of the answer leave nothing; the end of it is charged once.
    let mut sent = taken;
    let mut buffer = vec![0; 1 << 20];
    while sent < large.len() {
        let _ = client.read(&mut buffer).unwrap();
        match writers[0].send_last(server.as_fd(), &large[sent..], &one, NOW) {
            Ok(taken) => sent += taken,
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        assert_eq!(journal.commit(NOW).unwrap().charges, u64::from(sent == large.len()));
    }
    drop((journal, writers));
    assert_eq!(units(&world), 1);
}

#[test]
fn an_answer_to_nobody_is_not_charged() {
    let world = World::new(1, 64);
    let Opened { journal, mut writers, .. } = world.open(NOW);
    let (server, client) = UnixStream::pair().unwrap();
    drop(client);
    let error = writers[0].send_last(server.as_fd(), b"answer", &charge(1, 1, &[(5, 7)]), NOW).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    drop((journal, writers));
    assert_eq!(units(&world), 0);
}

#[test]
fn an_empty_end_of_an_answer_is_charged() {
    let world = World::new(1, 64);
    let Opened { journal, mut writers, .. } = world.open(NOW);
    let (server, _client) = UnixStream::pair().unwrap();
    assert_eq!(writers[0].send_last(server.as_fd(), b"", &charge(1, 1, &[(5, 7)]), NOW).unwrap(), 0);
    drop((journal, writers));
    assert_eq!(units(&world), 1);
}
