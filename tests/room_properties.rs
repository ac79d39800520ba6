//! What holds for a room whatever happens: random events, and after each of them the rules of rooms and
//! of coming back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod common;

use common::KEY;
use common::room_world::{NAMES, Step, Who, World};
use common::world::{DAY, SILENCE, sleeping_changes_nothing, the_rules_hold};
use echomingle::core::room::Room;
use proptest::prelude::*;
use proptest::sample::select;

fn step() -> impl Strategy<Value = Step> {
    let anybody = || (0..8_u8).prop_map(Who::Anybody);
    let who = || prop_oneof![(0..4_u8).prop_map(Who::Member), anybody()];
    // Most people try only what they may do.
    let host = || prop_oneof![3 => Just(Who::Host), 1 => anybody()];
    let name = select(&NAMES[..]);
    prop_oneof![
        12 => Just(Step::Connects),
        24 => (anybody(), name).prop_map(|(who, name)| Step::Joins(who, name)),
        3 => who().prop_map(Step::Leaves),
        3 => who().prop_map(Step::GoesAway),
        8 => who().prop_map(Step::Drops),
        3 => who().prop_map(Step::Loses),
        4 => who().prop_map(Step::FallsSilent),
        4 => (who(), who()).prop_map(|(by, whom)| Step::Misses(by, whom)),
        3 => (who(), who()).prop_map(|(from, to)| Step::Signals(from, to)),
        3 => (who(), 0..4_u8).prop_map(|(from, to)| Step::SignalsOn(from, to)),
        2 => host().prop_map(|by| Step::Locks(by, true)),
        4 => host().prop_map(|by| Step::Locks(by, false)),
        2 => (host(), who()).prop_map(|(by, whom)| Step::AsksToMute(by, whom)),
        3 => (host(), who()).prop_map(|(by, whom)| Step::Removes(by, whom)),
        2 => host().prop_map(Step::RemovesOneAway),
        12 => (0..8_u8).prop_map(Step::ComesBack),
        6 => (who(), 0..30_u8).prop_map(|(who, token)| Step::Resumes(who, token)),
        1 => who().prop_map(Step::Forges),
        2 => Just(Step::Deploys),
        3 => (1..20_000_u64).prop_map(Step::Passes),
        5 => select(vec![1_000, 2_000, 11_000]).prop_map(Step::Passes),
        1 => (SILENCE - 1_000..SILENCE + 1_000).prop_map(Step::Passes),
        1 => (DAY - 20_000..DAY + 1_000).prop_map(Step::Passes),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn the_rules_of_rooms_and_of_coming_back_hold(
        capacity in 2..5_u32,
        steps in prop::collection::vec(step(), 1..80),
    ) {
        the_rules_hold(World::new(capacity), move || Room::new(capacity, KEY), steps);
    }

    #[test]
    fn restoring_equals_never_having_slept(
        capacity in 2..5_u32,
        steps in prop::collection::vec((step(), any::<bool>()), 1..80),
    ) {
        sleeping_changes_nothing(
            World::new(capacity),
            move || Room::new(capacity, KEY),
            steps,
        );
    }
}
