//! Lost sockets in random chat, and who comes back, scene by scene, on the core alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod common;

use common::pair::{pair, people, stats};
use common::{
    Heard, Script, away, back, errors, joined, left, meet, other, signal, still_there, waiting,
    welcome, welcome_back,
};
use echomingle::core::id::PeerId;
use echomingle::core::lobby::Lobby;
use echomingle::core::protocol::ErrorCode::{BadToken, UnknownPeer};
use echomingle::core::protocol::LeaveReason::{Lost, Skipped};
use echomingle::core::protocol::Mode::{Text, Video};
use echomingle::core::protocol::{Peer, Role};
use echomingle::core::resume::Key;
use serde_json::json;

/// The call that goes on, as `welcome` tells it.
fn with(partner: PeerId, role: Role) -> Vec<Peer> {
    vec![other((partner, None), role)]
}

/// Somebody who comes back is welcomed as a stranger first; what is heard after that.
fn heard_by(script: &mut Script<Lobby>, by: PeerId) -> Vec<Heard> {
    let mut heard = script.heard();
    assert_eq!(heard.remove(0), welcome(by));
    heard
}

/// Somebody comes back by a token that is no good, and nobody else hears of it.
fn is_refused(script: &mut Script<Lobby>, token: &str) -> PeerId {
    let by = script.connects(50);
    assert_eq!(script.heard(), [welcome(by)]);
    script.resumes(by, token);
    assert_eq!(errors(script.heard()), [(by, BadToken)]);
    by
}

#[test]
fn who_loses_its_socket_is_away_for_15_seconds_and_then_lost() {
    let (mut script, ana, ben) = pair();
    script.drops(ana);
    assert_eq!(script.heard(), [away(ben, ana)]);
    assert_eq!(stats(&script), (1, 0, 1));
    script.passes(14_999);
    assert_eq!(script.heard(), []);
    script.passes(1);
    assert_eq!(script.heard(), [left(ben, ana, Lost)]);
    assert_eq!(stats(&script), (1, 0, 0));
    assert_eq!(script.alarms, 1);
}

#[test]
fn whose_page_goes_away_is_away_for_4_seconds() {
    let (mut script, ana, ben) = pair();
    script.goes_away(ana);
    assert_eq!(script.heard(), []);
    script.forgets();
    script.drops(ana);
    assert_eq!(script.heard(), [away(ben, ana)]);
    script.passes(3_999);
    assert_eq!(script.heard(), []);
    script.passes(1);
    assert_eq!(script.heard(), [left(ben, ana, Lost)]);
}

#[test]
fn who_says_anything_after_going_away_has_stayed() {
    let (mut script, ana, ben) = pair();
    script.goes_away(ana);
    script.signals(ana, ben);
    script.drops(ana);
    script.passes(14_999);
    assert_eq!(script.heard(), [signal(ben, ana, json!(1)), away(ben, ana)]);
    script.passes(1);
    assert_eq!(script.heard(), [left(ben, ana, Lost)]);
}

#[test]
fn who_comes_back_in_time_has_its_id_its_partner_and_its_role() {
    for sleeps in [false, true] {
        let (mut script, ana, ben) = pair();
        for (peer, partner, role) in [(ana, ben, Role::Offerer), (ben, ana, Role::Answerer)] {
            script.drops(peer);
            assert_eq!(script.heard(), [away(partner, peer)]);
            if sleeps {
                script.forgets();
            }
            script.passes(14_999);
            let by = script.comes_back(peer);
            let heard = heard_by(&mut script, by);
            let welcome = welcome_back(peer, with(partner, role));
            assert_eq!(heard, [welcome, back(partner, peer)]);
            assert_eq!(stats(&script), (2, 0, 1));
        }
        script.passes(60_000);
        script.signals(ana, ben);
        script.signals(ben, ana);
        let (there, back) = (signal(ben, ana, json!(1)), signal(ana, ben, json!(1)));
        assert_eq!(script.heard(), [there, back]);
    }
}

