//! A room sleeps while nobody says anything, and is as it was when somebody does.

use std::time::Duration;

use echomingle::core::protocol::{ErrorCode, LeaveReason};
use serde_json::json;
use tokio::time::sleep;

use crate::flood::{floods, is_sent_away};
use crate::hibernation::{SILENCE, TRIES, has_slept, is_awake, is_restored, wakes};
use crate::party::{
    MEMBER, all_lose, all_talk, away, back, comes_in, gather, gone, is_told_to_all, stands,
};
use crate::server::Server;
use crate::visitor::{Vanishing, nobody_hears_more};

/// Between two looks whether the connection lives.
const PAUSE: Duration = Duration::from_secs(4);

#[tokio::test]
async fn a_locked_room_outlives_its_sleep_with_its_host_its_names_and_its_order() {
    let mut server = Server::start().await;
    let [mut ana, mut bea, mut cleo, mut dan] =
        gather(&server, "kitchen", ["Ana", "Bea", "Cleo", "Dan"]).await;
    ana.removes(dan.id).await;
    let removed = gone(dan.id, LeaveReason::Removed);
    is_told_to_all(removed, [&mut ana, &mut bea, &mut cleo, &mut dan]).await;
    ana.locks(true).await;
    is_told_to_all(stands(ana.id, true), [&mut ana, &mut bea, &mut cleo]).await;
    wakes(&mut server, "room", 0).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo, &mut dan]).await;

    let mut tries = 0..TRIES;
    loop {
        assert!(tries.next().is_some(), "the room never slept");
        // Whoever looks whether the connection lives neither keeps it awake nor wakes it.
        for _ in 0..3 {
            sleep(PAUSE).await;
            for visitor in [&mut ana, &mut bea, &mut cleo, &mut dan] {
                visitor.pings().await;
            }
        }
        assert_eq!(server.logs_by_now().await, None);
        cleo.signals(bea.id, json!("good morning")).await;
        bea.hears_signal(cleo.id, json!("good morning")).await;
        if let Some(line) = server.logs_by_now().await {
            assert_eq!(line, is_awake("room"));
            break;
        }
    }
    all_talk([&mut ana, &mut bea, &mut cleo]).await;
    assert_eq!(server.logs_by_now().await, None, "their seats are enough");
    dan.signals(ana.id, json!("good morning")).await;
    dan.is_refused(ErrorCode::UnknownPeer).await;
    assert_eq!(server.logs().await, is_restored("room", 4));
    dan.enters("Dan").await;
    dan.is_refused(ErrorCode::RoomLocked).await;
    bea.locks(false).await;
    bea.is_refused(ErrorCode::NotAllowed).await;
    ana.locks(true).await; // changes nothing
    nobody_hears_more([&mut ana, &mut bea, &mut cleo, &mut dan]).await;

    ana.locks(false).await;
    is_told_to_all(stands(ana.id, false), [&mut ana, &mut bea, &mut cleo]).await;
    comes_in(&mut dan, "Dan", [&mut ana, &mut bea, &mut cleo]).await;
    all_talk([&mut ana, &mut bea, &mut cleo, &mut dan]).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo, &mut dan]).await;
}

#[tokio::test]
async fn a_newcomer_wakes_a_full_room_and_comes_last_when_a_seat_is_free() {
    let mut server = Server::start().await;
    let [mut ana, mut bea, mut cleo, mut dan] =
        gather(&server, "kitchen", ["Ana", "Bea", "Cleo", "Dan"]).await;
    // Two are called otherwise since they came.
    bea.enters("Beatrice").await;
    cleo.enters(None).await;
    wakes(&mut server, "room", 0).await;
    let mut tries = 0..TRIES;
    let mut eve = loop {
        assert!(tries.next().is_some(), "the room never slept");
        nobody_hears_more([&mut ana, &mut bea, &mut cleo, &mut dan]).await;
        sleep(SILENCE).await;
        let mut eve = server.visitor_of("kitchen", "eve").await;
        eve.enters("Eve").await;
        eve.is_refused(ErrorCode::RoomFull).await;
        if has_slept(&mut server, "room", 4).await {
            break eve;
        }
        eve.closes(None).await;
    };
    ana.leaves().await;
    let left = gone(ana.id, LeaveReason::Left);
    is_told_to_all(left, [&mut bea, &mut cleo, &mut dan]).await;
    is_told_to_all(stands(bea.id, false), [&mut bea, &mut cleo, &mut dan]).await;
    comes_in(&mut eve, "Eve", [&mut bea, &mut cleo, &mut dan]).await;
    all_talk([&mut bea, &mut cleo, &mut dan, &mut eve]).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo, &mut dan, &mut eve]).await;
}

#[tokio::test]
async fn a_host_whose_program_ends_while_the_room_sleeps_is_missed_and_followed() {
    the_host_is_lost_while_the_room_sleeps(Vanishing::Ended).await;
}

#[tokio::test]
async fn a_host_whose_connection_is_reset_while_the_room_sleeps_is_missed_and_followed() {
    the_host_is_lost_while_the_room_sleeps(Vanishing::Reset).await;
}

