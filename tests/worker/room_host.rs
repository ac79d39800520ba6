//! What the host of a room may do, and who is the next one.

use echomingle::core::id::PeerId;
use echomingle::core::protocol::{ErrorCode, LeaveReason, ServerMessage};
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::sleep;

use crate::flood::{CALM, floods, is_sent_away};
use crate::party::{
    MEMBER, NEWCOMER, all_lose, all_talk, comes_in, gather, gone, is_told_to_all, stands,
};
use crate::server::Server;
use crate::visitor::{Vanishing, Visitor, is_error, nobody_hears_more, they_talk};

/// How somebody goes.
#[derive(Debug, Clone, Copy)]
enum Going {
    Leaves,
    Closes(Option<u16>),
    Vanishes(Vanishing),
    Floods,
}

const ALL_WAYS: [Going; 6] = [
    Going::Leaves,
    Going::Closes(None),
    Going::Closes(Some(4000)),
    Going::Vanishes(Vanishing::Ended),
    Going::Vanishes(Vanishing::Reset),
    Going::Floods,
];

/// Who went, and what the others hear of it. Whoever is lost is not waited for long.
async fn goes(mut visitor: Visitor, how: Going) -> (PeerId, LeaveReason) {
    match how {
        Going::Leaves => {
            visitor.leaves().await;
            // To be gone for good after that is told to nobody.
            (visitor.closes(None).await, LeaveReason::Left)
        }
        Going::Closes(code) => {
            visitor.goes_away().await;
            (visitor.closes(code).await, LeaveReason::Lost)
        }
        Going::Vanishes(how) => {
            visitor.goes_away().await;
            (visitor.vanishes(how).await, LeaveReason::Lost)
        }
        Going::Floods => {
            floods(&mut visitor).await;
            (is_sent_away(visitor).await, LeaveReason::Left)
        }
    }
}

#[tokio::test]
async fn when_the_host_goes_the_one_who_came_next_is_host_and_all_hear_both_once() {
    let server = &Server::start().await;
    join_all(
        ALL_WAYS
            .into_iter()
            .enumerate()
            .map(|(room, how)| async move {
                let room = format!("room-{room}");
                let [ana, mut bea, mut cleo, mut dan] =
                    gather(server, &room, ["Ana", "Bea", "Cleo", "Dan"]).await;
                let (ana, reason) = goes(ana, how).await;
                all_lose(ana, reason, [&mut bea, &mut cleo, &mut dan]).await;
                is_told_to_all(stands(bea.id, false), [&mut bea, &mut cleo, &mut dan]).await;
                nobody_hears_more([&mut bea, &mut cleo, &mut dan]).await;

                // The new host may what the old one might.
                bea.locks(true).await;
                is_told_to_all(stands(bea.id, true), [&mut bea, &mut cleo, &mut dan]).await;
                let (bea, reason) = goes(bea, how).await;
                all_lose(bea, reason, [&mut cleo, &mut dan]).await;
                is_told_to_all(stands(cleo.id, true), [&mut cleo, &mut dan]).await;
                cleo.locks(false).await;
                is_told_to_all(stands(cleo.id, false), [&mut cleo, &mut dan]).await;
                they_talk(&mut cleo, &mut dan).await;
                nobody_hears_more([&mut cleo, &mut dan]).await;
            }),
    )
    .await;
}

#[tokio::test]
async fn when_another_goes_the_host_is_still_the_host_and_all_hear_it_once() {
    let server = &Server::start().await;
    join_all(
        ALL_WAYS
            .into_iter()
            .enumerate()
            .map(|(room, how)| async move {
                let room = format!("room-{room}");
                let [mut ana, bea, mut cleo] = gather(server, &room, ["Ana", "Bea", "Cleo"]).await;
                let (bea, reason) = goes(bea, how).await;
                all_lose(bea, reason, [&mut ana, &mut cleo]).await;
                ana.signals(bea, json!("late")).await;
                ana.is_refused(ErrorCode::UnknownPeer).await;
                ana.removes(bea).await;
                ana.is_refused(ErrorCode::UnknownPeer).await;
                cleo.locks(true).await;
                cleo.is_refused(ErrorCode::NotAllowed).await;
                they_talk(&mut ana, &mut cleo).await;
                nobody_hears_more([&mut ana, &mut cleo]).await;
            }),
    )
    .await;
}

#[tokio::test]
async fn when_the_last_one_goes_the_next_to_come_is_host_of_an_open_room() {
    let server = Server::start().await;
    for how in ALL_WAYS {
        let mut ana = server.visitor_of("kitchen", "ana").await;
        let mut bea = server.visitor_of("kitchen", "bea").await;
        comes_in(&mut ana, "Ana", []).await;
        ana.locks(true).await;
        ana.hears(stands(ana.id, true)).await;
        bea.enters("Bea").await;
        bea.is_refused(ErrorCode::RoomLocked).await;
        goes(ana, how).await;
        // A lost connection is noticed in its own time. Who tries calmly is not refused for its haste.
        while !gets_in(&mut bea).await {
            sleep(CALM).await;
        }
        nobody_hears_more([&mut bea]).await;
        bea.closes(None).await;
    }
}

