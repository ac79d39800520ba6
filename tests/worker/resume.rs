//! A lost socket, and the way back into the call: by the latest token, for a while.

use std::time::Duration;

use echomingle::core::protocol::{ErrorCode, LeaveReason, Mode, Role, ServerMessage};
use echomingle::core::resume::{GRACE, PROOF, SHORT_GRACE};
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::party::Place;
use crate::server::Server;
use crate::visitor::{Past, Vanishing, Visitor, call, meet, nobody_hears_more, they_talk};

const LONG: Duration = Duration::from_millis(GRACE.get());
const SHORT: Duration = Duration::from_millis(SHORT_GRACE.get());
const TEST_OF_LIFE: Duration = Duration::from_millis(PROOF.get());

/// The clocks are not read at the same moment, and tell whole milliseconds.
const INACCURACY: Duration = Duration::from_millis(50);

/// Clocks tell milliseconds, and who was heard in the very one in which its seat is claimed lives.
pub(crate) const MOMENT: Duration = Duration::from_millis(5);

/// WebSocket close code 1001: one end goes away.
const GOING_AWAY: u16 = 1001;

#[tokio::test]
async fn who_loses_its_socket_comes_back_into_its_call_as_often_as_it_likes() {
    let server = Server::start().await;
    for place in Place::BOTH {
        for how in [Vanishing::Ended, Vanishing::Reset] {
            let (mut ana, mut bea) = place.call(&server, &format!("ana ({how:?})"), "bea").await;
            for _ in 0..3 {
                let past = ana.past();
                ana.vanishes(how).await;
                bea.misses(past.id).await;
                ana = server.returns(&past, [bea.seen_by(Role::Offerer)]).await;
                place.tells(&mut ana, past.id).await;
                bea.has_again(past.id).await;
                they_talk(&mut ana, &mut bea).await;

                let past = bea.past();
                bea.vanishes(how).await;
                ana.misses(past.id).await;
                // It would come too late.
                ana.signals(past.id, json!("never mind")).await;
                ana.hears_nothing_more().await;
                bea = server.returns(&past, [ana.seen_by(Role::Answerer)]).await;
                place.tells(&mut bea, ana.id).await;
                ana.has_again(past.id).await;
                they_talk(&mut ana, &mut bea).await;
                nobody_hears_more([&mut ana, &mut bea]).await;
            }
            // It is a call like any other.
            ana.leaves().await;
            bea.is_left_by(ana.id, LeaveReason::Left).await;
            place.tells_the_host(&mut bea).await;
            nobody_hears_more([&mut ana, &mut bea]).await;
        }
    }
}

#[tokio::test]
async fn a_call_of_which_one_is_away_is_a_call_and_who_is_away_is_not_online() {
    let server = Server::start().await;
    let (ana, mut bea) = call(&server, "ana", "bea").await;
    let past = ana.past();
    server.has(2, 0, 1).await;
    ana.closes(None).await;
    bea.misses(past.id).await;
    server.has(1, 0, 1).await;
    let mut ana = server.returns(&past, [bea.seen_by(Role::Offerer)]).await;
    bea.has_again(past.id).await;
    server.has(2, 0, 1).await;
    nobody_hears_more([&mut ana, &mut bea]).await;
}

#[tokio::test]
async fn who_is_in_no_call_comes_back_as_who_it_was() {
    let server = Server::start().await;
    let ana = server.visitor("ana").await;
    let mut cleo = server.visitor_of("kitchen", "cleo").await;
    let pasts = [ana.past(), cleo.past()];
    cleo.leaves().await; // means nothing yet
    server.has(1, 0, 0).await;
    ana.vanishes(Vanishing::Ended).await;
    cleo.vanishes(Vanishing::Reset).await;
    server.has(0, 0, 0).await;
    let mut ana = server.returns(&pasts[0], []).await;
    let mut cleo = server.returns(&pasts[1], []).await;
    server.has(1, 0, 0).await;

    let mut bea = server.visitor("bea").await;
    ana.finds(Mode::Video).await;
    ana.waits().await;
    bea.finds(Mode::Video).await;
    meet(&mut ana, &mut bea).await;
    they_talk(&mut ana, &mut bea).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
}

