//! Somebody who says too much.

use std::time::Duration;

use echomingle::core::id::PeerId;
use echomingle::core::protocol::{ErrorCode, LeaveReason, MAX_FRAME_BYTES, Mode, ServerMessage};
use echomingle::core::quota::Counted;
use echomingle::core::rate::{CHARS, MESSAGES, PATIENCE, SEARCHES};
use echomingle::core::rejection::{POLICY_VIOLATION, Rejection};
use echomingle::core::room::MAX_OUTSIDE;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite;

use crate::party::{Place, gone, stands};
use crate::server::Server;
use crate::visitor::{Hears, Sound, Visitor, nobody_hears_more, they_talk};

/// Between two messages of somebody who is in no hurry: a third of what is served for ever.
pub(crate) const CALM: Duration = Duration::from_millis(3 * 1_000 / MESSAGES.per_second as u64);

const BURST: u32 = MESSAGES.burst;

#[tokio::test]
async fn a_flood_is_told_once_and_then_ended_and_the_partner_is_free() {
    let server = Server::start().await;
    for place in Place::BOTH {
        let (mut ana, mut bea) = place.call(&server, "ana", "bea").await;
        let (mut cleo, mut dan) = place.call(&server, "cleo", "dan").await;
        // Twice what is needed: while they are sent, some are served again.
        for n in 0..2 * (BURST + PATIENCE) {
            bea.signals(ana.id, json!(n)).await;
        }
        they_talk(&mut cleo, &mut dan).await;

        bea.hears(told(&Rejection::RateLimited)).await;
        bea.hears(told(&Rejection::Flooding)).await;
        let closed = (POLICY_VIOLATION, Rejection::Flooding.message());
        let heard = bea.hears_sound("a close frame").await;
        assert_eq!(heard, Sound::Close(Some(closed)));

        let mut numbers = Vec::new();
        let last = loop {
            match number(&ana.hears_something("the flood").await, &bea) {
                Ok(n) => numbers.push(n),
                Err(other) => break other,
            }
        };
        assert_eq!(last, gone(bea.id, LeaveReason::Left));
        // To search or to join was one message of the burst.
        let burst = numbers.iter().copied().take(BURST as usize - 1);
        assert!(burst.eq(0..u64::from(BURST) - 1), "ana heard {numbers:?}");
        assert!(
            numbers.is_sorted_by(|one, next| one < next),
            "ana heard {numbers:?}"
        );
        assert!(numbers.len() < PATIENCE as usize, "ana heard {numbers:?}");

        if place == Place::Lobby {
            server.has(3, 0, 1).await;
        }
        // What it had it cannot take back.
        let mut again = server.comes_again(&bea.past()).await;
        again.claims(&bea.past()).await;
        again.is_refused(ErrorCode::BadToken).await;
        nobody_hears_more([&mut again]).await;
        bea.ends(Sound::End).await;
        they_talk(&mut cleo, &mut dan).await;
        nobody_hears_more([&mut ana, &mut cleo, &mut dan]).await;
    }
}

#[tokio::test]
async fn who_slows_down_is_served_again_and_was_told_once() {
    let server = Server::start().await;
    for place in Place::BOTH {
        let (mut ana, mut bea) = place.call(&server, "ana", "bea").await;
        for n in 0..3 * BURST {
            ana.signals(bea.id, json!(n)).await;
        }
        ana.is_refused(ErrorCode::RateLimited).await;

        let calm = |n: u32| json!({"calm": n});
        let mut said = 0;
        let mut heard = Value::Null;
        while heard.is_null() {
            assert!(said < 100, "bea hears nothing of what ana says calmly");
            said += 1;
            ana.signals(bea.id, calm(said)).await;
            let first = timeout(CALM, first_calm(&mut bea, &ana));
            heard = first.await.unwrap_or_default();
        }
        let first = (1..=said).find(|&n| heard == calm(n)).unwrap();
        for n in first + 1..=said {
            bea.hears_signal(ana.id, calm(n)).await;
        }
        // Then all arrives, and some allowance comes together again.
        for n in said + 1..said + 10 {
            sleep(CALM).await;
            ana.signals(bea.id, calm(n)).await;
            bea.hears_signal(ana.id, calm(n)).await;
        }
        they_talk(&mut ana, &mut bea).await;
        nobody_hears_more([&mut ana, &mut bea]).await;
    }
}

#[tokio::test]
async fn long_messages_are_counted_by_their_length() {
    let server = Server::start().await;
    for place in Place::BOTH {
        let (mut ana, mut bea) = place.call(&server, "ana", "bea").await;
        let long = "x".repeat(MAX_FRAME_BYTES - 100);
        // Fewer than are dropped for their number. While they are sent, some are served again.
        for _ in 0..BURST - 20 {
            ana.signals(bea.id, json!(long)).await;
        }
        ana.is_refused(ErrorCode::RateLimited).await;
        ana.signals(bea.id, json!("the end")).await;
        let mut served = 0;
        loop {
            let heard = bea.hears_something("long messages").await;
            if heard == signal(ana.id, json!("the end")) {
                break;
            }
            assert_eq!(heard, signal(ana.id, json!(long)));
            served += 1;
        }
        assert!(served >= CHARS.burst as usize / MAX_FRAME_BYTES, "{served}");
        nobody_hears_more([&mut ana, &mut bea]).await;
    }
}

