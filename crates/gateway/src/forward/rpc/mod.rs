//! Remote procedure calls: whether a response with status 200 is a success. gRPC, gRPC-Web and
//! Connect streams send errors with 200 too, with the status in the head, in the trailers or in the
//! last frame of the body.
//!
//! It only reads: bytes pass to the client unchanged. What cannot be read is not a success, so it is free.

mod base64;
mod frames;

use base64::Base64;
use contract::{ErrorCode, grpc};
use flate2::write::MultiGzDecoder;
use frames::{Ending, Frames};
use http1::{
    field::{Field, ResponseField},
    response::ResponseHead,
};
use std::io::Write;

/// A protocol of remote procedure calls, by media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Status in HTTP trailers.
    Grpc,
    /// Status in a frame after the messages.
    GrpcWeb,
    /// The same in base64.
    GrpcWebText,
    /// A stream of the Connect protocol: status in a JSON frame.
    ConnectStream,
}

/// The status that a response reported so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Missing,
    Success,
    Error(ErrorCode),
}

/// Reads the status of a call from its response while it passes.
pub(crate) struct Judge {
    body: Option<Box<Body>>,
    status: Status,
}

/// The body of a response with the status inside.
enum Body {
    Frames(Frames),
    Text(Base64, Frames),
    Gzip(Box<MultiGzDecoder<Plain>>),
    /// Unknown content coding, or corrupt data.
    Unreadable,
}

/// The destination of the decoded body. None of it is stored, however large it is.
enum Plain {
    Frames(Frames),
    Text(Base64, Frames),
}

// === impl Protocol ===

impl Protocol {
    /// The protocol of a message with this Content-Type.
    pub(crate) fn of(media_type: &[u8]) -> Option<Self> {
        // This byte excludes nearly every other media type: `application/g…`, `application/c…`.
        let media_type = media_type.trim_ascii_start();
        match media_type.get(12).map(u8::to_ascii_lowercase) {
            Some(b'g') if grpc::is_grpc(media_type) => Some(Self::Grpc),
            Some(b'g') if grpc::is_grpc_web_text(media_type) => Some(Self::GrpcWebText),
            Some(b'g') if grpc::is_grpc_web(media_type) => Some(Self::GrpcWeb),
            Some(b'c') if grpc::is_connect_stream(media_type) => Some(Self::ConnectStream),
            Some(_) | None => None,
        }
    }

    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Grpc => "gRPC",
            Self::GrpcWeb | Self::GrpcWebText => "gRPC-Web",
            Self::ConnectStream => "Connect",
        }
    }

    /// Whether the body of its responses contains the status of the call.
    pub(crate) const fn ends_in_body(self) -> bool {
        match self {
            Self::Grpc => false,
            Self::GrpcWeb | Self::GrpcWebText | Self::ConnectStream => true,
        }
    }

    /// Whether a client of this protocol understands a response of `answer`.
    pub(crate) const fn understands(self, answer: Option<Self>) -> bool {
        match (self, answer) {
            (Self::Grpc, Some(Self::Grpc)) | (Self::ConnectStream, Some(Self::ConnectStream)) => true,
            // Clients of gRPC-Web read frames whichever kind of gRPC the response names.
            (Self::GrpcWeb | Self::GrpcWebText, Some(Self::Grpc | Self::GrpcWeb | Self::GrpcWebText)) => true,
            (Self::Grpc, Some(Self::GrpcWeb | Self::GrpcWebText | Self::ConnectStream))
            | (Self::GrpcWeb | Self::GrpcWebText, Some(Self::ConnectStream))
            | (Self::ConnectStream, Some(Self::Grpc | Self::GrpcWeb | Self::GrpcWebText))
            | (_, None) => false,
        }
    }

    /// The protocol to parse the response with: that of its Content-Type, except for gRPC-Web
    /// calls, which always use frames.
    pub(crate) const fn read_as(self, call: Option<Self>) -> Self {
        match (self, call) {
            (Self::Grpc, Some(Self::GrpcWeb | Self::GrpcWebText)) => Self::GrpcWeb,
            (_, _) => self,
        }
    }
}

// === impl Judge ===