#[test]
fn who_comes_back_after_a_reload_has_15_seconds_the_next_time() {
    let (mut script, ana, ben) = pair();
    script.goes_away(ana);
    script.drops(ana);
    script.comes_back(ana);
    script.drops(ana);
    script.heard();
    script.passes(14_999);
    assert_eq!(script.heard(), []);
    script.passes(1);
    assert_eq!(script.heard(), [left(ben, ana, Lost)]);
}

#[test]
fn who_waits_is_not_kept_and_has_its_id_and_its_last_partners_again() {
    let (mut script, ana, ben) = pair();
    let cem = script.connects(9);
    script.finds(cem, Text, &[]);
    let own = script.token(cem);
    script.drops(cem);
    script.heard();
    assert_eq!(stats(&script), (2, 0, 1));
    let by = script.connects(10);
    script.resumes(by, &own);
    assert_eq!(heard_by(&mut script, by), [welcome(cem)]);
    // Ana's token is of the call that is over; those whom she met are all that it brings.
    script.leaves(ben);
    script.drops(ana);
    script.heard();
    let by = script.comes_back(ana);
    assert_eq!(errors(heard_by(&mut script, by)), [(by, BadToken)]);
    script.finds(by, Video, &[]);
    script.finds(ben, Video, &[]);
    assert_eq!(script.heard(), [waiting(by), waiting(ben)]);
    script.finds(cem, Video, &[]);
    assert_eq!(script.heard(), meet(by, cem));
}

#[test]
fn when_all_are_cut_at_once_each_comes_back_by_its_token_alone() {
    let (mut script, ana, ben) = pair();
    script.deploys();
    assert_eq!(script.heard(), []);
    assert_eq!(stats(&script), (0, 0, 0));
    let by = script.comes_back(ben);
    let welcome = welcome_back(ben, with(ana, Role::Answerer));
    assert_eq!(heard_by(&mut script, by), [welcome, away(ben, ana)]);
    assert_eq!(stats(&script), (1, 0, 1));
    script.passes(14_999);
    let by = script.comes_back(ana);
    let welcome = welcome_back(ana, with(ben, Role::Offerer));
    assert_eq!(heard_by(&mut script, by), [welcome, back(ben, ana)]);
    assert_eq!(stats(&script), (2, 0, 1));
    script.signals(ben, ana);
    assert_eq!(script.heard(), [signal(ana, ben, json!(1))]);
}

#[test]
fn after_a_deploy_whoever_is_not_back_in_15_seconds_is_lost() {
    let (mut script, ana, ben) = pair();
    script.deploys();
    script.comes_back(ben);
    script.heard();
    script.passes(15_000);
    assert_eq!(script.heard(), [left(ben, ana, Lost)]);
    let token = script.token(ana);
    is_refused(&mut script, &token);
}

#[test]
fn when_both_reload_the_call_goes_on() {
    let (mut script, ana, ben) = pair();
    for (peer, heard) in [(ana, vec![away(ben, ana)]), (ben, vec![])] {
        script.goes_away(peer);
        script.drops(peer);
        assert_eq!(script.heard(), heard);
    }
    assert_eq!(stats(&script), (0, 0, 0));
    script.passes(1_000);
    let by = script.comes_back(ana);
    let welcome = welcome_back(ana, with(ben, Role::Offerer));
    assert_eq!(heard_by(&mut script, by), [welcome, away(ana, ben)]);
    let by = script.comes_back(ben);
    let welcome = welcome_back(ben, with(ana, Role::Answerer));
    assert_eq!(heard_by(&mut script, by), [welcome, back(ana, ben)]);
}

#[test]
fn whoever_is_left_alone_need_not_wait() {
    for skips in [false, true] {
        let (mut script, ana, ben) = pair();
        script.drops(ana);
        script.heard();
        match skips {
            true => script.finds(ben, Video, &[]),
            false => script.leaves(ben),
        }
        let expected = if skips { vec![waiting(ben)] } else { vec![] };
        assert_eq!(script.heard(), expected);
        let by = script.comes_back(ana);
        assert_eq!(errors(heard_by(&mut script, by)), [(by, BadToken)]);
        // They have just met, and meet nobody else.
        script.finds(by, Video, &[]);
        assert_eq!(script.heard(), [waiting(by)]);
        script.passes(60_000);
        let again = if skips {
            meet(ben, by).to_vec()
        } else {
            vec![]
        };
        assert_eq!(script.heard(), again);
    }
}

