//! An object keeps the key of its tokens and its alarm, and nothing is read or written on the way of a
//! message. workerd itself says what the objects ask it for.

use echomingle::core::protocol::Role;

use crate::party::Place;
use crate::server::Server;
use crate::visitor::{Vanishing, nobody_hears_more, they_talk};

/// What workerd calls a frame that it hands to an object, and the end of a socket.
const SOCKET: &str = "hibernatable_websocket";

const GET: &str = "durable_object_storage_kv_get";
const PUT: &str = "durable_object_storage_kv_put";
const SET_ALARM: &str = "durable_object_storage_setAlarm";

/// How often two ask each other and answer.
const ROUNDS: usize = 50;

#[tokio::test]
async fn a_hundred_signals_touch_no_storage() {
    for place in Place::BOTH {
        let mut server = Server::start_traced().await;
        let (mut ana, mut bea) = place.call(&server, "ana", "bea").await;
        nobody_hears_more([&mut ana, &mut bea]).await;
        assert_eq!(touched(&server), [GET, PUT]);
        let before = frames(&server);
        for _ in 0..ROUNDS {
            they_talk(&mut ana, &mut bea).await;
        }
        nobody_hears_more([&mut ana, &mut bea]).await;
        assert!(frames(&server) >= before + 2 * ROUNDS, "{place:?}");
        assert_eq!(touched(&server), [GET, PUT], "{place:?}");

        // Somebody is lost: one alarm is set, and to come back needs nothing.
        let past = ana.past();
        ana.vanishes(Vanishing::Ended).await;
        bea.misses(past.id).await;
        let mut ana = server.returns(&past, [bea.seen_by(Role::Offerer)]).await;
        place.tells(&mut ana, past.id).await;
        bea.has_again(past.id).await;
        they_talk(&mut ana, &mut bea).await;
        nobody_hears_more([&mut ana, &mut bea]).await;
        assert_eq!(touched(&server), [GET, PUT, SET_ALARM], "{place:?}");

        // A new object finds the key that there is.
        let pasts = [ana.past(), bea.past()];
        server.restart().await;
        ana.breaks_off().await;
        bea.breaks_off().await;
        let mut ana = server
            .returns(&pasts[0], [pasts[1].missed_by(Role::Offerer)])
            .await;
        ana.misses(pasts[1].id).await;
        place.tells(&mut ana, pasts[0].id).await;
        let mut bea = server
            .returns(&pasts[1], [ana.seen_by(Role::Answerer)])
            .await;
        place.tells(&mut bea, ana.id).await;
        ana.has_again(bea.id).await;
        they_talk(&mut ana, &mut bea).await;
        nobody_hears_more([&mut ana, &mut bea]).await;
        assert_eq!(touched(&server), [GET, SET_ALARM], "{place:?}");
    }
}

/// What was asked of the storage so far, in this order.
fn touched(server: &Server) -> Vec<String> {
    let all = server.operations().into_iter();
    all.filter(|name| name.contains("storage")).collect()
}

fn frames(server: &Server) -> usize {
    let all = server.operations().into_iter();
    all.filter(|name| name == SOCKET).count()
}
