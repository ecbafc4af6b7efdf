//! Remote procedure calls: whether a 200 that answers one is a success. gRPC, gRPC-Web and streams of Connect answer
//! errors with 200, too, and say so in the head, in the trailers or in the last frame of the body.
//!
//! It only reads: bytes pass to the client as they came. What cannot be read is not a success, so it is free.

mod base64;
mod frames;

use base64::Base64;
use contract::{ErrorCode, grpc};
use flate2::write::MultiGzDecoder;
use frames::{Ending, Frames};
use http1::{
    field::{AnswerField, Field},
    response::ResponseHead,
};
use std::io::Write;

/// A protocol of remote procedure calls, by a media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Its status is told by HTTP trailers.
    Grpc,
    /// By a frame behind the messages.
    GrpcWeb,
    /// The same in base64.
    GrpcWebText,
    /// A stream of the Connect protocol: by a frame, in JSON.
    ConnectStream,
}

/// What an answer has said of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    Success,
    Error(ErrorCode),
}

/// Reads what an answer to a call says of itself, while it passes.
pub(crate) struct Judge {
    body: Option<Box<Body>>,
    told: Told,
}

/// The body of an answer whose status stands in there.
enum Body {
    Frames(Frames),
    Text(Base64, Frames),
    Gzip(Box<MultiGzDecoder<Plain>>),
    /// In a content coding that is not known here, or that broke.
    Unreadable,
}

/// What a decoded body is written to. Nothing of it is kept, however large it becomes.
enum Plain {
    Frames(Frames),
    Text(Base64, Frames),
}

// === impl Protocol ===

impl Protocol {
    /// The protocol of a message with this Content-Type.
    pub(crate) fn of(media_type: &[u8]) -> Option<Self> {
        // Nearly every media type is told apart by this byte: `application/g…`, `application/c…`.
        let media_type = media_type.trim_ascii_start();
        match media_type.get(12).map(u8::to_ascii_lowercase) {
            Some(b'g') if grpc::is_grpc(media_type) => Some(Self::Grpc),
            Some(b'g') if grpc::is_grpc_web_text(media_type) => Some(Self::GrpcWebText),
            Some(b'g') if grpc::is_grpc_web(media_type) => Some(Self::GrpcWeb),
            Some(b'c') if grpc::is_connect_stream(media_type) => Some(Self::ConnectStream),
            Some(_) | None => None,
        }
    }

    /// What it is called.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Grpc => "gRPC",
            Self::GrpcWeb | Self::GrpcWebText => "gRPC-Web",
            Self::ConnectStream => "Connect",
        }
    }

    /// Whether the body of its answers tells how the call has ended.
    pub(crate) const fn ends_in_body(self) -> bool {
        match self {
            Self::Grpc => false,
            Self::GrpcWeb | Self::GrpcWebText | Self::ConnectStream => true,
        }
    }

    /// Whether whoever calls by this protocol understands an answer of `answer`.
    pub(crate) const fn understands(self, answer: Option<Self>) -> bool {
        match (self, answer) {
            (Self::Grpc, Some(Self::Grpc)) | (Self::ConnectStream, Some(Self::ConnectStream)) => true,
            // Clients of gRPC-Web read frames whatever kind of gRPC the answer says that it is.
            (Self::GrpcWeb | Self::GrpcWebText, Some(Self::Grpc | Self::GrpcWeb | Self::GrpcWebText)) => true,
            (Self::Grpc, Some(Self::GrpcWeb | Self::GrpcWebText | Self::ConnectStream))
            | (Self::GrpcWeb | Self::GrpcWebText, Some(Self::ConnectStream))
            | (Self::ConnectStream, Some(Self::Grpc | Self::GrpcWeb | Self::GrpcWebText))
            | (_, None) => false,
        }
    }

    /// By which protocol the answer is read: that of its Content-Type, but for calls of gRPC-Web, which is read in frames.
    pub(crate) const fn read_as(self, call: Option<Self>) -> Self {
        match (self, call) {
            (Self::Grpc, Some(Self::GrpcWeb | Self::GrpcWebText)) => Self::GrpcWeb,
            (_, _) => self,
        }
    }
}

