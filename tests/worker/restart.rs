//! The server ends under everybody's feet, as in a deploy: every socket is cut at once, and the tokens are
//! all that is left.

use echomingle::core::protocol::{ErrorCode, LeaveReason, Mode, Role};
use futures_util::future::join_all;

use crate::party::{
    MEMBER, NEWCOMER, Place, all_talk, back, comes_in, gather, is_told_to_all, stands,
};
use crate::server::Server;
use crate::visitor::{Past, Vanishing, Visitor, call, meet, nobody_hears_more, they_talk};

/// How many pairs there are, and how often all of them are cut.
const PAIRS: usize = 5;
const RESTARTS: usize = 20;

#[tokio::test]
async fn after_a_restart_a_call_goes_on_by_its_tokens_alone() {
    let mut server = Server::start().await;
    for first in [0, 1] {
        let (mut ana, mut bea) = call(&server, "ana", "bea").await;
        let mut cleo = server.visitor("cleo").await;
        cleo.finds(Mode::Video).await;
        cleo.waits().await;
        nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
        let pasts = [ana.past(), bea.past()];
        let third = cleo.past();
        restarts(&mut server, [ana, bea, cleo]).await;

        let roles = [Role::Offerer, Role::Answerer];
        let (one, other) = (&pasts[first], &pasts[1 - first]);
        let mut one = server.returns(one, [other.missed_by(roles[first])]).await;
        one.misses(other.id).await;
        server.has(1, 0, 1).await;
        let mut other = server.returns(other, [one.seen_by(roles[1 - first])]).await;
        one.has_again(other.id).await;
        server.has(2, 0, 1).await;
        they_talk(&mut one, &mut other).await;

        // Who waited is who it was, and searches again.
        let mut cleo = server.returns(&third, []).await;
        let mut dan = server.visitor("dan").await;
        cleo.finds(Mode::Video).await;
        cleo.waits().await;
        dan.finds(Mode::Video).await;
        meet(&mut cleo, &mut dan).await;
        they_talk(&mut cleo, &mut dan).await;
        for visitor in [&mut one, &mut cleo] {
            visitor.leaves().await;
        }
        other.is_left_by(one.id, LeaveReason::Left).await;
        dan.is_left_by(cleo.id, LeaveReason::Left).await;
        nobody_hears_more([&mut one, &mut other, &mut cleo, &mut dan]).await;
    }
}

#[tokio::test]
async fn who_comes_back_alone_after_a_restart_is_left_in_the_end() {
    let mut server = Server::start().await;
    let (ana, mut bea) = call(&server, "ana", "bea").await;
    let [mut cleo, dan] = gather(&server, "kitchen", ["Cleo", "Dan"]).await;
    // Two are away already, and the alarm that is set for that outlives the server as well.
    let [ana_past, bea_past, cleo_past, dan_past] = [&ana, &bea, &cleo, &dan].map(Visitor::past);
    ana.vanishes(Vanishing::Ended).await;
    bea.misses(ana_past.id).await;
    dan.vanishes(Vanishing::Ended).await;
    cleo.misses(dan_past.id).await;
    restarts(&mut server, [bea, cleo]).await;

    let mut bea = server
        .returns(&bea_past, [ana_past.missed_by(Role::Answerer)])
        .await;
    let mut cleo = server
        .returns(&cleo_past, [dan_past.missed_by(Role::Offerer)])
        .await;
    bea.misses(ana_past.id).await;
    cleo.misses(dan_past.id).await;
    cleo.hears(stands(cleo.id, false)).await;
    for (visitor, lost) in [(&mut bea, ana_past.id), (&mut cleo, dan_past.id)] {
        visitor.is_left_by(lost, LeaveReason::Lost).await;
    }
    nobody_hears_more([&mut bea, &mut cleo]).await;
    server.has(1, 0, 0).await;
    bea.finds(Mode::Video).await;
    bea.waits().await;
    let mut eve = server.visitor_of("kitchen", "eve").await;
    comes_in(&mut eve, "Eve", [&mut cleo]).await;
    nobody_hears_more([&mut bea, &mut cleo, &mut eve]).await;
}

