//! A room, scene by scene, on the core alone: no server, no socket, no clock.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod common;

use common::party::{SEATS, all, comes, entrance, gone, inside, nameless, people, told};
use common::{Heard, asked_to_mute, away, errors, hex, introduced, room, signal};
use echomingle::core::actor::{Actor, MAX_ATTACHMENT_BYTES, SavedSeat};
use echomingle::core::id::PeerId;
use echomingle::core::protocol::ErrorCode::{
    BadMessage, NotAllowed, RoomFull, RoomLocked, UnknownPeer,
};
use echomingle::core::protocol::LeaveReason::{Left, Removed};
use echomingle::core::protocol::{MAX_NAME_CHARS, ServerMessage};
use echomingle::core::room::Seat;
use serde_json::json;

#[test]
fn the_first_to_come_is_the_host_and_hears_of_nobody() {
    let (mut script, [ana]) = people();
    script.joins(ana, None);
    assert_eq!(script.heard(), [room(ana, ana, false, SEATS)]);
}

#[test]
fn a_newcomer_hears_how_the_room_stands_and_then_of_each_member_in_order_of_coming() {
    let (mut script, [ana, ben, cem, dora]) = people();
    for peer in [cem, ana, dora] {
        script.joins(peer, None);
    }
    script.heard();
    script.joins(ben, None);
    let [cem_hears, first] = introduced((cem, None), (ben, None));
    let [ana_hears, second] = introduced((ana, None), (ben, None));
    let [dora_hears, third] = introduced((dora, None), (ben, None));
    let heard = script.heard();
    let of = |peer| heard.iter().filter(move |(to, _)| *to == peer).cloned();
    assert_eq!(
        of(ben).collect::<Vec<_>>(),
        [room(ben, cem, false, SEATS), first, second, third]
    );
    for (member, hears) in [(cem, cem_hears), (ana, ana_hears), (dora, dora_hears)] {
        assert_eq!(of(member).collect::<Vec<_>>(), [hears]);
    }
    assert_eq!(heard, nameless(ben, &[cem, ana, dora]));
}

#[test]
fn two_who_come_at_the_same_instant_know_each_other_once_and_one_of_them_offers() {
    let (mut script, [ana, ben]) = people();
    // Both frames are on their way before either is answered.
    script.joins(ana, None);
    script.joins(ben, None);
    let heard = script.heard();
    assert_eq!(heard, all([nameless(ana, &[]), nameless(ben, &[ana])]));
    let role = |(_, message): &Heard| match message {
        ServerMessage::PeerJoined { peer, .. } => Some(peer.role),
        _ => None,
    };
    let roles: Vec<_> = heard.iter().filter_map(role).collect();
    assert_eq!(roles.len(), 2);
    assert_ne!(roles[0], roles[1]);
}

#[test]
fn a_name_is_told_in_single_spaces_and_no_name_is_none() {
    let (mut script, [ana, ben, cem, dora]) = people();
    script.joins(ana, Some("  Ana \n María\t"));
    script.joins(ben, None);
    script.joins(cem, Some(" \u{0}\u{7f}\r\n \u{200b}\u{3164}"));
    script.joins(dora, Some("\u{202e}Dora \"D\" <b> 語"));
    let (ana, ben, cem) = ((ana, Some("Ana María")), (ben, None), (cem, None));
    let dora = (dora, Some("Dora \"D\" <b> 語"));
    assert_eq!(
        script.heard(),
        all([
            entrance(ana, &[]),
            entrance(ben, &[ana]),
            entrance(cem, &[ana, ben]),
            entrance(dora, &[ana, ben, cem]),
        ])
    );
}

#[test]
fn a_second_join_changes_the_name_for_whoever_comes_later_and_is_told_to_nobody() {
    let (mut script, [ana, ben, cem, dora]) = people();
    script.joins(ana, Some("Ana"));
    script.joins(ben, Some("Ben"));
    script.heard();
    script.joins(ana, Some(" Anna "));
    assert_eq!(script.heard(), []);
    script.joins(cem, None);
    // The place is the old one, so Ana is still the host.
    let (anna, ben, cem) = ((ana, Some("Anna")), (ben, Some("Ben")), (cem, None));
    assert_eq!(script.heard(), entrance(cem, &[anna, ben]));
    script.joins(ana, None);
    assert_eq!(script.heard(), []);
    script.joins(dora, None);
    assert_eq!(
        script.heard(),
        entrance((dora, None), &[(ana, None), ben, cem])
    );
}