// === impl Judge ===

impl Judge {
    /// For an answer of `protocol`. `bytes` is the buffer that its head was read from.
    pub(crate) fn new(protocol: Protocol, answer: &ResponseHead, bytes: &[u8]) -> Self {
        let named = |wanted: &'static str| {
            let is = move |field: &&Field<AnswerField>| {
                field.name.get(bytes).eq_ignore_ascii_case(wanted.as_bytes())
            };
            answer.fields.iter().filter(is).map(|field| field.value.get(bytes))
        };
        let told = match protocol {
            Protocol::Grpc | Protocol::GrpcWeb | Protocol::GrpcWebText => one_status(named("grpc-status")),
            Protocol::ConnectStream => Told::Nothing,
        };
        let ending = |ending, coding| Frames::new(ending, named(coding).next());
        let (is_text, frames) = match protocol {
            Protocol::Grpc => return Self { body: None, told },
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
        Self { body: Some(Box::new(body)), told }
    }

    /// The error that the answer has told until now.
    pub(crate) const fn error(&self) -> Option<ErrorCode> {
        match self.told {
            Told::Error(code) => Some(code),
            Told::Nothing | Told::Success => None,
        }
    }

    /// Takes a part of the body.
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
        // What has been told is known at once: a client may leave once it has read it.
        if let Some(frames) = body.frames()
            && let Told::Error(code) = frames.told()
        {
            self.tell(Told::Error(code));
        }
    }

    /// The body has ended, with these trailers. What the call has come to: an error, or none.
    pub(crate) fn finish(&mut self, trailers: &[u8]) -> Option<ErrorCode> {
        let in_trailers = one_status(fields_named(trailers, b"grpc-status"));
        self.tell(in_trailers);
        if let Some(mut body) = self.body.take() {
            if let Body::Gzip(decoder) = &mut *body
                && decoder.try_finish().is_err()
            {
                *body = Body::Unreadable;
            }
            self.tell(body.frames().map_or(UNTOLD, Frames::finish));
        }
        match self.told {
            Told::Success => None,
            Told::Error(code) => Some(code),
            Told::Nothing => {
                self.told = UNTOLD;
                self.error()
            }
        }
    }

    /// An error stays one, whatever is told beside it.
    const fn tell(&mut self, told: Told) {
        match (self.told, told) {
            (Told::Error(_), _) | (_, Told::Nothing) => {}
            (Told::Nothing | Told::Success, Told::Success | Told::Error(_)) => self.told = told,
        }
    }
}

/// What an answer becomes that has told nothing, or nothing that can be read.
const UNTOLD: Told = Told::Error(grpc::recorded_as(grpc::UNKNOWN));

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

/// What these values of `grpc-status` tell. One that is told twice is not told.
fn one_status<'v>(mut values: impl Iterator<Item = &'v [u8]>) -> Told {
    match (values.next(), values.next()) {
        (None, _) => Told::Nothing,
        (Some(value), None) => match grpc::status(value) {
            Some(0) => Told::Success,
            Some(status) => Told::Error(grpc::recorded_as(status)),
            None => UNTOLD,
        },
        (Some(_), Some(_)) => UNTOLD,
    }
}

/// The values of the fields with this name, in lines of a head.
fn fields_named<'v>(lines: &'v [u8], wanted: &'static [u8]) -> impl Iterator<Item = &'v [u8]> {
    lines.split(|&byte| byte == b'\n').filter_map(move |line| {
        let (name, value) = line.split_at_checked(memchr::memchr(b':', line)?)?;
        let is = name.trim_ascii().eq_ignore_ascii_case(wanted);
        is.then(|| value.get(1..).unwrap_or_default().trim_ascii())
    })
}

#[cfg(test)]
mod tests;
