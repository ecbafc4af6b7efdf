//! Forwarding: the request to the upstream, the answer back, both as streams.

mod answer;
mod deliver;
mod exchange;
mod pump;
mod request;
mod tunnel;

use crate::{
    admit::Admission,
    buffer,
    client::Client,
    http1::body::{Decoder, Framing, Step, encode},
    record::{Incident, Outcome},
    refusal::{Refusal, Refused},
    thread::Thread,
    upstream::{self, Upstream},
    visit::Visit,
};
use exchange::{Exchange, NotAnswered};
use pump::Pump;

/// A request as it is sent: whole, if its body is here already, else a head and a stream.
enum Sending {
    Whole,
    Stream(Pump),
}

/// Sends the request on, and the answer back. The reservation is settled when the answer ends:
/// charged if the upstream delivered a success, given back whatever else happens.
pub(crate) async fn forward(
    thread: &Thread,
    visit: &mut Visit<'_>,
    client: &mut Client,
    incoming: &mut Decoder,
    mut admission: Admission<'_>,
) -> Result<Outcome, Refused> {
    let is_safe = matches!(visit.head.method(), "GET" | "HEAD" | "OPTIONS" | "TRACE");
    let body = admission.body.take();
    let body_was_read = body.is_some();
    let whole_body = match body {
        Some(body) => Some(body),
        None => take_arrived_body(client, incoming, admission.largest_body)?,
    };
    let framing = whole_body.as_ref().map_or(visit.head.framing, |body| Framing::Length(body.len() as u64));
    let has_body = framing != Framing::Length(0);
    let mut slash = false;
    let mut may_reuse = true;
    loop {
        let mut bytes = thread.head_memory();
        request::write_head(visit, framing, body_was_read, slash, &mut bytes);
        let sending = match &whole_body {
            Some(body) => {
                encode(Framing::Length(0), body, &mut bytes);
                Sending::Whole
            }
            None => {
                let decoder = std::mem::replace(incoming, Decoder::new(Framing::Length(0)));
                Sending::Stream(Pump::new(
                    std::mem::take(&mut bytes),
                    decoder,
                    framing,
                    admission.largest_body,
                ))
            }
        };
        let connection = connect(thread, visit, may_reuse, is_safe).await;
        let upstream = match connection {
            Ok(upstream) => upstream,
            Err(refused) => {
                give_body_back(incoming, sending);
                return Err(refused);
            }
        };
        let mut exchange = Exchange::new(thread, client, upstream, bytes, sending);
        match exchange.read_answer(visit, is_safe).await {
            Ok(answer) if answer::only_adds_slash(visit, &answer, exchange.answer_bytes()) => {
                // Our own rule took the slash away that this upstream wants. Without a body the
                // request can be sent once more, as the client would after the redirect.
                exchange.give_body_back(incoming);
                if slash || has_body {
                    let path = visit.head.path();
                    return Err(Refusal::unexpected(
                        "the upstream wants a slash at the end of the path",
                        format!(
                            "The upstream redirects {path} to {path}/, and the slash rule leads back. Declare the endpoint as \
                             `{path}/`, or set trailing_slash = \"keep\"."
                        ),
                    ));
                }
                slash = true;
            }
            Ok(answer) => {
                return exchange
                    .pass_on(visit, answer, incoming, admission.owed, admission.cost_header)
                    .await;
            }
            Err(NotAnswered::NotTaken) => {
                // The connection had been closed before it took the request; a new one will do.
                exchange.give_body_back(incoming);
                may_reuse = false;
            }
            Err(NotAnswered::Refused(refused)) => {
                exchange.give_body_back(incoming);
                return Err(refused);
            }
        }
    }
}

/// A small body that has arrived with its head goes out with it, in one write, and can be sent again.
fn take_arrived_body(
    client: &mut Client,
    incoming: &mut Decoder,
    largest: u64,
) -> Result<Option<Vec<u8>>, Refused> {
    match incoming.left() {
        Some(0) => Ok(Some(Vec::new())),
        Some(left) if left <= client.input.len() as u64 && left <= largest.min(buffer::SIZE as u64) => {
            match incoming.next(&mut client.input) {
                Ok(Step::Data(data)) => Ok(Some(data.to_vec())),
                Ok(Step::End | Step::More) => Ok(Some(Vec::new())),
                Err(fault) => Err(Refusal::of_fault(fault)),
            }
        }
        Some(_) | None => Ok(None),
    }
}

async fn connect(
    thread: &Thread,
    visit: &Visit<'_>,
    may_reuse: bool,
    is_safe: bool,
) -> Result<Upstream, Refused> {
    if let Some(upstream) =
        may_reuse.then(|| thread.pool.take(visit.config, visit.now.instant, is_safe)).flatten()
    {
        return Ok(upstream);
    }
    let settings = &visit.config.settings;
    let connected =
        upstream::connect(&settings.upstream, visit.config.number, settings.timeouts.connect).await;
    connected.map_err(|reason| Refusal::unexpected("the upstream cannot be reached", reason))
}

fn give_body_back(incoming: &mut Decoder, sending: Sending) {
    match sending {
        Sending::Whole => {}
        Sending::Stream(pump) => *incoming = pump.into_parts().0,
    }
}

/// Keeps what really happened.
pub(crate) fn keep_incident(visit: &Visit<'_>, group: &str, detail: String) {
    visit.shared.keep_incident(Incident {
        request_id: visit.id.as_str().to_owned(),
        at_millis: visit.now.millis,
        method: visit.head.method().to_owned(),
        path: visit.head.path().to_owned(),
        endpoint: visit.template.map(str::to_owned),
        key_id: visit.key.as_ref().map(|key| key.id().to_string()),
        cause: group.to_owned(),
        detail,
    });
}
