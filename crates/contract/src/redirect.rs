//! How redirects are sent, by the method of the request: one rule, for responses and their descriptions.

/// The status for a method other than GET and HEAD whose endpoint has moved (`redirect_status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RedirectStatus {
    /// 301. The new location is only in the body.
    #[default]
    MovedPermanently,
    /// 308, with a `Location`.
    PermanentRedirect,
}

/// A redirect for one method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Redirect {
    /// The number on the status line.
    pub number: u16,
    /// Whether the response has a `Location`, which clients follow automatically.
    pub has_location: bool,
}

impl RedirectStatus {
    /// The redirect for a request with this method.
    ///
    /// RFC 9110, 15.4.2 allows a client to change POST to GET when it follows a 301. Many do so for
    /// every method with a body: the body is lost, and the response to the GET is taken for that of
    /// the request. So such a 301 has no Location.
    pub fn of(self, method: &str) -> Redirect {
        match (method, self) {
            ("GET" | "HEAD", Self::MovedPermanently | Self::PermanentRedirect) => {
                Redirect { number: 301, has_location: true }
            }
            (_, Self::MovedPermanently) => Redirect { number: 301, has_location: false },
            (_, Self::PermanentRedirect) => Redirect { number: 308, has_location: true },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_method_but_get_and_head_is_led_by_a_301() {
        for status in [RedirectStatus::MovedPermanently, RedirectStatus::PermanentRedirect] {
            for method in
                ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "QUERY", ""]
            {
                let redirect = status.of(method);
                if redirect.has_location && redirect.number == 301 {
                    assert!(matches!(method, "GET" | "HEAD"), "{method}");
                }
            }
        }
        assert_eq!(
            RedirectStatus::MovedPermanently.of("POST"),
            Redirect { number: 301, has_location: false }
        );
        assert_eq!(
            RedirectStatus::PermanentRedirect.of("POST"),
            Redirect { number: 308, has_location: true }
        );
        assert_eq!(
            RedirectStatus::PermanentRedirect.of("HEAD"),
            Redirect { number: 301, has_location: true }
        );
    }
}
