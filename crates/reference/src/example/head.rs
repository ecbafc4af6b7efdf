//! Examples of requests that are refused for their head: for the target, and for its form.

use super::{Example, fine};
use crate::{
    facts::Facts,
    request::{KEY, Request, fill},
};
use contract::ErrorCode;

pub(crate) fn endpoint_moved(facts: &Facts) -> Example {
    let reference = &facts.reference;
    let seven = |_: &str| None;
    let path = reference.moved.first().map(|moved| ("GET", moved.from.as_str(), moved.to.as_str()));
    let endpoint = || {
        let one = reference.endpoints.iter().find(|endpoint| endpoint.moved_to.is_some())?;
        Some((one.method.as_str(), one.path.as_str(), one.moved_to.as_deref()?))
    };
    let (method, from, to, not_now) = match path.or_else(endpoint) {
        Some((method, from, to)) => (method, fill(from, seven), fill(to, seven), ""),
        None => {
            let to = fine(facts, facts.typical()).path().to_owned();
            ("GET", format!("/old{to}"), to, "Nothing has moved.")
        }
    };
    let request = Request::bare(method, &from).with_key(reference, KEY);
    let message = format!("This endpoint has moved to {to}. Use that address from now on.");
    Example::new(facts, ErrorCode::EndpointMoved, request, message).location(facts, to).not_now(not_now)
}

pub(crate) fn trailing_slash(facts: &Facts) -> Example {
    let has_no_slash = |endpoint: &crate::model::Endpoint| !endpoint.path.ends_with('/');
    let mut request = fine(facts, facts.first_that(has_no_slash));
    let to = request.target.clone();
    let (path, query) = to.split_once('?').map_or((to.as_str(), ""), |(path, query)| (path, query));
    let mark = if query.is_empty() { "" } else { "?" };
    request.target = format!("{path}/{mark}{query}");
    let message = format!("The path ends in a slash. Send the request to {to}, without the slash.");
    let not_now = if facts.reference.redirects_slashes {
        ""
    } else {
        "This API uses paths as they are, with and without a trailing slash."
    };
    Example::new(facts, ErrorCode::TrailingSlash, request, message).location(facts, to).not_now(not_now)
}

pub(crate) fn request_malformed(facts: &Facts) -> Example {
    let mut request = fine(facts, facts.typical());
    // curl leaves a header out that is named without a value, also this one, which HTTP/1.1 requires.
    request.options.push("--http1.1 --header 'Host:'".to_owned());
    Example::new(facts, ErrorCode::RequestMalformed, request, "The request has no Host header.")
}

pub(crate) fn headers_too_large(facts: &Facts) -> Example {
    let mut request = fine(facts, facts.typical());
    let size = facts.reference.sizes.head;
    request.options.push(format!("--header \"X-Large: $(head -c {size} /dev/zero | tr '\\0' x)\""));
    let message = "The request line and headers together are larger than this API accepts.";
    Example::new(facts, ErrorCode::HeadersTooLarge, request, message)
}

pub(crate) fn request_timeout(facts: &Facts) -> Example {
    let endpoint = super::values::with_body(facts);
    let mut request = fine(facts, endpoint);
    request.body = None;
    if request.method == "GET" {
        request.method = "POST".to_owned();
    }
    let wait = facts.reference.times.body.as_secs() + 1;
    request.before = format!("sleep {wait} | ");
    request.options.push("--http1.1 --upload-file -".to_owned());
    let message = "The request body did not arrive completely within the allowed time.";
    Example::new(facts, ErrorCode::RequestTimeout, request, message)
}

pub(crate) fn endpoint_not_found(facts: &Facts) -> Example {
    let reference = &facts.reference;
    let path = "/no-such-endpoint";
    let request = Request::bare("GET", path).with_key(reference, KEY);
    let message = format!("There is no endpoint at {path}. Check the path against the API documentation.");
    let not_now = if reference.any_path { "This API declares no endpoints: every path is one." } else { "" };
    Example::new(facts, ErrorCode::EndpointNotFound, request, message).not_now(not_now)
}

pub(crate) fn method_not_available(facts: &Facts) -> Example {
    const METHODS: [&str; 5] = ["DELETE", "PATCH", "PUT", "POST", "GET"];
    let Some(endpoint) = facts.typical() else {
        let mut request = fine(facts, None);
        request.method = "DELETE".to_owned();
        let message = "The endpoint /items does not support the method DELETE. Use GET, HEAD.";
        return Example::new(facts, ErrorCode::MethodNotAvailable, request, message)
            .header("Allow", "GET, HEAD")
            .not_now("This API declares no endpoints: every path accepts every method.");
    };
    let same_path = facts.reference.endpoints.iter().filter(|other| other.path == endpoint.path);
    let mut taken: Vec<&str> = same_path.map(|other| other.method.as_str()).collect();
    if taken.contains(&"GET") && !taken.contains(&"HEAD") {
        taken.push("HEAD");
    }
    let other = METHODS.into_iter().find(|method| !taken.contains(method)).unwrap_or("TRACE");
    let allow = taken.join(", ");
    let mut request = fine(facts, Some(endpoint));
    request.method = other.to_owned();
    request.body = None;
    let path = request.path().to_owned();
    let message = format!("The endpoint {path} does not support the method {other}. Use {allow}.");
    Example::new(facts, ErrorCode::MethodNotAvailable, request, message).header("Allow", allow)
}