#[tokio::test]
async fn who_searches_too_often_is_told_each_time_and_may_do_so_later() {
    let server = Server::start().await;
    let mut ana = server.visitor("ana").await;
    let mut served = 0;
    while is_served(&mut ana).await {
        served += 1;
        assert!(served < 100 * SEARCHES.burst, "nobody is ever refused");
    }
    assert!(served >= SEARCHES.burst, "{served}");
    let mut tries = 0..100;
    while !is_served(&mut ana).await {
        assert!(tries.next().is_some(), "nobody is served again");
        sleep(CALM).await;
    }
    nobody_hears_more([&mut ana]).await;
}

/// Whether a search is begun, and not refused for coming too soon.
async fn is_served(visitor: &mut Visitor) -> bool {
    visitor.finds(Mode::Video).await;
    let waits = ServerMessage::Waiting {};
    let answers = [waits.clone(), told(&Rejection::RateLimited)];
    visitor.hears_one_of(&answers).await == waits
}

#[tokio::test]
async fn before_a_door_there_is_so_much_room_and_no_more() {
    let server = Server::start().await;
    let mut crowd = Vec::new();
    for number in 0..MAX_OUTSIDE {
        crowd.push(server.visitor_of("den", &format!("{number}")).await);
    }
    is_closed_to(503, server.opens_socket("/v1/rooms/den", &[]).await);
    // Who enters makes place for another one.
    crowd[0].enters("Ana").await;
    let ana = crowd[0].id;
    crowd[0].hears(stands(ana, false)).await;
    crowd.push(server.visitor_of("den", "bea").await);
    is_closed_to(503, server.opens_socket("/v1/rooms/den", &[]).await);
    crowd.push(server.visitor_of("another", "cleo").await);
    nobody_hears_more(&mut crowd).await;
}

#[tokio::test]
async fn a_network_that_opens_too_many_sockets_waits_and_others_do_not() {
    let server = Server::start().await;
    let from = async |address| {
        let headers = [("cf-connecting-ip", address)];
        server.opens_socket("/v1/match", &headers).await
    };
    let burst = Counted::Connections.limit().burst;
    // While they are opened, there is more.
    let mut served = 0;
    let refused = loop {
        match from("192.0.2.1").await {
            Ok(_) => served += 1,
            refused @ Err(_) => break refused,
        }
        assert!(served < 10 * burst, "nobody is ever refused");
    };
    assert!(served >= burst, "{served}");
    is_closed_to(429, refused);
    assert!(from("192.0.2.2").await.is_ok());
    // Nobody pays for who says nothing of where it is.
    server.visitor("ana").await.closes(None).await;
}

/// An upgrade was refused with this status.
fn is_closed_to<T>(status: u16, opened: Result<T, tungstenite::Error>) {
    match opened {
        Err(tungstenite::Error::Http(answer)) => assert_eq!(answer.status(), status),
        Err(other) => panic!("to be refused with {status}, and it broke: {other}"),
        Ok(_) => panic!("to be refused with {status}, and it was opened"),
    }
}

/// Says too much.
pub(crate) async fn floods(visitor: &mut Visitor) {
    // Twice what is needed: while they are sent, some are served again.
    for _ in 0..2 * (BURST + PATIENCE) {
        visitor.goes_away().await;
    }
}

/// Hears all that was answered to a flood, and its end.
pub(crate) async fn is_sent_away(mut visitor: Visitor) -> PeerId {
    let end = loop {
        match visitor.hears_sound("a close frame").await {
            Sound::Text(_) => {}
            end @ (Sound::Close(_) | Sound::End | Sound::Broken) => break end,
        }
    };
    let closed = (POLICY_VIOLATION, Rejection::Flooding.message());
    assert_eq!(end, Sound::Close(Some(closed)));
    visitor.ends(Sound::End).await
}

fn told(rejection: &Rejection) -> Hears {
    ServerMessage::Error {
        code: rejection.code(),
        message: rejection.message(),
    }
}

fn signal(from: PeerId, data: Value) -> Hears {
    ServerMessage::Signal { from, data }
}

/// The number that the flood of `from` carries, or what was heard instead.
fn number(heard: &Hears, from: &Visitor) -> Result<u64, Hears> {
    let ServerMessage::Signal { from: id, data } = heard else {
        return Err(heard.clone());
    };
    assert_eq!(*id, from.id);
    data.as_u64().ok_or_else(|| heard.clone())
}

async fn first_calm(bea: &mut Visitor, ana: &Visitor) -> Value {
    loop {
        let heard = bea.hears_something("something calm").await;
        if let Err(other) = number(&heard, ana) {
            let ServerMessage::Signal { data, .. } = other else {
                panic!("bea waited for something calm and heard {other:?}");
            };
            return data;
        }
    }
}
