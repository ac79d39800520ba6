//! The object is thrown out of memory while everybody is silent, and nobody notices.
//!
//! workerd evicts an object after ten seconds without events. That it did is seen in the log: the object says
//! when it is made, and how many sockets it finds when it needs them all.

use std::time::Duration;

use echomingle::core::protocol::{ErrorCode, LeaveReason, Mode, Peer, Role};
use echomingle::core::rate::MESSAGES;
use serde_json::json;
use tokio::time::sleep;

use crate::flood::{CALM, floods, is_sent_away};
use crate::party::Place;
use crate::resume::MOMENT;
use crate::server::{Server, TOLD};
use crate::visitor::{Vanishing, Visitor, call, nobody_hears_more, they_talk};

/// Longer than workerd waits.
pub(crate) const SILENCE: Duration = Duration::from_secs(11);

/// How long somebody waits until the lobby has told of it: at most five seconds after it told of anything else, and in
/// `global`, where that is all there is, not again before a minute has passed (`src/core/outlook.rs`).
const KNOWN: Duration = Duration::from_secs(10);

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
    is_new(&mut server).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
    sleep(KNOWN).await;

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
            assert_eq!(line, is_awake("lobby"));
            break;
        }
    }
    they_talk(&mut ana, &mut bea).await;
    assert_eq!(server.logs_by_now().await, None, "two seats are enough");

    ana.finds(Mode::Video).await;
    bea.is_left_by(ana.id, LeaveReason::Skipped).await;
    // To know who waits takes all.
    assert_eq!(server.logs().await, is_restored("lobby", 3));
    cleo.meets(ana.seen_by(Role::Offerer)).await;
    ana.meets(with_offer(&cleo)).await;
    they_talk(&mut cleo, &mut ana).await;
    server.has(3, 0, 1).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
}

