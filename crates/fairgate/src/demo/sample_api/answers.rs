//! What the sample API answers to each request, in its own words: nothing here follows the contract.

use super::{
    Misbehaviour,
    items::{Shop, SkuTaken, Wanted},
};
use http_body_util::{BodyExt, Channel, Full, combinators::UnsyncBoxBody};
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER},
    http::request::Parts,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::{cell::RefCell, convert::Infallible, time::Duration};
use tokio::time::sleep;

pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Lines of the stream, and the pause between two of them.
const STREAMED_LINES: u32 = 5;
const STREAM_PAUSE: Duration = Duration::from_millis(200);
const LISTED: usize = 20;

/// What to do about a request.
pub(super) enum Reply {
    Answer(Response<Body>),
    /// Never answer.
    Silence,
    Misbehave(Misbehaviour),
}

/// Decides on a request.
pub(super) async fn reply(request: Request<Incoming>, shop: &RefCell<Shop>) -> Reply {
    let (head, body) = request.into_parts();
    // A client that breaks off within its body is gone; what is answered then is lost anyway.
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let path = head.uri.path().to_owned();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let answer = match (head.method.as_str(), segments.as_slice()) {
        ("GET", ["items"]) => list(&head, &shop.borrow()),
        ("POST", ["items"]) => create(&body, &mut shop.borrow_mut()),
        (method, ["items", id]) => item(method, id, &body, &mut shop.borrow_mut()),
        ("GET", ["search"]) => search(&head, &shop.borrow()),
        ("POST", ["orders"]) => order(&body, &shop.borrow()),
        ("GET", ["received"]) => json(StatusCode::OK, &received(&head.headers)),
        ("GET", ["events"]) => events(),
        ("GET", ["health"]) => json(StatusCode::OK, &json!({ "status": "fine" })),
        ("GET", ["fail", how]) => return fail(how),
        _ => error(StatusCode::NOT_FOUND, "no route for this"),
    };
    Reply::Answer(answer)
}

fn list(head: &Parts, shop: &Shop) -> Response<Body> {
    let limit = query(head, "limit").and_then(|limit| limit.parse().ok()).unwrap_or(LISTED);
    let items = shop.list(limit, query(head, "sort").unwrap_or_default());
    json(StatusCode::OK, &json!({ "items": items }))
}

fn create(body: &[u8], shop: &mut Shop) -> Response<Body> {
    let wanted = match read(body) {
        Ok(wanted) => wanted,
        Err(answer) => return *answer,
    };
    match shop.add(wanted) {
        Ok(item) => {
            let mut answer = json(StatusCode::CREATED, &json!(item));
            if let Ok(location) = HeaderValue::try_from(format!("/items/{}", item.id)) {
                answer.headers_mut().insert(LOCATION, location);
            }
            answer
        }
        Err(taken) => conflict(&taken),
    }
}

fn item(method: &str, id: &str, body: &[u8], shop: &mut Shop) -> Response<Body> {
    let missing = || error(StatusCode::NOT_FOUND, &format!("There is no item {id}."));
    let Ok(number) = id.parse() else { return missing() };
    match method {
        "GET" => shop.get(number).map_or_else(missing, |item| json(StatusCode::OK, &json!(item))),
        "PUT" => match read::<Wanted>(body).map(|wanted| shop.change(number, wanted)) {
            Ok(Ok(Some(item))) => json(StatusCode::OK, &json!(item)),
            Ok(Ok(None)) => missing(),
            Ok(Err(taken)) => conflict(&taken),
            Err(answer) => *answer,
        },
        // Deleting what is gone already is no fault: the client has what it wanted.
        "DELETE" => {
            shop.remove(number);
            let mut answer = Response::new(Full::default().boxed_unsync());
            *answer.status_mut() = StatusCode::NO_CONTENT;
            answer
        }
        _ => error(StatusCode::METHOD_NOT_ALLOWED, "GET, PUT and DELETE only"),
    }
}

fn search(head: &Parts, shop: &Shop) -> Response<Body> {
    let wanted = query(head, "q").unwrap_or_default().to_lowercase();
    let mut items = shop.list(usize::MAX, "name");
    items.retain(|item| item.wanted.name.to_lowercase().contains(&wanted));
    json(StatusCode::OK, &json!({ "items": items }))
}

fn order(body: &[u8], shop: &Shop) -> Response<Body> {
    let order: Value = match read(body) {
        Ok(order) => order,
        Err(answer) => return *answer,
    };
    let number = |name| order.get(name).and_then(Value::as_u64).unwrap_or_default();
    let Some(item) = shop.get(number("item")) else {
        return error(StatusCode::UNPROCESSABLE_ENTITY, "The item of this order does not exist.");
    };
    if number("quantity") > item.wanted.stock {
        let message =
            format!("Only {} of \"{}\" are in stock; order fewer.", item.wanted.stock, item.wanted.name);
        return error(StatusCode::UNPROCESSABLE_ENTITY, &message);
    }
    json(StatusCode::CREATED, &json!({ "ordered": item.wanted.name, "quantity": number("quantity") }))
}

/// The headers that reached the API: what the gateway added, and that the key is not among them.
fn received(headers: &HeaderMap) -> Value {
    let mut shown = Map::new();
    for name in headers.keys() {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|v| String::from_utf8_lossy(v.as_bytes())).collect();
        shown.insert(name.to_string(), values.join(", ").into());
    }
    json!({ "headers": shown })
}

/// A stream whose length nobody knows when it begins.
fn events() -> Response<Body> {
    let (mut sender, body) = Channel::<Bytes, Infallible>::new(1);
    tokio::task::spawn_local(async move {
        for number in 1..=STREAMED_LINES {
            let line = format!("data: {{\"tick\": {number}, \"of\": {STREAMED_LINES}}}\n\n");
            if sender.send_data(line.into()).await.is_err() {
                return; // nobody listens any more
            }
            sleep(STREAM_PAUSE).await;
        }
    });
    let mut answer = Response::new(body.boxed_unsync());
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    answer
}

/// Every way in which an API can fail.
fn fail(how: &str) -> Reply {
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

fn conflict(taken: &SkuTaken) -> Response<Body> {
    let message = format!("The sku {} belongs to item {} already.", taken.sku, taken.by);
    error(StatusCode::CONFLICT, &message)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Box<Response<Body>>> {
    serde_json::from_slice(body).map_err(|fault| {
        Box::new(error(StatusCode::BAD_REQUEST, &format!("I do not understand this: {fault}")))
    })
}

/// The value of a name in the query. What is written with percent signs stays so: nobody needs it here.
fn query<'h>(head: &'h Parts, name: &str) -> Option<&'h str> {
    let pairs = head.uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn retry_later(status: StatusCode, message: &str, seconds: &'static str) -> Response<Body> {
    let mut answer = error(status, message);
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(seconds));
    answer
}

fn error(status: StatusCode, message: &str) -> Response<Body> {
    json(status, &json!({ "message": message }))
}

fn json(status: StatusCode, value: &Value) -> Response<Body> {
    with_body(status, "application/json", format!("{value}\n"))
}

fn with_body(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut answer = Response::new(Full::new(body.into()).boxed_unsync());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}
