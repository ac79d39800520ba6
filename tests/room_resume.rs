//! Lost sockets in a room, and who comes back, scene by scene, on the core alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod common;

use common::party::{SEATS, all, comes, entrance, gone, inside, nameless, people, told};
use common::{
    Heard, KEY, Named, Script, away, back, errors, introduced, left, other, room, signal,
    still_there, welcome, welcome_back,
};
use echomingle::core::actor::MAX_ATTACHMENT_BYTES;
use echomingle::core::id::PeerId;
use echomingle::core::lobby::Lobby;
use echomingle::core::protocol::ErrorCode::{
    BadToken, NotAllowed, RoomFull, RoomLocked, UnknownPeer,
};
use echomingle::core::protocol::LeaveReason::{Lost, Removed};
use echomingle::core::protocol::{MAX_NAME_CHARS, Role};
use echomingle::core::resume::Key;
use echomingle::core::room::{MAX_CAPACITY, Room};
use serde_json::json;

/// The longest token that is looked at, in bytes.
const LONGEST_TOKEN: usize = 4_096;

/// All of these hear that somebody is away.
fn missed(people: &[PeerId], peer: PeerId) -> Vec<Heard> {
    people.iter().map(|&to| away(to, peer)).collect()
}

/// All of these hear that somebody is back.
fn found(people: &[PeerId], peer: PeerId) -> Vec<Heard> {
    people.iter().map(|&to| back(to, peer)).collect()
}

/// Somebody is welcomed back to those who came before it and those who came after it.
fn among(peer: PeerId, earlier: &[Named<'_>], later: &[Named<'_>]) -> Heard {
    let earlier = earlier.iter().map(|&whom| other(whom, Role::Answerer));
    let later = later.iter().map(|&whom| other(whom, Role::Offerer));
    welcome_back(peer, earlier.chain(later).collect())
}

/// Those of whom no name is told.
fn unnamed<const N: usize>(people: [PeerId; N]) -> [Named<'static>; N] {
    people.map(|peer| (peer, None))
}

/// Somebody who comes back is welcomed as a stranger first; what is heard after that.
fn heard_by(script: &mut Script<Room>, by: PeerId) -> Vec<Heard> {
    let mut heard = script.heard();
    assert_eq!(heard.remove(0), welcome(by));
    heard
}

/// Somebody comes back by its latest token and is refused, of which nobody else hears.
fn is_refused(script: &mut Script<Room>, peer: PeerId) -> PeerId {
    let by = script.comes_back(peer);
    assert_eq!(errors(heard_by(script, by)), [(by, BadToken)]);
    by
}

#[test]
fn who_loses_its_socket_is_away_for_15_seconds_and_then_lost() {
    let (mut script, [ana, ben, cem]) = inside();
    script.drops(ben);
    assert_eq!(script.heard(), missed(&[ana, cem], ben));
    script.passes(14_999);
    assert_eq!(script.heard(), []);
    script.passes(1);
    assert_eq!(script.heard(), gone(&[ana, cem], ben, Lost));
    assert_eq!(script.alarms, 1);
    is_refused(&mut script, ben);
}

#[test]
fn whose_page_goes_away_is_away_for_4_seconds() {
    let (mut script, [ana, ben, cem]) = inside();
    script.goes_away(ben);
    assert_eq!(script.heard(), []);
    script.forgets();
    script.drops(ben);
    assert_eq!(script.heard(), missed(&[ana, cem], ben));
    script.passes(3_999);
    assert_eq!(script.heard(), []);
    script.passes(1);
    assert_eq!(script.heard(), gone(&[ana, cem], ben, Lost));
}

#[test]
fn who_comes_back_after_a_reload_has_15_seconds_the_next_time() {
    let (mut script, [ana, ben]) = inside();
    let cem = script.connects(9);
    script.goes_away(ben);
    // The token that Ben is given now is of one who goes away.
    script.joins(cem, None);
    script.drops(ben);
    script.comes_back(ben);
    script.drops(ben);
    script.heard();
    script.passes(14_999);
    assert_eq!(script.heard(), []);
    script.passes(1);
    assert_eq!(script.heard(), gone(&[ana, cem], ben, Lost));
}

