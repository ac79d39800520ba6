//! The short way of a signal: what it costs, and that it is the same as the long one.

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
use echomingle::core::protocol::{ClientMessage, Mode, Relayed, ServerMessage, parse};
use echomingle::core::room::Room;
use serde_json::json;

use self::common::{KEY, Script};

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
