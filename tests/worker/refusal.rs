//! Every mistake a client can make: it is told, and nothing else is lost.

use echomingle::core::interest::MAX_INTEREST_CHARS;
use echomingle::core::protocol::ErrorCode::{self, BadMessage, BadToken, TooLarge, UnknownPeer};
use echomingle::core::protocol::{
    ClientMessage, MAX_FRAME_BYTES, MAX_NAME_CHARS, MAX_OFFER_BYTES, Mode,
};
use tokio_tungstenite::tungstenite::Message;

use crate::party::Place;
use crate::server::Server;
use crate::visitor::{meet, nobody_hears_more, they_talk};

/// These frames are refused wherever they are sent.
async fn are_refused<F: Into<Message> + Clone>(expected: ErrorCode, frames: &[F]) {
    for place in Place::BOTH {
        are_refused_in(place, expected, frames).await;
    }
}

/// Each of these frames is sent in a call of its own, which goes on; in a room by its host. `PARTNER`
/// is the partner's id.
async fn are_refused_in<F: Into<Message> + Clone>(place: Place, expected: ErrorCode, frames: &[F]) {
    let server = Server::start().await;
    for frame in frames {
        let (mut ana, mut bea) = place.call(&server, "ana", "bea").await;
        let mut frame = frame.clone().into();
        if let Message::Text(text) = &frame {
            frame = Message::text(text.replace("PARTNER", &bea.id.to_string()));
        }
        let start: String = frame
            .to_text()
            .unwrap_or("binary")
            .chars()
            .take(80)
            .collect();
        let sent = format!("sent {} bytes ({place:?}): {start:?},", frame.len());
        ana.is_called(format!("ana, who {sent}"));
        bea.is_called(format!("bea, whose partner {sent}"));
        ana.says_frame(frame).await;
        ana.is_refused(expected).await;
        they_talk(&mut ana, &mut bea).await;
        nobody_hears_more([&mut ana, &mut bea]).await;
    }
}

#[tokio::test]
async fn text_that_is_no_json_is_refused() {
    let frames = [
        "",
        " \r\n\t",
        "hello",
        "ping ",
        "pong",
        "\0",
        "{",
        r#"{"type":"leave","#,
        r#"{"type":"leave""#,
        r#"{"type":"signal","to":"PARTNER","data":{"a":[1"#,
        r#"{"type":"leave"}}"#,
        r#"{"type":"leave"}{"type":"leave"}"#,
        r#"{"type":"leave",}"#,
        "{'type':'leave'}",
        "\u{feff}{\"type\":\"leave\"}",
        r#"{"type":"signal","to":"PARTNER","data":NaN}"#,
        r#"{"type":"resume","token":"\ud800"}"#,
    ];
    are_refused(BadMessage, &frames).await;
}

#[tokio::test]
async fn binary_frames_are_refused() {
    let frames = [
        b"".to_vec(),
        b"\0\xff\x80".to_vec(),
        b"ping".to_vec(),
        br#"{"type":"leave"}"#.to_vec(),
        vec![b' '; 8 << 20],
    ];
    are_refused(BadMessage, &frames).await;
}

#[tokio::test]
async fn json_that_is_no_message_is_refused() {
    let frames = [
        "null",
        "true",
        "-1",
        r#""leave""#,
        "[]",
        r#"["leave"]"#,
        r#"[{"type":"leave"}]"#,
        "{}",
        r#"{"mode":"video"}"#,
        r#"{"Type":"leave"}"#,
        r#"{"__proto__":{"type":"leave"}}"#,
        r#"{"type":"welcome"}"#,
        r#"{"type":"room"}"#,
        r#"{"type":"peer-left","peer":"PARTNER","reason":"removed"}"#,
        r#"{"type":"asked-to-mute"}"#,
        r#"{"type":"Join"}"#,
        r#"{"type":"ask_to_mute","peer":"PARTNER"}"#,
        r#"{"type":""}"#,
        r#"{"type":"Leave"}"#,
        r#"{"type":null}"#,
        r#"{"type":2}"#,
        r#"{"type":["leave"]}"#,
        r#"{"type":{"leave":null}}"#,
    ];
    are_refused(BadMessage, &frames).await;
}