#[tokio::test]
async fn a_newcomer_wakes_the_object_and_meets_who_waited() {
    let mut server = Server::start().await;
    let mut ana = server.visitor("ana").await;
    is_new(&mut server).await;
    let mut tries = 0..TRIES;
    loop {
        assert!(tries.next().is_some(), "the object never slept");
        ana.finds_with_offer(Mode::Video, OFFER).await;
        ana.waits().await;
        ana.hears_nothing_more().await;
        sleep(KNOWN + SILENCE).await;
        let mut bea = server.visitor("bea").await;
        bea.finds(Mode::Video).await;
        ana.meets(bea.seen_by(Role::Offerer)).await;
        bea.meets(with_offer(&ana)).await;
        they_talk(&mut ana, &mut bea).await;
        nobody_hears_more([&mut ana, &mut bea]).await;
        if slept(&mut server, 1).await {
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
    is_new(&mut server).await;
    let mut tries = 0..TRIES;
    loop {
        assert!(tries.next().is_some(), "the object never slept");
        nobody_hears_more([&mut ana, &mut bea]).await;
        server.has(2, 0, 1).await;
        sleep(SILENCE).await;
        let lost = ana.vanishes(Vanishing::Ended).await;
        bea.misses(lost).await;
        server.has(1, 0, 1).await;
        // The lost one is still among the sockets, and is taken from them by its close event.
        let slept = slept(&mut server, 2).await;
        bea.is_left_by(lost, LeaveReason::Lost).await;
        server.has(1, 0, 0).await;
        if slept {
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
    is_new(&mut server).await;
    let mut tries = 0..TRIES;
    loop {
        assert!(tries.next().is_some(), "the object never slept in time");
        nobody_hears_more([&mut ana, &mut bea]).await;
        let past = ana.past();
        ana.vanishes(Vanishing::Ended).await;
        bea.misses(past.id).await;
        // It sleeps when it has told of that, which leaves little of the grace.
        server.has(1, 0, 1).await;
        sleep(SILENCE).await;
        ana = server.comes_again(&past).await;
        ana.claims(&past).await;
        let peers = [bea.seen_by(Role::Offerer)];
        let in_time = ana.is_back_in_time(&past, peers).await;
        let slept = slept(&mut server, 1).await;
        match in_time {
            true => bea.has_again(past.id).await,
            false => bea.is_left_by(past.id, LeaveReason::Lost).await,
        }
        if in_time && slept {
            break;
        }
        ana.closes(None).await;
        bea.leaves().await;
        bea.vanishes(Vanishing::Ended).await;
        server.has(0, 0, 0).await;
        // What changes next is told soon.
        sleep(TOLD).await;
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
    is_new(&mut server).await;
    let mut tries = 0..TRIES;
    loop {
        assert!(tries.next().is_some(), "the object never slept in time");
        nobody_hears_more([&mut ana, &mut bea]).await;
        // Nobody says anything until the grace is over.
        let lost = ana.vanishes(Vanishing::Reset).await;
        bea.loses(lost).await;
        if slept(&mut server, 1).await {
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
    is_new(&mut server).await;
    let mut tries = 0..TRIES;
    loop {
        assert!(tries.next().is_some(), "the object never slept");
        nobody_hears_more([&mut ana, &mut bea]).await;
        sleep(TOLD + SILENCE).await;
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
        if slept(&mut server, 2).await {
            break;
        }
    }
    let mut cleo = server.visitor("cleo").await;
    server.has(3, 0, 1).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
}

#[tokio::test]
async fn who_was_sent_away_and_stays_is_not_seated_again() {
    let mut server = Server::start().await;
    server.visitor("somebody").await.closes(None).await;
    is_new(&mut server).await;
    let mut tries = 0..TRIES;
    loop {
        assert!(tries.next().is_some(), "the object never slept");
        let mut ana = server.visitor("ana").await;
        ana.finds(Mode::Video).await;
        ana.waits().await;
        server.has(1, 1, 0).await;
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
        if slept(&mut server, 0).await {
            break;
        }
    }
}

#[tokio::test]
async fn who_took_its_seat_again_before_the_sleep_is_found_by_its_partner() {
    tokio::join!(
        who_took_its_seat_is_found(Place::Lobby, "lobby"),
        who_took_its_seat_is_found(Place::Room, "room"),
    );
}

async fn who_took_its_seat_is_found(place: Place, kind: &str) {
    let mut server = Server::start().await;
    let (mut lost, mut bea) = place.call(&server, "ana", "bea").await;
    wakes(&mut server, kind, 0).await;
    nobody_hears_more([&mut lost, &mut bea]).await;
    // The socket that she had before stays, and is hers no more.
    let past = lost.past();
    let mut ana = server.comes_again(&past).await;
    sleep(MOMENT).await;
    ana.claims(&past).await;
    bea.misses(past.id).await;
    bea.has_again(past.id).await;
    ana.is_back(&past, [bea.seen_by(Role::Offerer)]).await;
    place.tells(&mut ana, past.id).await;

    // She reaches her partner by the two seats alone, and is reached by all of them.
    wakes_for_two(&mut server, kind, [&mut ana, &mut bea]).await;
    let mut tries = 0..TRIES;
    loop {
        assert!(tries.next().is_some(), "the object never slept");
        nobody_hears_more([&mut ana, &mut bea]).await;
        sleep(SILENCE).await;
        they_talk(&mut bea, &mut ana).await;
        if has_slept(&mut server, kind, 2).await {
            break;
        }
    }
    nobody_hears_more([&mut ana, &mut bea]).await;
}

#[tokio::test]
async fn what_somebody_may_say_is_no_more_when_all_seats_are_needed() {
    let mut server = Server::start().await;
    let (mut ana, mut bea) = call(&server, "ana", "bea").await;
    is_new(&mut server).await;
    wakes_for_two(&mut server, "lobby", [&mut ana, &mut bea]).await;
    let nearly_all = MESSAGES.burst - 5;
    for n in 0..nearly_all {
        ana.signals(bea.id, json!(n)).await;
    }
    for n in 0..nearly_all {
        bea.hears_signal(ana.id, json!(n)).await;
    }
    assert_eq!(server.logs_by_now().await, None, "two seats are enough");
    server.visitor("cleo").await.closes(None).await;
    assert_eq!(server.logs().await, is_restored("lobby", 2));
    for _ in 0..nearly_all {
        ana.goes_away().await;
    }
    ana.is_refused(ErrorCode::RateLimited).await;
    sleep(3 * CALM).await;
    they_talk(&mut bea, &mut ana).await;
    nobody_hears_more([&mut ana, &mut bea]).await;
}

async fn is_new(server: &mut Server) {
    wakes(server, "lobby", 0).await;
}

async fn slept(server: &mut Server, sockets: u32) -> bool {
    has_slept(server, "lobby", sockets).await
}

/// An object of this kind is made or wakes up, and needs all its sockets, which are so many.
pub(crate) async fn wakes(server: &mut Server, kind: &str, sockets: u32) {
    assert_eq!(server.logs().await, is_awake(kind));
    assert_eq!(server.logs().await, is_restored(kind, sockets));
}

/// Whether an object of this kind has slept by now; then it has needed all its sockets, which are so many.
pub(crate) async fn has_slept(server: &mut Server, kind: &str, sockets: u32) -> bool {
    let Some(line) = server.logs_by_now().await else {
        return false;
    };
    assert_eq!(line, is_awake(kind));
    assert_eq!(server.logs().await, is_restored(kind, sockets));
    true
}

/// An object of this kind sleeps until one of these talks to the other, for which it needs the seats of both and
/// no other.
async fn wakes_for_two(server: &mut Server, kind: &str, [one, other]: [&mut Visitor; 2]) {
    let mut tries = 0..TRIES;
    loop {
        assert!(tries.next().is_some(), "the object never slept");
        nobody_hears_more([&mut *one, &mut *other]).await;
        sleep(TOLD + SILENCE).await;
        they_talk(one, other).await;
        if let Some(line) = server.logs_by_now().await {
            assert_eq!(line, is_awake(kind));
            break;
        }
    }
    they_talk(one, other).await;
    assert_eq!(server.logs_by_now().await, None, "two seats are enough");
}

/// What an object of this kind writes to the log when it is made or wakes up.
pub(crate) fn is_awake(kind: &str) -> String {
    format!(r#"{{"event":"{kind}-awake"}}"#)
}

/// What an object of this kind writes to the log when it has read what all its sockets remember.
pub(crate) fn is_restored(kind: &str, sockets: u32) -> String {
    format!(r#"{{"event":"{kind}-restored","sockets":{sockets}}}"#)
}

fn with_offer(offerer: &Visitor) -> Peer {
    Peer {
        offer: Some(OFFER.into()),
        ..offerer.seen_by(Role::Answerer)
    }
}