#[test]
fn who_is_inside_changes_its_name_in_a_room_that_is_locked_and_full() {
    let (mut script, [ana, ben, cem, dora]) = inside();
    script.locks(ana, true);
    script.heard();
    script.joins(dora, Some("Dora"));
    assert_eq!(script.heard(), []);
    script.locks(ana, false);
    script.leaves(cem);
    script.heard();
    script.joins(cem, None);
    let dora = (dora, Some("Dora"));
    assert_eq!(
        script.heard(),
        entrance((cem, None), &[(ana, None), (ben, None), dora])
    );
}

#[test]
fn a_name_of_32_characters_is_taken_and_one_more_keeps_its_owner_out() {
    let (mut script, [ana, ben]) = people();
    let longest = "é".repeat(MAX_NAME_CHARS);
    script.joins(ana, Some(&longest));
    script.heard();
    script.joins(ben, Some(&"é".repeat(MAX_NAME_CHARS + 1)));
    assert_eq!(errors(script.heard()), [(ben, BadMessage)]);
    script.signals(ana, ben);
    assert_eq!(errors(script.heard()), [(ana, UnknownPeer)]);
    script.joins(ben, None);
    assert_eq!(
        script.heard(),
        entrance((ben, None), &[(ana, Some(&longest))])
    );
    // A name that is refused leaves the old one as it was.
    script.joins(ana, Some(&"é".repeat(MAX_NAME_CHARS + 1)));
    assert_eq!(errors(script.heard()), [(ana, BadMessage)]);
    let cem = comes(&mut script, 9);
    script.joins(cem, None);
    assert_eq!(
        script.heard(),
        entrance((cem, None), &[(ana, Some(&longest)), (ben, None)])
    );
}

#[test]
fn signals_go_to_the_member_they_are_for_as_they_are() {
    let (mut script, [ana, ben, cem]) = inside();
    for data in [json!(null), json!({"candidates": [1, "é"]}), json!([])] {
        for (from, to) in [(ana, cem), (cem, ana), (ben, cem), (cem, ben), (ben, ana)] {
            let frame = json!({"type": "signal", "to": to, "data": data});
            script.says(from, &frame.to_string());
            assert_eq!(script.heard(), [signal(to, from, data.clone())]);
        }
    }
}

#[test]
fn nothing_goes_to_who_is_not_inside_nor_to_oneself() {
    let (mut script, [ana, ben, cem, dora]) = inside();
    let outside = comes(&mut script, 9);
    let stranger = PeerId::from_random(77);
    script.leaves(cem);
    script.leaves(dora);
    script.drops(dora);
    script.heard();
    for whom in [ana, outside, stranger, cem, dora] {
        script.signals(ana, whom);
        script.removes(ana, whom);
        script.asks_to_mute(ana, whom);
        assert_eq!(errors(script.heard()), [(ana, UnknownPeer); 3]);
    }
    for whom in [ben, outside, cem] {
        script.signals(ben, whom);
        assert_eq!(errors(script.heard()), [(ben, UnknownPeer)]);
    }
}

#[test]
fn nothing_comes_from_who_is_not_inside() {
    let (mut script, [ana, ben, cem]) = inside();
    let outside = comes(&mut script, 9);
    let another = comes(&mut script, 10);
    script.leaves(cem);
    script.heard();
    for from in [outside, cem] {
        for whom in [ana, ben, another, from] {
            script.signals(from, whom);
            assert_eq!(errors(script.heard()), [(from, UnknownPeer)]);
        }
    }
}

#[test]
fn whoever_leaves_is_told_to_all_others_once_and_the_room_stands_as_before() {
    let (mut script, [ana, ben, cem, dora]) = inside();
    script.leaves(cem);
    assert_eq!(script.heard(), gone(&[ana, ben, dora], cem, Left));
    script.leaves(dora);
    assert_eq!(script.heard(), gone(&[ana, ben], dora, Left));
    script.removes(ana, ben);
    assert_eq!(script.heard(), gone(&[ana, ben], ben, Removed));
}

