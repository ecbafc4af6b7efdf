//! The rows of the table at an operation: which codes it can return.

use super::facts::Facts;
use contract::{ErrorCode, Status, status::ExtraStatus};

/// A row of the table at operations of one sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Row {
    pub(super) status: Status,
    /// The number that is sent.
    pub(super) number: u16,
    /// A redirect there has a `Location`.
    pub(super) has_location: bool,
    /// A key must come by https.
    pub(super) requires_https: bool,
    /// A key is needed there.
    pub(super) keyed: bool,
    /// Requests may have a body there. Only distinguished where codes are about bodies.
    pub(super) has_body: bool,
}

impl Row {
    /// A row of an operation. `method` decides how a redirect is sent.
    pub(super) fn new(status: Status, keyed: bool, has_body: bool, method: &str, facts: &Facts<'_>) -> Self {
        let redirect = facts.redirect_status.of(method);
        let (number, has_location) = if status == Status::Moved {
            (redirect.number, redirect.has_location)
        } else {
            (status.on_the_wire(facts.statuses), false)
        };
        let speaks_of_bodies = matches!(status, Status::NotValid | Status::Unprocessable);
        let requires_https = status == Status::NotValid && keyed && facts.redirects_to_https;
        Self { status, number, has_location, requires_https, keyed, has_body: has_body || !speaks_of_bodies }
    }

    /// The codes that can be met there, in the order of the registry.
    pub(super) fn codes(self) -> impl Iterator<Item = ErrorCode> {
        ErrorCode::ALL.into_iter().filter(move |code| code.status() == self.status && self.has(*code))
    }

    fn has(self, code: ErrorCode) -> bool {
        let of_key = matches!(
            code,
            ErrorCode::KeyFormatIncorrect | ErrorCode::ApiLimitExceeded | ErrorCode::RateExceeded
        );
        let of_body = matches!(
            code,
            ErrorCode::BodyMalformed | ErrorCode::MediaTypeNotSupported | ErrorCode::BodyNotValid
        );
        (self.requires_https || code != ErrorCode::HttpsRequired)
            && (self.keyed || !of_key)
            && (self.has_body || !of_body)
    }

    /// Its name among the components, without the prefix.
    pub(super) fn name(self) -> String {
        let row = match self.status {
            Status::Moved if self.number == 308 => "MovedWithMethod",
            Status::Moved if !self.has_location => "MovedWithoutLocation",
            Status::Moved => "Moved",
            Status::NotValid => "NotValid",
            Status::NoPermission => "NoPermission",
            Status::KeyRefused => "KeyRefused",
            Status::NotFound => "NotFound",
            Status::Unprocessable => "Unprocessable",
            Status::LimitExceeded => "LimitExceeded",
            Status::Unexpected => "Unexpected",
            Status::Unavailable => "Unavailable",
            Status::Extra(extra) => extra_name(extra),
        };
        let open = if self.keyed { "" } else { "WithoutKey" };
        let body = if self.has_body { "" } else { "WithoutBody" };
        format!("{row}{open}{body}")
    }

    /// What it means, and what each of its codes means.
    pub(super) fn description(self) -> String {
        let mut text = match self.status {
            Status::Extra(extra) => return ErrorCode::of_extra(extra).meaning().to_owned(),
            Status::Moved
            | Status::NotValid
            | Status::NoPermission
            | Status::KeyRefused
            | Status::NotFound
            | Status::Unprocessable
            | Status::LimitExceeded
            | Status::Unexpected
            | Status::Unavailable => self.status.meaning().to_owned(),
        };
        for (position, code) in self.codes().enumerate() {
            text.push_str(if position == 0 { "\n\n" } else { "\n" });
            text.push_str(&format!("- `{}`: {}", code.name(), code.meaning()));
        }
        text
    }
}

fn extra_name(extra: ExtraStatus) -> &'static str {
    match extra {
        ExtraStatus::PaymentRequired => "PaymentRequired",
        ExtraStatus::MethodNotAllowed => "MethodNotAllowed",
        ExtraStatus::NotAcceptable => "NotAcceptable",
        ExtraStatus::Conflict => "Conflict",
        ExtraStatus::Gone => "Gone",
        ExtraStatus::PreconditionFailed => "PreconditionFailed",
        ExtraStatus::ContentTooLarge => "ContentTooLarge",
        ExtraStatus::UnsupportedMediaType => "UnsupportedMediaType",
        ExtraStatus::RangeNotSatisfiable => "RangeNotSatisfiable",
        ExtraStatus::Locked => "Locked",
        ExtraStatus::FailedDependency => "FailedDependency",
        ExtraStatus::PreconditionRequired => "PreconditionRequired",
        ExtraStatus::UnavailableForLegalReasons => "UnavailableForLegalReasons",
    }
}
