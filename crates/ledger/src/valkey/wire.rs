//! The bytes of messages, replies and recalls, as `library.lua` reads and writes them: little-endian, numbers that may be large
//! as doubles, because Lua counts in those.

use crate::{
    LedgerError,
    encoding::{COUNTER, FOREVER, read_counter},
};
use lease::{
    AHEAD, Answer, FLOWS_IN_SOON, GRACE, Kind, MAX_QUESTIONS, Message, Millis, NodeId, Outcome, PLACE_TTL,
    Question, Recall, Reply, State,
};

/// Bytes of the head of a reply, of an answer and of a recall.
const HEAD: usize = 8 + 8 + 8 + 4 + 1;
const ANSWER: usize = 4 + 4 + 1 + 8;
const RECALL: usize = COUNTER + 8;

/// A message.
pub(crate) fn write_message(message: &Message) -> Result<Vec<u8>, LedgerError> {
    if message.questions.len() > MAX_QUESTIONS {
        return Err(LedgerError::Message("it has too many questions"));
    }
    let mut out = Bytes(Vec::with_capacity(48 + message.questions.len() * 88));
    out.int(message.from);
    out.number(message.sequence)?;
    out.number(message.epoch)?;
    match message.said_since {
        Some(since) => out.number(since)?,
        None => out.double(-1.0),
    }
    for millis in [GRACE, AHEAD, PLACE_TTL, FLOWS_IN_SOON] {
        out.int(u32::try_from(millis).unwrap_or(u32::MAX));
    }
    out.int(u32::try_from(message.questions.len()).unwrap_or(u32::MAX));
    for question in &message.questions {
        out.question(question)?;
    }
    Ok(out.0)
}

/// A reply to a message. `None`: it is not one.
pub(crate) fn read_reply(bytes: &[u8], message: &Message) -> Option<Reply> {
    let (head, rest) = bytes.split_at_checked(HEAD)?;
    let mut head = Reader(head);
    let (sequence, epoch, now) = (head.number()?, head.number()?, head.number()?);
    let members = head.int()?;
    let outcome = match head.byte()? {
        0 => Outcome::Taken,
        1 => Outcome::Late,
        2 => Outcome::OtherEpoch,
        3 => Outcome::NotMember,
        4 => Outcome::Superseded,
        _ => return None,
    };
    let asked = if outcome == Outcome::Taken { message.questions.as_slice() } else { &[] };
    if sequence != message.sequence || rest.len() != asked.len() * ANSWER {
        return None;
    }
    let answers = asked.iter().zip(rest.chunks_exact(ANSWER)).map(|(asked, bytes)| read_answer(asked, bytes));
    Some(Reply { sequence, epoch, now, members, outcome, answers: answers.collect::<Option<_>>()? })
}

fn read_answer(asked: &Question, bytes: &[u8]) -> Option<Answer> {
    let mut bytes = Reader(bytes);
    let (granted, left, state) = (bytes.int()?, bytes.int()?, bytes.byte()?);
    let flows_in = bytes.number();
    let state = match state {
        0 => State::Granted,
        1 => State::Scarce { held: false, flows_in },
        2 => State::Scarce { held: true, flows_in },
        3 => State::Withheld,
        4 => State::Over,
        _ => return None,
    };
    Some(Answer { counter: asked.counter, slice: asked.slice, granted, left, state })
}

/// The recalls that were published for a node.
pub(crate) fn read_recalls(to: NodeId, payload: &[u8]) -> Vec<Recall> {
    let read = |bytes: &[u8]| {
        let (counter, mut slice) = (read_counter(bytes.get(..COUNTER)?)?, Reader(bytes.get(COUNTER..)?));
        Some(Recall { to, counter, slice: slice.number()? })
    };
    payload.chunks_exact(RECALL).filter_map(read).collect()
}

struct Bytes(Vec<u8>);

impl Bytes {
    fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    fn int(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn double(&mut self, number: f64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    #[expect(clippy::cast_precision_loss, reason = "it is below 2^53")]
    fn number(&mut self, number: u64) -> Result<(), LedgerError> {
        if number > FOREVER {
            return Err(LedgerError::Message("a number of it is not below 2^53"));
        }
        self.double(number as f64);
        Ok(())
    }

    fn question(&mut self, asked: &Question) -> Result<(), LedgerError> {
        let (rule, slice) = (&asked.rule, asked.slice);
        let (kind, width, back, period) = match rule.kind {
            Kind::Window { .. } => (1, 1, 0, 1),
            Kind::InAll => (2, 1, 0, 1),
            Kind::Rolling { .. } => (3, rule.width(), rule.back(), 1),
            Kind::Rate { period, .. } => (4, rule.width(), rule.back(), period),
            Kind::AtOnce => (5, 1, 0, 1),
        };
        for byte in [kind, u8::from(asked.is_restated), back] {
            self.byte(byte);
        }
        self.int(rule.amount);
        self.number(slice)?;
        for number in [asked.total, asked.least, asked.used, asked.refunded] {
            self.int(number);
        }
        match rule.begins(slice) {
            Some(begins) => self.number(begins)?,
            None => self.double(-1.0),
        }
        let or_forever = |end: Option<Millis>| end.unwrap_or(FOREVER);
        self.number(or_forever(rule.ends(slice)))?;
        self.number(or_forever(rule.forgotten(slice)))?;
        self.number(width)?;
        // The bucket's level has to stay exact, too.
        if u64::from(rule.quota()).saturating_mul(period) > FOREVER / 2 {
            return Err(LedgerError::Message("a rate has too large a burst for its period"));
        }
        self.number(period)?;
        self.number(rule.fill_millis())?;
        self.int(rule.quota());
        Ok(())
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn int(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    /// A whole number. `None`: it is negative, which stands for none.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "checked"
    )]
    fn number(&mut self) -> Option<u64> {
        let number = f64::from_le_bytes(self.take()?);
        (number >= 0.0 && number <= FOREVER as f64).then_some(number as u64)
    }
}