#[test]
fn the_removed_hears_it_of_itself_and_may_come_in_again() {
    let (mut script, [ana, ben, cem]) = inside();
    script.removes(ana, ben);
    assert_eq!(script.heard(), gone(&[ana, cem, ben], ben, Removed));
    script.signals(ben, ana);
    assert_eq!(errors(script.heard()), [(ben, UnknownPeer)]);
    script.joins(ben, None);
    assert_eq!(script.heard(), nameless(ben, &[ana, cem]));
}

#[test]
fn the_host_passes_on_to_whoever_has_been_there_longest() {
    let (mut script, [ana, ben, cem, dora]) = inside();
    script.leaves(ana);
    let everybody = [ben, cem, dora];
    assert_eq!(
        script.heard(),
        all([gone(&everybody, ana, Left), told(&everybody, ben, false)])
    );
    // Who comes back comes last.
    script.joins(ana, None);
    assert_eq!(script.heard(), nameless(ana, &everybody));
    script.leaves(ben);
    let everybody = [cem, dora, ana];
    assert_eq!(
        script.heard(),
        all([gone(&everybody, ben, Left), told(&everybody, cem, false)])
    );
    script.removes(cem, dora);
    assert_eq!(script.heard(), gone(&[cem, ana, dora], dora, Removed));
    script.leaves(cem);
    assert_eq!(
        script.heard(),
        all([gone(&[ana], cem, Left), told(&[ana], ana, false)])
    );
}

#[test]
fn who_comes_when_others_have_left_still_comes_after_those_who_are_there() {
    let (mut script, [ana, ben, cem]) = inside();
    let dora = comes(&mut script, 0);
    script.leaves(ben);
    script.joins(dora, None);
    assert_eq!(
        script.heard(),
        all([gone(&[ana, cem], ben, Left), nameless(dora, &[ana, cem])])
    );
    script.leaves(ana);
    let everybody = [cem, dora];
    assert_eq!(
        script.heard(),
        all([gone(&everybody, ana, Left), told(&everybody, cem, false)])
    );
}

#[test]
fn only_the_new_host_may_do_what_the_old_one_did() {
    let (mut script, [ana, ben, cem]) = inside();
    script.leaves(ana);
    script.joins(ana, None);
    script.heard();
    script.locks(ana, true);
    script.locks(cem, true);
    assert_eq!(
        errors(script.heard()),
        [(ana, NotAllowed), (cem, NotAllowed)]
    );
    script.locks(ben, true);
    assert_eq!(script.heard(), told(&[ben, cem, ana], ben, true));
}

#[test]
fn a_lock_is_told_to_everybody_inside_and_keeps_newcomers_out() {
    let (mut script, [ana, ben]) = inside();
    let cem = comes(&mut script, 9);
    script.locks(ana, true);
    assert_eq!(script.heard(), told(&[ana, ben], ana, true));
    script.joins(cem, None);
    assert_eq!(errors(script.heard()), [(cem, RoomLocked)]);
    script.signals(ana, cem);
    assert_eq!(errors(script.heard()), [(ana, UnknownPeer)]);
    script.locks(ana, false);
    assert_eq!(script.heard(), told(&[ana, ben], ana, false));
    script.joins(cem, None);
    assert_eq!(script.heard(), nameless(cem, &[ana, ben]));
}

#[test]
fn a_lock_that_changes_nothing_is_told_to_nobody() {
    let (mut script, [ana, ben]) = inside();
    script.locks(ana, false);
    assert_eq!(script.heard(), []);
    script.locks(ana, true);
    assert_eq!(script.heard(), told(&[ana, ben], ana, true));
    script.locks(ana, true);
    assert_eq!(script.heard(), []);
    script.locks(ana, false);
    script.locks(ana, false);
    assert_eq!(script.heard(), told(&[ana, ben], ana, false));
}