/// Tries to come in as the first one: whether it did, or found the room locked.
async fn gets_in(visitor: &mut Visitor) -> bool {
    visitor.enters(None).await;
    let heard = visitor
        .hears_something("the room or that it is locked")
        .await;
    let locked = is_error(&heard, ErrorCode::RoomLocked);
    assert!(locked || heard == stands(visitor.id, false), "{heard:?}");
    !locked
}

#[tokio::test]
async fn a_host_who_comes_back_comes_last() {
    let server = Server::start().await;
    let [mut ana, mut bea, mut cleo] = gather(&server, "kitchen", ["Ana", "Bea", "Cleo"]).await;
    ana.leaves().await;
    let left = gone(ana.id, LeaveReason::Left);
    is_told_to_all(left, [&mut bea, &mut cleo]).await;
    is_told_to_all(stands(bea.id, false), [&mut bea, &mut cleo]).await;
    comes_in(&mut ana, "Ana", [&mut bea, &mut cleo]).await;
    ana.locks(true).await;
    ana.is_refused(ErrorCode::NotAllowed).await;

    bea.leaves().await;
    let left = gone(bea.id, LeaveReason::Left);
    is_told_to_all(left, [&mut cleo, &mut ana]).await;
    is_told_to_all(stands(cleo.id, false), [&mut cleo, &mut ana]).await;
    comes_in(&mut bea, "Bea", [&mut cleo, &mut ana]).await;
    all_talk([&mut ana, &mut bea, &mut cleo]).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
}

#[tokio::test]
async fn a_newcomer_and_a_host_who_goes_at_once_leave_one_host_whom_all_know() {
    let server = Server::start().await;
    for room in 0..8 {
        let room = format!("room-{room}");
        let [mut ana, mut bea] = gather(&server, &room, ["Ana", "Bea"]).await;
        let mut cleo = server.visitor_of(&room, "cleo").await;
        tokio::join!(cleo.enters("Cleo"), ana.leaves());
        let (left, host) = (gone(ana.id, LeaveReason::Left), stands(bea.id, false));
        let before = stands(ana.id, false);
        if cleo.hears_one_of(&[before.clone(), host.clone()]).await == before {
            cleo.meets(ana.seen_by(NEWCOMER)).await;
            cleo.meets(bea.seen_by(NEWCOMER)).await;
            ana.meets(cleo.seen_by(MEMBER)).await;
            bea.meets(cleo.seen_by(MEMBER)).await;
            is_told_to_all(left, [&mut bea, &mut cleo]).await;
            is_told_to_all(host, [&mut bea, &mut cleo]).await;
        } else {
            bea.hears(left).await;
            bea.hears(host).await;
            bea.meets(cleo.seen_by(MEMBER)).await;
            cleo.meets(bea.seen_by(NEWCOMER)).await;
        }
        they_talk(&mut bea, &mut cleo).await;
        nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
    }
}

#[tokio::test]
async fn a_locked_room_lets_nobody_in_until_it_is_open_again() {
    let server = Server::start().await;
    let [mut ana, mut bea] = gather(&server, "kitchen", ["Ana", "Bea"]).await;
    let mut cleo = server.visitor_of("kitchen", "cleo").await;
    // What changes nothing is told to nobody.
    ana.locks(false).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
    ana.locks(true).await;
    is_told_to_all(stands(ana.id, true), [&mut ana, &mut bea]).await;
    ana.locks(true).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;

    let mut dan = server.visitor_of("kitchen", "dan").await;
    for outsider in [&mut cleo, &mut dan] {
        outsider.enters(None).await;
        outsider.is_refused(ErrorCode::RoomLocked).await;
    }
    // Who is inside may join, locked as the room is; who goes out is outside.
    bea.enters("Beatrice").await;
    they_talk(&mut ana, &mut bea).await;
    bea.leaves().await;
    ana.is_left_by(bea.id, LeaveReason::Left).await;
    bea.enters("Bea").await;
    bea.is_refused(ErrorCode::RoomLocked).await;

    ana.locks(false).await;
    ana.hears(stands(ana.id, false)).await;
    comes_in(&mut dan, "Dan", [&mut ana]).await;
    comes_in(&mut bea, "Bea", [&mut ana, &mut dan]).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo, &mut dan]).await;
}