#[test]
fn a_signal_to_who_is_away_goes_nowhere_and_is_no_mistake() {
    let (mut script, ana, ben) = pair();
    script.drops(ana);
    script.heard();
    script.signals(ben, ana);
    assert_eq!(script.heard(), []);
    let by = script.comes_back(ana);
    let welcome = welcome_back(ana, with(ben, Role::Offerer));
    assert_eq!(heard_by(&mut script, by), [welcome, back(ben, ana)]);
    // The socket has another id now, and nobody has its first one.
    script.signals(ben, by);
    assert_eq!(errors(script.heard()), [(ben, UnknownPeer)]);
}

#[test]
fn what_is_no_token_of_this_lobby_resumes_nothing() {
    let (mut script, ana, _) = pair();
    let (mut elsewhere, [stranger, _]) =
        Script::<Lobby>::with(|| Lobby::new(Key::new([8; Key::BYTES])));
    let foreign = elsewhere.token(stranger);
    elsewhere.deploys();
    let own = script.token(ana);
    let said = &own[..own.len() / 2];
    for token in ["", "x", "e30.e30", said, &foreign] {
        let by = is_refused(&mut script, token);
        // What it was before is what it is.
        script.finds(by, Video, &[]);
        assert_eq!(script.heard(), [waiting(by)]);
        script.drops(by);
    }
}

#[test]
fn a_token_is_good_for_24_hours() {
    const DAY: u64 = 24 * 60 * 60 * 1_000;
    for (age, good) in [(DAY - 1, true), (DAY, false)] {
        let (mut script, ana, ben) = pair();
        script.passes(age);
        script.drops(ana);
        script.heard();
        let by = script.comes_back(ana);
        let heard = heard_by(&mut script, by);
        match good {
            true => assert_eq!(heard.len(), 2),
            false => {
                assert_eq!(errors(heard), [(by, BadToken)]);
                script.passes(15_000);
                assert_eq!(script.heard(), [left(ben, ana, Lost)]);
            }
        }
    }
}

#[test]
fn whoever_does_something_else_already_resumes_nothing() {
    let (mut script, ana, ben) = pair();
    let [cem, dora] = [9, 10].map(|number| script.connects(number));
    script.finds(cem, Text, &[]);
    script.drops(ana);
    script.heard();
    let token = script.token(ana);
    for peer in [ben, cem] {
        script.resumes(peer, &token);
        assert_eq!(errors(script.heard()), [(peer, BadToken)]);
    }
    script.resumes(dora, &token);
    let welcome = welcome_back(ana, with(ben, Role::Offerer));
    assert_eq!(script.heard(), [welcome, back(ben, ana)]);
    // Nor does anybody resume its own seat.
    script.drops(ben);
    let by = script.connects(11);
    script.heard();
    let own = script.token(by);
    script.resumes(by, &own);
    assert_eq!(errors(script.heard()), [(by, BadToken)]);
}

#[test]
fn whose_seat_is_claimed_while_it_lives_keeps_it() {
    let (mut script, ana, ben) = pair();
    let by = script.comes_back(ana);
    assert_eq!(heard_by(&mut script, by), [still_there(ana)]);
    script.passes(1_999);
    assert_eq!(script.heard(), []);
    script.passes(1);
    assert_eq!(errors(script.heard()), [(by, BadToken)]);
    script.signals(ana, ben);
    assert_eq!(script.heard(), [signal(ben, ana, json!(1))]);
    script.finds(by, Video, &[]);
    assert_eq!(script.heard(), [waiting(by)]);
}