#[test]
fn a_lock_outlives_the_host_who_set_it_and_is_the_next_ones_to_lift() {
    let (mut script, [ana, ben, cem]) = inside();
    script.locks(ana, true);
    script.heard();
    script.leaves(ana);
    assert_eq!(
        script.heard(),
        all([gone(&[ben, cem], ana, Left), told(&[ben, cem], ben, true)])
    );
    let dora = comes(&mut script, 9);
    script.joins(dora, None);
    assert_eq!(errors(script.heard()), [(dora, RoomLocked)]);
    script.locks(ben, false);
    assert_eq!(script.heard(), told(&[ben, cem], ben, false));
    script.joins(dora, None);
    assert_eq!(script.heard(), nameless(dora, &[ben, cem]));
}

#[test]
fn who_is_removed_from_a_locked_room_stays_out() {
    let (mut script, [ana, ben]) = inside();
    script.locks(ana, true);
    script.removes(ana, ben);
    script.heard();
    script.joins(ben, None);
    assert_eq!(errors(script.heard()), [(ben, RoomLocked)]);
}

#[test]
fn a_room_that_everybody_left_is_nobodys_and_unlocked() {
    for last_one_drops in [false, true] {
        let (mut script, [ana, ben]) = inside();
        let cem = comes(&mut script, 9);
        script.locks(ana, true);
        script.leaves(ana);
        script.heard();
        match last_one_drops {
            true => script.drops(ben),
            false => script.leaves(ben),
        }
        assert_eq!(script.heard(), []);
        script.locks(ana, true);
        assert_eq!(errors(script.heard()), [(ana, NotAllowed)]);
        script.joins(cem, None);
        script.joins(ana, None);
        assert_eq!(
            script.heard(),
            all([nameless(cem, &[]), nameless(ana, &[cem])])
        );
    }
}

#[test]
fn what_the_host_may_do_is_refused_to_everybody_else() {
    let (mut script, [ana, ben, cem]) = inside();
    let outside = comes(&mut script, 9);
    for by in [ben, cem, outside] {
        for whom in [ana, cem, by, outside] {
            script.removes(by, whom);
            script.asks_to_mute(by, whom);
            assert_eq!(errors(script.heard()), [(by, NotAllowed); 2]);
        }
        for on in [true, false] {
            script.locks(by, on);
            assert_eq!(errors(script.heard()), [(by, NotAllowed)]);
        }
    }
    script.joins(outside, None);
    assert_eq!(script.heard(), nameless(outside, &[ana, ben, cem]));
}

#[test]
fn asking_to_mute_is_heard_only_by_who_is_asked() {
    let (mut script, [ana, ben, cem]) = inside();
    script.asks_to_mute(ana, cem);
    assert_eq!(script.heard(), [asked_to_mute(cem)]);
    script.asks_to_mute(ana, ben);
    script.asks_to_mute(ana, ben);
    assert_eq!(script.heard(), [asked_to_mute(ben), asked_to_mute(ben)]);
}

#[test]
fn the_last_seat_is_given_and_whoever_comes_after_tries_again_when_somebody_left() {
    let (mut script, [ana, ben, cem, dora]) = people();
    for peer in [ana, ben, cem] {
        script.joins(peer, None);
    }
    let emil = script.connects(9);
    script.heard();
    script.joins(dora, None);
    assert_eq!(script.heard(), nameless(dora, &[ana, ben, cem]));
    script.joins(emil, None);
    assert_eq!(errors(script.heard()), [(emil, RoomFull)]);
    script.leaves(ben);
    script.heard();
    script.joins(emil, None);
    assert_eq!(script.heard(), nameless(emil, &[ana, cem, dora]));
    script.joins(ben, None);
    assert_eq!(errors(script.heard()), [(ben, RoomFull)]);
}

#[test]
fn a_room_that_is_locked_and_full_says_that_it_is_locked() {
    let (mut script, [ana, _, _, _]) = inside();
    let emil = comes(&mut script, 9);
    script.locks(ana, true);
    script.heard();
    script.joins(emil, None);
    assert_eq!(errors(script.heard()), [(emil, RoomLocked)]);
    script.locks(ana, false);
    script.heard();
    script.joins(emil, None);
    assert_eq!(errors(script.heard()), [(emil, RoomFull)]);
}

