//! Random chat, scene by scene, on the core alone: no server, no socket, no clock.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod common;

use common::pair::{pair, people, stats};
use common::{
    Heard, away, errors, find_with, hex, joined, joined_with, left, meet, other, signal, waiting,
};
use echomingle::core::actor::{MAX_ATTACHMENT_BYTES, SavedSeat};
use echomingle::core::id::PeerId;
use echomingle::core::lobby::Seat;
use echomingle::core::protocol::ErrorCode::{BadMessage, UnknownPeer};
use echomingle::core::protocol::LeaveReason::{Left, Skipped};
use echomingle::core::protocol::Mode::{Text, Video};
use echomingle::core::protocol::{MAX_OFFER_BYTES, Peer, Role, ServerMessage};
use serde_json::json;

#[test]
fn the_second_to_search_meets_the_first_who_then_offers() {
    let (mut script, [ana, ben]) = people();
    script.finds(ana, Video, &[]);
    assert_eq!(script.heard(), [waiting(ana)]);
    assert_eq!(stats(&script), (2, 1, 0));
    script.finds(ben, Video, &[]);
    assert_eq!(script.heard(), meet(ana, ben));
    assert_eq!(stats(&script), (2, 0, 1));
}

#[test]
fn video_and_text_do_not_meet() {
    let (mut script, [ana, ben, cem]) = people();
    script.finds(ana, Video, &[]);
    script.finds(ben, Text, &[]);
    assert_eq!(script.heard(), [waiting(ana), waiting(ben)]);
    script.finds(cem, Text, &[]);
    assert_eq!(script.heard(), meet(ben, cem));
}

#[test]
fn signals_go_to_the_partner_as_they_are() {
    let (mut script, ana, ben) = pair();
    for data in [json!(null), json!({"candidates": [1, "é"]}), json!([])] {
        script.says(
            ana,
            &json!({"type": "signal", "to": ben, "data": data}).to_string(),
        );
        assert_eq!(script.heard(), [signal(ben, ana, data)]);
    }
}

#[test]
fn signals_to_anybody_else_go_nowhere() {
    let (mut script, ana, ben) = pair();
    let cem = script.connects(9);
    let dora = script.connects(10);
    script.finds(cem, Video, &[]);
    script.heard();
    let nobody = PeerId::from_random(77);
    for (from, whom) in [
        (ana, cem),
        (ana, ana),
        (ana, nobody),
        (cem, ben),
        (dora, ana),
    ] {
        script.signals(from, whom);
        assert_eq!(errors(script.heard()), [(from, UnknownPeer)]);
    }
}

#[test]
fn next_ends_the_call_and_meets_whoever_waits() {
    let (mut script, ana, ben) = pair();
    let cem = script.connects(9);
    script.finds(cem, Video, &[]);
    script.heard();
    script.finds(ana, Video, &[]);
    let [answers, offers] = meet(cem, ana);
    assert_eq!(script.heard(), [left(ben, ana, Skipped), answers, offers]);
    assert_eq!(stats(&script), (3, 0, 1));
    script.signals(ben, ana);
    assert_eq!(errors(script.heard()), [(ben, UnknownPeer)]);
}

#[test]
fn when_both_skip_at_once_nobody_is_lost() {
    let (mut script, ana, ben) = pair();
    script.finds(ana, Video, &[]);
    script.finds(ben, Video, &[]);
    assert_eq!(
        script.heard(),
        [left(ben, ana, Skipped), waiting(ana), waiting(ben)]
    );
    let cem = script.connects(9);
    let dora = script.connects(10);
    script.heard();
    script.finds(cem, Video, &[]);
    assert_eq!(script.heard(), meet(ana, cem));
    script.finds(dora, Video, &[]);
    assert_eq!(script.heard(), meet(ben, dora));
}

