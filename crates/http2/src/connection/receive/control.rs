//! Frames of the connection as a whole, and of flow control: SETTINGS, PING, GOAWAY, WINDOW_UPDATE.

use super::{Fatal, protocol, size};
use crate::{
    ErrorCode,
    connection::{Connection, Event, Role},
    frame::{self, Head, flag, kind},
};

/// A smaller window increment counts as an idle frame.
const CRUMB: u32 = 256;

impl Connection {
    pub(super) fn settings(&mut self, head: Head, payload: &[u8], now: u64) -> Result<(), Fatal> {
        if head.stream != 0 {
            return Err(protocol("SETTINGS on a stream"));
        }
        if head.has(flag::ACK) {
            return if payload.is_empty() { Ok(()) } else { Err(size("an acknowledgement with a payload")) };
        }
        if self.has_settings {
            self.idle_frame(now)?;
        }
        let before = i64::from(self.peer.initial_window);
        let from_server = self.config.role == Role::Client;
        self.peer.read(payload, from_server).map_err(|code| (code, "SETTINGS with an invalid value"))?;
        let change = i64::from(self.peer.initial_window) - before;
        for stream in self.streams.values_mut() {
            if !stream.send.add(change) {
                return Err((ErrorCode::FLOW_CONTROL_ERROR, "a window larger than the maximum"));
            }
        }
        self.has_settings = true;
        self.out.frame(kind::SETTINGS, flag::ACK, 0, &[]);
        self.events.push_back(Event::Writable(0));
        Ok(())
    }

    pub(super) fn ping(&mut self, head: Head, payload: &[u8], now: u64) -> Result<(), Fatal> {
        if head.stream != 0 {
            return Err(protocol("PING on a stream"));
        }
        if payload.len() != 8 {
            return Err(size("PING must have 8 bytes"));
        }
        if !head.has(flag::ACK) {
            self.out.frame(kind::PING, flag::ACK, 0, payload);
        }
        self.idle_frame(now)
    }

    pub(super) fn go_away(&mut self, head: Head, payload: &[u8]) -> Result<(), Fatal> {
        if head.stream != 0 {
            return Err(protocol("GOAWAY on a stream"));
        }
        let (Some(last), Some(code)) = (frame::number(payload), payload.get(4..).and_then(frame::number))
        else {
            return Err(size("GOAWAY must have 8 bytes"));
        };
        self.peer_is_going = true;
        self.events.push_back(Event::GoAway { last: last & 0x7fff_ffff, code: ErrorCode(code) });
        Ok(())
    }

    pub(super) fn window_update(&mut self, head: Head, payload: &[u8], now: u64) -> Result<(), Fatal> {
        let increment = frame::number(payload)
            .filter(|_| payload.len() == 4)
            .ok_or(size("WINDOW_UPDATE must have 4 bytes"))?
            & 0x7fff_ffff;
        if increment < CRUMB {
            self.idle_frame(now)?;
        }
        if head.stream == 0 {
            if increment == 0 {
                return Err(protocol("a window increment of 0"));
            }
            if !self.send.add(i64::from(increment)) {
                return Err((ErrorCode::FLOW_CONTROL_ERROR, "a window larger than the maximum"));
            }
            self.events.push_back(Event::Writable(0));
            return Ok(());
        }
        if self.is_idle(head.stream) {
            return Err(protocol("WINDOW_UPDATE on a stream that is not open"));
        }
        let Some(stream) = self.streams.get_mut(&head.stream).filter(|stream| stream.how.is_none()) else {
            return Ok(()); // it crossed our END_STREAM
        };
        if increment == 0 {
            return self.stream_error(head.stream, ErrorCode::PROTOCOL_ERROR, now);
        }
        if !stream.send.add(i64::from(increment)) {
            return self.stream_error(head.stream, ErrorCode::FLOW_CONTROL_ERROR, now);
        }
        self.events.push_back(Event::Writable(head.stream));
        Ok(())
    }
}