#[test]
fn people_before_the_door_take_no_seat_and_hear_nothing() {
    let (mut script, waiting) = people::<9>();
    let [ana, ben, cem, dora, ..] = waiting;
    for (n, peer) in [ana, ben, cem, dora].into_iter().enumerate() {
        script.joins(peer, None);
        assert_eq!(script.heard(), nameless(peer, &waiting[..n]));
    }
    script.locks(ana, true);
    script.locks(ana, false);
    script.heard();
    script.leaves(ana);
    assert_eq!(
        script.heard(),
        all([
            gone(&[ben, cem, dora], ana, Left),
            told(&[ben, cem, dora], ben, false)
        ])
    );
    // Who goes from before the door is missed by nobody.
    for &peer in &waiting[4..] {
        script.drops(peer);
    }
    assert_eq!(script.heard(), []);
}

#[test]
fn leaving_is_nothing_to_who_is_not_inside() {
    let (mut script, [ana, ben]) = inside();
    let cem = comes(&mut script, 9);
    script.leaves(cem);
    assert_eq!(script.heard(), []);
    script.leaves(ben);
    assert_eq!(script.heard(), gone(&[ana], ben, Left));
    script.leaves(ben);
    script.drops(ben);
    assert_eq!(script.heard(), []);
    script.joins(cem, None);
    assert_eq!(script.heard(), nameless(cem, &[ana]));
}

