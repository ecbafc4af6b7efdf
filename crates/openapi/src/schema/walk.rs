//! Checking a value: the units of all schemas, and the walk from one of them to the next.
//!
//! Each schema that a reference names is one unit, compiled once. A reference in another is a keyword
//! that hands the value on by the unit's number. The units of the running check are in a thread-local
//! variable, because a validator that owned its targets would own itself wherever schemas form a circle.

use crate::schema::{
    choice::{Choice, Named, Rule},
    scalar::Scalar,
    unit::UnitId,
};
use instance::{Part, Validator, work};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    sync::Arc,
};

/// The names of members that an object of a schema has, by the path of that schema in its unit.
pub(crate) type Known = HashMap<String, Arc<[String]>>;

/// A compiled schema.
#[derive(Debug)]
pub(crate) struct Unit {
    /// As people call it: the name of the schema, or empty.
    pub(crate) name: String,
    pub(crate) check: Check,
    pub(crate) known: Known,
}

/// How a unit is checked.
#[derive(Debug)]
pub(crate) enum Check {
    /// Everything passes.
    Anything,
    /// Nothing passes: what could not be compiled fails closed. A fault reports it.
    Nothing,
    /// A scalar with the usual bounds; the validator makes the sentences.
    Scalar(Box<Scalar>, Box<Validator>),
    /// Whatever else.
    Schema(Box<Validator>),
}

/// All units of a document, and the choices in them.
#[derive(Debug, Default)]
pub(crate) struct Units {
    pub(crate) units: Vec<Unit>,
    pub(crate) choices: Vec<Choice>,
    /// Whether a pattern is matched against the names of members.
    pub(crate) matches_names: bool,
}

/// References followed one inside the other. JSON is never deeper than 128, and most references need
/// a level of it; the stack of a thread must hold them all.
const DEEPEST: usize = 400;

/// References followed for one value, and for each of its parts: alternatives inside alternatives could
/// take exponential time.
const STEPS: u32 = 50_000;
const STEPS_FOR_EACH_PART: u32 = 100;
/// References followed in all, however large the value.
const MAX_STEPS: u32 = 20_000_000;
/// What a step costs, in bytes of text that are looked at.
const STEP: u32 = 8;

struct Walk {
    units: RefCell<Option<Arc<Units>>>,
    /// The units that are being checked, each with the address of its value.
    open: RefCell<Vec<(UnitId, usize)>>,
    /// Steps that may still be taken.
    steps: Cell<u32>,
    gave_up: Cell<bool>,
}

thread_local! {
    static WALK: Walk = const {
        Walk {
            units: RefCell::new(None),
            open: RefCell::new(Vec::new()),
            steps: Cell::new(0),
            gave_up: Cell::new(false),
        }
    };
}

/// Ends the walk of this thread when it is dropped, also by a panic.
struct Running;

impl Drop for Running {
    fn drop(&mut self) {
        WALK.with(|walk| {
            walk.units.replace(None);
            walk.open.borrow_mut().clear();
        });
    }
}

/// Runs a check over these units. Returns its result, and whether the walk had to give up: then the
/// value counts as wrong, whatever the result (fail closed).
pub(crate) fn over<T>(units: &Arc<Units>, value: Part<'_>, check: impl FnOnce() -> T) -> (T, bool) {
    WALK.with(|walk| {
        walk.units.replace(Some(Arc::clone(units)));
        walk.open.borrow_mut().clear();
        walk.steps
            .set(STEPS.saturating_add(value.count().saturating_mul(STEPS_FOR_EACH_PART)).min(MAX_STEPS));
        walk.gave_up.set(false);
    });
    let running = Running;
    let result = check();
    drop(running);
    (result, WALK.with(|walk| walk.gave_up.get()))
}

/// Enters a unit with a value, if it is not being checked with that value already: a circle of
/// references that comes round to the same value asks nothing new of it.
pub(crate) fn enter<T>(
    id: UnitId,
    value: Part<'_>,
    round: T,
    wrong: T,
    check: impl FnOnce(&Units) -> T,
) -> T {
    let address = value.address();
    WALK.with(|walk| {
        {
            let mut open = walk.open.borrow_mut();
            if open.iter().rev().take_while(|(_, at)| *at == address).any(|(unit, _)| *unit == id) {
                return round;
            }
            let steps = walk.steps.get();
            walk.steps.set(steps.saturating_sub(1));
            if open.len() >= DEEPEST || steps == 0 {
                walk.gave_up.set(true);
                return wrong;
            }
            // What was found out so far is not used then.
            if !work::spend(STEP) {
                return wrong;
            }
            open.push((id, address));
        }
        let units = walk.units.borrow();
        // Without units no check is running: nothing may pass.
        let result = units.as_ref().map_or(wrong, |units| check(units));
        walk.open.borrow_mut().pop();
        result
    })
}

/// Whether a value matches a unit. Only inside [`over`].
pub(crate) fn is_valid(id: UnitId, value: Part<'_>) -> bool {
    enter(id, value, true, false, |units| {
        units.units.get(id.0 as usize).is_some_and(|unit| match &unit.check {
            Check::Anything => true,
            Check::Nothing => false,
            Check::Scalar(scalar, validator) => {
                scalar.judge(value).unwrap_or_else(|| validator.is_valid(value))
            }
            Check::Schema(validator) => validator.is_valid(value),
        })
    })
}

/// Whether a value matches a choice. Only inside [`over`].
pub(crate) fn choice_is_valid(index: usize, value: Part<'_>) -> bool {
    WALK.with(|walk| {
        let units = walk.units.borrow();
        units.as_ref().and_then(|units| units.choices.get(index)).is_some_and(|choice| choice.is_valid(value))
    })
}

impl Choice {
    /// Whether a value is one of the alternatives. Only inside [`over`].
    fn is_valid(&self, value: Part<'_>) -> bool {
        if let Some(discriminator) = &self.discriminator {
            match discriminator.named(value) {
                Named::Branch(branch) => return is_valid(branch, value),
                Named::Missing | Named::Unknown => return false,
                Named::Branches => {}
            }
        }
        let mut fitting = self.branches.iter().filter(|&&branch| is_valid(branch, value));
        fitting.next().is_some() && (self.rule == Rule::Any || fitting.next().is_none())
    }
}

impl Units {
    /// Whether a value matches a unit.
    pub(crate) fn is_valid(self: &Arc<Self>, id: UnitId, value: Part<'_>) -> bool {
        match self.units.get(id.0 as usize).map(|unit| &unit.check) {
            Some(Check::Anything) => true,
            Some(Check::Scalar(scalar, validator)) => {
                scalar.judge(value).unwrap_or_else(|| validator.is_valid(value))
            }
            Some(Check::Schema(_)) => {
                let (valid, gave_up) = over(self, value, || is_valid(id, value));
                valid && !gave_up
            }
            Some(Check::Nothing) | None => false,
        }
    }
}