#[test]
fn leaving_tells_the_partner_and_frees_both() {
    let (mut script, ana, ben) = pair();
    script.leaves(ana);
    assert_eq!(script.heard(), [left(ben, ana, Left)]);
    assert_eq!(stats(&script), (2, 0, 0));
    script.leaves(ana);
    assert_eq!(script.heard(), []);
}

#[test]
fn leaving_the_queue_leaves_only_oneself_out_of_it() {
    let (mut script, [ana, ben, cem]) = people();
    script.finds(ana, Video, &["go"]);
    script.finds(ben, Video, &["jazz"]);
    script.leaves(ana);
    script.heard();
    script.finds(cem, Video, &["go", "jazz"]);
    assert_eq!(
        script.heard(),
        [
            joined_with(cem, ben, Role::Answerer, &["jazz"], None),
            joined_with(ben, cem, Role::Offerer, &["jazz"], None),
        ]
    );
}

#[test]
fn a_lost_socket_is_told_to_the_partner_and_to_nobody_else() {
    let (mut script, ana, ben) = pair();
    let cem = script.connects(9);
    script.finds(cem, Text, &[]);
    script.heard();
    script.drops(ana);
    assert_eq!(script.heard(), [away(ben, ana)]);
    assert_eq!(stats(&script), (2, 1, 1));
}

#[test]
fn a_lost_socket_empties_only_its_own_place_in_the_queue() {
    let (mut script, [ana, ben, cem, dora]) = people();
    for (peer, mode) in [(ana, Video), (ben, Text), (cem, Video)] {
        script.finds(peer, mode, &[]);
    }
    // Ana and Cem have met; Ben waits for text.
    script.drops(cem);
    script.heard();
    script.finds(dora, Text, &[]);
    assert_eq!(script.heard(), meet(ben, dora));
}

#[test]
fn a_shared_interest_comes_before_a_longer_wait() {
    let (mut script, [ana, ben, cem]) = people();
    script.finds(ana, Video, &[]);
    script.finds(ben, Video, &["Jazz"]);
    script.finds(cem, Video, &["go", " JAZZ "]);
    assert_eq!(
        script.heard(),
        [
            waiting(ana),
            waiting(ben),
            joined_with(cem, ben, Role::Answerer, &["jazz"], None),
            joined_with(ben, cem, Role::Offerer, &["jazz"], None),
        ]
    );
}

#[test]
fn after_a_second_and_a_half_anybody_will_do() {
    let (mut script, [ana, ben]) = people();
    script.finds(ana, Video, &["go"]);
    script.passes(1_000);
    script.finds(ben, Video, &["jazz"]);
    assert_eq!(script.heard(), [waiting(ana), waiting(ben)]);
    script.passes(1_499);
    assert_eq!(script.heard(), []);
    script.passes(1);
    assert_eq!(script.heard(), meet(ana, ben));
}

#[test]
fn who_waits_alone_wakes_nobody() {
    let (mut script, [ana, ben]) = people();
    script.finds(ana, Video, &["go"]);
    script.finds(ben, Text, &["go"]);
    script.passes(60_000);
    assert_eq!(script.alarms, 0);
}

#[test]
fn where_searches_come_all_the_time_what_is_due_happens_with_the_next_and_alarms_are_few() {
    // With these two 45 and 46 searches in five seconds.
    for (many, steady) in [(43, false), (44, true)] {
        let (mut script, [ana, ben]) = people();
        let others: Vec<_> = (10..10 + many).map(|n| script.connects(n)).collect();
        for &other in &others {
            script.finds(other, Text, &[]);
        }
        script.passes(500);
        script.finds(ana, Video, &["go"]);
        script.finds(ben, Video, &["jazz"]);
        script.heard();
        let alarm = if steady { 4_500 } else { 1_500 };
        assert_eq!(script.alarm_in(), Some(alarm));
        script.passes(1_499);
        assert_eq!(script.heard(), []);
        script.passes(1);
        assert_eq!(script.heard().is_empty(), steady);
        script.connects(9);
        let met: Vec<_> = script.heard();
        assert_eq!(met.starts_with(&meet(ana, ben)), steady, "{met:?}");
    }
    // Where nothing comes any more the alarm does.
    let (mut script, [ana, ben]) = people();
    for n in 10..60 {
        let other = script.connects(n);
        script.finds(other, Text, &[]);
    }
    script.passes(500);
    script.finds(ana, Video, &["go"]);
    script.finds(ben, Video, &["jazz"]);
    script.heard();
    script.passes(4_499);
    assert_eq!(script.heard(), []);
    script.passes(1);
    assert_eq!(script.heard(), meet(ana, ben));
    assert_eq!(script.alarms, 1);
}