#[tokio::test]
async fn who_is_removed_hears_so_like_all_others_and_may_come_back() {
    let server = Server::start().await;
    let [mut ana, mut bea, mut cleo] = gather(&server, "kitchen", ["Ana", "Bea", "Cleo"]).await;
    ana.removes(bea.id).await;
    let removed = gone(bea.id, LeaveReason::Removed);
    is_told_to_all(removed, [&mut ana, &mut bea, &mut cleo]).await;
    for insider in [&mut ana, &mut cleo] {
        insider.signals(bea.id, json!("late")).await;
        insider.is_refused(ErrorCode::UnknownPeer).await;
        bea.signals(insider.id, json!("late")).await;
        bea.is_refused(ErrorCode::UnknownPeer).await;
    }
    ana.removes(bea.id).await;
    ana.is_refused(ErrorCode::UnknownPeer).await;
    bea.leaves().await; // means nothing any more
    they_talk(&mut ana, &mut cleo).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;

    comes_in(&mut bea, "Bea", [&mut ana, &mut cleo]).await;
    all_talk([&mut ana, &mut bea, &mut cleo]).await;
    ana.locks(true).await;
    is_told_to_all(stands(ana.id, true), [&mut ana, &mut bea, &mut cleo]).await;
    ana.removes(bea.id).await;
    let removed = gone(bea.id, LeaveReason::Removed);
    is_told_to_all(removed, [&mut ana, &mut bea, &mut cleo]).await;
    bea.enters("Bea").await;
    bea.is_refused(ErrorCode::RoomLocked).await;
    bea.closes(None).await;
    nobody_hears_more([&mut ana, &mut cleo]).await;
}

#[tokio::test]
async fn who_is_removed_while_it_leaves_is_gone_once() {
    let server = Server::start().await;
    let [mut ana, mut bea, mut cleo] = gather(&server, "kitchen", ["Ana", "Bea", "Cleo"]).await;
    for _ in 0..8 {
        tokio::join!(ana.removes(bea.id), bea.leaves());
        let removed = gone(bea.id, LeaveReason::Removed);
        let left = gone(bea.id, LeaveReason::Left);
        let heard = ana.hears_one_of(&[removed.clone(), left]).await;
        cleo.hears(heard.clone()).await;
        match heard == removed {
            true => bea.hears(removed).await,
            false => ana.is_refused(ErrorCode::UnknownPeer).await,
        }
        nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
        comes_in(&mut bea, "Bea", [&mut ana, &mut cleo]).await;
        cleo.leaves().await;
        let left = gone(cleo.id, LeaveReason::Left);
        is_told_to_all(left, [&mut ana, &mut bea]).await;
        comes_in(&mut cleo, "Cleo", [&mut ana, &mut bea]).await;
    }
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
}

#[tokio::test]
async fn who_is_asked_to_mute_hears_it_alone_and_nothing_else_happens() {
    let server = Server::start().await;
    let [mut ana, mut bea, mut cleo] = gather(&server, "kitchen", ["Ana", "Bea", "Cleo"]).await;
    for _ in 0..2 {
        ana.asks_to_mute(bea.id).await;
        bea.hears(ServerMessage::AskedToMute {}).await;
    }
    all_talk([&mut ana, &mut bea, &mut cleo]).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
}

#[tokio::test]
async fn the_host_neither_removes_nor_asks_itself() {
    let server = Server::start().await;
    let [mut ana, mut bea] = gather(&server, "kitchen", ["Ana", "Bea"]).await;
    ana.removes(ana.id).await;
    ana.is_refused(ErrorCode::UnknownPeer).await;
    ana.asks_to_mute(ana.id).await;
    ana.is_refused(ErrorCode::UnknownPeer).await;
    they_talk(&mut ana, &mut bea).await;
    nobody_hears_more([&mut ana, &mut bea]).await;
}

#[tokio::test]
async fn nobody_but_the_host_may_do_what_the_host_may() {
    let server = Server::start().await;
    let mut alone = server.visitor_of("garden", "alone").await;
    let mut outside = server.visitor_of("kitchen", "outside").await;
    let [mut ana, mut bea, mut cleo] = gather(&server, "kitchen", ["Ana", "Bea", "Cleo"]).await;
    let everybody = [ana.id, bea.id, cleo.id, outside.id, PeerId::from_random(0)];
    for other in [&mut bea, &mut cleo, &mut outside, &mut alone] {
        for on in [true, false] {
            other.locks(on).await;
            other.is_refused(ErrorCode::NotAllowed).await;
        }
        for peer in everybody {
            other.removes(peer).await;
            other.is_refused(ErrorCode::NotAllowed).await;
            other.asks_to_mute(peer).await;
            other.is_refused(ErrorCode::NotAllowed).await;
        }
    }
    all_talk([&mut ana, &mut bea, &mut cleo]).await;
    // Nothing of it has had an effect.
    comes_in(&mut outside, None, [&mut ana, &mut bea, &mut cleo]).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo, &mut outside, &mut alone]).await;
}
