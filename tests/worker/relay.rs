//! What goes between two peers of a call.

use echomingle::core::id::PeerId;
use echomingle::core::protocol::{ErrorCode, MAX_FRAME_BYTES, Mode};
use serde_json::{Value, json};

use crate::party::Place;
use crate::server::Server;
use crate::visitor::{call, is_relayed, nobody_hears_more, they_talk};

#[tokio::test]
async fn signals_reach_the_partner_as_they_are_both_ways_and_in_order() {
    let server = Server::start().await;
    for place in Place::BOTH {
        let (mut ana, mut bea) = place.call(&server, "ana", "bea").await;
        let data = [
            Value::Null,
            json!(false),
            json!(-0.25),
            json!(""),
            json!([]),
            json!({}),
            json!("\u{1F600} é \u{0} \u{2028} \" \\ </script>"),
            json!({"description": {"type": "offer", "sdp": "v=0\r\n"}}),
            json!({"candidates": [null, {"candidate": "", "sdpMid": "0", "nested": [[[{}]]]}]}),
            json!({"type": "peer-left", "from": ana.id, "to": bea.id, "data": 1}),
            json!("é".repeat(30 * 1024)),
        ];
        for data in &data {
            ana.signals(bea.id, data.clone()).await;
            bea.signals(ana.id, data.clone()).await;
        }
        for data in data {
            bea.hears_signal(ana.id, data.clone()).await;
            ana.hears_signal(bea.id, data).await;
        }
        nobody_hears_more([&mut ana, &mut bea]).await;
    }
}

#[tokio::test]
async fn relayed_data_keeps_even_its_spelling() {
    let server = Server::start().await;
    for place in Place::BOTH {
        let (mut ana, mut bea) = place.call(&server, "ana", "bea").await;
        for data in [
            r#"{"b":1,"a":1.0,"b":1e400}"#,
            r#""\u00e9\ud83d\ude00\/""#,
            r#""é 😀 }""#,
            "[ 1 ,\t2 ]",
            "123456789012345678901234567890",
        ] {
            is_relayed(data, &mut ana, &mut bea).await;
        }
        nobody_hears_more([&mut ana, &mut bea]).await;
    }
}

#[tokio::test]
async fn the_longest_frame_and_the_deepest_data_are_relayed() {
    let server = Server::start().await;
    for place in Place::BOTH {
        let (mut ana, mut bea) = place.call(&server, "ana", "bea").await;
        let depth = 30_000;
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let around = format!(r#"{{"data":"","to":"{}","type":"signal"}}"#, bea.id).len();
        let long = format!("\"{}\"", "v".repeat(MAX_FRAME_BYTES - around));
        for data in [deep, long] {
            is_relayed(&data, &mut ana, &mut bea).await;
        }
        they_talk(&mut ana, &mut bea).await;
        nobody_hears_more([&mut ana, &mut bea]).await;
    }
}

#[tokio::test]
async fn signals_reach_nobody_outside_the_call() {
    let server = Server::start().await;
    let (mut ana, mut bea) = call(&server, "ana", "bea").await;
    let (mut cleo, mut dan) = call(&server, "cleo", "dan").await;
    let mut waiting = server.visitor("waiting").await;
    waiting.finds(Mode::Video).await;
    waiting.waits().await;
    let mut idle = server.visitor("idle").await;
    let nobody = PeerId::from_random(0);

    for to in [cleo.id, dan.id, waiting.id, idle.id, nobody, ana.id] {
        ana.signals(to, json!("psst")).await;
        ana.is_refused(ErrorCode::UnknownPeer).await;
    }
    for stranger in [&mut waiting, &mut idle] {
        for to in [ana.id, nobody, stranger.id] {
            stranger.signals(to, json!("psst")).await;
            stranger.is_refused(ErrorCode::UnknownPeer).await;
        }
    }
    they_talk(&mut ana, &mut bea).await;
    they_talk(&mut cleo, &mut dan).await;
    nobody_hears_more([
        &mut ana,
        &mut bea,
        &mut cleo,
        &mut dan,
        &mut waiting,
        &mut idle,
    ])
    .await;
}

#[tokio::test]
async fn a_signal_that_comes_after_the_end_of_the_call_is_for_nobody() {
    let server = Server::start().await;
    let (mut ana, mut bea) = call(&server, "ana", "bea").await;
    let mut cleo = server.visitor("cleo").await;
    cleo.finds(Mode::Video).await;
    cleo.waits().await;
    bea.finds(Mode::Video).await;
    bea.hears_something("that she met cleo").await;
    cleo.hears_something("that she met bea").await;

    ana.signals(bea.id, json!("late")).await;
    ana.hears_something("that bea is gone").await;
    ana.is_refused(ErrorCode::UnknownPeer).await;
    they_talk(&mut bea, &mut cleo).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
}

#[tokio::test]
async fn ping_is_answered_pong_whatever_one_is_doing() {
    let server = Server::start().await;
    for place in Place::BOTH {
        let (mut ana, mut bea) = place.call(&server, "ana", "bea").await;
        let mut cleo = server.visitor("cleo").await;
        let mut dan = server.visitor_of("kitchen", "dan").await;
        for visitor in [&mut ana, &mut bea, &mut cleo, &mut dan] {
            for _ in 0..3 {
                visitor.pings().await;
            }
        }
        they_talk(&mut ana, &mut bea).await;
        nobody_hears_more([&mut ana, &mut bea, &mut cleo, &mut dan]).await;
    }
}
