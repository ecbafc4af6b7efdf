//! Every way in which an API can fail.

use super::{Body, Misbehaviour, Reply, error, with_body};
use hyper::{
    Response, StatusCode,
    header::{HeaderValue, RETRY_AFTER},
};

/// Fails in the way that the path names.
pub(super) fn fail(how: &str) -> Reply {
    Reply::Answer(match how {
        "crash" => with_body(StatusCode::INTERNAL_SERVER_ERROR, "text/html", STACK_TRACE),
        "busy" => retry_later(StatusCode::SERVICE_UNAVAILABLE, "Too much to do.", "30"),
        "throttled" => retry_later(StatusCode::TOO_MANY_REQUESTS, "Slow down, gateway!", "7"),
        "forbidden" => error(StatusCode::FORBIDDEN, "This part of the shop is for its staff."),
        "gone" => error(StatusCode::GONE, "The summer sale is over."),
        "teapot" => error(StatusCode::IM_A_TEAPOT, "Short and stout."),
        "silent" => return Reply::Silence,
        "closed" => return Reply::Misbehave(Misbehaviour::Close),
        "half" => return Reply::Misbehave(Misbehaviour::HalfAnAnswer),
        "garbage" => return Reply::Misbehave(Misbehaviour::Garbage),
        _ => error(StatusCode::NOT_FOUND, "There is no such way to fail."),
    })
}

const STACK_TRACE: &str = "<!doctype html><html><head><title>500</title></head><body>\
<h1>OperationalError at /fail/crash</h1><pre>Traceback (most recent call last):
  File \"/srv/shop/app/views.py\", line 214, in crash
    connection = connect(\"postgres://shop:hunter2@db-internal-7:5432/shop\")
OperationalError: could not connect to server: Connection refused
</pre></body></html>\n";

fn retry_later(status: StatusCode, message: &str, seconds: &'static str) -> Response<Body> {
    let mut answer = error(status, message);
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(seconds));
    answer
}
