//! Several lobbies and who moves between them, scene by scene, on the core alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod common;

use std::collections::BTreeMap;

use common::several::{CLIENT, LEG, Leg, Several, divided, named, redirected};
use common::{Heard, errors, find, joined_with, meet, waiting, welcome, welcome_back};
use echomingle::core::directory::{Advice, Directory, Report};
use echomingle::core::id::PeerId;
use echomingle::core::protocol::ErrorCode::BadToken;
use echomingle::core::protocol::Mode::{Text, Video};
use echomingle::core::protocol::{ClientMessage, LeaveReason, Mode, Role, ServerMessage};
use echomingle::core::region::Region::{self, Apac, Enam, Weur};
use serde_json::Value;

/// From the answer of the directory until somebody is where it is to be.
const MOVE: u64 = 3 * LEG + CLIENT;

/// A lobby for each of some regions, `global` for all others, and the directory that knows it.
fn world(sleepy: bool) -> Several {
    let mut world = Several::sleepy(sleepy);
    world.directory = divided(&["weur", "enam", "apac", "oc/2", "oc/3"]);
    world
}

/// Somebody connects to a lobby of its region.
fn comes(world: &mut Several, lobby: &str) -> PeerId {
    let lobby = named(lobby);
    world.connects(lobby, lobby.region().unwrap_or(Region::Afr))
}

/// Somebody comes to a lobby and waits there.
fn waits(world: &mut Several, lobby: &str, interests: &[&str]) -> PeerId {
    let peer = comes(world, lobby);
    world.finds(peer, Video, interests);
    assert_eq!(world.heard(), [waiting(peer)]);
    peer
}

/// What somebody hears who moves, until it is in the queue again.
fn moves(peer: PeerId, lobby: &str) -> Vec<Heard> {
    vec![redirected(peer, lobby), welcome(peer), waiting(peer)]
}

/// And who meets somebody there.
fn moves_and_meets(peer: PeerId, lobby: &str, [offerer, answerer]: [PeerId; 2]) -> Vec<Heard> {
    [moves(peer, lobby), meet(offerer, answerer).to_vec()].concat()
}

/// A search with a prepared offer, that may cross another one.
fn find_with(offer: &str, crosses: bool) -> ClientMessage<Value> {
    ClientMessage::Find {
        mode: Video,
        interests: Vec::new(),
        offer: Some(offer.into()),
        crosses,
        last: None,
    }
}

/// Everything is as quiet as it gets, and the directory knows of everybody what the lobbies know.
fn is_counted(world: &mut Several, counts: (u32, u32, u32)) {
    world.passes(5_000 + LEG);
    assert_eq!(world.counts(), counts);
    assert_eq!(world.counted(), counts);
}

#[test]
fn two_alone_in_different_lobbies_meet_within_five_seconds_and_one_of_them_moves() {
    for sleepy in [false, true] {
        for later in [0, 1, 500, 999, 1_500, 3_950, 4_001, 100_000] {
            let mut world = world(sleepy);
            let ana = waits(&mut world, "weur", &[]);
            world.passes(later);
            let ben = waits(&mut world, "enam", &[]);
            world.passes(5_000);
            let heard = world.heard();
            let met = match &world.moved[..] {
                &[(_, peer, to)] if peer == ben => {
                    assert_eq!(to, named("weur"));
                    moves_and_meets(ben, "weur", [ana, ben])
                }
                // When both begin at once either may ask first, and whoever was at the lobby first offers.
                &[(_, peer, _)] if peer == ana && later == 0 => {
                    moves_and_meets(ana, "enam", [ben, ana])
                }
                &[(_, peer, _)] if peer == ana && later < 1_500 => {
                    moves_and_meets(ana, "enam", [ana, ben])
                }
                other => panic!("{other:?} moved"),
            };
            assert_eq!(heard, met, "{later}");
            world.passes(600_000);
            assert_eq!(world.heard(), []);
        }
    }
}

#[test]
fn who_shares_an_interest_comes_first_wherever_it_is_and_then_the_nearest() {
    // The network is slow, so that none of the first three is sent to another.
    for (likes, lobby) in [
        (&["go"][..], "apac"),
        (&["chess"][..], "weur"),
        (&[][..], "weur"),
    ] {
        let mut world = world(false);
        let others = [("apac", &["go"][..]), ("enam", &["jazz"]), ("weur", &[])];
        let others = stranded(&mut world, others);
        // It is of Western Europe, in the lobby of nobody's region, and asks before any of them asks again.
        let eva = world.connects(named("global"), Weur);
        world.finds(eva, Video, likes);
        world.heard();
        world.passes(2_400);
        assert_eq!(world.moved.len(), 1);
        assert_eq!(world.moved[0].1, eva);
        assert_eq!(world.moved[0].2, named(lobby));
        let shared: &[&str] = if likes == ["go"] { likes } else { &[] };
        let partner = others[lobby];
        let expected = [
            moves(eva, lobby),
            vec![
                joined_with(eva, partner, Role::Answerer, shared, None),
                joined_with(partner, eva, Role::Offerer, shared, None),
            ],
        ];
        assert_eq!(world.heard(), expected.concat());
    }
}

