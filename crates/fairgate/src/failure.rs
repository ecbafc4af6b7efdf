//! Why a command failed, how that is reported, and with which exit code.

use config::Faults;
use control::{AskError, OperationError};
use std::{
    fmt,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};
use store::StoreError;

/// Why a command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// The operation failed: exit code 1.
    Operation(String),
    /// The gateway cannot listen where it should: exit code 1.
    Listening(String),
    /// What was typed cannot be used: exit code 2.
    Usage(String),
    /// The configuration cannot be used: exit code 2.
    Configuration(Faults),
    /// The reader of our output has closed it: not a fault.
    NobodyReads,
}

impl Failure {
    /// An operation that failed.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { kind: Kind::Operation(message.into()) }
    }

    /// An address that another program has.
    pub(crate) fn of_listening(message: impl Into<String>) -> Self {
        Self { kind: Kind::Listening(message.into()) }
    }

    /// Whether another address could help.
    pub(crate) fn is_of_listening(&self) -> bool {
        matches!(self.kind, Kind::Listening(_))
    }

    /// Something was typed that cannot be used.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { kind: Kind::Usage(message.into()) }
    }

    /// Prints it on standard error and returns the exit code.
    pub(crate) fn report(self) -> ExitCode {
        let colour = wants_colour(&io::stderr());
        let error = if colour { "\u{1b}[1;31merror\u{1b}[0m" } else { "error" };
        let (text, code) = match self.kind {
            Kind::Operation(message) | Kind::Listening(message) => (format!("{error}: {message}"), 1),
            Kind::Usage(message) => (format!("{error}: {message}"), 2),
            Kind::Configuration(faults) => (faults.render(colour), 2),
            Kind::NobodyReads => return ExitCode::SUCCESS,
        };
        // Standard error may be a file on a full disk: then the exit code must be enough.
        let _ = writeln!(io::stderr().lock(), "{text}");
        ExitCode::from(code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Operation(message) | Kind::Listening(message) | Kind::Usage(message) => {
                out.write_str(message)
            }
            Kind::Configuration(faults) => faults.fmt(out),
            Kind::NobodyReads => out.write_str("the output was closed"),
        }
    }
}

/// Colour is for people: on a terminal, unless they opted out (<https://no-color.org>).
pub(crate) fn wants_colour(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

impl From<control::Failure> for Failure {
    fn from(failure: control::Failure) -> Self {
        let message = failure.to_string();
        let kind =
            if failure.is_of_listening() { Kind::Listening(message) } else { Kind::Operation(message) };
        Self { kind }
    }
}

impl From<OperationError> for Failure {
    fn from(error: OperationError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<Faults> for Failure {
    fn from(faults: Faults) -> Self {
        Self { kind: Kind::Configuration(faults) }
    }
}

/// Only for writing to standard output; reading a file has messages of its own.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self { kind: Kind::NobodyReads };
        }
        Self::new(format!("cannot write to standard output: {error}"))
    }
}