#[tokio::test]
async fn after_a_restart_a_locked_room_is_locked_and_its_host_is_the_host() {
    let mut server = Server::start().await;
    let [mut ana, mut bea, mut cleo] = gather(&server, "kitchen", ["Ana", "Bea", "Cleo"]).await;
    ana.locks(true).await;
    is_told_to_all(stands(ana.id, true), [&mut ana, &mut bea, &mut cleo]).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
    let pasts = [&ana, &bea, &cleo].map(Visitor::past);
    let [was_ana, was_bea, was_cleo] = &pasts;
    restarts(&mut server, [ana, bea, cleo]).await;

    // The last one is the first to come back.
    let both = [was_ana, was_bea].map(|past| past.missed_by(NEWCOMER));
    let mut cleo = server.returns(was_cleo, both).await;
    cleo.misses(was_ana.id).await;
    cleo.misses(was_bea.id).await;
    cleo.hears(stands(was_ana.id, true)).await;
    let mut dan = server.visitor_of("kitchen", "dan").await;
    dan.enters("Dan").await;
    dan.is_refused(ErrorCode::RoomLocked).await;
    cleo.locks(false).await;
    cleo.is_refused(ErrorCode::NotAllowed).await;

    let others = [was_ana.missed_by(NEWCOMER), cleo.seen_by(MEMBER)];
    let mut bea = server.returns(was_bea, others).await;
    bea.misses(was_ana.id).await;
    bea.hears(stands(was_ana.id, true)).await;
    cleo.has_again(bea.id).await;
    they_talk(&mut bea, &mut cleo).await;
    bea.locks(false).await;
    bea.is_refused(ErrorCode::NotAllowed).await;

    let others = [&bea, &cleo].map(|other| other.seen_by(MEMBER));
    let mut ana = server.returns(was_ana, others).await;
    ana.hears(stands(ana.id, true)).await;
    is_told_to_all(back(ana.id), [&mut bea, &mut cleo]).await;
    all_talk([&mut ana, &mut bea, &mut cleo]).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo, &mut dan]).await;
    ana.locks(false).await;
    is_told_to_all(stands(ana.id, false), [&mut ana, &mut bea, &mut cleo]).await;
    comes_in(&mut dan, "Dan", [&mut ana, &mut bea, &mut cleo]).await;
    all_talk([&mut ana, &mut bea, &mut cleo, &mut dan]).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo, &mut dan]).await;
}

#[tokio::test]
async fn twenty_restarts_in_a_row_lose_nobody() {
    let mut server = Server::start().await;
    let mut pairs = Vec::new();
    for n in 0..PAIRS {
        let place = Place::BOTH[n % 2];
        let [ana, bea] = ["ana", "bea"].map(|name| format!("{name} {n}"));
        pairs.push(place.call(&server, &ana, &bea).await);
    }
    for restart in 0..RESTARTS {
        let everybody = pairs.iter_mut().flat_map(|(ana, bea)| [ana, bea]);
        nobody_hears_more(everybody).await;
        let pasts: Vec<_> = pairs
            .iter()
            .map(|(ana, bea)| (ana.past(), bea.past()))
            .collect();
        let everybody = pairs.into_iter().flat_map(|(ana, bea)| [ana, bea]);
        restarts(&mut server, everybody).await;
        // Now one, now the other comes first.
        let server = &server;
        let returning = pasts
            .into_iter()
            .enumerate()
            .map(|(n, (ana, bea))| async move {
                come_back(server, Place::BOTH[n % 2], &ana, &bea, restart % 2 == 0).await
            });
        pairs = join_all(returning).await;
    }
    let everybody = pairs.iter_mut().flat_map(|(ana, bea)| [ana, bea]);
    nobody_hears_more(everybody).await;
}

/// Two who were in a call, of whom the first one offers, come back one after the other, and talk.
async fn come_back(
    server: &Server,
    place: Place,
    ana: &Past,
    bea: &Past,
    ana_first: bool,
) -> (Visitor, Visitor) {
    let host = ana.id;
    let (one, role, other, others_role) = match ana_first {
        true => (ana, Role::Offerer, bea, Role::Answerer),
        false => (bea, Role::Answerer, ana, Role::Offerer),
    };
    let mut one = server.returns(one, [other.missed_by(role)]).await;
    one.misses(other.id).await;
    place.tells(&mut one, host).await;
    let mut other = server.returns(other, [one.seen_by(others_role)]).await;
    place.tells(&mut other, host).await;
    one.has_again(other.id).await;
    let (mut ana, mut bea) = match ana_first {
        true => (one, other),
        false => (other, one),
    };
    they_talk(&mut ana, &mut bea).await;
    (ana, bea)
}

#[tokio::test]
async fn who_comes_without_a_token_after_a_restart_is_somebody_new_in_a_new_room() {
    let mut server = Server::start().await;
    let (ana, bea) = call(&server, "ana", "bea").await;
    let [mut cleo, mut dan] = gather(&server, "kitchen", ["Cleo", "Dan"]).await;
    cleo.locks(true).await;
    is_told_to_all(stands(cleo.id, true), [&mut cleo, &mut dan]).await;
    let was_dan = dan.past();
    restarts(&mut server, [ana, bea, cleo, dan]).await;

    let (mut ana, mut bea) = call(&server, "ana, again", "bea, again").await;
    they_talk(&mut ana, &mut bea).await;
    server.has(2, 0, 1).await;
    let mut cleo = server.visitor_of("kitchen", "cleo, again").await;
    comes_in(&mut cleo, "Cleo", []).await;
    // Nobody inside remembers who comes with a token of before.
    let mut dan = server.comes_again(&was_dan).await;
    dan.claims(&was_dan).await;
    dan.is_refused(ErrorCode::BadToken).await;
    comes_in(&mut dan, "Dan", [&mut cleo]).await;
    all_talk([&mut cleo, &mut dan]).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo, &mut dan]).await;
}

/// Everybody is cut, and the server is there again.
async fn restarts(server: &mut Server, visitors: impl IntoIterator<Item = Visitor>) {
    server.restart().await;
    for visitor in visitors {
        visitor.breaks_off().await;
    }
}