#[tokio::test]
async fn who_does_not_come_back_in_fifteen_seconds_is_lost_for_good() {
    let server = &Server::start().await;
    tokio::join!(
        is_lost_for_good(server, Place::Lobby),
        is_lost_for_good(server, Place::Room),
    );
}

async fn is_lost_for_good(server: &Server, place: Place) {
    let (mut ana, mut bea) = place.call(server, "ana", "bea").await;
    // That she once went away for a moment counts no more.
    ana.goes_away().await;
    let past = ana.past();
    ana.vanishes(Vanishing::Ended).await;
    bea.misses(past.id).await;
    let mut ana = server.returns(&past, [bea.seen_by(Role::Offerer)]).await;
    place.tells(&mut ana, past.id).await;
    bea.has_again(past.id).await;
    let past = ana.past();
    ana.hears_nothing_more().await;
    let since = Instant::now();
    ana.vanishes(Vanishing::Ended).await;
    bea.loses(past.id).await;
    assert!(since.elapsed() > LONG - INACCURACY, "{:?}", since.elapsed());
    place.tells_the_host(&mut bea).await;
    it_was_in_vain(server, &past, place).await;
    bea.hears_nothing_more().await;
}

#[tokio::test]
async fn who_said_that_it_goes_away_is_waited_for_four_seconds() {
    let server = &Server::start().await;
    tokio::join!(
        is_not_waited_for_long(server, Place::Lobby),
        is_not_waited_for_long(server, Place::Room),
    );
}

async fn is_not_waited_for_long(server: &Server, place: Place) {
    let (mut ana, mut bea) = place.call(server, "ana", "bea").await;
    ana.goes_away().await;
    let past = ana.past();
    ana.hears_nothing_more().await;
    let since = Instant::now();
    ana.closes(Some(1001)).await;
    bea.loses(past.id).await;
    let took = since.elapsed();
    assert!((SHORT - INACCURACY..LONG).contains(&took), "{took:?}");
    place.tells_the_host(&mut bea).await;
    it_was_in_vain(server, &past, place).await;
    bea.hears_nothing_more().await;
}

/// Comes back with a token that resumes nothing any more.
async fn it_was_in_vain(server: &Server, past: &Past, place: Place) {
    let mut ana = server.comes_again(past).await;
    ana.claims(past).await;
    is_refused_and_stays(&mut ana, place).await;
}

/// The token was refused, and the seat that the socket has anyway is as good as any.
async fn is_refused_and_stays(visitor: &mut Visitor, place: Place) {
    visitor.is_refused(ErrorCode::BadToken).await;
    match place {
        Place::Lobby => {
            visitor.finds(Mode::Text).await;
            visitor.waits().await;
            visitor.leaves().await;
        }
        // To come in would be told to everybody inside.
        Place::Room => {
            visitor.asks_to_mute(visitor.id).await;
            visitor.is_refused(ErrorCode::NotAllowed).await;
        }
    }
    visitor.hears_nothing_more().await;
}

#[tokio::test]
async fn who_comes_back_when_its_partner_has_gone_on_meets_others_first() {
    let server = Server::start().await;
    let (ana, mut bea) = call(&server, "ana", "bea").await;
    let past = ana.past();
    ana.vanishes(Vanishing::Ended).await;
    bea.misses(past.id).await;
    bea.finds(Mode::Video).await;
    bea.waits().await;
    let mut ana = server.comes_again(&past).await;
    ana.claims(&past).await;
    ana.is_refused(ErrorCode::BadToken).await;
    assert_ne!(ana.id, past.id);
    // The two have just met, and wait for somebody else for a while.
    ana.finds(Mode::Video).await;
    ana.waits().await;
    meet(&mut bea, &mut ana).await;
    they_talk(&mut ana, &mut bea).await;
    nobody_hears_more([&mut ana, &mut bea]).await;
}

#[tokio::test]
async fn the_token_of_a_call_that_was_ended_resumes_nothing() {
    let server = Server::start().await;
    let (ana, mut bea) = call(&server, "ana", "bea").await;
    let (mut ana, past) = (ana, bea.past());
    bea.leaves().await;
    ana.is_left_by(past.id, LeaveReason::Left).await;
    bea.closes(None).await;
    server.has(1, 0, 0).await;
    it_was_in_vain(&server, &past, Place::Lobby).await;
    ana.hears_nothing_more().await;
}

