//! Somebody who says too much.

use std::time::Duration;

use echomingle::core::id::PeerId;
use echomingle::core::protocol::{ErrorCode, ServerMessage};
use echomingle::core::rate::{BURST, PATIENCE, PER_SECOND};
use echomingle::core::rejection::{POLICY_VIOLATION, Rejection};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::party::{Place, away};
use crate::server::Server;
use crate::visitor::{Hears, Sound, Visitor, nobody_hears_more, they_talk};

/// Between two messages of somebody who is in no hurry: a third of what is served for ever.
pub(crate) const CALM: Duration = Duration::from_millis(3 * 1_000 / PER_SECOND as u64);

#[tokio::test]
async fn a_flood_is_told_once_and_then_ended_and_the_partner_hears_away() {
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
        assert_eq!(last, away(bea.id));
        // To search or to join was one message of the burst.
        let burst = numbers.iter().copied().take(BURST as usize - 1);
        assert!(burst.eq(0..u64::from(BURST) - 1), "ana heard {numbers:?}");
        assert!(
            numbers.is_sorted_by(|one, next| one < next),
            "ana heard {numbers:?}"
        );
        assert!(numbers.len() < PATIENCE as usize, "ana heard {numbers:?}");

        if place == Place::Lobby {
            server.has(3, 0, 2).await;
        }
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

/// Says too much: that it goes away, so that nobody waits long for it.
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
