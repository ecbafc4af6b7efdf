//! How a redirect is sent, by the method of the request: one rule, for answers and for all that describes them.

/// What answers a method other than GET and HEAD whose endpoint has moved (`redirect_status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RedirectStatus {
    /// 301. The new address stands in the body alone.
    #[default]
    MovedPermanently,
    /// 308, with a `Location`.
    PermanentRedirect,
}

/// A redirect as one method gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Redirect {
    /// The number on the status line.
    pub number: u16,
    /// Whether the answer has the `Location` that clients follow by themselves.
    pub has_location: bool,
}

impl RedirectStatus {
    /// The redirect of a request with this method.
    ///
    /// RFC 9110, 15.4.2 lets a client change POST to GET when it follows a 301. Many do so for every method that has a
    /// body: it is lost, and the answer to the GET is taken for that of the request. So nothing there leads them.
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