async fn the_host_is_lost_while_the_room_sleeps(how: Vanishing) {
    let mut server = Server::start().await;
    let mut tries = 0..TRIES;
    let (room, mut bea, mut cleo) = loop {
        let Some(number) = tries.next() else {
            panic!("the room never slept");
        };
        let room = format!("room-{number}");
        let [mut ana, mut bea, mut cleo] = gather(&server, &room, ["Ana", "Bea", "Cleo"]).await;
        wakes(&mut server, "room", 0).await;
        ana.locks(true).await;
        is_told_to_all(stands(ana.id, true), [&mut ana, &mut bea, &mut cleo]).await;
        // That is remembered as well.
        ana.goes_away().await;
        nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
        sleep(SILENCE).await;
        let lost = ana.vanishes(how).await;
        all_lose(lost, LeaveReason::Lost, [&mut bea, &mut cleo]).await;
        is_told_to_all(stands(bea.id, true), [&mut bea, &mut cleo]).await;
        nobody_hears_more([&mut bea, &mut cleo]).await;
        // The lost one is still among the sockets, and is taken from them by its close event.
        if has_slept(&mut server, "room", 3).await {
            break (room, bea, cleo);
        }
    };
    let mut dan = server.visitor_of(&room, "dan").await;
    dan.enters("Dan").await;
    dan.is_refused(ErrorCode::RoomLocked).await;
    // Whoever is left knows that the room is locked.
    bea.leaves().await;
    cleo.is_left_by(bea.id, LeaveReason::Left).await;
    cleo.hears(stands(cleo.id, true)).await;
    bea.enters("Bea").await;
    bea.is_refused(ErrorCode::RoomLocked).await;
    cleo.locks(false).await;
    cleo.hears(stands(cleo.id, false)).await;
    comes_in(&mut dan, "Dan", [&mut cleo]).await;
    comes_in(&mut bea, "Bea", [&mut cleo, &mut dan]).await;
    all_talk([&mut bea, &mut cleo, &mut dan]).await;
    nobody_hears_more([&mut bea, &mut cleo, &mut dan]).await;
}

#[tokio::test]
async fn a_host_who_is_away_while_its_locked_room_sleeps_comes_back_as_the_host() {
    let mut server = Server::start().await;
    let mut tries = 0..TRIES;
    let (mut ana, mut bea, mut cleo) = loop {
        let Some(number) = tries.next() else {
            panic!("the room never slept in time");
        };
        let room = format!("room-{number}");
        let [mut ana, mut bea, mut cleo] = gather(&server, &room, ["Ana", "Bea", "Cleo"]).await;
        wakes(&mut server, "room", 0).await;
        ana.locks(true).await;
        is_told_to_all(stands(ana.id, true), [&mut ana, &mut bea, &mut cleo]).await;
        nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
        let past = ana.past();
        ana.vanishes(Vanishing::Ended).await;
        is_told_to_all(away(past.id), [&mut bea, &mut cleo]).await;
        sleep(SILENCE).await;
        let mut ana = server.comes_again(&past).await;
        ana.claims(&past).await;
        let others = [&bea, &cleo].map(|other| other.seen_by(MEMBER));
        let in_time = ana.is_back_in_time(&past, others).await;
        let slept = has_slept(&mut server, "room", 2).await;
        if in_time {
            ana.hears(stands(ana.id, true)).await;
            is_told_to_all(back(ana.id), [&mut bea, &mut cleo]).await;
        } else {
            let lost = gone(past.id, LeaveReason::Lost);
            is_told_to_all(lost, [&mut bea, &mut cleo]).await;
            is_told_to_all(stands(bea.id, true), [&mut bea, &mut cleo]).await;
        }
        nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
        if in_time && slept {
            break (ana, bea, cleo);
        }
    };
    all_talk([&mut ana, &mut bea, &mut cleo]).await;
    ana.locks(false).await;
    is_told_to_all(stands(ana.id, false), [&mut ana, &mut bea, &mut cleo]).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
}

#[tokio::test]
async fn the_alarm_wakes_the_room_for_those_who_wait_for_somebody_lost() {
    let mut server = Server::start().await;
    let mut tries = 0..TRIES;
    loop {
        let Some(number) = tries.next() else {
            panic!("the room never slept in time");
        };
        let room = format!("room-{number}");
        let [ana, mut bea, mut cleo] = gather(&server, &room, ["Ana", "Bea", "Cleo"]).await;
        wakes(&mut server, "room", 0).await;
        // Nobody says anything until the grace is over.
        let lost = ana.vanishes(Vanishing::Reset).await;
        all_lose(lost, LeaveReason::Lost, [&mut bea, &mut cleo]).await;
        is_told_to_all(stands(bea.id, false), [&mut bea, &mut cleo]).await;
        let slept = has_slept(&mut server, "room", 2).await;
        nobody_hears_more([&mut bea, &mut cleo]).await;
        if slept {
            break;
        }
    }
}

#[tokio::test]
async fn who_was_sent_away_and_stays_is_not_in_the_room_when_it_wakes_up() {
    let mut server = Server::start().await;
    let mut tries = 0..TRIES;
    loop {
        let Some(number) = tries.next() else {
            panic!("the room never slept");
        };
        let room = format!("room-{number}");
        let [mut ana, mut bea] = gather(&server, &room, ["Ana", "Bea"]).await;
        wakes(&mut server, "room", 0).await;
        floods(&mut ana).await;
        bea.is_left_by(ana.id, LeaveReason::Left).await;
        bea.hears(stands(bea.id, false)).await;
        nobody_hears_more([&mut bea]).await;
        sleep(SILENCE).await;
        let mut cleo = server.visitor_of(&room, "cleo").await;
        comes_in(&mut cleo, "Cleo", [&mut bea]).await;
        nobody_hears_more([&mut bea, &mut cleo]).await;
        // Only now does she look at what she was sent.
        is_sent_away(ana).await;
        nobody_hears_more([&mut bea, &mut cleo]).await;
        if has_slept(&mut server, "room", 1).await {
            break;
        }
    }
}
