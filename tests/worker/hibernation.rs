//! The object is thrown out of memory while everybody is silent, and nobody notices.
//!
//! workerd evicts an object after ten seconds without events. That it did is seen in the log: the
//! object says how many sockets it finds when it is made.

use std::time::Duration;

use echomingle::core::protocol::{LeaveReason, Mode, Peer, Role};
use serde_json::json;
use tokio::time::sleep;

use crate::flood::{floods, is_sent_away};
use crate::resume::MOMENT;
use crate::server::Server;
use crate::visitor::{Vanishing, Visitor, call, nobody_hears_more, they_talk};

/// Longer than workerd waits.
pub(crate) const SILENCE: Duration = Duration::from_secs(11);

/// How often silence is tried: a busy machine may be late.
pub(crate) const TRIES: u32 = 5;

const OFFER: &str = "v=0\r\ns=prepared\r\n";

#[tokio::test]
async fn a_call_and_the_queue_outlive_the_sleep_of_the_object() {
    let mut server = Server::start().await;
    let (mut ana, mut bea) = call(&server, "ana", "bea").await;
    let mut cleo = server.visitor("cleo").await;
    cleo.finds_with_offer(Mode::Video, OFFER).await;
    cleo.waits().await;
    assert_eq!(server.logs().await, awake(0));
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;

    let mut tries = 0..TRIES;
    loop {
        assert!(tries.next().is_some(), "the object never slept");
        // Whoever looks whether the connection lives neither keeps it awake nor wakes it.
        sleep(SILENCE / 2).await;
        for visitor in [&mut ana, &mut bea, &mut cleo] {
            visitor.pings().await;
        }
        sleep(SILENCE / 2).await;
        ana.pings().await;
        assert_eq!(server.logs_by_now().await, None);
        ana.signals(bea.id, json!("good morning")).await;
        bea.hears_signal(ana.id, json!("good morning")).await;
        if let Some(line) = server.logs_by_now().await {
            assert_eq!(line, awake(3));
            break;
        }
    }
    they_talk(&mut ana, &mut bea).await;
    server.has(3, 1, 1).await;

    ana.finds(Mode::Video).await;
    bea.is_left_by(ana.id, LeaveReason::Skipped).await;
    cleo.meets(ana.seen_by(Role::Offerer)).await;
    ana.meets(with_offer(&cleo)).await;
    they_talk(&mut cleo, &mut ana).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
}

#[tokio::test]
async fn a_newcomer_wakes_the_object_and_meets_who_waited() {
    let mut server = Server::start().await;
    let mut ana = server.visitor("ana").await;
    assert_eq!(server.logs().await, awake(0));
    let mut tries = 0..TRIES;
    loop {
        assert!(tries.next().is_some(), "the object never slept");
        ana.finds_with_offer(Mode::Video, OFFER).await;
        ana.waits().await;
        ana.hears_nothing_more().await;
        sleep(SILENCE).await;
        let mut bea = server.visitor("bea").await;
        bea.finds(Mode::Video).await;
        ana.meets(bea.seen_by(Role::Offerer)).await;
        bea.meets(with_offer(&ana)).await;
        they_talk(&mut ana, &mut bea).await;
        nobody_hears_more([&mut ana, &mut bea]).await;
        if let Some(line) = server.logs_by_now().await {
            assert_eq!(line, awake(1));
            break;
        }
        let bea = bea.closes(None).await;
        ana.misses(bea).await;
    }
}

#[tokio::test]
async fn who_is_lost_while_the_object_sleeps_is_missed_by_its_partner() {
    let mut server = Server::start().await;
    let (mut ana, mut bea) = call(&server, "ana", "bea").await;
    assert_eq!(server.logs().await, awake(0));
    let mut tries = 0..TRIES;
    loop {
        assert!(tries.next().is_some(), "the object never slept");
        nobody_hears_more([&mut ana, &mut bea]).await;
        sleep(SILENCE).await;
        let lost = ana.vanishes(Vanishing::Ended).await;
        bea.misses(lost).await;
        server.has(1, 0, 1).await;
        let line = server.logs_by_now().await;
        bea.is_left_by(lost, LeaveReason::Lost).await;
        server.has(1, 0, 0).await;
        if let Some(line) = line {
            // The lost one is still among the sockets, and is taken from them by its close event.
            assert_eq!(line, awake(2));
            break;
        }
        bea.closes(None).await;
        (ana, bea) = call(&server, "ana", "bea").await;
    }
    let mut cleo = server.visitor("cleo").await;
    cleo.finds(Mode::Video).await;
    cleo.waits().await;
    nobody_hears_more([&mut bea, &mut cleo]).await;
}