#[tokio::test]
async fn who_is_there_keeps_its_seat_from_whoever_has_its_token() {
    let server = Server::start().await;
    for place in Place::BOTH {
        for pings in [true, false] {
            let (mut ana, mut bea) = place.call(&server, "ana", "bea").await;
            let past = ana.past();
            let mut thief = server.comes_again(&past).await;
            let mut late = server.comes_again(&past).await;
            thief.claims(&past).await;
            ana.hears(ServerMessage::StillThere {}).await;
            if pings {
                ana.pings().await;
            } else {
                ana.signals(bea.id, json!("I am here")).await;
                bea.hears_signal(ana.id, json!("I am here")).await;
            }
            // One at a time, and nobody gets its own.
            late.claims(&past).await;
            is_refused_and_stays(&mut late, place).await;
            ana.claims(&past).await;
            ana.is_refused(ErrorCode::BadToken).await;
            is_refused_and_stays(&mut thief, place).await;
            they_talk(&mut ana, &mut bea).await;
            nobody_hears_more([&mut ana, &mut bea, &mut thief, &mut late]).await;

            // It is still hers.
            let past = ana.past();
            ana.vanishes(Vanishing::Ended).await;
            bea.misses(past.id).await;
            ana = server.returns(&past, [bea.seen_by(Role::Offerer)]).await;
            place.tells(&mut ana, past.id).await;
            bea.has_again(past.id).await;
            they_talk(&mut ana, &mut bea).await;
            nobody_hears_more([&mut ana, &mut bea, &mut thief, &mut late]).await;
        }
    }
}

/// How the end of a socket becomes known whose seat is somebody else's already.
#[derive(Debug, Clone, Copy)]
enum Afterlife {
    Speaks,
    Closes,
    Vanishes(Vanishing),
}

#[tokio::test]
async fn a_socket_whose_network_went_away_is_taken_over_and_its_end_harms_nobody() {
    let server = &Server::start().await;
    let mut calls = Vec::new();
    for place in Place::BOTH {
        for life in [
            Afterlife::Speaks,
            Afterlife::Closes,
            Afterlife::Vanishes(Vanishing::Ended),
            Afterlife::Vanishes(Vanishing::Reset),
        ] {
            let ana = format!("ana ({life:?})");
            calls.push((place, place.call(server, &ana, "bea").await, life));
        }
    }
    server.has(8, 0, 4).await;
    join_all(
        calls
            .into_iter()
            .map(|(place, call, life)| is_taken_over(server, place, call, life)),
    )
    .await;
    server.has(0, 0, 0).await;
}

async fn is_taken_over(
    server: &Server,
    place: Place,
    (mut ana, mut bea): (Visitor, Visitor),
    life: Afterlife,
) {
    nobody_hears_more([&mut ana, &mut bea]).await;
    let past = ana.past();
    let mut again = server.comes_again(&past).await;
    sleep(MOMENT).await;
    let since = Instant::now();
    again.claims(&past).await;
    bea.misses(past.id).await;
    let took = since.elapsed();
    assert!(took > TEST_OF_LIFE - INACCURACY, "{took:?}");
    bea.has_again(past.id).await;
    again.is_back(&past, [bea.seen_by(Role::Offerer)]).await;
    place.tells(&mut again, past.id).await;
    they_talk(&mut again, &mut bea).await;

    match life {
        Afterlife::Speaks => {
            ana.hears(ServerMessage::StillThere {}).await;
            ana.signals(bea.id, json!("was there anything?")).await;
            ana.leaves().await;
            ana.ends_with(GOING_AWAY).await;
        }
        Afterlife::Closes => {
            ana.hears(ServerMessage::StillThere {}).await;
            ana.ends_with(GOING_AWAY).await;
        }
        Afterlife::Vanishes(how) => {
            ana.vanishes(how).await;
        }
    }
    they_talk(&mut again, &mut bea).await;
    nobody_hears_more([&mut again, &mut bea]).await;
    again.leaves().await;
    bea.is_left_by(past.id, LeaveReason::Left).await;
    place.tells_the_host(&mut bea).await;
    again.closes(None).await;
    bea.closes(None).await;
}