#[tokio::test]
async fn fields_that_do_not_fit_their_message_are_refused() {
    let frames = [
        // unknown, another's, twice
        r#"{"type":"leave","now":true}"#,
        r#"{"now":true,"type":"leave"}"#,
        r#"{"type":"leave","mode":"video"}"#,
        r#"{"type":"leave","data":null}"#,
        r#"{"type":"away","to":"PARTNER"}"#,
        r#"{"type":"find","mode":"video","data":1}"#,
        r#"{"type":"signal","from":"a","to":"PARTNER","data":1}"#,
        r#"{"type":"leave","type":"leave"}"#,
        r#"{"type":"find","mode":"video","mode":"text"}"#,
        r#"{"type":"signal","to":"PARTNER","data":1,"data":2}"#,
        r#"{"type":"signal","peer":"PARTNER","data":1}"#,
        r#"{"type":"join","mode":"video"}"#,
        r#"{"type":"join","name":"Ana","name":"Bea"}"#,
        r#"{"type":"leave","name":"Ana"}"#,
        r#"{"type":"lock","on":true,"peer":"PARTNER"}"#,
        r#"{"type":"remove","peer":"PARTNER","on":true}"#,
        r#"{"type":"remove","to":"PARTNER"}"#,
        r#"{"type":"ask-to-mute","peer":"PARTNER","peer":"PARTNER"}"#,
        // missing
        r#"{"type":"find"}"#,
        r#"{"type":"signal","to":"PARTNER"}"#,
        r#"{"type":"signal","data":1}"#,
        r#"{"type":"resume"}"#,
        r#"{"type":"lock"}"#,
        r#"{"type":"lock","on":null}"#,
        r#"{"type":"remove"}"#,
        r#"{"type":"missing"}"#,
        r#"{"type":"ask-to-mute"}"#,
        // of the wrong kind
        r#"{"type":"find","mode":"audio"}"#,
        r#"{"type":"find","mode":{"video":null}}"#,
        r#"{"type":"find","mode":"video","interests":"a"}"#,
        r#"{"type":"find","mode":"video","interests":[1]}"#,
        r#"{"type":"find","mode":"video","offer":{}}"#,
        r#"{"type":"signal","to":1,"data":1}"#,
        r#"{"type":"signal","to":["PARTNER"],"data":1}"#,
        r#"{"type":"resume","token":1}"#,
        r#"{"type":"join","name":1}"#,
        r#"{"type":"join","name":["Ana"]}"#,
        r#"{"type":"lock","on":1}"#,
        r#"{"type":"lock","on":"true"}"#,
        r#"{"type":"remove","peer":1}"#,
        r#"{"type":"missing","peer":1}"#,
        r#"{"type":"remove","peer":["PARTNER"]}"#,
        r#"{"type":"ask-to-mute","peer":{"PARTNER":null}}"#,
        // too many
        r#"{"type":"find","mode":"video","interests":["a","b","c","d","e","f","g","h","i"]}"#,
    ];
    are_refused(BadMessage, &frames).await;
}

#[tokio::test]
async fn a_signal_to_what_is_no_id_is_refused_like_one_to_a_stranger() {
    let frames = [
        r#"{"type":"signal","to":"everybody","data":1}"#,
        r#"{"type":"signal","to":"","data":1}"#,
    ];
    are_refused(UnknownPeer, &frames).await;
}

#[tokio::test]
async fn what_only_means_something_in_a_room_is_refused_in_the_lobby() {
    let frames = [
        r#"{"type":"join"}"#,
        r#"{"type":"join","name":"Ana"}"#,
        r#"{"type":"lock","on":true}"#,
        r#"{"type":"lock","on":false}"#,
        r#"{"type":"remove","peer":"PARTNER"}"#,
        r#"{"type":"missing","peer":"PARTNER"}"#,
        r#"{"type":"ask-to-mute","peer":"PARTNER"}"#,
    ];
    are_refused_in(Place::Lobby, BadMessage, &frames).await;
}

#[tokio::test]
async fn who_searches_in_a_room_is_refused() {
    let frames = [
        r#"{"type":"find","mode":"video"}"#,
        r#"{"type":"find","mode":"text","interests":["chess"],"offer":"v=0\r\n"}"#,
    ];
    are_refused_in(Place::Room, BadMessage, &frames).await;
}

