//! The sample API's response to each request, in its own form: nothing here follows the contract.
//!
//! `openapi.yaml` beside the demo's configuration describes it. Successes are exactly
//! as in the document; requests are checked by the gateway, and hardly again here.

mod failures;

use super::{
    Misbehaviour,
    items::{Item, Review, Selection, Shop, SkuTaken, Wanted},
    orders::{NotPlaced, Order, Orders},
};
use failures::fail;
use http_body_util::{BodyExt, Channel, Full, combinators::UnsyncBoxBody};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderValue, LOCATION},
    http::request::Parts,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::{borrow::Cow, cell::RefCell, convert::Infallible, fmt::Write, time::Duration};
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

/// What the sample API knows.
pub(super) struct Shelves {
    pub(super) shop: Shop,
    pub(super) orders: Orders,
}

/// Decides on a request.
pub(super) async fn reply(request: Request<Incoming>, shelves: &RefCell<Shelves>) -> Reply {
    let (head, body) = request.into_parts();
    // A client that breaks off within its body is gone; what is answered then is lost anyway.
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let path = head.uri.path().to_owned();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    // The server leaves the body of an answer to HEAD away by itself.
    let method = if head.method == Method::HEAD { "GET" } else { head.method.as_str() };
    let Shelves { shop, orders } = &mut *shelves.borrow_mut();
    let answer = match (method, segments.as_slice()) {
        ("GET", ["items"]) => list(&head, shop),
        ("POST", ["items"]) => create(&body, shop),
        (method, ["items", id]) => item(method, id, &body, shop),
        ("GET", ["items", id, "reviews"]) => reviews(id, shop),
        ("POST", ["items", id, "reviews"]) => review(id, &body, shop),
        ("GET", ["search"]) => search(&head, shop),
        ("GET", ["catalogue"]) => catalogue(shop),
        ("POST", ["orders"]) => order(&head, &body, orders, shop),
        ("GET", ["orders", id]) => match orders.get(id) {
            Some(receipt) => json(StatusCode::OK, &json!(receipt)),
            None => error(StatusCode::NOT_FOUND, "There is no such order."),
        },
        ("GET", ["received"]) => json(StatusCode::OK, &received(&head.headers)),
        ("GET", ["events"]) => events(),
        ("GET", ["health"]) => json(StatusCode::OK, &json!({ "status": "fine" })),
        ("GET", ["fail", how]) => return fail(how),
        _ => error(StatusCode::NOT_FOUND, "no route for this"),
    };
    Reply::Answer(answer)
}

fn list(head: &Parts, shop: &Shop) -> Response<Body> {
    let (limit, sort, tags) = (query(head, "limit"), query(head, "sort"), query(head, "tags"));
    let price = |name| query(head, name).and_then(|price| price.parse::<f64>().ok());
    let selection = Selection {
        limit: limit.and_then(|limit| limit.parse().ok()).unwrap_or(LISTED),
        sort: sort.as_deref().unwrap_or_default(),
        tags: tags.as_deref().map(|tags| tags.split(',').collect()).unwrap_or_default(),
        min_price: price("price[min]").unwrap_or(0.0),
        max_price: price("price[max]").unwrap_or(f64::INFINITY),
    };
    items(&shop.list(&selection))
}

fn search(head: &Parts, shop: &Shop) -> Response<Body> {
    let wanted = query(head, "q").unwrap_or_default().to_lowercase();
    let mut found = shop.list(&Selection { sort: "name", ..Selection::ALL });
    found.retain(|item| item.wanted.name.to_lowercase().contains(&wanted));
    items(&found)
}