/// People wait and are all on the board, for each was told of when the directory knew of nobody else.
fn stranded<const N: usize>(
    world: &mut Several,
    those: [(&'static str, &[&str]); N],
) -> BTreeMap<&'static str, PeerId> {
    let network = std::mem::replace(&mut world.network, Box::new(|_| Vec::new()));
    let people = those.map(|(lobby, likes)| (lobby, waits(world, lobby, likes)));
    world.passes(1_500);
    let mut board = serde_json::to_value(&world.directory).unwrap();
    for (lobby, _) in those {
        let told = reports_of(world, lobby);
        let (_, report) = told.last().unwrap();
        assert_eq!(report.stranded.len(), 1);
        let mut alone = divided(&[lobby]);
        alone.hear(report.clone(), &world.budget, world.now());
        let alone = serde_json::to_value(alone).unwrap();
        let lobbies = board["lobbies"].as_array_mut().unwrap();
        lobbies.retain(|known| known["report"]["lobby"] != alone["lobbies"][0]["report"]["lobby"]);
        lobbies.push(alone["lobbies"][0].clone());
    }
    world.directory = serde_json::from_value(board).unwrap();
    world.network = network;
    people.into()
}

#[test]
fn modes_never_mix() {
    for sleepy in [false, true] {
        let mut world = world(sleepy);
        let ana = waits(&mut world, "weur", &[]);
        let ben = comes(&mut world, "enam");
        world.finds(ben, Text, &[]);
        assert_eq!(world.heard(), [waiting(ben)]);
        world.passes(200_000);
        assert_eq!(world.heard(), []);
        let cem = comes(&mut world, "apac");
        world.finds(cem, Text, &[]);
        assert_eq!(world.heard(), [waiting(cem)]);
        world.passes(5_000);
        assert_eq!(
            world.heard(),
            moves_and_meets(cem, "enam", [ben, cem]),
            "and {ana:?} waits"
        );
    }
}

#[test]
fn who_is_sent_for_is_spoken_for() {
    let mut world = world(false);
    let ana = waits(&mut world, "weur", &[]);
    world.passes(10_000);
    // Ben takes long to get there, and Cem is not sent to Ana as well but waits where it is.
    world.client = Box::new(|_| Some(1_500));
    let ben = waits(&mut world, "enam", &[]);
    let cem = waits(&mut world, "apac", &[]);
    world.passes(2_000);
    assert_eq!(world.heard(), [redirected(ben, "weur")]);
    world.passes(1_500);
    let met = [vec![welcome(ben), waiting(ben)], meet(ana, ben).to_vec()];
    assert_eq!(world.heard(), met.concat());
    assert_eq!(world.moved.len(), 1);
    is_counted(&mut world, (3, 1, 1));
    world.client = Box::new(|_| Some(CLIENT));
    let dan = waits(&mut world, "global", &[]);
    world.passes(5_000);
    assert_eq!(world.heard(), moves_and_meets(dan, "apac", [cem, dan]));
}

#[test]
fn who_is_spoken_for_and_not_reached_is_free_after_two_seconds() {
    let mut world = world(false);
    let ana = waits(&mut world, "weur", &[]);
    world.passes(10_000);
    world.client = Box::new(|_| None);
    let ben = waits(&mut world, "enam", &[]);
    world.passes(5_000);
    assert_eq!(world.heard(), [redirected(ben, "weur")]);
    world.drops(ben);
    world.client = Box::new(|_| Some(CLIENT));
    let cem = waits(&mut world, "apac", &[]);
    // It asks after 1.5 seconds.
    world.passes(1_500 + 2 * LEG + MOVE);
    let heard = world.heard();
    assert_eq!(heard, moves_and_meets(cem, "weur", [ana, cem]));
}

#[test]
fn who_is_spoken_for_and_looks_for_something_else_is_free() {
    let mut world = world(false);
    let ana = waits(&mut world, "weur", &[]);
    world.passes(100);
    world.client = Box::new(|_| None);
    let ben = waits(&mut world, "enam", &[]);
    world.passes(3_000 + 2 * LEG + MOVE);
    assert_eq!(world.heard(), [redirected(ben, "weur")]);
    world.drops(ben);
    world.client = Box::new(|_| Some(CLIENT));
    world.finds(ana, Text, &[]);
    world.passes(100);
    let cem = comes(&mut world, "apac");
    world.finds(cem, Text, &[]);
    assert_eq!(world.heard(), [waiting(ana), waiting(cem)]);
    world.passes(4_000 + 2 * LEG + MOVE);
    assert_eq!(world.heard(), moves_and_meets(cem, "weur", [ana, cem]));
}

#[test]
fn interests_widen_to_anyone_across_lobbies() {
    for sleepy in [false, true] {
        let mut world = world(sleepy);
        let ana = waits(&mut world, "weur", &["go"]);
        world.passes(1_000);
        let ben = waits(&mut world, "enam", &["jazz"]);
        world.passes(5_000);
        assert_eq!(world.heard(), moves_and_meets(ben, "weur", [ana, ben]));
    }
}

#[test]
fn who_moves_keeps_its_place_among_those_who_wait_there() {
    for sleepy in [false, true] {
        for (first, expected) in [(true, "the mover"), (false, "who was there")] {
            let mut world = world(sleepy);
            // Two who like different things wait in `enam` when a third comes who moves there.
            let spans = if first { [1_000, 0] } else { [0, 1_000] };
            world.network = Box::new(|leg| match leg {
                Leg::Report | Leg::Advice => Vec::new(),
                Leg::Question | Leg::Answer => vec![LEG],
            });
            world.passes(spans[0]);
            let mut people = Vec::new();
            for lobby in if first {
                ["weur", "enam"]
            } else {
                ["enam", "weur"]
            } {
                let peer = comes(&mut world, lobby);
                let likes = if lobby == "weur" { "go" } else { "chess" };
                world.finds(peer, Video, &[likes]);
                world.passes(500);
                people.push(peer);
            }
            let (mover, other) = match first {
                true => (people[0], people[1]),
                false => (people[1], people[0]),
            };
            world.heard();
            let advice = Advice {
                layout: world.directory.layout().clone(),
                moves: vec![(mover, named("enam"))],
            };
            world.happens(named("weur"), |script| script.is_advised(advice));
            world.passes(MOVE);
            assert_eq!(world.heard(), moves(mover, "enam"));
            // Both are still particular, and both share something with whoever comes.
            let dan = comes(&mut world, "enam");
            world.finds(dan, Video, &["go", "chess"]);
            let (met, shared) = if first {
                (mover, "go")
            } else {
                (other, "chess")
            };
            assert_eq!(
                world.heard(),
                [
                    joined_with(dan, met, Role::Answerer, &[shared], None),
                    joined_with(met, dan, Role::Offerer, &[shared], None),
                ],
                "{expected}"
            );
        }
    }
}

#[test]
fn who_moves_brings_its_offer() {
    for sleepy in [false, true] {
        for (mine, crosses) in [(None, false), (Some("mine"), false), (Some("mine"), true)] {
            let mut world = world(sleepy);
            let ana = comes(&mut world, "weur");
            match mine {
                Some(mine) => world.sends(ana, &find_with(mine, crosses)),
                None => world.finds(ana, Video, &[]),
            }
            world.passes(1_000);
            let ben = comes(&mut world, "enam");
            world.sends(ben, &find_with("its own", crosses));
            assert_eq!(world.heard(), [waiting(ana), waiting(ben)]);
            world.passes(5_000);
            let heard = world.heard();
            assert_eq!(heard[..3], moves(ben, "weur"));
            let offers = heard[3..].iter().map(|(to, message)| match message {
                ServerMessage::PeerJoined { peer, .. } => (
                    *to,
                    peer.offer.as_ref().map(|offer| offer.expose()),
                    peer.crossed,
                ),
                other => panic!("{other:?}"),
            });
            let offers: Vec<_> = offers.collect();
            let expected = match (mine, crosses) {
                (None, _) => [(ana, Some("its own"), false), (ben, None, false)],
                (Some(mine), false) => [(ben, Some(mine), false), (ana, None, false)],
                (Some(mine), true) => [(ben, Some(mine), true), (ana, Some("its own"), true)],
            };
            assert_eq!(offers, expected);
        }
    }
}

#[test]
fn who_has_just_met_somebody_remembers_it_in_another_lobby() {
    for sleepy in [false, true] {
        let mut world = world(sleepy);
        let ana = waits(&mut world, "weur", &[]);
        let ben = waits_and_meets(&mut world, "weur", ana);
        for peer in [ana, ben] {
            world.leaves(peer);
        }
        world.finds(ana, Video, &[]);
        world.finds(ben, Video, &[]);
        world.heard();
        world.network = Box::new(|leg| match leg {
            Leg::Report | Leg::Advice => Vec::new(),
            Leg::Question | Leg::Answer => vec![LEG],
        });
        // Both go, and know it from what they bring alone.
        for peer in [ana, ben] {
            advises(&mut world, "weur", peer, "enam");
            world.passes(MOVE);
            assert_eq!(world.heard(), moves(peer, "enam"));
        }
        let cem = comes(&mut world, "enam");
        world.finds(cem, Video, &[]);
        assert_eq!(world.heard(), meet(ana, cem));
    }
}

/// Somebody comes and meets who waits there.
fn waits_and_meets(world: &mut Several, lobby: &str, other: PeerId) -> PeerId {
    let peer = comes(world, lobby);
    world.finds(peer, Video, &[]);
    assert_eq!(world.heard(), meet(other, peer));
    peer
}

/// Advice to a lobby that somebody is to move.
fn advises(world: &mut Several, lobby: &str, peer: PeerId, to: &str) {
    let advice = Advice {
        layout: world.directory.layout().clone(),
        moves: vec![(peer, named(to))],
    };
    world.happens(named(lobby), |script| script.is_advised(advice));
}

#[test]
fn a_call_is_never_moved() {
    for sleepy in [false, true] {
        let mut world = world(sleepy);
        let ana = waits(&mut world, "weur", &[]);
        let ben = waits_and_meets(&mut world, "weur", ana);
        let cem = comes(&mut world, "weur");
        for peer in [ana, ben, cem] {
            advises(&mut world, "weur", peer, "enam");
        }
        // Nor is the call of a lobby that is not in use any more.
        world.directory = divided(&["enam"]);
        waits(&mut world, "enam", &[]);
        world.passes(200_000);
        assert_eq!(world.heard(), []);
        assert_eq!(world.moved, []);
    }
}

#[test]
fn nobody_is_redirected_to_where_it_is() {
    let mut world = world(false);
    let ana = waits(&mut world, "weur", &[]);
    advises(&mut world, "weur", ana, "weur");
    world.passes(60_000);
    assert_eq!(world.heard(), []);
    assert_eq!(world.moved, []);
}

#[test]
fn a_search_at_a_lobby_that_is_not_in_use_goes_on_at_another_one() {
    for sleepy in [false, true] {
        let mut world = world(sleepy);
        let eve = comes(&mut world, "weur/2");
        let ana = comes(&mut world, "weur/2");
        // It has told that somebody came, and was told what is in use.
        world.passes(2_000 + 2 * LEG);
        if sleepy {
            // Which it does not remember: the search begins here, and goes on elsewhere when it finds nobody.
            world.finds(ana, Video, &["go"]);
            assert_eq!(world.heard(), [waiting(ana)]);
            world.passes(5_000);
            assert_eq!(world.heard(), moves(ana, "weur"));
        } else {
            world.sends(ana, &find_with("an offer", false));
            assert_eq!(world.heard(), [waiting(ana)]);
            world.passes(MOVE);
            assert_eq!(world.heard(), moves(ana, "weur"));
        }
        world.finds(eve, Text, &[]);
        world.heard();
        world.passes(60_000);
        assert_eq!(world.at[&eve].0, named("weur"));
        assert_eq!(world.counts_of(named("weur")), (2, 2, 0));
    }
}

#[test]
fn who_waits_in_a_lobby_that_is_no_longer_in_use_leaves_it() {
    for sleepy in [false, true] {
        let mut world = world(sleepy);
        let ana = waits(&mut world, "weur", &["go"]);
        world.passes(20_000);
        world.directory = divided(&["weur/2", "weur/3"]);
        world.passes(20_000);
        let (at, _) = world.at[&ana];
        assert!([named("weur/2"), named("weur/3")].contains(&at));
        assert_eq!(world.heard(), moves(ana, &at.to_string()));
    }
}

#[test]
fn at_global_only_those_are_redirected_who_have_a_lobby_of_their_own() {
    let mut world = world(false);
    let [ana, ben] = [Weur, Region::Afr].map(|region| world.connects(named("global"), region));
    world.passes(2_000 + 2 * LEG);
    world.finds(ana, Video, &[]);
    world.finds(ben, Text, &[]);
    assert_eq!(world.heard(), [waiting(ana), waiting(ben)]);
    world.passes(MOVE);
    assert_eq!(world.heard(), moves(ana, "weur"));
    world.passes(200_000);
    assert_eq!(world.heard(), []);
    assert_eq!(world.moved.len(), 1);
}

#[test]
fn what_was_told_of_the_layout_holds_for_a_minute() {
    for (span, held) in [(59_000, true), (60_001, false)] {
        let mut world = world(false);
        let ana = comes(&mut world, "weur/2");
        world.passes(2_000 + 2 * LEG);
        world.network = Box::new(|_| Vec::new());
        world.passes(span);
        world.finds(ana, Video, &[]);
        assert_eq!(world.heard(), [waiting(ana)]);
        assert_eq!(world.moved.len(), usize::from(held));
    }
}

#[test]
fn who_comes_back_to_the_wrong_lobby_is_sent_to_its_call() {
    for sleepy in [false, true] {
        let mut world = world(sleepy);
        let ana = waits(&mut world, "weur/2", &[]);
        let ben = waits_and_meets(&mut world, "weur/2", ana);
        let token = world.lobby(named("weur/2")).token(ana);
        assert!(token.starts_with("weur/2."));
        world.drops(ana);
        world.client = Box::new(|_| None);
        let by = comes(&mut world, "enam");
        assert_eq!(world.heard(), [common::away(ben, ana)]);
        world.happens(named("enam"), |script| script.resumes(by, &token));
        assert_eq!(world.heard(), [redirected(by, "weur/2")]);
        let tokens = &world.lobby(named("enam")).tokens;
        assert_eq!(tokens.len(), 1, "it is sent with its own token");
        world.drops(by);
        let by = comes(&mut world, "weur/2");
        world.happens(named("weur/2"), |script| script.resumes(by, &token));
        let with = vec![common::other((ben, None), Role::Offerer)];
        assert_eq!(
            world.heard(),
            [welcome_back(ana, with), common::back(ben, ana)]
        );
    }
}

#[test]
fn a_token_of_another_lobby_with_a_forged_address_resumes_nothing() {
    let mut world = world(false);
    let ana = comes(&mut world, "weur");
    let token = world.lobby(named("weur")).token(ana);
    let (_, sealed) = token.split_once('.').unwrap();
    world.drops(ana);
    for forged in [
        format!("enam.{sealed}"),
        sealed.to_owned(),
        format!(".{sealed}"),
        format!("mars.{sealed}"),
        format!("enam.enam.{sealed}"),
        "enam.".to_owned(),
    ] {
        let by = comes(&mut world, "enam");
        world.happens(named("enam"), |script| script.resumes(by, &forged));
        assert_eq!(errors(world.heard()), [(by, BadToken)], "{forged}");
    }
    let by = comes(&mut world, "weur");
    world.happens(named("weur"), |script| script.resumes(by, &token));
    assert_eq!(world.heard(), [welcome(ana)]);
}

#[test]
fn a_token_to_move_with_holds_for_a_minute() {
    for (later, held) in [(59_999, true), (60_000, false)] {
        let mut world = world(false);
        world.client = Box::new(move |_| Some(later));
        let ana = waits(&mut world, "weur", &[]);
        world.network = Box::new(|leg| match leg {
            Leg::Report | Leg::Advice => Vec::new(),
            Leg::Question => vec![LEG],
            Leg::Answer => vec![0],
        });
        advises(&mut world, "weur", ana, "enam");
        world.passes(LEG + 29_999);
        assert_eq!(world.heard(), [redirected(ana, "enam")]);
        world.drops(ana);
        world.passes(30_001);
        let heard = world.heard();
        match held {
            true => assert_eq!(heard, [welcome(ana), waiting(ana)]),
            false => {
                let (_, by) = world.followed[0];
                assert_eq!(errors(heard), [(by, BadToken)]);
            }
        }
    }
}

#[test]
fn whoever_is_not_answered_waits_where_it_is() {
    for sleepy in [false, true] {
        for lost in [Leg::Question, Leg::Answer] {
            let mut world = world(sleepy);
            let ana = waits(&mut world, "weur", &[]);
            world.network = Box::new(move |leg| match leg {
                Leg::Report | Leg::Advice => Vec::new(),
                leg if leg == lost => Vec::new(),
                _ => vec![LEG],
            });
            advises(&mut world, "weur", ana, "enam");
            // Meanwhile nobody meets it.
            let ben = waits(&mut world, "weur", &[]);
            world.passes(2_999);
            assert_eq!(world.heard(), []);
            world.passes(1);
            assert_eq!(world.heard(), meet(ana, ben));
        }
    }
}

#[test]
fn who_is_not_wanted_waits_where_it_is() {
    let mut world = world(false);
    let ana = waits(&mut world, "weur", &[]);
    world.network = Box::new(|_| Vec::new());
    advises(&mut world, "weur", ana, "enam");
    let [(peer, number, ..)] = hand_overs(&world)[..] else {
        panic!("one is to move");
    };
    assert_eq!(peer, ana);
    world.happens(named("weur"), |script| {
        script.is_expected(ana, number, None);
    });
    assert_eq!(world.heard(), [waiting(ana)]);
    let ben = waits_and_meets(&mut world, "weur", ana);
    assert_ne!(ben, ana);
}

fn hand_overs(world: &Several) -> Vec<common::HandOver> {
    world.questions.clone()
}

/// The last one who is to move, and the answer to it.
fn answer(world: &mut Several) -> (PeerId, u64, Option<echomingle::core::redacted::Redacted>) {
    let (peer, number, to, arrival) = world.questions.last().cloned().unwrap();
    let now = world.now();
    let token = world.lobby(to).actor.expect(&arrival, now);
    (peer, number, token)
}

#[test]
fn a_late_or_doubled_answer_does_nothing() {
    for sleepy in [false, true] {
        let mut world = world(sleepy);
        world.network = Box::new(|_| Vec::new());
        world.client = Box::new(|_| None);
        let ana = waits(&mut world, "weur", &[]);
        advises(&mut world, "weur", ana, "enam");
        let late = answer(&mut world);
        world.passes(3_000);
        assert_eq!(world.heard(), [waiting(ana)]);
        let arrives = |world: &mut Several, (peer, number, token): (_, _, Option<_>)| {
            world.happens(named("weur"), |script| {
                script.is_expected(peer, number, token);
            });
        };
        arrives(&mut world, late.clone());
        assert_eq!(world.heard(), [], "it waits");
        // Nor does it while another answer is to come.
        world.sends(
            ana,
            &ClientMessage::Offer {
                offer: "newer".into(),
            },
        );
        advises(&mut world, "weur", ana, "apac");
        arrives(&mut world, late.clone());
        assert_eq!(world.heard(), [waiting(ana)]);
        let right = answer(&mut world);
        arrives(&mut world, right.clone());
        assert_eq!(world.heard(), [redirected(ana, "apac")]);
        for again in [right.clone(), late.clone(), (ana, right.1, None)] {
            arrives(&mut world, again);
            assert_eq!(world.heard(), []);
        }
        world.leaves(ana);
        arrives(&mut world, right);
        let ben = comes(&mut world, "weur");
        world.finds(ana, Video, &[]);
        world.finds(ben, Video, &[]);
        world.heard();
        arrives(&mut world, late);
        assert_eq!(world.heard(), []);
    }
}

#[test]
fn who_never_goes_waits_there_again_if_it_lives() {
    for sleepy in [false, true] {
        for lives in [true, false] {
            let mut world = world(sleepy);
            world.client = Box::new(|_| None);
            let ana = waits(&mut world, "weur", &["go"]);
            world.network = Box::new(|leg| match leg {
                Leg::Report | Leg::Advice => Vec::new(),
                Leg::Question | Leg::Answer => vec![LEG],
            });
            if !lives {
                world.happens(named("weur"), |script| script.falls_silent(ana));
                world.passes(1);
            }
            advises(&mut world, "weur", ana, "enam");
            let ben = waits(&mut world, "weur", &["chess"]);
            world.passes(2 * LEG + 29_999);
            assert_eq!(world.heard(), [redirected(ana, "enam")]);
            assert_eq!(world.counts_of(named("weur")), (2, 2, 0));
            world.passes(1);
            if lives {
                assert_eq!(world.heard(), meet(ana, ben));
            } else {
                assert_eq!(world.heard(), []);
                assert_eq!(world.counts_of(named("weur")), (1, 1, 0));
                assert!(!world.at.contains_key(&ana));
            }
        }
    }
}

#[test]
fn whose_old_socket_lingers_has_one_seat_in_the_end() {
    for sleepy in [false, true] {
        let mut world = world(sleepy);
        world.client = Box::new(|_| None);
        let ana = waits(&mut world, "weur", &[]);
        world.network = Box::new(|leg| match leg {
            Leg::Report | Leg::Advice => Vec::new(),
            Leg::Question | Leg::Answer => vec![0],
        });
        advises(&mut world, "weur", ana, "enam");
        world.happens(named("weur"), |script| script.falls_silent(ana));
        world.passes(1);
        let (_, _, token) = answer(&mut world);
        let by = comes(&mut world, "enam");
        world.happens(named("enam"), |script| {
            script.resumes(by, token.unwrap().expose());
        });
        assert_eq!(
            world.heard(),
            [redirected(ana, "enam"), welcome(ana), waiting(ana)]
        );
        world.passes(31_000);
        assert_eq!(world.counts_of(named("weur")), (1, 1, 0), "it was heard");
        let ben = comes(&mut world, "weur");
        world.passes(45_000);
        world.finds(ben, Video, &[]);
        assert_eq!(world.heard(), [waiting(ana), waiting(ben)]);
        assert_eq!(world.counts(), (2, 2, 0));
    }
}

/// Somebody is on the way: it has asked, or was told to go already.
fn on_the_way(sleepy: bool, told: bool) -> (Several, PeerId) {
    let mut world = world(sleepy);
    world.client = Box::new(|_| None);
    let ana = comes(&mut world, "weur");
    world.sends(ana, &find_with("older", false));
    world.heard();
    world.network = Box::new(|_| Vec::new());
    advises(&mut world, "weur", ana, "enam");
    if told {
        let (peer, number, token) = answer(&mut world);
        world.happens(named("weur"), |script| {
            script.is_expected(peer, number, token);
        });
        assert_eq!(world.heard(), [redirected(ana, "enam")]);
    }
    (world, ana)
}

#[test]
fn who_leaves_on_the_way_does_not_go() {
    for (sleepy, told) in [(false, false), (false, true), (true, false), (true, true)] {
        let (mut world, ana) = on_the_way(sleepy, told);
        let (peer, number, token) = answer(&mut world);
        world.leaves(ana);
        world.happens(named("weur"), |script| {
            script.is_expected(peer, number, token);
        });
        world.passes(60_000);
        assert_eq!(world.heard(), []);
        assert_eq!(world.counts_of(named("weur")), (1, 0, 0));
    }
}

#[test]
fn whose_socket_is_lost_on_the_way_waits_nowhere() {
    for (sleepy, told) in [(false, false), (false, true), (true, false), (true, true)] {
        let (mut world, ana) = on_the_way(sleepy, told);
        world.drops(ana);
        world.passes(60_000);
        assert_eq!(world.heard(), []);
        assert_eq!(world.counts_of(named("weur")), (0, 0, 0));
    }
}

#[test]
fn who_brings_something_newer_before_it_is_told_to_go_stays() {
    for (sleepy, anew) in [(false, false), (false, true), (true, false), (true, true)] {
        let (mut world, ana) = on_the_way(sleepy, false);
        let late = answer(&mut world);
        if anew {
            world.sends(ana, &find_with("newer", false));
        } else {
            let offer = "newer".into();
            world.sends(ana, &ClientMessage::Offer { offer });
        }
        assert_eq!(world.heard(), [waiting(ana)]);
        let (peer, number, token) = late;
        world.happens(named("weur"), |script| {
            script.is_expected(peer, number, token);
        });
        let ben = comes(&mut world, "weur");
        world.finds(ben, Video, &[]);
        let offer = Some("newer");
        assert_eq!(
            world.heard(),
            [
                joined_with(ben, ana, Role::Answerer, &[], offer),
                joined_with(ana, ben, Role::Offerer, &[], None),
            ]
        );
    }
}

/// What it says was on the way when it was told to go. It goes, and nobody may have met it here.
#[test]
fn who_was_told_to_go_is_met_by_nobody_whatever_it_says_until_it_stays() {
    for (sleepy, anew) in [(false, false), (false, true), (true, false), (true, true)] {
        let (mut world, ana) = on_the_way(sleepy, true);
        let ben = waits(&mut world, "weur", &[]);
        if anew {
            world.sends(ana, &find_with("newer", false));
        } else {
            let offer = "newer".into();
            world.sends(ana, &ClientMessage::Offer { offer });
        }
        assert_eq!(world.heard(), [waiting(ana)]);
        world.passes(29_999);
        assert_eq!(world.heard(), []);
        world.passes(1);
        let offer = Some("newer");
        assert_eq!(
            world.heard(),
            [
                joined_with(ben, ana, Role::Answerer, &[], offer),
                joined_with(ana, ben, Role::Offerer, &[], None),
            ]
        );
    }
}

#[test]
fn who_looks_for_something_else_on_the_way_has_a_place_of_its_own() {
    let (mut world, ana) = on_the_way(false, true);
    world.finds(ana, Text, &[]);
    assert_eq!(world.heard(), [waiting(ana)]);
    let ben = waits(&mut world, "weur", &[]);
    world.passes(30_000);
    assert_eq!(world.heard(), [waiting(ana)]);
    let cem = comes(&mut world, "weur");
    world.finds(cem, Text, &[]);
    assert_eq!(world.heard(), meet(ana, cem));
    assert_ne!(ben, cem);
}

#[test]
fn two_who_search_at_the_same_moment_have_two_places_though_the_object_slept() {
    let mut world = world(true);
    world.network = Box::new(|_| Vec::new());
    world.client = Box::new(|_| None);
    let ana = waits(&mut world, "weur", &["go"]);
    advises(&mut world, "weur", ana, "enam");
    let ben = waits(&mut world, "weur", &["chess"]);
    world.passes(3_000);
    // Ana waits here again.
    assert_eq!(world.heard(), meet(ana, ben));
}

fn reports_of(world: &Several, lobby: &str) -> Vec<(u64, Report)> {
    let told = world.told.iter();
    let of = told.filter(|(_, report)| report.lobby == named(lobby));
    of.cloned().collect()
}

fn times(reports: &[(u64, Report)]) -> Vec<u64> {
    reports.iter().map(|(at, _)| *at).collect()
}

#[test]
fn nothing_is_told_while_nothing_changes() {
    let mut world = world(false);
    let ana = waits(&mut world, "weur", &[]);
    let ben = waits_and_meets(&mut world, "weur", ana);
    world.passes(10_000);
    assert_eq!(times(&reports_of(&world, "weur")), [2_000]);
    for _ in 0..1_000 {
        world.happens(named("weur"), |script| script.signals(ana, ben));
        world.passes(1_000);
    }
    assert_eq!(times(&reports_of(&world, "weur")), [2_000]);
}

#[test]
fn what_changes_is_told_within_five_seconds_and_every_five_seconds_at_most() {
    let mut world = world(false);
    let mut changes = Vec::new();
    for step in 0..200_u64 {
        let peer = comes(&mut world, "weur");
        changes.push(world.elapsed);
        world.passes(step * 37 % 1_900);
        if step % 3 == 0 {
            world.drops(peer);
            changes.push(world.elapsed);
            world.passes(step * 61 % 9_000);
        }
    }
    world.passes(5_000);
    let told = times(&reports_of(&world, "weur"));
    for pair in told.windows(2) {
        assert!(pair[1] - pair[0] >= 5_000, "{pair:?}");
    }
    for change in changes {
        let next = told.iter().find(|&&at| at >= change);
        assert!(next.is_some_and(|at| at - change <= 5_000), "{change}");
    }
    assert_eq!(world.counts(), world.counted());
}

#[test]
fn who_is_alone_is_told_of_when_it_is_patient_and_again_with_growing_gaps_up_to_a_minute() {
    for sleepy in [false, true] {
        let mut world = world(sleepy);
        let ana = waits(&mut world, "weur", &["go"]);
        world.passes(300_000);
        let told = reports_of(&world, "weur");
        let alone = told
            .iter()
            .filter(|(_, report)| !report.stranded.is_empty());
        let alone: Vec<_> = alone.cloned().collect();
        let expected = [15, 40, 80, 160, 320, 640, 1_240, 1_840, 2_440].map(|tenth| tenth * 100);
        assert_eq!(times(&alone), expected);
        for (_, report) in alone {
            let [who] = &report.stranded[..] else {
                panic!("{report:?}");
            };
            assert_eq!((who.peer, who.region, who.mode), (ana, Weur, Video));
            assert_eq!(report.waiting, [1, 0]);
        }
        // No more is known of anybody than what it looks for.
        let (_, report) = told.last().unwrap();
        let told = serde_json::to_value(&report.stranded[0]).unwrap();
        let fields: Vec<_> = told.as_object().unwrap().keys().cloned().collect();
        assert_eq!(fields, ["interests", "mode", "peer", "region", "since"]);
        world.leaves(ana);
        world.passes(1_000);
        if !sleepy {
            let last = reports_of(&world, "weur");
            let (_, report) = last.last().unwrap();
            assert_eq!(
                report.stranded,
                [],
                "who is not alone any more is told of at once"
            );
        }
    }
}

#[test]
fn where_there_is_global_alone_who_is_alone_in_it_is_told_of_with_what_changes_and_else_once_a_minute()
 {
    for (others, times) in [
        (&[][..], &[60_000, 120_000, 180_000][..]),
        (
            &["oc"],
            &[
                1_500, 4_000, 8_000, 16_000, 32_000, 64_000, 124_000, 184_000,
            ],
        ),
    ] {
        let mut world = Several::new();
        world.directory = divided(others);
        let ana = world.connects(named("global"), Weur);
        world.passes(60_000);
        let begins = world.elapsed;
        world.finds(ana, Video, &[]);
        world.passes(200_000);
        let told = reports_of(&world, "global");
        let alone = told
            .iter()
            .filter(|(_, report)| !report.stranded.is_empty());
        let mut at: Vec<_> = alone.map(|(at, _)| at - begins).collect();
        if others.is_empty() {
            // What changed is told after two seconds, and who is alone by then with it.
            assert_eq!(at.remove(0), 2_000);
            at.iter_mut().for_each(|at| *at -= 2_000);
        }
        assert_eq!(at, times, "{others:?}");
    }
    // Whoever is left elsewhere is sent to it all the same.
    let mut world = Several::new();
    let ana = waits(&mut world, "global", &[]);
    world.passes(10_000);
    let ben = waits(&mut world, "weur", &[]);
    world.passes(5_000);
    assert_eq!(world.heard(), moves_and_meets(ben, "global", [ana, ben]));
}

#[test]
fn the_more_lobbies_there_are_the_less_often_each_tells() {
    for (many, breath) in [(599, 1_000), (600, 2_000), (1_200, 3_000)] {
        let all = ["weur", "enam", "apac"].into_iter();
        let all = all.flat_map(|region| (512..1_024).map(move |n| format!("{region}/{n}")));
        let all: Vec<_> = all.take(many).collect();
        let all: Vec<_> = all.iter().map(String::as_str).collect();
        let mut world = Several::new();
        world.directory = divided(&all);
        // By then it knows of them.
        let ana = waits(&mut world, "weur/600", &[]);
        world.passes(60_000);
        let ben = comes(&mut world, "weur/600");
        world.leaves(ana);
        world.passes(20_000);
        let begins = world.elapsed;
        world.finds(ana, Video, &[]);
        world.passes(700);
        world.finds(ben, Text, &[]);
        world.passes(10_000);
        let told = reports_of(&world, "weur/600");
        let of = |peer| {
            let mut of = told.iter().filter(|(at, _)| *at > begins);
            let first = of.find(|(_, report)| report.stranded.iter().any(|who| who.peer == peer));
            first.unwrap().0 - begins
        };
        assert_eq!(of(ana), 1_500);
        assert_eq!(of(ben), 1_500 + breath, "{many}");
    }
}

#[test]
fn the_directory_counts_as_the_lobbies_do() {
    let mut world = world(false);
    let ana = waits(&mut world, "weur", &[]);
    waits_and_meets(&mut world, "weur", ana);
    comes(&mut world, "enam");
    let cem = waits(&mut world, "enam", &[]);
    is_counted(&mut world, (4, 1, 1));
    let dan = waits(&mut world, "apac", &[]);
    world.passes(5_000);
    is_counted(&mut world, (5, 0, 2));
    assert_eq!(world.at[&dan].0, named("enam"));
    world.drops(cem);
    world.passes(15_000);
    is_counted(&mut world, (4, 0, 1));
    let waits = world.directory.stats(world.now()).waits;
    let mut sum = echomingle::core::note::Waits::default();
    for name in world.names() {
        sum.add(world.lobby(name).actor.stats().waits);
    }
    assert_eq!(waits, sum);
}

#[test]
fn what_was_told_long_ago_is_true_no_more() {
    let mut world = world(false);
    comes(&mut world, "weur");
    world.passes(3_000);
    world.network = Box::new(|_| Vec::new());
    world.passes(10 * 60_000 - 2_000);
    assert_eq!(world.counted(), (1, 0, 0));
    world.passes(2_000);
    assert_eq!(world.counted(), (0, 0, 0));
}

#[test]
fn messages_a_second_are_forgotten_after_fifteen_seconds() {
    use echomingle::core::layout::Budget;
    let mut world = world(false);
    world.budget = Budget::configured(Some("10 1000 20 600"));
    let budget = world.budget;
    comes(&mut world, "weur");
    world.passes(2_000);
    for (span, splits) in [(14_000, true), (16_000, false)] {
        let mut directory = divided(&["weur"]);
        let (_, mut report) = world.told[0].clone();
        report.messages = 9;
        let mut now = world.now();
        let mut passes = |directory: &mut Directory, millis, report: Option<&Report>| {
            now = now.after(echomingle::core::time::Millis::new(millis));
            match report {
                Some(report) => {
                    directory.hear(report.clone(), &budget, now);
                }
                None => {
                    directory.review(&budget, now);
                }
            }
            directory.layout().version
        };
        passes(&mut directory, 0, Some(&report));
        let version = passes(&mut directory, 10_000, Some(&report));
        let later = passes(&mut directory, span, None);
        assert_eq!(later > version, splits, "{span}");
    }
}

#[test]
fn when_the_directory_forgets_everything_two_alone_still_meet() {
    for sleepy in [false, true] {
        for wiped in [0, 1_499, 1_600, 40_000] {
            let mut world = world(sleepy);
            let ana = waits(&mut world, "weur", &[]);
            world.passes(wiped);
            world.directory = divided(&["weur", "enam"]);
            world.passes(100);
            let ben = waits(&mut world, "enam", &[]);
            world.passes(60_000 + 2 * LEG + MOVE);
            let heard = world.heard();
            let met = [
                moves_and_meets(ben, "weur", [ana, ben]),
                moves_and_meets(ana, "enam", [ana, ben]),
            ];
            assert!(met.contains(&heard), "{wiped}: {heard:?}");
        }
    }
}

#[test]
fn a_directory_goes_on_from_what_was_kept() {
    let mut world = world(false);
    stranded(&mut world, [("weur", &["go"]), ("enam", &["jazz"])]);
    let kept = world.directory.kept();
    let again = Directory::from_kept(&kept);
    assert_eq!(again.kept(), kept);
    assert_eq!(again.layout(), world.directory.layout());
    assert_eq!(again.stats(world.now()), world.directory.stats(world.now()));
    // Who comes is sent to one of them as before; what they like was not kept.
    let like = |kept: &[u8], like: &[u8]| kept.windows(like.len()).any(|part| part == like);
    assert!(!like(&kept, b"jazz"));
    world.directory = again;
    let cem = waits(&mut world, "apac", &[]);
    world.passes(5_000);
    assert!(world.heard().iter().any(|(to, _)| *to == cem));
    assert_eq!(Directory::from_kept(&[]), Directory::default());
    assert_eq!(Directory::from_kept(&kept[1..]), Directory::default());
}

#[test]
fn a_directory_that_has_lost_the_layout_is_reminded_of_it() {
    let mut world = Several::new();
    world.directory = divided(&["weur/2", "weur/3", "oc"]);
    let before = world.directory.layout().clone();
    let ana = world.connects(named("weur/2"), Weur);
    world.passes(5_000);
    world.directory = Directory::default();
    world.finds(ana, Video, &[]);
    world.passes(5_000);
    let after = world.directory.layout();
    assert_eq!(after.version, before.version);
    assert!(after.lobbies().eq(before.lobbies()));
    // And is told so once.
    world.finds(ana, Text, &[]);
    world.passes(10_000);
    let told = reports_of(&world, "weur/2");
    let reminders = told.iter().filter(|(_, report)| report.layout.is_some());
    assert_eq!(reminders.count(), 1);
}

#[test]
fn two_who_were_told_of_different_lobbies_meet() {
    for sleepy in [false, true] {
        for lobbies in [&[][..], &["weur"], &["enam"], &["weur/2", "weur/3"]] {
            let mut world = Several::sleepy(sleepy);
            world.directory = divided(lobbies);
            let [ana, ben] = ["weur", "global"].map(|lobby| {
                let peer = world.connects(named(lobby), Weur);
                world.finds(peer, Video, &[]);
                peer
            });
            assert_eq!(world.heard(), [waiting(ana), waiting(ben)]);
            // One may be sent away from where the other is on its way to: then it is not there for long.
            world.passes(15_000);
            let heard = world.heard();
            let met = heard
                .iter()
                .filter(|(_, message)| matches!(message, ServerMessage::PeerJoined { .. }));
            assert_eq!(met.count(), 2, "{lobbies:?}: {heard:?}");
            assert_eq!(world.counts(), (2, 0, 1));
        }
    }
}

#[test]
fn who_searches_while_the_network_between_objects_is_gone_meets_whoever_is_in_its_lobby() {
    let mut world = world(false);
    world.network = Box::new(|_| Vec::new());
    let ana = waits(&mut world, "weur", &["go"]);
    let eve = waits(&mut world, "enam", &[]);
    world.passes(10_000);
    let ben = waits_and_meets(&mut world, "weur", ana);
    world.network = Box::new(|_| vec![LEG]);
    world.leaves(ana);
    world.finds(ben, Video, &[]);
    world.heard();
    world.passes(60_000);
    let heard = world.heard();
    assert!(heard.ends_with(&meet(eve, ben)), "{heard:?}");
}

/// Somebody searches who has just met the only one there is, elsewhere: better than nobody.
#[test]
fn two_who_have_just_met_meet_again_across_lobbies_when_there_is_nobody_else() {
    let mut world = world(false);
    let ana = waits(&mut world, "weur", &[]);
    let ben = waits_and_meets(&mut world, "weur", ana);
    world.finds(ben, Video, &[]);
    assert_eq!(
        world.heard(),
        [common::left(ana, ben, LeaveReason::Skipped), waiting(ben)]
    );
    advises(&mut world, "weur", ben, "enam");
    world.passes(MOVE);
    assert_eq!(world.heard(), moves(ben, "enam"));
    world.sends(ana, &find(Mode::Video, &[]));
    assert_eq!(world.heard(), [waiting(ana)]);
    world.passes(9_000);
    let heard = world.heard();
    let met = [
        moves_and_meets(ben, "weur", [ben, ana]),
        moves_and_meets(ana, "enam", [ben, ana]),
    ];
    assert!(met.contains(&heard), "{heard:?}");
}

/// For the regions that the scenes name.
#[test]
fn the_nearest_is_as_the_scenes_say() {
    assert!(Weur.distance(Enam) < Weur.distance(Apac));
}