#[tokio::test]
async fn who_is_away_while_the_object_sleeps_comes_back_into_its_call() {
    let mut server = Server::start().await;
    let (mut ana, mut bea) = call(&server, "ana", "bea").await;
    assert_eq!(server.logs().await, awake(0));
    let mut tries = 0..TRIES;
    loop {
        assert!(tries.next().is_some(), "the object never slept in time");
        nobody_hears_more([&mut ana, &mut bea]).await;
        let past = ana.past();
        ana.vanishes(Vanishing::Ended).await;
        bea.misses(past.id).await;
        sleep(SILENCE).await;
        ana = server.comes_again(&past).await;
        ana.claims(&past).await;
        let peers = [bea.seen_by(Role::Offerer)];
        let in_time = ana.is_back_in_time(&past, peers).await;
        let line = server.logs_by_now().await;
        match in_time {
            true => bea.has_again(past.id).await,
            false => bea.is_left_by(past.id, LeaveReason::Lost).await,
        }
        if let (true, Some(line)) = (in_time, line) {
            assert_eq!(line, awake(1));
            break;
        }
        ana.closes(None).await;
        bea.leaves().await;
        bea.vanishes(Vanishing::Ended).await;
        server.has(0, 0, 0).await;
        (ana, bea) = call(&server, "ana", "bea").await;
    }
    they_talk(&mut ana, &mut bea).await;
    server.has(2, 0, 1).await;
    nobody_hears_more([&mut ana, &mut bea]).await;
}

#[tokio::test]
async fn the_alarm_wakes_the_object_for_who_waits_for_somebody_lost() {
    let mut server = Server::start().await;
    let (mut ana, mut bea) = call(&server, "ana", "bea").await;
    assert_eq!(server.logs().await, awake(0));
    let mut tries = 0..TRIES;
    loop {
        assert!(tries.next().is_some(), "the object never slept in time");
        nobody_hears_more([&mut ana, &mut bea]).await;
        // Nobody says anything until the grace is over.
        let lost = ana.vanishes(Vanishing::Reset).await;
        bea.loses(lost).await;
        if let Some(line) = server.logs_by_now().await {
            assert_eq!(line, awake(1));
            break;
        }
        bea.closes(None).await;
        (ana, bea) = call(&server, "ana", "bea").await;
    }
    server.has(1, 0, 0).await;
    bea.finds(Mode::Video).await;
    bea.waits().await;
    nobody_hears_more([&mut bea]).await;
}

#[tokio::test]
async fn a_socket_whose_network_went_away_while_the_object_slept_is_taken_over() {
    let mut server = Server::start().await;
    let (mut ana, mut bea) = call(&server, "ana", "bea").await;
    assert_eq!(server.logs().await, awake(0));
    let mut tries = 0..TRIES;
    loop {
        assert!(tries.next().is_some(), "the object never slept");
        nobody_hears_more([&mut ana, &mut bea]).await;
        sleep(SILENCE).await;
        let past = ana.past();
        let mut again = server.comes_again(&past).await;
        sleep(MOMENT).await;
        again.claims(&past).await;
        bea.misses(past.id).await;
        bea.has_again(past.id).await;
        again.is_back(&past, [bea.seen_by(Role::Offerer)]).await;
        ana = again;
        they_talk(&mut ana, &mut bea).await;
        nobody_hears_more([&mut ana, &mut bea]).await;
        if let Some(line) = server.logs_by_now().await {
            assert_eq!(line, awake(2));
            break;
        }
    }
    server.has(2, 0, 1).await;
}

#[tokio::test]
async fn who_was_sent_away_and_stays_is_not_seated_again() {
    let mut server = Server::start().await;
    assert_eq!(server.stats().await.online, 0);
    assert_eq!(server.logs().await, awake(0));
    let mut tries = 0..TRIES;
    loop {
        assert!(tries.next().is_some(), "the object never slept");
        let mut ana = server.visitor("ana").await;
        ana.finds(Mode::Video).await;
        ana.waits().await;
        floods(&mut ana).await;
        server.has(0, 0, 0).await;
        sleep(SILENCE).await;
        let mut bea = server.visitor("bea").await;
        bea.finds(Mode::Video).await;
        bea.waits().await;
        nobody_hears_more([&mut bea]).await;
        server.has(1, 1, 0).await;
        bea.closes(None).await;
        // Only now does she look at what she was sent.
        is_sent_away(ana).await;
        if let Some(line) = server.logs_by_now().await {
            assert_eq!(line, awake(0));
            break;
        }
    }
}

fn awake(sockets: u32) -> String {
    is_awake("lobby", sockets)
}

/// What an object of this kind writes to the log when it is made or wakes up.
pub(crate) fn is_awake(kind: &str, sockets: u32) -> String {
    format!(r#"{{"event":"{kind}-awake","sockets":{sockets}}}"#)
}

fn with_offer(offerer: &Visitor) -> Peer {
    Peer {
        offer: Some(OFFER.into()),
        ..offerer.seen_by(Role::Answerer)
    }
}
