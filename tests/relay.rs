//! The short way of a signal: what it costs and takes, and that it is the same as the long one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm
)]

mod common;

use allocation_counter::measure;
use echomingle::core::actor::Actor;
use echomingle::core::id::PeerId;
use echomingle::core::lobby::Lobby;
use echomingle::core::protocol::{
    ClientMessage, ErrorCode, LeaveReason, Mode, Relayed, ServerMessage, parse,
};
use echomingle::core::room::Room;
use serde_json::json;

use self::common::party::{gone, inside, told};
use self::common::{Heard, KEY, Script, away, errors, left, meet, signal};

/// Signals of this data, as somebody sends them.
fn frames(to: PeerId) -> [String; 3] {
    let sdp = "v=0\r\n\"é😀\\".repeat(400);
    let datas = [
        json!({ "description": { "type": "offer", "sdp": sdp } }),
        json!({ "candidates": [{ "candidate": "candidate:1 1 udp 1 192.0.2.7 9 typ host" }, null] }),
        json!(1),
    ];
    datas.map(|data| serde_json::to_string(&ClientMessage::Signal { to, data }).unwrap())
}

/// What the JSON reader asks for to remember in what it is, where data are nested: a few bytes, once.
const SCRATCH: u64 = 64;

/// Every signal of one to the other is relayed without any memory but the reader's own.
fn nothing_is_allocated<A: Actor>(actor: &A, [one, other]: [PeerId; 2]) {
    for frame in frames(other) {
        let mut message = None;
        let reading = measure(|| message = parse(&frame).ok());
        assert!(reading.count_total <= 1 && reading.bytes_total <= SCRATCH);
        let Some(ClientMessage::Signal { to, data }) = message else {
            panic!("{} bytes are a signal", frame.len());
        };
        let mut passes = false;
        let passing = measure(|| {
            passes = actor.relays(one, to) && !data.place_in(&frame).is_empty();
        });
        assert!(passes);
        assert_eq!(passing.count_total, 0);
    }
}

#[test]
fn in_a_call_nothing_is_allocated() {
    let (mut script, [ana, bea]) = Script::with(|| Lobby::new(KEY));
    script.finds(ana, Mode::Text, &[]);
    script.finds(bea, Mode::Text, &[]);
    nothing_is_allocated(&script.actor, [ana, bea]);
}

#[test]
fn in_a_room_nothing_is_allocated() {
    let (mut script, people) = Script::with(|| Room::new(2, KEY));
    for peer in people {
        script.joins(peer, None);
    }
    nothing_is_allocated(&script.actor, people);
}

/// Out of a sleep a signal takes two seats, and so does the answer. Whom nobody knows is looked for among all.
fn two_seats_are_enough<A: Actor>(script: &mut Script<A>, [one, other, third]: [PeerId; 3]) {
    script.sleeps();
    for (from, to) in [(one, other), (other, one), (one, other)] {
        script.signals(from, to);
        assert_eq!(script.heard(), [signal(to, from, json!(1))]);
    }
    assert!(!script.restored);
    let known = [one, other, third].map(|peer| script.actor.knows(peer));
    assert_eq!(known, [true, true, false]);
    script.signals(one, PeerId::from_random(0));
    assert_eq!(errors(script.heard()), [(one, ErrorCode::UnknownPeer)]);
    assert!(script.restored && script.actor.knows(third));
}

/// The recipient is lost in the sleep: this is heard of the signal, which comes too late, and nothing of the next.
fn who_is_lost_is_missed<A: Actor>(
    script: &mut Script<A>,
    [one, other, _]: [PeerId; 3],
    heard: &[Heard],
) {
    script.sleeps();
    script.attachments.remove(&other);
    script.signals(one, other);
    assert_eq!(script.heard(), heard);
    script.signals(one, other);
    assert_eq!(script.heard(), []);
}

/// Two in a call, and one who waits.
fn two_and_one() -> (Script<Lobby>, [PeerId; 3]) {
    let (mut script, people) = Script::with(|| Lobby::new(KEY));
    for peer in people {
        script.finds(peer, Mode::Text, &[]);
    }
    script.heard();
    (script, people)
}

#[test]
fn a_call_wakes_up_for_a_signal_by_two_seats_and_the_queue_is_there_when_it_is_needed() {
    let (mut script, people) = two_and_one();
    two_seats_are_enough(&mut script, people);
    let [ana, bea, cleo] = people;
    script.finds(ana, Mode::Text, &[]);
    let mut heard = vec![left(bea, ana, LeaveReason::Skipped)];
    heard.extend(meet(cleo, ana));
    assert_eq!(script.heard(), heard);
}

#[test]
fn a_room_wakes_up_for_a_signal_by_two_seats_and_all_are_there_when_they_are_needed() {
    let (mut script, people) = inside();
    two_seats_are_enough(&mut script, people);
    let [ana, bea, cleo] = people;
    script.leaves(bea);
    let heard = gone(&[ana, cleo], bea, LeaveReason::Left);
    assert_eq!(script.heard(), heard);
}

#[test]
fn a_signal_to_who_was_lost_in_the_sleep_tells_the_partner_of_it() {
    let (mut script, people) = two_and_one();
    let [ana, bea, _] = people;
    who_is_lost_is_missed(&mut script, people, &[away(ana, bea)]);
}

#[test]
fn a_signal_to_who_was_lost_in_the_sleep_tells_the_room_of_it() {
    let (mut script, people) = inside();
    let [ana, bea, cleo] = people;
    let mut heard = vec![away(ana, bea), away(cleo, bea)];
    heard.extend(told(&[ana, cleo], ana, false));
    who_is_lost_is_missed(&mut script, people, &heard);
}

#[test]
fn what_is_put_together_is_the_message_of_the_protocol() {
    let from = PeerId::from_random(7);
    for frame in frames(PeerId::from_random(8)) {
        let Ok(ClientMessage::Signal { data, .. }) = parse(&frame) else {
            panic!("{} bytes are a signal", frame.len());
        };
        let put_together = format!("{}{}}}", Relayed::head(from), &frame[data.place_in(&frame)]);
        let message = ServerMessage::Signal { from, data };
        assert_eq!(put_together, serde_json::to_string(&message).unwrap());
    }
}
