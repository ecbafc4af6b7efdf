//! SETTINGS (RFC 9113 section 6.5): those of the peer and our own.

use crate::{ErrorCode, flow, frame, output::Output};

/// Identifiers of settings.
pub(crate) mod id {
    pub(crate) const ENABLE_PUSH: u16 = 0x2;
    pub(crate) const MAX_CONCURRENT_STREAMS: u16 = 0x3;
    pub(crate) const INITIAL_WINDOW_SIZE: u16 = 0x4;
    pub(crate) const MAX_FRAME_SIZE: u16 = 0x5;
    pub(crate) const MAX_HEADER_LIST_SIZE: u16 = 0x6;
    pub(crate) const ENABLE_CONNECT_PROTOCOL: u16 = 0x8;
    pub(crate) const NO_RFC7540_PRIORITIES: u16 = 0x9;
}

/// The settings of the peer that we use. Its header table size is not among them: our encoder uses
/// no dynamic table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) initial_window: u32,
    pub(crate) max_concurrent_streams: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { initial_window: flow::DEFAULT, max_concurrent_streams: u32::MAX }
    }
}

impl Settings {
    /// Applies a SETTINGS payload. `from_server`: the peer is a server.
    ///
    /// # Errors
    /// The error code that ends the connection.
    pub(crate) fn read(&mut self, payload: &[u8], from_server: bool) -> Result<(), ErrorCode> {
        for setting in payload.chunks(6) {
            let [i0, i1, v0, v1, v2, v3] = *setting else { return Err(ErrorCode::FRAME_SIZE_ERROR) };
            let value = u32::from_be_bytes([v0, v1, v2, v3]);
            let is_fine = match u16::from_be_bytes([i0, i1]) {
                // A server must not send 1: only a client can disable push.
                id::ENABLE_PUSH => value == 0 || value == 1 && !from_server,
                id::MAX_CONCURRENT_STREAMS => {
                    self.max_concurrent_streams = value;
                    true
                }
                id::INITIAL_WINDOW_SIZE if i64::from(value) > flow::LARGEST => {
                    return Err(ErrorCode::FLOW_CONTROL_ERROR);
                }
                id::INITIAL_WINDOW_SIZE => {
                    self.initial_window = value;
                    true
                }
                // We never send frames larger than the minimum that every peer accepts.
                id::MAX_FRAME_SIZE => (16_384..=16_777_215).contains(&value),
                id::ENABLE_CONNECT_PROTOCOL | id::NO_RFC7540_PRIORITIES => value <= 1,
                _ => true,
            };
            if !is_fine {
                return Err(ErrorCode::PROTOCOL_ERROR);
            }
        }
        Ok(())
    }
}

/// Appends a SETTINGS frame.
pub(crate) fn write(settings: &[(u16, u32)], out: &mut Output) {
    let mut payload = Vec::with_capacity(settings.len() * 6);
    for (id, value) in settings {
        payload.extend_from_slice(&id.to_be_bytes());
        payload.extend_from_slice(&value.to_be_bytes());
    }
    out.frame(frame::kind::SETTINGS, 0, 0, &payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(id: u16, value: u32, from_server: bool) -> Result<Settings, ErrorCode> {
        let payload = [&id.to_be_bytes()[..], &value.to_be_bytes()].concat();
        let mut settings = Settings::default();
        settings.read(&payload, from_server).map(|()| settings)
    }

    #[test]
    fn each_setting_is_taken_within_its_bounds_alone() {
        use ErrorCode as Code;
        for (id, value, from_server, error) in [
            (id::ENABLE_PUSH, 0, true, None),
            (id::ENABLE_PUSH, 0, false, None),
            (id::ENABLE_PUSH, 1, false, None),
            (id::ENABLE_PUSH, 1, true, Some(Code::PROTOCOL_ERROR)),
            (id::ENABLE_PUSH, 2, false, Some(Code::PROTOCOL_ERROR)),
            (id::INITIAL_WINDOW_SIZE, 0, false, None),
            (id::INITIAL_WINDOW_SIZE, 0x7fff_ffff, false, None),
            (id::INITIAL_WINDOW_SIZE, 0x8000_0000, false, Some(Code::FLOW_CONTROL_ERROR)),
            (id::INITIAL_WINDOW_SIZE, u32::MAX, false, Some(Code::FLOW_CONTROL_ERROR)),
            (id::MAX_FRAME_SIZE, 16_383, false, Some(Code::PROTOCOL_ERROR)),
            (id::MAX_FRAME_SIZE, 16_384, false, None),
            (id::MAX_FRAME_SIZE, 16_777_215, false, None),
            (id::MAX_FRAME_SIZE, 16_777_216, false, Some(Code::PROTOCOL_ERROR)),
            (id::ENABLE_CONNECT_PROTOCOL, 1, true, None),
            (id::ENABLE_CONNECT_PROTOCOL, 2, true, Some(Code::PROTOCOL_ERROR)),
            (id::NO_RFC7540_PRIORITIES, 1, false, None),
            (id::NO_RFC7540_PRIORITIES, 2, false, Some(Code::PROTOCOL_ERROR)),
            (0x99, u32::MAX, false, None),
        ] {
            assert_eq!(
                read(id, value, from_server).err(),
                error,
                "setting {id} is {value}, server: {from_server}"
            );
        }
        assert_eq!(read(id::MAX_CONCURRENT_STREAMS, 7, false).unwrap().max_concurrent_streams, 7);
        assert_eq!(read(id::INITIAL_WINDOW_SIZE, 9, false).unwrap().initial_window, 9);
        assert_eq!(Settings::default().read(&[0; 7], false), Err(ErrorCode::FRAME_SIZE_ERROR));
    }
}
