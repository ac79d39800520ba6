//! How calls and connections end, and who is told what.

use echomingle::core::id::PeerId;
use echomingle::core::protocol::{LeaveReason, Mode, Role, ServerMessage};

use crate::server::Server;
use crate::visitor::{Vanishing, Visitor, call, meet, nobody_hears_more, they_talk};

#[tokio::test]
async fn next_meets_who_waits_and_the_partner_hears_skipped() {
    let server = Server::start().await;
    for skips in [Role::Offerer, Role::Answerer] {
        let (mut ana, mut bea) = call(&server, "ana", "bea").await;
        let mut cleo = server.visitor("cleo").await;
        cleo.finds(Mode::Video).await;
        cleo.waits().await;
        let (next, left) = match skips {
            Role::Offerer => (&mut ana, &mut bea),
            Role::Answerer => (&mut bea, &mut ana),
        };
        next.finds(Mode::Video).await;
        left.is_left_by(next.id, LeaveReason::Skipped).await;
        meet(&mut cleo, next).await;
        they_talk(&mut cleo, next).await;
        nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
    }
}

#[tokio::test]
async fn who_is_skipped_searches_again_when_it_likes() {
    let server = Server::start().await;
    let (mut ana, mut bea) = call(&server, "ana", "bea").await;
    ana.finds(Mode::Video).await;
    bea.is_left_by(ana.id, LeaveReason::Skipped).await;
    ana.waits().await;
    let mut cleo = server.visitor("cleo").await;
    cleo.finds(Mode::Video).await;
    meet(&mut ana, &mut cleo).await;
    bea.finds(Mode::Video).await;
    bea.waits().await;
    let mut dan = server.visitor("dan").await;
    dan.finds(Mode::Video).await;
    meet(&mut bea, &mut dan).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo, &mut dan]).await;
}

#[tokio::test]
async fn two_who_skip_each_other_at_once_are_both_in_line() {
    let server = Server::start().await;
    let (mut ana, mut bea) = call(&server, "ana", "bea").await;
    tokio::join!(ana.finds(Mode::Video), bea.finds(Mode::Video));

    // Whoever was slower hears of it first; what it said counts all the same.
    let skipped = ServerMessage::PeerLeft {
        peer: bea.id,
        reason: LeaveReason::Skipped,
    };
    let ana_was_first = ana
        .hears_one_of(&[skipped.clone(), ServerMessage::Waiting {}])
        .await
        != skipped;
    let (mut first, mut second) = match ana_was_first {
        true => {
            bea.is_left_by(ana.id, LeaveReason::Skipped).await;
            bea.waits().await;
            (ana, bea)
        }
        false => {
            ana.waits().await;
            bea.waits().await;
            (bea, ana)
        }
    };
    let mut cleo = server.visitor("cleo").await;
    let mut dan = server.visitor("dan").await;
    cleo.finds(Mode::Video).await;
    meet(&mut first, &mut cleo).await;
    dan.finds(Mode::Video).await;
    meet(&mut second, &mut dan).await;
    nobody_hears_more([&mut first, &mut second, &mut cleo, &mut dan]).await;
}

#[tokio::test]
async fn who_leaves_a_call_is_in_no_queue_until_it_searches() {
    let server = Server::start().await;
    let (mut ana, mut bea) = call(&server, "ana", "bea").await;
    ana.leaves().await;
    bea.is_left_by(ana.id, LeaveReason::Left).await;
    let mut cleo = server.visitor("cleo").await;
    cleo.finds(Mode::Video).await;
    cleo.waits().await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
    ana.finds(Mode::Video).await;
    meet(&mut cleo, &mut ana).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
}

#[tokio::test]
async fn who_stops_waiting_is_met_by_nobody() {
    let server = Server::start().await;
    let mut ana = server.visitor("ana").await;
    let mut bea = server.visitor("bea").await;
    ana.leaves().await; // means nothing yet
    ana.finds(Mode::Video).await;
    ana.waits().await;
    ana.leaves().await;
    ana.hears_nothing_more().await;
    bea.finds(Mode::Video).await;
    bea.waits().await;
    nobody_hears_more([&mut ana, &mut bea]).await;
}

#[tokio::test]
async fn the_partner_of_a_lost_socket_hears_away_and_need_not_wait() {
    for how in [Vanishing::Ended, Vanishing::Reset] {
        let server = Server::start().await;
        let (ana, bea) = call(&server, &format!("ana ({how:?})"), "bea").await;
        let ana = ana.vanishes(how).await;
        the_one_left_goes_on(&server, bea, ana).await;
    }
}

#[tokio::test]
async fn the_partner_of_a_closed_socket_hears_away_and_need_not_wait() {
    for code in [None, Some(1000), Some(1001), Some(4000)] {
        let server = Server::start().await;
        let (ana, bea) = call(&server, &format!("ana ({code:?})"), "bea").await;
        let ana = ana.closes(code).await;
        the_one_left_goes_on(&server, bea, ana).await;
    }
}

async fn the_one_left_goes_on(server: &Server, mut bea: Visitor, ana: PeerId) {
    bea.misses(ana).await;
    server.has(1, 0, 1).await;
    bea.finds(Mode::Video).await;
    bea.waits().await;
    server.has(1, 1, 0).await;
    let mut cleo = server.visitor("cleo").await;
    cleo.finds(Mode::Video).await;
    meet(&mut bea, &mut cleo).await;
    nobody_hears_more([&mut bea, &mut cleo]).await;
}

#[tokio::test]
async fn who_is_lost_while_waiting_is_met_by_nobody() {
    for how in [Vanishing::Ended, Vanishing::Reset] {
        let server = Server::start().await;
        let mut ana = server.visitor("ana").await;
        ana.finds(Mode::Video).await;
        ana.waits().await;
        server.has(1, 1, 0).await;
        ana.vanishes(how).await;
        server.has(0, 0, 0).await;
        let mut bea = server.visitor("bea").await;
        bea.finds(Mode::Video).await;
        bea.waits().await;
        nobody_hears_more([&mut bea]).await;
        server.has(1, 1, 0).await;
        bea.closes(None).await;
        server.has(0, 0, 0).await;
    }
}