#[test]
fn who_comes_back_in_time_has_its_id_its_place_and_everybody_it_knew() {
    for sleeps in [false, true] {
        let (mut script, [ana, ben, cem]) = people();
        for (peer, name) in [(ana, "Ana"), (ben, "Ben"), (cem, "Cem")] {
            script.joins(peer, Some(name));
        }
        script.drops(ben);
        script.heard();
        if sleeps {
            script.forgets();
        }
        script.passes(14_999);
        let by = script.comes_back(ben);
        let (first, third) = ((ana, Some("Ana")), (cem, Some("Cem")));
        let again = vec![among(ben, &[first], &[third])];
        assert_eq!(
            heard_by(&mut script, by),
            all([again, found(&[ana, cem], ben), told(&[ben], ana, false)])
        );
        script.passes(60_000);
        script.signals(cem, ben);
        script.signals(ben, ana);
        let (one, other) = (signal(ben, cem, json!(1)), signal(ana, ben, json!(1)));
        assert_eq!(script.heard(), [one, other]);
        let dora = comes(&mut script, 9);
        script.joins(dora, None);
        let members = [first, (ben, Some("Ben")), third];
        assert_eq!(script.heard(), entrance((dora, None), &members));
    }
}

#[test]
fn a_host_who_is_away_stays_the_host_until_it_is_lost() {
    let (mut script, [ana, ben, cem]) = inside();
    script.drops(ana);
    assert_eq!(script.heard(), missed(&[ben, cem], ana));
    script.locks(ben, true);
    assert_eq!(errors(script.heard()), [(ben, NotAllowed)]);
    let dora = comes(&mut script, 9);
    script.joins(dora, None);
    let host = room(dora, ana, false, SEATS);
    assert_eq!(script.heard()[0], host);
    script.passes(15_000);
    assert_eq!(
        script.heard(),
        all([
            gone(&[ben, cem], ana, Lost),
            told(&[ben, cem, dora], ben, false)
        ])
    );
    script.locks(ben, true);
    assert_eq!(script.heard(), told(&[ben, cem, dora], ben, true));
}

#[test]
fn a_host_who_is_back_does_what_it_did() {
    let (mut script, [ana, ben, cem]) = inside();
    script.drops(ana);
    let by = script.comes_back(ana);
    script.heard();
    script.locks(by, true);
    assert_eq!(script.heard(), [], "nobody has that id any more");
    script.locks(ana, true);
    assert_eq!(script.heard(), told(&[ana, ben, cem], ana, true));
    script.removes(ana, ben);
    assert_eq!(script.heard(), gone(&[ana, cem, ben], ben, Removed));
}

#[test]
fn who_comes_while_somebody_is_away_hears_of_it_when_it_is_back() {
    let (mut script, [ana, ben]) = inside();
    script.drops(ben);
    let cem = script.connects(9);
    script.heard();
    script.joins(cem, Some("Cem"));
    assert_eq!(script.heard(), entrance((cem, Some("Cem")), &[(ana, None)]));
    script.signals(cem, ben);
    assert_eq!(errors(script.heard()), [(cem, UnknownPeer)]);
    let by = script.comes_back(ben);
    let again = vec![among(ben, &unnamed([ana]), &[])];
    // Ben was there first, so Ben offers.
    let [ben_hears, cem_hears] = introduced((ben, None), (cem, Some("Cem")));
    assert_eq!(
        heard_by(&mut script, by),
        all([
            again,
            found(&[ana], ben),
            told(&[ben], ana, false),
            vec![cem_hears, ben_hears]
        ])
    );
}

