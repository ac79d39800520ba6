//! An object keeps the key of its tokens and its alarm, and nothing is read or written on the way of a
//! message. workerd itself says what the objects ask it for.

use echomingle::core::protocol::Role;
use tokio::time::sleep;

use crate::party::Place;
use crate::server::{PAUSE, Server};
use crate::visitor::{Vanishing, Visitor, nobody_hears_more, they_talk};

/// What workerd calls a frame that it hands to an object, and the end of a socket.
const SOCKET: &str = "hibernatable_websocket";

const GET: &str = "durable_object_storage_kv_get";
const PUT: &str = "durable_object_storage_kv_put";
const SET_ALARM: &str = "durable_object_storage_setAlarm";

/// How often it is looked whether the directory has kept what it knows.
const LOOKS: u32 = 300;

/// How often two ask each other and answer.
const ROUNDS: usize = 50;

#[tokio::test]
async fn a_hundred_signals_touch_no_storage() {
    for place in Place::BOTH {
        let mut server = Server::start_traced().await;
        let (mut ana, mut bea) = place.call(&server, "ana", "bea").await;
        is_written_down([&mut ana, &mut bea]).await;
        // A lobby has told of its people by an alarm, which was for who waited at first, and nothing has changed since.
        let kinds = match place {
            Place::Lobby => {
                server.has(2, 0, 1).await;
                directory_keeps(&server, [&mut ana, &mut bea]).await;
                vec![GET, PUT, SET_ALARM]
            }
            Place::Room => vec![GET, PUT],
        };
        let first = touched(&server);
        assert!(first.len() <= kinds.len() + 2, "{place:?}: {first:?}");
        let mut once = first.clone();
        once.dedup();
        assert_eq!(once, kinds, "{place:?}");
        let of_directory = server.operations_of_directory();
        let before = frames(&server);
        for _ in 0..ROUNDS {
            they_talk(&mut ana, &mut bea).await;
        }
        let mut looks = 0..LOOKS;
        while frames(&server) < before + 2 * ROUNDS {
            assert!(looks.next().is_some(), "{place:?}: {before} before");
            is_written_down([&mut ana, &mut bea]).await;
        }
        assert_eq!(touched(&server), first, "{place:?}");
        let unasked = server.operations_of_directory() == of_directory;
        assert!(unasked, "the directory was asked something");

        // Somebody is lost: one alarm is set, and to come back needs nothing. A lobby that has told of it meanwhile
        // sets another one.
        let past = ana.past();
        ana.vanishes(Vanishing::Ended).await;
        bea.misses(past.id).await;
        let mut ana = server.returns(&past, [bea.seen_by(Role::Offerer)]).await;
        place.tells(&mut ana, past.id).await;
        bea.has_again(past.id).await;
        they_talk(&mut ana, &mut bea).await;
        is_written_down([&mut ana, &mut bea]).await;
        let mut since = touched(&server).split_off(first.len());
        if place == Place::Lobby {
            since.dedup();
        }
        assert_eq!(since, [SET_ALARM], "{place:?}");

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
        is_written_down([&mut ana, &mut bea]).await;
        let mut since = touched(&server);
        if place == Place::Lobby {
            since.dedup();
        }
        assert_eq!(since, [GET, SET_ALARM], "{place:?}");
    }
}

/// The trace is written a while later, and when something else is to be written.
async fn is_written_down([one, other]: [&mut Visitor; 2]) {
    nobody_hears_more([&mut *one, &mut *other]).await;
    sleep(PAUSE).await;
    nobody_hears_more([one, other]).await;
}

/// The directory has looked for what it knew, and kept what it knows now: once, and by an alarm. Two keep the lobby
/// awake meanwhile, which would read its key again.
async fn directory_keeps(server: &Server, [one, other]: [&mut Visitor; 2]) {
    let mut looks = 0..LOOKS;
    loop {
        let done = storage(server.operations_of_directory());
        if done.len() == 3 {
            assert_eq!(done, [GET, SET_ALARM, PUT]);
            break;
        }
        assert!(looks.next().is_some(), "the directory did {done:?}");
        they_talk(one, other).await;
        sleep(PAUSE).await;
    }
}

/// What was asked of the storage so far, in this order, but for the directory.
fn touched(server: &Server) -> Vec<String> {
    storage(server.operations())
}

fn storage(operations: Vec<String>) -> Vec<String> {
    let all = operations.into_iter();
    all.filter(|name| name.contains("storage")).collect()
}

fn frames(server: &Server) -> usize {
    let all = server.operations().into_iter();
    all.filter(|name| name == SOCKET).count()
}
