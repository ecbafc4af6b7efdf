//! Several nodes, one limit: the protocol by which a ledger grants units of a limit to nodes, as two state machines.
//!
//! [`Ledger`] and [`Node`] know no socket, no clock, no runtime and no disk. Messages are values; whoever needs a time passes it
//! in: the ledger its wall clock in milliseconds, a node its own clock in microseconds, which never goes back. This page is the
//! protocol's specification. In the gateway, `gateway/src/cluster` spends a node's leases, and `control/src/serve/sharing` carries
//! its messages to an engine of the crate `ledger`.
//!
//! # Words
//!
//! A *counter* is one limit of one key (or address). A *slice* is what of it is counted together: the window of a calendar limit,
//! a sixteenth of a rolling span, some seconds of a rate; limits in all and at once have one slice for ever. A *lease* is what a
//! node may spend of a counter in a slice. The ledger keeps `granted(counter, slice, node)`.
//!
//! # The states of a unit
//!
//! ```text
//!                  grant                      reserve                  charge
//!  left at the ───────────────▶ free in a ───────────────▶ reserved ───────────────▶ used
//!    ledger    ◀─────────────── lease of  ◀───────────────                            │
//!        ▲       give back       a node        release                                │
//!        └───────────────────────────────────────────────────── its slice counts no more
//! ```
//!
//! Errors take the inner way: they go back into the lease, and the ledger hears nothing of them. What is free in a lease goes
//! back to the ledger when the node has no use for it for 200 ms, when it is called back, when it asks for less, or when the
//! node ends in order ([`Node::give_all_back`]).
//!
//! # Messages
//!
//! A node has one [`Message`] in flight. It asks about up to [`MAX_QUESTIONS`] counters, and the next one goes out when it was
//! answered or given up (50 ms): so messages hold more the more there is to ask. A [`Question`] names a *total*, "let me hold 40
//! of this", with the *least* that would help, and what of it was used. The [`Reply`] has an [`Answer`] for each: what the node
//! holds now, and what nobody holds. A [`Recall`] is a hint from the ledger to a node that holds what others need; any of them
//! may be lost.
//!
//! Numbers of messages grow, across restarts too ([`sequence`]), and the ledger takes none that is not larger than the last one of
//! its node. What became of a message without a reply is unknown, and does not matter: the same total is asked for again.
//! A node gives back by *asking* for less, and does not spend what it asks to give back from the moment that it asks. It raises
//! its lease only by the answer to the last question that it asked about it.
//!
//! # What a node asks for
//!
//! | counter | asked for |
//! |---|---|
//! | seldom used here (under some ten requests a second) | by each request, the units that it needs; what is left is told to the unit, whichever node answers |
//! | hot | ahead, for 400 ms at the present demand, when half of that is spent; at most the free units divided by twice the members, so blocks shrink to single units as a slice runs out |
//! | called back | for 100 ms unit by unit |
//! | known to be empty | not for 100 ms, or until enough flows in |
//!
//! If the ledger has too little, and others hold units that they did not say to be used, it calls them. Who asked waits 50 ms,
//! asks once more, and is denied. A new message goes out at once after a pause; under load it waits for up to a millisecond or
//! sixteen requests, so that it does not travel half empty.
//!
//! # Kinds of limit
//!
//! - **Windows** end, and their leases with them: nothing is collected. Their end is one by the ledger's clock. A node knows that
//!   clock to within the time that a reply took ([`Node::ledger_time`]), and always takes the latest that it can be, so no lease
//!   is spent after its slice. A request so near to the edge may count in the window that is about to begin.
//! - **In all**: one slice that never ends.
//! - **Rolling**: seventeen slices count, which together cover the span. Units are used in the slice that they were granted in.
//! - **Rates**: one bucket at the ledger. What nodes hold and did not say to be spent still fills the bucket, so level and leases
//!   are never more than one bucket for all nodes would hold. What a node holds of a slice is forgotten one slice after its end;
//!   what fails later is still given back ([`Question::refunded`]), for at least five minutes.
//! - **At once**: places have a time to live ([`PLACE_TTL`]) at the ledger from when it was asked, and a shorter one at the node
//!   from before it asked ([`PLACE_MARGIN`]). Each question renews them. A node that could not renew ends the requests in
//!   [`Node::lost_places`]; after it stood still it calls [`Node::tick`] before all else.
//!
//! Requests have any cost; a lease that is too small for one is no use to it, so the least is granted whole or not at all.
//!
//! # What can be lost
//!
//! **A node** comes back with its journal ([`Node::new`]): it says what it used, then that it has said all
//! ([`Message::said_since`]); from there on whatever the ledger still had for it is free. Requests that were in flight are free.
//! A node without its journal needs a new number. One that does not come back is removed ([`Ledger::remove`]): all that it held
//! counts as used.
//!
//! **The ledger** may lose what it said last, or everything. Then it has a new epoch ([`Ledger::begin_epoch`]): messages of another
//! one are not taken, and nodes say all their totals again before all else. Until every member has, nothing is granted that
//! may have been granted before: of windows that began before the epoch (or within [`GRACE`] of it, as clocks differ), of rolling
//! spans and rates until nothing before it counts, of places until their time is over. A lost bucket begins empty. The list of
//! members comes from the records, because the ledger may have lost it. Engines have to make sure that a ledger that was replaced
//! grants nothing any more. What a *removed* member used is known to the ledger alone: it is lost with it.
//!
//! **The way**: after three messages without a reply nobody waits for the next one. Leases at hand are spent; then requests are
//! denied, or the node goes on with its share ([`Unreachable::GoOn`]), the only case in which more than a limit may be granted.
//! Tries are made up to a second apart.
//!
//! # Invariants
//!
//! `simulation` holds 3 to 16 nodes to them at each step, with messages lost, doubled, late and out of order, nodes and ledger
//! killed, paused and cut off, ledgers that lose their last seconds or everything, and clocks apart. `protocol` has each rule by
//! itself.
//!
//! 1. The leases of all nodes together never exceed the limit, and the ledger's grants do not once all totals are said.
//!    `simulation`; `protocol::the_sum_of_all_leases_never_exceeds_the_limit_and_the_least_is_granted_whole_or_not_at_all`.
//! 2. A node reserves only what is free in its lease: used + reserved <= granted. Places that were lost are the exception, until
//!    their requests are ended. `simulation`;
//!    `protocol::a_node_stops_using_places_before_the_ledger_forgets_them_counted_from_before_it_asked`.
//! 3. A message that is lost, late or doubled changes nothing for good.
//!    `simulation`; `protocol::a_message_that_comes_twice_or_late_changes_nothing`,
//!    `a_question_that_is_asked_again_names_the_same_total`, `an_answer_is_worth_nothing_once_another_question_was_asked`,
//!    `what_is_given_back_is_not_spent_from_the_question_on`, `a_message_of_another_epoch_changes_nothing`.
//! 4. Errors are free, and no unit is lost: once faults have healed, demand above a limit is admitted exactly to the limit.
//!    `simulation::windows_are_exact_after_whatever_happened`, `limits_in_all_are_exact_after_whatever_happened_…`;
//!    `protocol::an_error_goes_back_into_the_lease_and_after_a_while_to_the_others`,
//!    `an_error_after_the_slice_of_a_rate_is_given_back_and_what_was_not_spent_is_not`.
//! 5. What a client is told to remain is never more than it could have had at the ledger's last word.
//!    `simulation`; `protocol::what_remains_falls_by_the_cost_whichever_node_is_asked`,
//!    `what_remains_is_asked_for_anew_before_a_unit_that_came_back_is_spent_after_a_while`.
//! 6. A denial is true to a tenth of a second: others gave nothing back.
//!    `protocol::unspent_leases_are_called_back_and_who_asked_is_granted_after_the_wait`,
//!    `who_asks_twice_in_vain_is_denied_and_does_not_ask_for_a_tenth_of_a_second`.
//! 7. After a loss nothing is granted twice.
//!    `simulation`; `protocol::a_new_epoch_grants_nothing_of_old_windows_until_all_members_have_said_their_totals`,
//!    `a_window_that_has_ended_is_not_granted_again_when_the_next_ledgers_clock_is_behind`, `a_rate_that_was_lost_begins_empty`.
//! 8. A hot counter costs a message for 500 requests; 100,000 keys of all frequencies one for fourteen, at 20,000 requests a
//!    second at each node.
//!    `simulation::a_hot_key_costs_a_message_for_hundreds_of_requests`,
//!    `a_hundred_thousand_keys_of_all_frequencies_cost_a_message_for_fourteen_requests`.
//!
//! # Memory
//!
//! A node has some 320 bytes for each counter that it used (or was asked for within a second), until the slice is forgotten: of a
//! rolling span at most seventeen times that. The ledger has some 350 bytes for each counter, and 40 for each node after the
//! fourth and for each further slice. Neither keeps anything of requests. Reserving and charging units of a lease allocates
//! nothing (`tests/allocations.rs`).

mod counter;
mod ledger;
mod message;
mod node;

pub use counter::{AHEAD, CounterId, FLOWS_IN_SOON, GRACE, Kind, Millis, PLACE_MARGIN, PLACE_TTL, Rule};
pub use ledger::Ledger;
pub use message::{
    Answer, MAX_QUESTIONS, Message, NodeId, Outcome, Question, Recall, Reply, Sequence, State, sequence,
};
pub use node::{Account, Denial, Handle, Micros, Node, Receipt, Standing, Take, Unreachable, Used, Waiting};