#[test]
fn who_is_away_takes_a_seat() {
    let (mut script, [ana, ben, cem, dora]) = inside();
    let emil = comes(&mut script, 9);
    script.drops(dora);
    script.heard();
    script.joins(emil, None);
    assert_eq!(errors(script.heard()), [(emil, RoomFull)]);
    script.passes(15_000);
    assert_eq!(script.heard(), gone(&[ana, ben, cem], dora, Lost));
    script.joins(emil, None);
    assert_eq!(script.heard(), nameless(emil, &[ana, ben, cem]));
    is_refused(&mut script, dora);
}

#[test]
fn a_locked_room_lets_its_own_in_again_and_nobody_else() {
    let (mut script, [ana, ben]) = inside();
    let cem = comes(&mut script, 9);
    script.locks(ana, true);
    script.drops(ben);
    script.heard();
    script.joins(cem, None);
    assert_eq!(errors(script.heard()), [(cem, RoomLocked)]);
    let by = script.comes_back(ben);
    let again = vec![among(ben, &unnamed([ana]), &[])];
    assert_eq!(
        heard_by(&mut script, by),
        all([again, found(&[ana], ben), told(&[ben], ana, true)])
    );
}

#[test]
fn who_is_back_hears_who_has_been_lost_since_by_not_hearing_of_it() {
    let (mut script, [ana, ben, cem]) = inside();
    script.drops(cem);
    script.passes(10_000);
    script.drops(ben);
    script.passes(5_000);
    script.heard();
    let by = script.comes_back(ben);
    let again = vec![among(ben, &unnamed([ana]), &[])];
    assert_eq!(
        heard_by(&mut script, by),
        all([again, found(&[ana], ben), told(&[ben], ana, false)])
    );
}

#[test]
fn who_is_back_hears_who_else_is_away() {
    let (mut script, [ana, ben, cem]) = inside();
    script.drops(cem);
    script.drops(ana);
    script.heard();
    let by = script.comes_back(ana);
    let again = among(ana, &[], &unnamed([ben, cem]));
    assert_eq!(
        heard_by(&mut script, by),
        all([
            vec![again, away(ana, cem)],
            found(&[ben], ana),
            told(&[ana], ana, false)
        ])
    );
    script.signals(ana, cem);
    assert_eq!(script.heard(), []);
    script.passes(15_000);
    assert_eq!(script.heard(), gone(&[ana, ben], cem, Lost));
}

#[test]
fn when_all_are_cut_at_once_the_room_is_as_it_was_lock_and_host_and_all() {
    let (mut script, [ana, ben, cem]) = inside();
    script.locks(ana, true);
    script.heard();
    script.deploys();
    assert_eq!(script.heard(), []);
    // Ben is the first, and sees the others as away.
    let by = script.comes_back(ben);
    let again = among(ben, &unnamed([ana]), &unnamed([cem]));
    assert_eq!(
        heard_by(&mut script, by),
        all([
            vec![again, away(ben, ana), away(ben, cem)],
            told(&[ben], ana, true)
        ])
    );
    let dora = comes(&mut script, 9);
    script.joins(dora, None);
    assert_eq!(errors(script.heard()), [(dora, RoomLocked)]);
    script.passes(14_999);
    let by = script.comes_back(ana);
    let again = among(ana, &[], &unnamed([ben, cem]));
    assert_eq!(
        heard_by(&mut script, by),
        all([
            vec![again, away(ana, cem)],
            found(&[ben], ana),
            told(&[ana], ana, true)
        ])
    );
    script.passes(1);
    assert_eq!(script.heard(), gone(&[ana, ben], cem, Lost));
    is_refused(&mut script, cem);
    script.locks(ana, false);
    assert_eq!(script.heard(), told(&[ana, ben], ana, false));
}

#[test]
fn after_a_deploy_a_host_who_does_not_come_back_has_a_successor() {
    let (mut script, [ana, ben, cem]) = inside();
    script.deploys();
    for peer in [cem, ben] {
        script.comes_back(peer);
    }
    script.heard();
    script.passes(15_000);
    assert_eq!(
        script.heard(),
        all([gone(&[ben, cem], ana, Lost), told(&[ben, cem], ben, false)])
    );
}