#[test]
fn who_named_nothing_waits_for_who_is_particular() {
    let (mut script, [ana, ben]) = people();
    script.finds(ana, Video, &[]);
    script.finds(ben, Video, &["go"]);
    assert_eq!(script.heard(), [waiting(ana), waiting(ben)]);
    script.passes(1_500);
    assert_eq!(script.heard(), meet(ana, ben));
}

#[test]
fn a_second_search_changes_the_wish_and_keeps_the_place() {
    let (mut script, [ana, ben, cem]) = people();
    script.finds(ana, Video, &["go"]);
    script.passes(1_000);
    script.finds(ben, Video, &["jazz"]);
    script.finds(ana, Video, &["chess"]);
    assert_eq!(script.heard(), [waiting(ana), waiting(ben), waiting(ana)]);
    assert_eq!(stats(&script), (3, 2, 0));
    script.finds(cem, Video, &["chess", "jazz"]);
    assert_eq!(
        script.heard(),
        [
            joined_with(cem, ana, Role::Answerer, &["chess"], None),
            joined_with(ana, cem, Role::Offerer, &["chess"], None),
        ]
    );
}

#[test]
fn who_changes_the_mode_queues_anew() {
    let (mut script, [ana, ben, cem]) = people();
    script.finds(ana, Video, &["a"]);
    script.finds(ben, Text, &["b"]);
    script.finds(ana, Text, &["a"]);
    script.heard();
    script.finds(cem, Text, &["a", "b"]);
    assert_eq!(
        script.heard(),
        [
            joined_with(cem, ben, Role::Answerer, &["b"], None),
            joined_with(ben, cem, Role::Offerer, &["b"], None),
        ]
    );
}

#[test]
fn who_just_met_does_not_meet_again_while_others_wait() {
    let (mut script, ana, ben) = pair();
    script.finds(ana, Video, &[]);
    script.finds(ben, Video, &[]);
    script.heard();
    let cem = script.connects(9);
    script.heard();
    script.finds(cem, Video, &["go"]);
    // Cem is particular, and still somebody to hope for.
    script.passes(1_499);
    assert_eq!(script.heard(), [waiting(cem)]);
    script.passes(1);
    assert_eq!(script.heard(), meet(ana, cem));
    script.passes(60_000);
    assert_eq!(script.heard(), []);
}

#[test]
fn the_last_two_in_the_world_meet_again_after_a_while() {
    let (mut script, ana, ben) = pair();
    script.finds(ana, Video, &[]);
    script.passes(500);
    script.finds(ben, Video, &[]);
    script.heard();
    script.passes(1_499);
    assert_eq!(script.heard(), []);
    script.passes(1);
    assert_eq!(script.heard(), meet(ana, ben));
}

#[test]
fn when_the_last_hope_leaves_those_who_met_meet_again() {
    let (mut script, ana, ben) = pair();
    script.finds(ana, Video, &[]);
    script.finds(ben, Video, &[]);
    script.passes(1_000);
    let cem = script.connects(9);
    script.finds(cem, Video, &["go"]);
    script.passes(1_000);
    script.heard();
    script.leaves(cem);
    assert_eq!(script.heard(), meet(ana, ben));
}

