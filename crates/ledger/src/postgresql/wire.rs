//! Messages and replies as arrays of numbers, as `functions.sql` reads and writes them.

use crate::{
    LedgerError,
    encoding::{FOREVER, read_counter, write_counter},
};
use lease::{
    Answer, CounterId, Kind, MAX_QUESTIONS, Message, Millis, NodeId, Outcome, Question, Recall, Reply, State,
};

/// Numbers of the head of a reply, and of an answer.
const HEAD: usize = 4;
const ANSWER: usize = 4;

/// A message, as the parameters of the function.
#[derive(Debug)]
pub(crate) struct Parameters {
    pub(crate) from: i64,
    pub(crate) sequence: i64,
    pub(crate) epoch: i64,
    pub(crate) said: i64,
    pub(crate) counters: Vec<Vec<u8>>,
    pub(crate) numbers: Vec<i64>,
}

pub(crate) fn write_message(message: &Message) -> Result<Parameters, LedgerError> {
    if message.questions.len() > MAX_QUESTIONS {
        return Err(LedgerError::Message("it has too many questions"));
    }
    let mut numbers = Vec::with_capacity(message.questions.len() * 16);
    for question in &message.questions {
        numbers.extend(write_question(question)?);
    }
    Ok(Parameters {
        from: message.from.into(),
        sequence: number(message.sequence)?,
        epoch: number(message.epoch)?,
        said: message.said_since.map_or(Ok(-1), number)?,
        counters: message
            .questions
            .iter()
            .map(|question| write_counter(&question.counter).to_vec())
            .collect(),
        numbers,
    })
}

fn write_question(asked: &Question) -> Result<[i64; 16], LedgerError> {
    let (rule, slice) = (&asked.rule, asked.slice);
    let (kind, period) = match rule.kind {
        Kind::Window { .. } => (1, 1),
        Kind::InAll => (2, 1),
        Kind::Rolling { .. } => (3, 1),
        Kind::Rate { period, .. } => (4, period),
        Kind::AtOnce => (5, 1),
    };
    if u64::from(rule.quota()).saturating_mul(period) > FOREVER / 2 {
        return Err(LedgerError::Message("a rate has too large a burst for its period"));
    }
    let end = |end: Option<Millis>| number(end.unwrap_or(FOREVER));
    Ok([
        kind,
        asked.is_restated.into(),
        rule.back().into(),
        rule.amount.into(),
        number(slice)?,
        asked.total.into(),
        asked.least.into(),
        asked.used.into(),
        asked.refunded.into(),
        rule.begins(slice).map_or(Ok(-1), number)?,
        end(rule.ends(slice))?,
        end(rule.forgotten(slice))?,
        number(rule.width())?,
        number(period)?,
        number(rule.fill_millis())?,
        rule.quota().into(),
    ])
}

fn number(number: u64) -> Result<i64, LedgerError> {
    let number = i64::try_from(number.min(FOREVER + 1)).unwrap_or(i64::MAX);
    if number.unsigned_abs() > FOREVER {
        return Err(LedgerError::Message("a number of it is not below 2^53"));
    }
    Ok(number)
}

/// A reply to a message. `None`: it is not one.
pub(crate) fn read_reply(numbers: &[i64], message: &Message) -> Option<Reply> {
    let (head, rest) = numbers.split_at_checked(HEAD)?;
    let [outcome, epoch, now, members] = head.try_into().ok()?;
    let outcome = match outcome {
        0 => Outcome::Taken,
        1 => Outcome::Late,
        2 => Outcome::OtherEpoch,
        3 => Outcome::NotMember,
        4 => Outcome::Superseded,
        _ => return None,
    };
    let asked = if outcome == Outcome::Taken { message.questions.as_slice() } else { &[] };
    if rest.len() != asked.len() * ANSWER {
        return None;
    }
    let answers = asked.iter().zip(rest.as_chunks().0).map(|(asked, numbers)| read_answer(asked, *numbers));
    Some(Reply {
        sequence: message.sequence,
        epoch: u64::try_from(epoch).ok()?,
        now: u64::try_from(now).ok()?,
        members: u32::try_from(members).ok()?,
        outcome,
        answers: answers.collect::<Option<_>>()?,
    })
}

fn read_answer(asked: &Question, [granted, left, state, flows_in]: [i64; ANSWER]) -> Option<Answer> {
    let flows_in = u64::try_from(flows_in).ok();
    let state = match state {
        0 => State::Granted,
        1 => State::Scarce { held: false, flows_in },
        2 => State::Scarce { held: true, flows_in },
        3 => State::Withheld,
        4 => State::Over,
        _ => return None,
    };
    let (granted, left) = (u32::try_from(granted).ok()?, u32::try_from(left).ok()?);
    Some(Answer { counter: asked.counter, slice: asked.slice, granted, left, state })
}

/// A recall of a row.
pub(crate) fn read_recall(node: i64, counter: &[u8], slice: i64) -> Option<Recall> {
    let (to, slice) = (NodeId::try_from(node).ok()?, u64::try_from(slice).ok()?);
    let counter: CounterId = read_counter(counter)?;
    Some(Recall { to, counter, slice })
}