#[test]
fn when_both_reload_the_call_goes_on() {
    let (mut script, [ana, ben]) = inside();
    script.goes_away(ana);
    script.drops(ana);
    script.goes_away(ben);
    script.drops(ben);
    assert_eq!(script.heard(), [away(ben, ana)]);
    let by = script.comes_back(ben);
    let again = among(ben, &unnamed([ana]), &[]);
    assert_eq!(
        heard_by(&mut script, by),
        all([vec![again, away(ben, ana)], told(&[ben], ana, false)])
    );
    let by = script.comes_back(ana);
    let again = vec![among(ana, &[], &unnamed([ben]))];
    assert_eq!(
        heard_by(&mut script, by),
        all([again, found(&[ben], ana), told(&[ana], ana, false)])
    );
}

#[test]
fn a_host_removes_who_is_away_and_that_one_does_not_come_back() {
    let (mut script, [ana, ben, cem]) = inside();
    script.drops(ben);
    script.heard();
    script.removes(ana, ben);
    assert_eq!(script.heard(), gone(&[ana, cem], ben, Removed));
    is_refused(&mut script, ben);
    script.passes(60_000);
    assert_eq!(script.heard(), []);
}

#[test]
fn what_is_for_who_is_away_is_dropped() {
    let (mut script, [ana, ben]) = inside();
    script.drops(ben);
    script.heard();
    script.signals(ana, ben);
    script.asks_to_mute(ana, ben);
    script.misses(ana, ben);
    assert_eq!(script.heard(), []);
}

#[test]
fn who_left_or_was_removed_does_not_come_back_while_somebody_is_inside() {
    let (mut script, [ana, ben, cem]) = inside();
    script.leaves(cem);
    script.removes(ana, ben);
    for peer in [ben, cem] {
        script.drops(peer);
    }
    script.heard();
    for peer in [ben, cem] {
        let by = is_refused(&mut script, peer);
        script.drops(by);
    }
    // Whoever was refused comes in like anybody else.
    let by = is_refused(&mut script, ben);
    script.joins(by, None);
    assert_eq!(script.heard(), nameless(by, &[ana]));
}

#[test]
fn who_was_never_inside_has_its_id_again_and_is_outside() {
    let (mut script, [ana]) = inside();
    let ben = comes(&mut script, 9);
    script.drops(ben);
    let by = script.comes_back(ben);
    assert_eq!(heard_by(&mut script, by), [welcome(ben)]);
    script.joins(ben, None);
    assert_eq!(script.heard(), nameless(ben, &[ana]));
}

#[test]
fn a_token_of_another_room_or_of_the_lobby_or_forged_resumes_nothing() {
    let another = Key::new([8; Key::BYTES]);
    let elsewhere = {
        let key = another.clone();
        let (mut script, [ana]) = Script::with(move || Room::new(SEATS, key.clone()));
        script.joins(ana, None);
        script.token(ana)
    };
    let of_lobby = {
        let (script, [ana]) = Script::with(move || Lobby::new(another.clone()));
        script.token(ana)
    };
    let (mut script, [ana]) = inside();
    let ben = comes(&mut script, 9);
    let own = script.token(ana);
    let said = &own[..own.len() / 2];
    // In an empty room nobody knows better.
    script.drops(ana);
    for token in ["", "x", "e30.e30", said, &elsewhere, &of_lobby] {
        script.resumes(ben, token);
        assert_eq!(errors(script.heard()), [(ben, BadToken)]);
    }
    script.joins(ben, None);
    assert_eq!(script.heard(), nameless(ben, &[]));
}

#[test]
fn a_token_of_the_lobby_is_none_of_a_room_even_with_its_key() {
    let (lobby, [stranger]) = Script::with(|| Lobby::new(KEY));
    let (mut script, [ana]) = people();
    script.resumes(ana, &lobby.token(stranger));
    assert_eq!(errors(script.heard()), [(ana, BadToken)]);
}

