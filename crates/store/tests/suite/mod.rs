//! What every store must do, whatever its backend: one suite of tests that runs over each.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

#[path = "../common/mod.rs"]
pub mod common;

pub mod changes;
pub mod records;
pub mod usage;

use store::{Records, UsageStore};

/// Where stores of a kind are created.
pub trait Home {
    type Store: Records + UsageStore;

    fn new() -> Self;
    /// A new store, with nothing in it.
    fn make(&self) -> Self::Store;
    /// The store that was made last, closed and opened again.
    fn again(&self, store: Self::Store) -> Self::Store;
}

/// A home, and a store in it.
pub fn fresh<H: Home>() -> (H, H::Store) {
    let home = H::new();
    let store = home.make();
    (home, store)
}

/// Makes a test of each part of the suite, over the stores of a home.
#[macro_export]
macro_rules! suite_over {
    ($home:ty) => {
        $crate::suite_over! { $home;
            records::keys_come_back_as_they_were_saved,
            records::pages_walk_through_all_keys_once,
            records::keys_are_walked_through_in_the_order_of_their_digests,
            records::keys_that_are_put_stand_in_the_place_of_others_and_stay_revoked,
            records::one_known_digest_refuses_the_whole_batch_and_names_the_key,
            records::a_digest_twice_in_one_batch_is_refused,
            records::a_revoked_key_keeps_the_time_of_its_first_revocation,
            records::the_newest_incidents_are_kept_and_found,
            records::a_batch_larger_than_what_is_kept_keeps_its_newest,
            records::a_request_id_that_a_client_used_twice_shows_both,
            records::one_client_pushes_out_no_incident_of_another_and_all_are_counted,
            records::windows_of_maintenance_come_in_the_order_of_their_beginning,
            changes::every_write_is_a_change_with_the_next_number_and_is_read_again_as_announced,
            changes::what_changes_nothing_is_no_change,
            changes::who_missed_an_import_or_a_thousand_changes_reads_everything,
            changes::a_write_without_a_waiter_is_carried_out,
            usage::nothing_was_used_yet,
            usage::a_key_sees_its_own_and_everyone_sees_all_also_after_a_restart,
            usage::what_is_older_than_it_is_kept_goes_grain_by_grain,
            usage::batches_add_up_to_a_model,
            usage::all_tallies_can_be_put_into_another_store_and_twice_is_once,
        }
    };
    ($home:ty; $($module:ident :: $name:ident,)*) => {
        $(#[test]
        fn $name() {
            suite::$module::$name::<$home>();
        })*
    };
}