#[test]
fn what_belongs_to_random_chat_is_refused() {
    let (mut script, [ana, ben]) = inside();
    let cem = comes(&mut script, 9);
    for peer in [ana, cem] {
        script.says(peer, r#"{"type":"find","mode":"video"}"#);
        assert_eq!(errors(script.heard()), [(peer, BadMessage)]);
    }
    script.signals(ana, ben);
    assert_eq!(script.heard(), [signal(ben, ana, json!(1))]);
}

#[test]
fn who_is_gone_does_nothing_any_more() {
    let (mut script, [ana, ben]) = inside();
    script.leaves(ana);
    script.drops(ana);
    script.heard();
    script.joins(ana, None);
    script.signals(ana, ben);
    script.leaves(ana);
    script.drops(ana);
    assert_eq!(script.heard(), []);
    assert!(!script.actor.knows(ana));
    script.signals(ben, ana);
    assert_eq!(errors(script.heard()), [(ben, UnknownPeer)]);
}

#[test]
fn time_does_nothing_in_a_room() {
    let (mut script, [ana, ..]) = inside::<3>();
    script.locks(ana, true);
    script.heard();
    script.passes(24 * 60 * 60 * 1_000);
    assert_eq!(script.heard(), []);
    assert_eq!(script.alarms, 0);
}

#[test]
fn after_a_sleep_the_order_the_host_the_lock_and_the_names_are_as_before() {
    let (mut script, [ana, ben, cem, dora]) = people();
    script.joins(cem, Some("Cem"));
    script.joins(ana, Some("Ana"));
    script.joins(ben, None);
    script.locks(cem, true);
    script.joins(ana, Some("Anna"));
    script.heard();
    script.forgets();
    assert_eq!(script.heard(), []);
    script.joins(dora, None);
    assert_eq!(errors(script.heard()), [(dora, RoomLocked)]);
    script.locks(ana, false);
    assert_eq!(errors(script.heard()), [(ana, NotAllowed)]);
    script.locks(cem, false);
    assert_eq!(script.heard(), told(&[cem, ana, ben], cem, false));
    script.forgets();
    script.joins(dora, Some("Dora"));
    let (cem, anna) = ((cem, Some("Cem")), (ana, Some("Anna")));
    assert_eq!(
        script.heard(),
        entrance((dora, Some("Dora")), &[cem, anna, (ben, None)])
    );
    // Whoever came after the sleep comes after those who slept.
    script.forgets();
    script.leaves(cem.0);
    script.heard();
    script.forgets();
    script.leaves(ana);
    let rest = [ben, dora];
    assert_eq!(
        script.heard(),
        all([gone(&rest, ana, Left), told(&rest, ben, false)])
    );
    script.forgets();
    script.leaves(ben);
    assert_eq!(
        script.heard(),
        all([gone(&[dora], ben, Left), told(&[dora], dora, false)])
    );
}

#[test]
fn after_a_sleep_who_left_or_was_removed_is_still_outside_and_seats_are_counted() {
    let (mut script, [ana, ben, cem, dora]) = inside();
    let emil = comes(&mut script, 9);
    script.forgets();
    script.joins(emil, None);
    assert_eq!(errors(script.heard()), [(emil, RoomFull)]);
    script.leaves(cem);
    script.removes(ana, dora);
    script.heard();
    script.forgets();
    for peer in [cem, dora, emil] {
        script.signals(peer, ana);
        assert_eq!(errors(script.heard()), [(peer, UnknownPeer)]);
    }
    script.signals(ana, ben);
    assert_eq!(script.heard(), [signal(ben, ana, json!(1))]);
    script.joins(emil, None);
    assert_eq!(script.heard(), nameless(emil, &[ana, ben]));
}

#[test]
fn a_lock_that_outlived_its_host_outlives_a_sleep_too() {
    let (mut script, [ana, ben]) = inside();
    let cem = comes(&mut script, 9);
    script.locks(ana, true);
    script.leaves(ana);
    script.heard();
    script.forgets();
    script.joins(cem, None);
    assert_eq!(errors(script.heard()), [(cem, RoomLocked)]);
    script.leaves(ben);
    script.forgets();
    script.joins(cem, None);
    assert_eq!(script.heard(), nameless(cem, &[]));
}

#[test]
fn who_wakes_up_without_somebody_is_told() {
    let (mut script, [ana, ben, cem]) = inside();
    script.loses(ana);
    // Nobody knows any more how the room stood, so all are told.
    let gone = vec![away(ben, ana), away(cem, ana)];
    assert_eq!(script.heard(), all([gone, told(&[ben, cem], ana, false)]));
    script.forgets();
    assert_eq!(script.heard(), [], "that is known already");
}

#[test]
fn who_is_missed_and_silent_for_too_long_is_away_to_all() {
    let (mut script, [ana, ben, cem]) = inside();
    script.falls_silent(ana);
    script.passes(45_001);
    assert_eq!(script.heard(), []);
    script.misses(cem, ana);
    assert_eq!(script.heard(), [away(ben, ana), away(cem, ana)]);
}

#[test]
fn who_is_missed_and_not_silent_for_so_long_stays() {
    let (mut script, [ana, ben, cem]) = inside();
    script.falls_silent(ana);
    script.passes(45_000);
    script.misses(cem, ana);
    assert_eq!(script.heard(), []);
    script.signals(ana, ben);
    assert_eq!(script.heard(), [signal(ben, ana, json!(1))]);
}

#[test]
fn nobody_misses_itself_or_a_stranger() {
    let (mut script, [ana, _, _]) = inside();
    let dora = script.connects(9);
    script.falls_silent(ana);
    script.falls_silent(dora);
    script.passes(60_000);
    script.heard();
    for (by, whom) in [(ana, ana), (ana, dora), (dora, ana)] {
        script.misses(by, whom);
        assert_eq!(errors(script.heard()), [(by, UnknownPeer)]);
    }
}

#[test]
fn the_fullest_seat_fits_into_its_attachment() {
    let (mut script, [ana, ben]) = people();
    let longest = "\"".repeat(MAX_NAME_CHARS);
    for (peer, name) in [(ana, longest), (ben, "🎥".repeat(MAX_NAME_CHARS))] {
        script.joins(peer, Some(&name));
        assert!(script.attachments[&peer].len() > name.len());
        assert!(script.attachments[&peer].len() <= MAX_ATTACHMENT_BYTES);
    }
}

#[test]
fn what_sockets_remember_has_a_version() {
    let (script, [ana, _]) = inside();
    let sits = "03020200010000010101000080a0f1c2b134";
    assert_eq!(hex(&script.attachments[&ana]), sits, "count VERSION up");
}

#[test]
fn what_cannot_be_read_makes_no_seat() {
    let broken: [&[u8]; 4] = [
        b"",
        b"\x01",
        b"\x01\x0a0000000000\x02",
        b"\x00\x0a0000000000\x00\x00",
    ];
    for bytes in broken {
        assert!(SavedSeat::<Seat>::read(bytes).is_none(), "{bytes:?}");
    }
}
