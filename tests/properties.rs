//! What holds for the lobby whatever happens: random events, and after each of them the rules of
//! matching and of coming back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod common;

use common::KEY;
use common::lobby_world::{LIKES, Prepared, Step, World};
use common::world::{DAY, sleeping_changes_nothing, the_rules_hold};
use echomingle::core::lobby::Lobby;
use echomingle::core::protocol::Mode;
use proptest::prelude::*;
use proptest::sample::select;

fn step() -> impl Strategy<Value = Step> {
    let who = || 0..8_u8;
    let mode = prop_oneof![5 => Just(Mode::Video), 1 => Just(Mode::Text)];
    let interests = prop_oneof![
        2 => Just(vec![]),
        3 => prop::collection::vec(select(&LIKES[..]), 1..3),
    ];
    let prepared = select(vec![
        Prepared::Nothing,
        Prepared::Offer,
        Prepared::OfferThatCrosses,
        Prepared::OfferThatCrosses,
    ]);
    prop_oneof![
        6 => Just(Step::Connects),
        20 => (who(), mode, interests, prepared)
            .prop_map(|(who, mode, likes, prepared)| Step::Finds(who, mode, likes, prepared)),
        2 => who().prop_map(Step::Renews),
        2 => who().prop_map(Step::BothSkip),
        4 => who().prop_map(Step::Leaves),
        4 => (who(), who()).prop_map(|(from, to)| Step::Signals(from, to)),
        2 => who().prop_map(Step::SignalsOn),
        2 => who().prop_map(Step::GoesAway),
        5 => who().prop_map(Step::Drops),
        2 => who().prop_map(Step::Loses),
        3 => who().prop_map(Step::FallsSilent),
        7 => who().prop_map(Step::ComesBack),
        5 => (who(), 0..20_u8).prop_map(|(who, token)| Step::Resumes(who, token)),
        1 => who().prop_map(Step::Forges),
        1 => Just(Step::Deploys),
        3 => (1..4_000_u64).prop_map(Step::Passes),
        4 => select(vec![1_000, 2_000, 3_000]).prop_map(Step::Passes),
        2 => (1..20_000_u64).prop_map(Step::Passes),
        2 => (40_000..50_000_u64).prop_map(Step::Passes),
        1 => (DAY - 20_000..DAY + 1_000).prop_map(Step::Passes),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn the_rules_of_matching_and_of_coming_back_hold(steps in prop::collection::vec(step(), 1..80)) {
        the_rules_hold(World::default(), || Lobby::new(KEY), steps);
    }

    #[test]
    fn restoring_equals_never_having_slept(
        steps in prop::collection::vec((step(), any::<bool>()), 1..80),
    ) {
        sleeping_changes_nothing(World::default(), || Lobby::new(KEY), steps);
    }
}