#[test]
fn who_was_silent_for_45_seconds_of_waiting_is_met_by_nobody() {
    for (silence, meets) in [(45_000, true), (45_001, false)] {
        let (mut script, [ana, ben]) = people();
        script.finds(ana, Video, &[]);
        script.falls_silent(ana);
        script.passes(silence);
        script.heard();
        script.finds(ben, Video, &[]);
        if meets {
            assert_eq!(script.heard(), meet(ana, ben));
        } else {
            assert_eq!(script.heard(), [waiting(ben)]);
            assert_eq!(script.evicted, [ana]);
            assert_eq!(stats(&script), (1, 1, 0));
        }
    }
}

#[test]
fn nobody_opens_up_to_the_silent() {
    let (mut script, [ana, ben]) = people();
    script.finds(ana, Video, &[]);
    script.falls_silent(ana);
    script.passes(50_000);
    script.finds(ben, Video, &["go"]);
    script.passes(1_499);
    assert_eq!(script.heard(), [waiting(ana), waiting(ben)]);
    assert_eq!(script.evicted, []);
    script.passes(1);
    assert_eq!(script.heard(), []);
    assert_eq!(script.evicted, [ana]);
}

#[test]
fn nobody_meets_the_silent_again() {
    let (mut script, ana, ben) = pair();
    script.finds(ana, Video, &[]);
    script.falls_silent(ana);
    script.passes(50_000);
    script.finds(ben, Video, &[]);
    script.heard();
    script.passes(1_500);
    assert_eq!(script.heard(), []);
    assert_eq!(script.evicted, [ana]);
    assert_eq!(stats(&script), (1, 1, 0));
}

#[test]
fn a_prepared_offer_goes_to_whoever_comes_next() {
    let (mut script, [ana, ben]) = people();
    script.sends(ana, &find_with("offer of ana"));
    script.forgets();
    script.finds(ben, Video, &[]);
    let mut heard = script.heard();
    heard.remove(0);
    assert_eq!(
        heard,
        [
            joined_with(ben, ana, Role::Answerer, &[], Some("offer of ana")),
            joined(ana, ben, Role::Offerer),
        ]
    );
}

#[test]
fn of_two_prepared_offers_the_older_is_used_and_a_single_one_always() {
    let (mut script, [ana, ben, cem, dora]) = people();
    script.sends(ana, &find_with("ana's"));
    script.sends(ben, &find_with("ben's"));
    script.finds(cem, Video, &[]);
    script.sends(dora, &find_with("dora's"));
    let joins: Vec<Heard> = script.heard();
    assert_eq!(
        joins,
        [
            waiting(ana),
            joined_with(ben, ana, Role::Answerer, &[], Some("ana's")),
            joined(ana, ben, Role::Offerer),
            waiting(cem),
            joined_with(cem, dora, Role::Answerer, &[], Some("dora's")),
            joined(dora, cem, Role::Offerer),
        ]
    );
}

#[test]
fn offers_cross_where_both_have_one_and_know_what_to_do_then() {
    let crossing = |offer: Option<&str>| {
        let mut find = json!({"type": "find", "mode": "video", "crosses": true});
        if let Some(offer) = offer {
            find["offer"] = json!(offer);
        }
        find.to_string()
    };
    let both = |ana, ben, to_ana: Option<&str>, to_ben: Option<&str>, crossed| {
        let told = |to, peer, role, offer: Option<&str>| {
            let peer = Peer {
                offer: offer.map(Into::into),
                crossed,
                ..other((peer, None), role)
            };
            (to, ServerMessage::PeerJoined { peer, resume: None })
        };
        [
            told(ben, ana, Role::Answerer, to_ben),
            told(ana, ben, Role::Offerer, to_ana),
        ]
    };
    let [a, b] = [Some("ana's"), Some("ben's")];
    for (anas, bens, to_ana, to_ben, crossed) in [
        (crossing(a), crossing(b), b, a, true),
        (crossing(a), crossing(None), None, a, false),
        (find_text("ana's"), crossing(b), None, a, false),
        (crossing(a), find_text("ben's"), None, a, false),
    ] {
        let (mut script, [ana, ben]) = people();
        script.says(ana, &anas);
        script.says(ben, &bens);
        let heard = script.heard();
        let expected = both(ana, ben, to_ana, to_ben, crossed);
        assert_eq!(heard[1..], expected, "{anas} and {bens}");
    }
}