#[test]
fn a_token_is_good_for_24_hours() {
    const DAY: u64 = 24 * 60 * 60 * 1_000;
    for (age, good) in [(DAY - 1, true), (DAY, false)] {
        let (mut script, [ana, ben]) = inside();
        script.passes(age);
        script.drops(ben);
        script.heard();
        let by = script.comes_back(ben);
        let heard = heard_by(&mut script, by);
        match good {
            true => assert_eq!(heard[1..], [back(ana, ben), room(ben, ana, false, SEATS)]),
            false => assert_eq!(errors(heard), [(by, BadToken)]),
        }
    }
}

#[test]
fn who_is_inside_resumes_nothing() {
    let (mut script, [ana, ben, cem]) = inside();
    script.drops(cem);
    script.heard();
    let token = script.token(cem);
    script.resumes(ben, &token);
    assert_eq!(errors(script.heard()), [(ben, BadToken)]);
    script.signals(ben, ana);
    assert_eq!(script.heard(), [signal(ana, ben, json!(1))]);
}

#[test]
fn whose_seat_is_claimed_while_it_lives_keeps_it() {
    let (mut script, [ana, ben, _]) = inside();
    let by = script.comes_back(ben);
    assert_eq!(heard_by(&mut script, by), [still_there(ben)]);
    script.passes(1_999);
    assert_eq!(script.heard(), []);
    script.passes(1);
    assert_eq!(errors(script.heard()), [(by, BadToken)]);
    script.signals(ana, ben);
    assert_eq!(script.heard(), [signal(ben, ana, json!(1))]);
}

#[test]
fn whose_network_is_gone_has_its_seat_again_in_two_seconds() {
    for sleeps in [false, true] {
        let (mut script, [ana, ben, cem]) = inside();
        script.falls_silent(ana);
        script.passes(1_000);
        let by = script.comes_back(ana);
        assert_eq!(heard_by(&mut script, by), [still_there(ana)]);
        // The others miss her, and that she lived a second ago proves nothing.
        script.misses(ben, ana);
        if sleeps {
            script.forgets();
        }
        script.passes(1_999);
        assert_eq!(script.heard(), []);
        script.passes(1);
        let again = vec![among(ana, &[], &unnamed([ben, cem]))];
        assert_eq!(
            script.heard(),
            all([
                missed(&[ben, cem], ana),
                again,
                found(&[ben, cem], ana),
                told(&[ana], ana, false)
            ])
        );
    }
}

#[test]
fn who_is_looked_for_in_the_moment_in_which_another_is_lost_is_away_after_that() {
    let (mut script, [ana, ben, cem]) = inside();
    script.drops(ana);
    script.falls_silent(ben);
    script.passes(13_000);
    script.comes_back(ben);
    script.heard();
    script.passes(2_000);
    let again = among(ben, &[], &unnamed([cem]));
    assert_eq!(
        script.heard(),
        all([
            gone(&[ben, cem], ana, Lost),
            vec![away(cem, ben), again, back(cem, ben)],
            told(&[ben], ben, false),
            told(&[ben, cem], ben, false)
        ])
    );
}

#[test]
fn whose_socket_ends_while_its_seat_is_claimed_has_it_again_at_once() {
    let (mut script, [ana, ben]) = inside();
    script.comes_back(ben);
    script.heard();
    script.drops(ben);
    let again = among(ben, &unnamed([ana]), &[]);
    assert_eq!(
        script.heard(),
        all([
            vec![away(ana, ben), again, back(ana, ben)],
            told(&[ben], ana, false)
        ])
    );
    script.passes(60_000);
    assert_eq!(script.heard(), []);
}

#[test]
fn a_seat_is_claimed_by_one_at_a_time() {
    let (mut script, [_, ben]) = inside();
    let first = script.comes_back(ben);
    assert_eq!(heard_by(&mut script, first), [still_there(ben)]);
    is_refused(&mut script, ben);
    script.passes(2_000);
    assert_eq!(errors(script.heard()), [(first, BadToken)]);
}