fn catalogue(shop: &Shop) -> Response<Body> {
    let mut table = String::from("id,price,stock\n");
    for item in shop.list(&Selection::ALL) {
        let _ = writeln!(table, "{},{},{}", item.id, item.wanted.price, item.wanted.stock);
    }
    with_body(StatusCode::OK, "text/csv", table)
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
    let Ok(number) = id.parse() else { return no_item(id) };
    match method {
        "GET" => shop.get(number).map_or_else(|| no_item(id), |item| json(StatusCode::OK, &json!(item))),
        "PUT" => match read::<Wanted>(body).map(|wanted| shop.change(number, wanted)) {
            Ok(Ok(Some(item))) => json(StatusCode::OK, &json!(item)),
            Ok(Ok(None)) => no_item(id),
            Ok(Err(taken)) => conflict(&taken),
            Err(answer) => *answer,
        },
        // Deleting what is gone already is not an error: the client has what it wanted.
        "DELETE" => {
            shop.remove(number);
            let mut answer = Response::new(Full::default().boxed_unsync());
            *answer.status_mut() = StatusCode::NO_CONTENT;
            answer
        }
        _ => error(StatusCode::METHOD_NOT_ALLOWED, "GET, PUT and DELETE only"),
    }
}

fn reviews(id: &str, shop: &Shop) -> Response<Body> {
    let item = id.parse().ok().and_then(|number| shop.get(number));
    item.map_or_else(|| no_item(id), |item| json(StatusCode::OK, &json!({ "reviews": item.reviews })))
}

fn review(id: &str, body: &[u8], shop: &mut Shop) -> Response<Body> {
    let mut pairs = form_urlencoded::parse(body);
    let stars = pairs.find(|(name, _)| name == "stars").and_then(|(_, stars)| stars.parse().ok());
    let Some(stars) = stars else {
        return error(StatusCode::BAD_REQUEST, "How many stars?");
    };
    let mut pairs = form_urlencoded::parse(body);
    let text = pairs.find(|(name, _)| name == "text").map(|(_, text)| text.into_owned());
    let reviewed = id.parse().ok().and_then(|number| shop.review(number, Review { stars, text }));
    reviewed.map_or_else(|| no_item(id), |review| json(StatusCode::CREATED, &json!(review)))
}

fn order(head: &Parts, body: &[u8], orders: &mut Orders, shop: &Shop) -> Response<Body> {
    let order: Order = match read(body) {
        Ok(order) => order,
        Err(answer) => return *answer,
    };
    let key = head.headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    match orders.place(key.unwrap_or_default(), order, shop) {
        Ok(receipt) => json(StatusCode::CREATED, &json!(receipt)),
        Err(NotPlaced(message)) => error(StatusCode::UNPROCESSABLE_ENTITY, &message),
    }
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

/// A stream whose length is unknown when it begins.
fn events() -> Response<Body> {
    let (mut sender, body) = Channel::<Bytes, Infallible>::new(1);
    tokio::task::spawn_local(async move {
        for number in 1..=STREAMED_LINES {
            let line = format!("data: {{\"tick\": {number}, \"of\": {STREAMED_LINES}}}\n\n");
            if sender.send_data(line.into()).await.is_err() {
                return; // the client is gone
            }
            sleep(STREAM_PAUSE).await;
        }
    });
    let mut answer = Response::new(body.boxed_unsync());
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    answer
}

fn items(items: &[&Item]) -> Response<Body> {
    json(StatusCode::OK, &json!({ "items": items }))
}

fn no_item(id: &str) -> Response<Body> {
    error(StatusCode::NOT_FOUND, &format!("There is no item {id}."))
}

fn conflict(taken: &SkuTaken) -> Response<Body> {
    let message = format!("The sku {} belongs to item {} already.", taken.sku, taken.by);
    error(StatusCode::CONFLICT, &message)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Box<Response<Body>>> {
    serde_json::from_slice(body).map_err(|fault| {
        Box::new(error(StatusCode::BAD_REQUEST, &format!("I do not understand this: {fault}")))
    })
}

/// The first value of a name in the query.
fn query<'h>(head: &'h Parts, name: &str) -> Option<Cow<'h, str>> {
    let mut pairs = form_urlencoded::parse(head.uri.query()?.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value)
}

pub(super) fn error(status: StatusCode, message: &str) -> Response<Body> {
    json(status, &json!({ "message": message }))
}

fn json(status: StatusCode, value: &Value) -> Response<Body> {
    with_body(status, "application/json", format!("{value}\n"))
}

pub(super) fn with_body(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Body> {
    let mut answer = Response::new(Full::new(body.into()).boxed_unsync());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}