#[test]
fn whose_network_is_gone_has_its_seat_again_in_two_seconds() {
    for sleeps in [false, true] {
        let (mut script, ana, ben) = pair();
        script.falls_silent(ana);
        script.passes(1_000);
        let by = script.comes_back(ana);
        assert_eq!(heard_by(&mut script, by), [still_there(ana)]);
        if sleeps {
            script.forgets();
        }
        script.passes(1_999);
        assert_eq!(script.heard(), []);
        script.passes(1);
        let welcome = welcome_back(ana, with(ben, Role::Offerer));
        let heard = [away(ben, ana), welcome, back(ben, ana)];
        assert_eq!(script.heard(), heard);
        assert_eq!(stats(&script), (2, 0, 1));
        script.signals(ben, ana);
        assert_eq!(script.heard(), [signal(ana, ben, json!(1))]);
    }
}

#[test]
fn whose_socket_ends_while_its_seat_is_claimed_has_it_again_at_once() {
    for object_goes_too in [false, true] {
        let (mut script, ana, ben) = pair();
        script.comes_back(ana);
        script.heard();
        match object_goes_too {
            true => script.loses(ana),
            false => script.drops(ana),
        }
        let welcome = welcome_back(ana, with(ben, Role::Offerer));
        let heard = [away(ben, ana), welcome, back(ben, ana)];
        assert_eq!(script.heard(), heard);
        script.passes(60_000);
        assert_eq!(script.heard(), []);
    }
}

#[test]
fn a_seat_is_claimed_by_one_at_a_time() {
    let (mut script, ana, ben) = pair();
    script.falls_silent(ana);
    script.passes(1);
    let first = script.comes_back(ana);
    assert_eq!(heard_by(&mut script, first), [still_there(ana)]);
    let second = script.comes_back(ana);
    assert_eq!(errors(heard_by(&mut script, second)), [(second, BadToken)]);
    script.passes(2_000);
    let welcome = welcome_back(ana, with(ben, Role::Offerer));
    assert_eq!(
        script.heard(),
        [away(ben, ana), welcome, back(ben, ana)],
        "it is the first one's"
    );
}

#[test]
fn who_claims_a_seat_and_does_something_else_gives_it_up() {
    type Does = fn(&mut Script<Lobby>, PeerId) -> Vec<Heard>;
    let all: [Does; 3] = [
        |script, by| {
            script.drops(by);
            vec![]
        },
        |script, by| {
            script.leaves(by);
            vec![]
        },
        |script, by| {
            script.finds(by, Text, &[]);
            vec![waiting(by)]
        },
    ];
    for does in all {
        let (mut script, ana, ben) = pair();
        script.falls_silent(ana);
        script.passes(1);
        let by = script.comes_back(ana);
        script.heard();
        let heard = does(&mut script, by);
        assert_eq!(script.heard(), heard);
        script.passes(60_000);
        assert_eq!(script.heard(), [], "nobody looks for Ana");
        // Another one may claim it then.
        let by = script.comes_back(ana);
        assert_eq!(heard_by(&mut script, by), [still_there(ana)]);
        script.passes(2_000);
        let welcome = welcome_back(ana, with(ben, Role::Offerer));
        let heard = [away(ben, ana), welcome, back(ben, ana)];
        assert_eq!(script.heard(), heard);
    }
}

#[test]
fn who_claims_the_seat_of_one_who_takes_another_has_it_then() {
    let (mut script, ana, ben) = pair();
    script.falls_silent(ana);
    script.passes(1);
    let first = script.comes_back(ana);
    let second = script.comes_back(first);
    let heard = [
        welcome(first),
        still_there(ana),
        welcome(second),
        still_there(first),
    ];
    assert_eq!(script.heard(), heard);
    script.drops(ana);
    let again = welcome_back(ana, with(ben, Role::Offerer));
    let heard = [away(ben, ana), again, back(ben, ana), welcome(first)];
    assert_eq!(script.heard(), heard);
}

#[test]
fn who_meets_somebody_in_the_moment_in_which_it_is_looked_for_is_away_after_that() {
    let (mut script, [ana, ben]) = people();
    script.finds(ana, Video, &[]);
    script.finds(ben, Video, &["go"]);
    script.falls_silent(ben);
    script.passes(1_000);
    script.heard();
    let by = script.comes_back(ben);
    assert_eq!(heard_by(&mut script, by), [still_there(ben)]);
    script.passes(2_000);
    let [answers, offers] = meet(ana, ben);
    // The token was of a time before the call.
    let heard = [answers, offers, away(ana, ben), welcome(ben)];
    assert_eq!(script.heard(), heard);
    script.passes(15_000);
    assert_eq!(script.heard(), [left(ana, ben, Lost)]);
}