#[tokio::test]
async fn who_names_nobody_to_remove_or_to_ask_is_refused() {
    let frames = [
        r#"{"type":"remove","peer":"everybody"}"#,
        r#"{"type":"missing","peer":"everybody"}"#,
        r#"{"type":"remove","peer":""}"#,
        r#"{"type":"ask-to-mute","peer":"everybody"}"#,
        r#"{"type":"ask-to-mute","peer":""}"#,
    ];
    are_refused_in(Place::Room, UnknownPeer, &frames).await;
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let frames = [
        r#"{"type":"resume","token":""}"#,
        r#"{"type":"resume","token":"PARTNER"}"#,
    ];
    are_refused(BadToken, &frames).await;
}

fn find(fields: &str) -> String {
    format!(r#"{{"type":"find","mode":"video",{fields}}}"#)
}

fn signal(data: &str) -> String {
    format!(r#"{{"type":"signal","to":"PARTNER","data":{data}}}"#)
}

fn join(name: &str) -> String {
    format!(r#"{{"type":"join","name":"{name}"}}"#)
}

fn nested(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}

#[tokio::test]
async fn what_is_too_long_is_not_even_read() {
    let frames = [
        "x".repeat(MAX_FRAME_BYTES + 1),
        " ".repeat(MAX_FRAME_BYTES + 1),
        // too long in UTF-8, and half as long in UTF-16
        "é".repeat(MAX_FRAME_BYTES / 2) + "x",
        signal(&format!("\"{}\"", "\u{1F600}".repeat(MAX_FRAME_BYTES / 4))),
        nested(50_000),
        signal(&nested(50_000)),
        "x".repeat(8 << 20),
        find(&format!(r#""offer":"{}""#, "v".repeat(MAX_OFFER_BYTES + 1))),
    ];
    are_refused(TooLarge, &frames).await;
}

#[tokio::test]
async fn what_is_just_not_too_long_is_read_however_deep_it_is() {
    let frames = [
        "x".repeat(MAX_FRAME_BYTES),
        "é".repeat(MAX_FRAME_BYTES / 2),
        "[".repeat(MAX_FRAME_BYTES),
        nested(MAX_FRAME_BYTES / 2),
        r#"{"data":"#.repeat(8_000),
        signal(&"[".repeat(60_000)),
        format!(r#"{{"unknown":{}}}"#, nested(30_000)),
        format!(r#"{{"type":{}}}"#, nested(30_000)),
        find(&format!(r#""interests":{}"#, nested(30_000))),
        find(&format!(r#""offer":{}"#, "[".repeat(30_000))),
        find(&format!(
            r#""interests":["{}"]"#,
            "é".repeat(MAX_INTEREST_CHARS + 1)
        )),
        join(&"é".repeat(MAX_NAME_CHARS + 1)),
        join(&"\u{1F600}".repeat(MAX_NAME_CHARS + 1)),
        join(&"n".repeat(60_000)),
    ];
    are_refused(BadMessage, &frames).await;
}

#[tokio::test]
async fn who_searches_wrongly_while_waiting_waits_on() {
    let server = Server::start().await;
    let mut ana = server.visitor("ana").await;
    ana.finds(Mode::Video).await;
    ana.waits().await;
    ana.finds_with(Mode::Text, &["a", "b", "c", "d", "e", "f", "g", "h", "i"])
        .await;
    ana.is_refused(BadMessage).await;
    let mut bea = server.visitor("bea").await;
    bea.finds(Mode::Video).await;
    meet(&mut ana, &mut bea).await;
    nobody_hears_more([&mut ana, &mut bea]).await;
}

#[tokio::test]
async fn away_is_taken_without_a_word() {
    let server = Server::start().await;
    let mut cleo = server.visitor("cleo").await;
    let mut dan = server.visitor_of("kitchen", "dan").await;
    for place in Place::BOTH {
        let (mut ana, mut bea) = place.call(&server, "ana", "bea").await;
        for visitor in [&mut ana, &mut cleo, &mut dan] {
            visitor.says(ClientMessage::Away {}).await;
        }
        they_talk(&mut ana, &mut bea).await;
        nobody_hears_more([&mut ana, &mut bea, &mut cleo, &mut dan]).await;
    }
}