/// The frame of a search with a prepared offer, of who does not know of crossing.
fn find_text(offer: &str) -> String {
    serde_json::to_string(&find_with(offer)).unwrap()
}

#[test]
fn who_waits_renews_its_offer_and_keeps_its_place() {
    let (mut script, [ana, ben, cem]) = people();
    script.sends(ana, &find_with("old"));
    script.passes(1_000);
    script.renews(ana, "new");
    assert_eq!(script.heard(), [waiting(ana), waiting(ana)]);
    script.finds(ben, Video, &[]);
    let met = [
        joined_with(ben, ana, Role::Answerer, &[], Some("new")),
        joined(ana, ben, Role::Offerer),
    ];
    assert_eq!(script.heard(), met);
    // By now they have met, so the offer that came too late is nobody's.
    script.renews(ana, "late");
    script.renews(cem, "of somebody who does not search");
    assert_eq!(script.heard(), []);
    assert_eq!(stats(&script), (3, 0, 1));
}

#[test]
fn the_fullest_seat_fits_into_its_attachment() {
    let (mut script, [ana]) = people();
    let interests: Vec<_> = (0..8u8)
        .map(|n| format!("{}{}", char::from(n + 1), "\u{1}".repeat(31)))
        .collect();
    let offer = "\n".repeat(MAX_OFFER_BYTES);
    let find = json!({"type": "find", "mode": "video", "interests": interests, "offer": offer});
    script.says(ana, &find.to_string());
    assert_eq!(script.heard(), [waiting(ana)]);
    assert!(script.remembers(ana) > MAX_OFFER_BYTES);
    assert!(script.remembers(ana) <= MAX_ATTACHMENT_BYTES);
}

#[test]
fn what_sockets_remember_has_a_version() {
    let (mut script, [ana, ben]) = people();
    script.finds(ana, Video, &["chess"]);
    let waits = "03010180808080c0e285e3680001056368657373000003000080a0f1c2b134";
    assert_eq!(hex(&script.attachments[&ana]), waits, "count VERSION up");
    script.finds(ben, Video, &["chess"]);
    let talks = "0301020200000301020080a0f1c2b134";
    assert_eq!(hex(&script.attachments[&ana]), talks, "count VERSION up");
}

#[test]
fn what_belongs_to_rooms_is_refused_and_changes_nothing() {
    let (mut script, ana, ben) = pair();
    let cem = script.connects(9);
    script.finds(cem, Video, &[]);
    script.heard();
    for peer in [ana, cem] {
        script.joins(peer, Some("Ana"));
        script.locks(peer, true);
        script.asks_to_mute(peer, ben);
        script.removes(peer, ben);
        assert_eq!(errors(script.heard()), [(peer, BadMessage); 4]);
    }
    assert_eq!(stats(&script), (3, 1, 1));
    script.signals(ana, ben);
    assert_eq!(script.heard(), [signal(ben, ana, json!(1))]);
}

#[test]
fn who_wakes_up_without_its_partner_is_told() {
    let (mut script, ana, ben) = pair();
    script.loses(ana);
    assert_eq!(script.heard(), [away(ben, ana)]);
    assert_eq!(stats(&script), (1, 0, 1));
}

#[test]
fn what_cannot_be_read_makes_no_seat() {
    let broken: [&[u8]; 3] = [b"", b"{}", b"[\"0000000000\",{}]"];
    for bytes in broken {
        assert!(SavedSeat::<Seat>::read(bytes).is_none(), "{bytes:?}");
    }
}