#[test]
fn of_two_who_met_twice_one_offers_whatever_token_brings_the_other_back() {
    let (mut script, ana, ben) = pair();
    let first_call = script.token(ana);
    script.finds(ben, Video, &[]);
    script.finds(ana, Video, &[]);
    script.heard();
    script.passes(1_500);
    assert_eq!(script.heard(), meet(ben, ana));
    script.drops(ana);
    let by = script.connects(9);
    script.heard();
    script.resumes(by, &first_call);
    let welcome = welcome_back(ana, with(ben, Role::Answerer));
    assert_eq!(script.heard(), [welcome, back(ben, ana)]);
}

#[test]
fn a_token_that_is_refused_lets_nobody_forget_whom_it_met() {
    let (mut script, ana, ben) = pair();
    let cem = script.connects(9);
    script.finds(ana, Video, &[]);
    script.leaves(ana);
    script.heard();
    // Cem lives, so his seat stays his.
    let token = script.token(cem);
    script.resumes(ana, &token);
    script.passes(2_000);
    assert_eq!(script.heard().len(), 2);
    script.finds(ana, Video, &[]);
    script.finds(ben, Video, &[]);
    assert_eq!(script.heard(), [waiting(ana), waiting(ben)]);
}

#[test]
fn who_wakes_up_alone_waits_for_15_seconds_whatever_else_happens() {
    let (mut script, ana, ben) = pair();
    script.loses(ana);
    assert_eq!(script.heard(), [away(ben, ana)]);
    script.forgets();
    script.passes(14_999);
    assert_eq!(script.heard(), []);
    script.passes(1);
    assert_eq!(script.heard(), [left(ben, ana, Lost)]);
}

#[test]
fn a_sooner_end_of_waiting_is_not_slept_through_for_a_later_one() {
    let (mut script, [ana, ben, cem, dora]) = people();
    for peer in [ana, ben, cem, dora] {
        script.finds(peer, Video, &[]);
    }
    script.drops(ana);
    script.passes(1_000);
    script.goes_away(cem);
    script.drops(cem);
    script.heard();
    script.passes(4_000);
    assert_eq!(script.heard(), [left(dora, cem, Lost)]);
    script.passes(10_000);
    assert_eq!(script.heard(), [left(ben, ana, Lost)]);
}

#[test]
fn who_is_in_a_call_by_an_old_token_leaves_the_later_one() {
    let (mut script, ana, ben) = pair();
    let with_ben = script.token(ana);
    let cem = script.connects(9);
    script.finds(ana, Video, &[]);
    script.finds(cem, Video, &[]);
    script.drops(ben);
    script.drops(ana);
    script.heard();
    let by = script.connects(10);
    script.heard();
    script.resumes(by, &with_ben);
    // Whether the call with Ben goes on nobody knows who is there. It is seen in a while.
    let welcome = welcome_back(ana, with(ben, Role::Offerer));
    assert_eq!(script.heard(), [welcome, away(ana, ben)]);
    script.passes(15_000);
    assert_eq!(script.heard(), [left(ana, ben, Lost), left(cem, ana, Lost)]);
}

#[test]
fn a_partner_who_is_back_meets_nobody_until_the_call_is_over() {
    let (mut script, ana, ben) = pair();
    script.drops(ana);
    script.comes_back(ana);
    script.heard();
    let cem = script.connects(9);
    script.finds(cem, Video, &[]);
    assert_eq!(script.heard(), [welcome(cem), waiting(cem)]);
    script.finds(ana, Video, &[]);
    let heard = [
        left(ben, ana, Skipped),
        joined(ana, cem, Role::Answerer),
        joined(cem, ana, Role::Offerer),
    ];
    assert_eq!(script.heard(), heard);
}
