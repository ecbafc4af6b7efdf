//! The last bytes of an answer on real sockets.

use crate::world::{Opened, World, charge};
use journal::{Charge, Due, MAX_TOGETHER, Sent, Writer};
use std::{
    io::{self, ErrorKind, Read},
    net::{TcpListener, TcpStream},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
};

const NOW: u64 = 1_800_000_000;

/// Sends the end of one answer.
fn send(writer: &mut Writer, socket: BorrowedFd<'_>, bytes: &[u8], charge: &Charge) -> io::Result<usize> {
    let sent = writer.send_last(socket, bytes, &[Due { end: bytes.len(), charge, now_seconds: NOW }])?;
    assert_eq!(sent.charged, usize::from(sent.taken == bytes.len()));
    Ok(sent.taken)
}

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
        assert_eq!(send(&mut writers[0], server.as_fd(), b"an answer", &one).unwrap(), 9);
        let mut answer = [0; 9];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"an answer");
        // The ring is small: some charges bypass it.
    }
    drop((journal, writers));
    // 64 survive the crash; the rest had no room.
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
    let taken = send(&mut writers[0], server.as_fd(), &large, &one).unwrap();
    assert!(taken > 0 && taken < large.len());
    let error = send(&mut writers[0], server.as_fd(), &large[taken..], &one).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    assert_eq!(journal.commit(NOW).unwrap().charges, 0);
    // Crashes before the end of the answer leave nothing; the end of it is charged once.
    let mut sent = taken;
    let mut buffer = vec![0; 1 << 20];
    while sent < large.len() {
        let _ = client.read(&mut buffer).unwrap();
        match send(&mut writers[0], server.as_fd(), &large[sent..], &one) {
            Ok(taken) => sent += taken,
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        assert_eq!(journal.commit(NOW).unwrap().charges, u64::from(sent == large.len()));
    }
    drop((journal, writers));
    assert_eq!(units(&world), 1);
}

#[test]
fn a_response_without_a_receiver_is_not_charged() {
    let world = World::new(1, 64);
    let Opened { journal, mut writers, .. } = world.open(NOW);
    let (server, client) = UnixStream::pair().unwrap();
    drop(client);
    let error = send(&mut writers[0], server.as_fd(), b"answer", &charge(1, 1, &[(5, 7)])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    drop((journal, writers));
    assert_eq!(units(&world), 0);
}

#[test]
fn an_empty_end_of_an_answer_is_charged() {
    let world = World::new(1, 64);
    let Opened { journal, mut writers, .. } = world.open(NOW);
    let (server, _client) = UnixStream::pair().unwrap();
    assert_eq!(send(&mut writers[0], server.as_fd(), b"", &charge(1, 1, &[(5, 7)])).unwrap(), 0);
    drop((journal, writers));
    assert_eq!(units(&world), 1);
}

#[test]
fn answers_that_end_in_one_write_are_charged_by_what_was_taken() {
    let world = World::new(1, 64);
    let Opened { mut journal, mut writers, .. } = world.open(NOW);
    let (server, mut client) = UnixStream::pair().unwrap();
    server.set_nonblocking(true).unwrap();
    let large = vec![b'x'; 8 << 20];
    // Eight answers, the units of each a power of two, so that the sum shows which were charged.
    let charges: Vec<Charge> = (0..8).map(|place| charge(1, 1 << place, &[(5, 7)])).collect();
    let ends: Vec<usize> = (1..=8).map(|place| place << 20).collect();
    let (mut sent, mut charged, mut buffer) = (0, 0, vec![0; 300_000]);
    let mut most_at_once = 0;
    while sent < large.len() {
        let owed: Vec<Due<'_>> = (charged..8)
            .map(|place| Due { end: ends[place] - sent, charge: &charges[place], now_seconds: NOW })
            .collect();
        match writers[0].send_last(server.as_fd(), &large[sent..], &owed) {
            Ok(Sent { taken, charged: count }) => {
                sent += taken;
                charged += count;
                most_at_once = most_at_once.max(count);
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        assert_eq!(charged, sent >> 20, "{sent}");
        let _ = client.read(&mut buffer).unwrap();
    }
    assert_eq!(journal.commit(NOW).unwrap().charges, 8);
    drop((journal, writers));
    assert_eq!(units(&world), 255);
    println!("{most_at_once} at once");
}

#[test]
fn a_ring_with_too_little_room_charges_beside_it() {
    let world = World::new(1, 8);
    let Opened { mut journal, mut writers, .. } = world.open(NOW);
    let (server, mut client) = UnixStream::pair().unwrap();
    let one = charge(1, 1, &[(5, 7)]);
    let due = |end| Due { end, charge: &one, now_seconds: NOW };
    let mut answer = [0; 6];
    for (ends, charges) in [(vec![1, 2, 3, 4, 5, 6], 6), (vec![2, 4, 6], 3), (vec![6], 1)] {
        let owed: Vec<Due<'_>> = ends.into_iter().map(due).collect();
        let sent = writers[0].send_last(server.as_fd(), b"answer", &owed).unwrap();
        assert_eq!(sent, Sent { taken: 6, charged: charges });
        client.read_exact(&mut answer).unwrap();
    }
    assert_eq!(journal.commit(NOW).unwrap().charges, 10);
    let too_many = vec![due(6); MAX_TOGETHER + 1];
    let error = writers[0].send_last(server.as_fd(), b"answer", &too_many).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(journal.commit(NOW).unwrap().charges, 0);
    drop((journal, writers));
    assert_eq!(units(&world), 10);
}