impl Judge {
    /// For a response of `protocol`. `bytes`: the buffer that its head was parsed from.
    pub(crate) fn new(protocol: Protocol, answer: &ResponseHead, bytes: &[u8]) -> Self {
        let named = |wanted: &'static str| {
            let is = move |field: &&Field<ResponseField>| {
                field.name.get(bytes).eq_ignore_ascii_case(wanted.as_bytes())
            };
            answer.fields.iter().filter(is).map(|field| field.value.get(bytes))
        };
        let status = match protocol {
            Protocol::Grpc | Protocol::GrpcWeb | Protocol::GrpcWebText => one_status(named("grpc-status")),
            Protocol::ConnectStream => Status::Missing,
        };
        let ending = |ending, coding| Frames::new(ending, named(coding).next());
        let (is_text, frames) = match protocol {
            Protocol::Grpc => return Self { body: None, status },
            Protocol::GrpcWeb => (false, ending(Ending::Trailers, "grpc-encoding")),
            Protocol::GrpcWebText => (true, ending(Ending::Trailers, "grpc-encoding")),
            Protocol::ConnectStream => (false, ending(Ending::Json, "connect-content-encoding")),
        };
        let mut codings = named("content-encoding");
        let plain = if is_text { Plain::Text(Base64::default(), frames) } else { Plain::Frames(frames) };
        let body = match (codings.next(), codings.next()) {
            (None, _) => plain.into_body(),
            (Some(coding), None) if coding.eq_ignore_ascii_case(b"identity") => plain.into_body(),
            (Some(coding), None) if is_gzip(coding) => Body::Gzip(Box::new(MultiGzDecoder::new(plain))),
            (Some(_), _) => Body::Unreadable,
        };
        Self { body: Some(Box::new(body)), status }
    }

    /// The error reported so far.
    pub(crate) const fn error(&self) -> Option<ErrorCode> {
        match self.status {
            Status::Error(code) => Some(code),
            Status::Missing | Status::Success => None,
        }
    }

    /// Reads a part of the body.
    pub(crate) fn read(&mut self, part: &[u8]) {
        let Some(body) = &mut self.body else { return };
        match &mut **body {
            Body::Frames(frames) => frames.read(part),
            Body::Text(text, frames) => text.read(part, frames),
            Body::Gzip(decoder) => {
                if decoder.write_all(part).is_err() {
                    **body = Body::Unreadable;
                }
            }
            Body::Unreadable => {}
        }
        // An error is recorded at once: a client may leave after reading it.
        if let Some(frames) = body.frames()
            && let Status::Error(code) = frames.status()
        {
            self.set(Status::Error(code));
        }
    }

    /// The body has ended, with these trailers. Returns the error of the call, if any.
    pub(crate) fn finish(&mut self, trailers: &[u8]) -> Option<ErrorCode> {
        let in_trailers = one_status(fields_named(trailers, b"grpc-status"));
        self.set(in_trailers);
        if let Some(mut body) = self.body.take() {
            if let Body::Gzip(decoder) = &mut *body
                && decoder.try_finish().is_err()
            {
                *body = Body::Unreadable;
            }
            self.set(body.frames().map_or(UNKNOWN, Frames::finish));
        }
        match self.status {
            Status::Success => None,
            Status::Error(code) => Some(code),
            Status::Missing => {
                self.status = UNKNOWN;
                self.error()
            }
        }
    }

    /// An error remains, whatever else is reported.
    const fn set(&mut self, status: Status) {
        match (self.status, status) {
            (Status::Error(_), _) | (_, Status::Missing) => {}
            (Status::Missing | Status::Success, Status::Success | Status::Error(_)) => self.status = status,
        }
    }
}

/// The status of a response that reported none, or an unreadable one.
const UNKNOWN: Status = Status::Error(grpc::recorded_as(grpc::UNKNOWN));

impl Plain {
    fn into_body(self) -> Body {
        match self {
            Self::Frames(frames) => Body::Frames(frames),
            Self::Text(text, frames) => Body::Text(text, frames),
        }
    }
}

impl Write for Plain {
    fn write(&mut self, part: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Frames(frames) => frames.read(part),
            Self::Text(text, frames) => text.read(part, frames),
        }
        Ok(part.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Body {
    fn frames(&mut self) -> Option<&mut Frames> {
        match self {
            Self::Frames(frames) | Self::Text(_, frames) => Some(frames),
            Self::Gzip(decoder) => match decoder.get_mut() {
                Plain::Frames(frames) | Plain::Text(_, frames) => Some(frames),
            },
            Self::Unreadable => None,
        }
    }
}

fn is_gzip(coding: &[u8]) -> bool {
    let coding = coding.trim_ascii();
    coding.eq_ignore_ascii_case(b"gzip") || coding.eq_ignore_ascii_case(b"x-gzip")
}

/// The status in these values of `grpc-status`. Two values count as unreadable.
fn one_status<'v>(mut values: impl Iterator<Item = &'v [u8]>) -> Status {
    match (values.next(), values.next()) {
        (None, _) => Status::Missing,
        (Some(value), None) => match grpc::status(value) {
            Some(0) => Status::Success,
            Some(status) => Status::Error(grpc::recorded_as(status)),
            None => UNKNOWN,
        },
        (Some(_), Some(_)) => UNKNOWN,
    }
}

/// The values of the fields with this name, in header lines.
fn fields_named<'v>(lines: &'v [u8], wanted: &'static [u8]) -> impl Iterator<Item = &'v [u8]> {
    lines.split(|&byte| byte == b'\n').filter_map(move |line| {
        let (name, value) = line.split_at_checked(memchr::memchr(b':', line)?)?;
        let is = name.trim_ascii().eq_ignore_ascii_case(wanted);
        is.then(|| value.get(1..).unwrap_or_default().trim_ascii())
    })
}

#[cfg(test)]
mod tests;