#[test]
fn who_claims_a_seat_and_does_something_else_gives_it_up() {
    type Does = fn(&mut Script<Room>, PeerId);
    let all_of_it: [Does; 4] = [
        Script::drops,
        Script::leaves,
        Script::goes_away,
        |script, by| script.joins(by, None),
    ];
    for does in all_of_it {
        for sleeps in [false, true] {
            let (mut script, [ana, ben]) = inside();
            script.falls_silent(ben);
            script.passes(1);
            let by = script.comes_back(ben);
            does(&mut script, by);
            if sleeps {
                script.forgets();
            }
            script.heard();
            script.passes(60_000);
            assert_eq!(script.heard(), [], "nobody looks for Ben");
            script.drops(ben);
            assert_eq!(script.heard()[0], away(ana, ben));
            let by = script.comes_back(ben);
            assert!(heard_by(&mut script, by).contains(&back(ana, ben)));
        }
    }
}

#[test]
fn who_claims_the_seat_of_one_who_takes_another_has_it_then() {
    let (mut script, [ana, ben]) = inside();
    script.falls_silent(ben);
    script.passes(1);
    let first = script.comes_back(ben);
    let second = script.comes_back(first);
    assert_eq!(
        script.heard(),
        [
            welcome(first),
            still_there(ben),
            welcome(second),
            still_there(first)
        ]
    );
    script.drops(ben);
    let again = among(ben, &unnamed([ana]), &[]);
    assert_eq!(
        script.heard(),
        all([
            vec![away(ana, ben), again, back(ana, ben)],
            told(&[ben], ana, false),
            vec![welcome(first)]
        ])
    );
}

#[test]
fn who_is_told_of_a_host_that_is_gone_in_the_same_moment_is_told_again() {
    for asleep in [false, true] {
        let (mut script, [ana, ben, cem]) = people();
        let outside = script.token(ana);
        script.joins(ana, None);
        script.joins(cem, None);
        let inside = script.token(cem);
        script.leaves(ana);
        script.resumes(ben, &outside);
        script.resumes(ana, &inside);
        script.heard();
        match asleep {
            true => script.loses(cem),
            false => script.drops(cem),
        }
        // Ana has Cem's seat, in which Ana herself is away; and then Ben has Ana's, who is outside.
        assert_eq!(
            script.heard(),
            all([
                vec![welcome_back(cem, vec![other((ana, None), Role::Answerer)])],
                missed(&[cem], ana),
                told(&[cem], ana, false),
                vec![welcome(ana)],
                gone(&[cem], ana, Lost),
                told(&[cem], cem, false),
            ])
        );
    }
}

#[test]
fn a_token_of_an_earlier_time_inside_does_not_bring_back_the_host_of_then() {
    let (mut script, [ana, ben]) = inside();
    let as_host = script.token(ana);
    script.leaves(ana);
    script.joins(ana, None);
    script.drops(ana);
    let by = script.connects(9);
    script.heard();
    script.resumes(by, &as_host);
    let again = vec![among(ana, &unnamed([ben]), &[])];
    assert_eq!(
        script.heard(),
        all([again, found(&[ben], ana), told(&[ana], ben, false)])
    );
}

#[test]
fn a_token_from_before_the_door_ends_a_place_inside() {
    let (mut script, [ana]) = inside();
    let ben = comes(&mut script, 9);
    let outside = script.token(ben);
    script.joins(ben, None);
    script.drops(ben);
    let by = script.connects(10);
    script.heard();
    script.resumes(by, &outside);
    assert_eq!(script.heard(), [welcome(ben), left(ana, ben, Lost)]);
    script.joins(ben, None);
    assert_eq!(script.heard(), nameless(ben, &[ana]));
    script.passes(60_000);
    assert_eq!(script.heard(), []);
}

#[test]
fn who_is_connected_and_not_inside_is_not_away() {
    let (mut script, [ana, ben]) = inside();
    script.leaves(ben);
    script.drops(ana);
    script.heard();
    let by = script.comes_back(ana);
    // Her token is of the time when Ben was inside.
    assert_eq!(
        heard_by(&mut script, by),
        all([vec![welcome(ana)], told(&[ana], ana, false)])
    );
    script.joins(ben, None);
    assert_eq!(script.heard(), nameless(ben, &[ana]));
    script.passes(60_000);
    assert_eq!(script.heard(), []);
}

#[test]
fn who_left_and_came_in_again_while_one_was_away_is_a_newcomer_to_it() {
    let (_, [_, ben, cem]) = inside();
    // Be it the last of all who leaves and comes in again, or not.
    for (one, leaver) in [(ben, cem), (cem, ben)] {
        let (mut script, [ana, _, _]) = inside();
        script.drops(one);
        script.leaves(leaver);
        script.joins(leaver, None);
        script.drops(leaver);
        script.heard();
        for peer in [one, leaver] {
            let by = script.comes_back(peer);
            let mut expected = vec![among(peer, &unnamed([ana]), &[]), back(ana, peer)];
            expected.extend(told(&[peer], ana, false));
            if peer == leaver {
                expected.extend(introduced((one, None), (leaver, None)));
            }
            assert_eq!(heard_by(&mut script, by), expected);
        }
    }
}

#[test]
fn whoever_is_known_only_to_others_who_are_away_is_forgotten() {
    for object_goes_too in [false, true] {
        let (mut script, [ana, ben]) = inside();
        script.drops(ana);
        let cem = script.connects(9);
        script.joins(cem, None);
        script.heard();
        match object_goes_too {
            true => script.loses(ben),
            false => script.drops(ben),
        }
        // Ana was the host, and Cem never heard of her.
        assert_eq!(
            script.heard(),
            all([missed(&[cem], ben), told(&[cem], ben, false)])
        );
        is_refused(&mut script, ana);
    }
}

#[test]
fn who_wakes_up_without_somebody_waits_for_15_seconds() {
    let (mut script, [ana, ben]) = inside();
    script.loses(ana);
    script.heard();
    script.passes(14_999);
    assert_eq!(script.heard(), []);
    script.passes(1);
    assert_eq!(
        script.heard(),
        all([gone(&[ben], ana, Lost), told(&[ben], ben, false)])
    );
}

#[test]
fn leaving_ends_the_waiting_for_everybody() {
    let (mut script, [ana, ben]) = inside();
    script.drops(ana);
    script.leaves(ben);
    assert_eq!(script.heard(), [away(ben, ana)]);
    script.passes(60_000);
    assert_eq!(script.heard(), []);
    // The room is empty, so the token is taken at its word.
    let by = script.comes_back(ana);
    assert_eq!(
        heard_by(&mut script, by),
        all([vec![welcome(ana)], told(&[ana], ana, false)])
    );
}

#[test]
fn the_tokens_and_the_seats_of_a_full_room_of_long_names_are_short_enough() {
    for longest in ["🎥".repeat(MAX_NAME_CHARS), "\"".repeat(MAX_NAME_CHARS)] {
        let mut script = Script::of(|| Room::new(MAX_CAPACITY, KEY));
        let people: Vec<_> = (0..u64::from(MAX_CAPACITY))
            .map(|number| script.connects(u64::MAX - number))
            .collect();
        for &peer in &people {
            script.joins(peer, Some(&longest));
        }
        // A seat is fullest when all others are away.
        for &peer in &people[1..] {
            script.drops(peer);
        }
        assert!(script.remembers(people[0]) <= MAX_ATTACHMENT_BYTES);
        script.drops(people[0]);
        for &peer in &people {
            script.comes_back(peer);
        }
        // And whoever claims one has its token's worth to remember.
        let by = script.comes_back(people[0]);
        assert!(script.remembers(by) > longest.len());
        assert!(script.remembers(by) <= MAX_ATTACHMENT_BYTES);
        for &peer in &people {
            assert!(script.remembers(peer) <= MAX_ATTACHMENT_BYTES);
        }
        let tokens = script.tokens.iter().map(|(_, token)| token.len());
        let longest = tokens.max().unwrap();
        assert!(longest > 400, "{longest}: is the room full?");
        assert!(longest <= LONGEST_TOKEN, "{longest}");
    }
}
