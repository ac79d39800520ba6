//! Who meets whom, and as what.

use echomingle::core::protocol::{LeaveReason, MAX_OFFER_BYTES, Mode, Peer, Role};

use crate::server::Server;
use crate::visitor::{call, meet, nobody_hears_more, they_talk};

#[tokio::test]
async fn of_two_who_meet_the_one_who_waited_offers() {
    let server = Server::start().await;
    let mut ana = server.visitor("ana").await;
    let mut bea = server.visitor("bea").await;
    ana.finds(Mode::Video).await;
    ana.waits().await;
    bea.finds(Mode::Video).await;
    ana.meets(bea.seen_by(Role::Offerer)).await;
    bea.meets(ana.seen_by(Role::Answerer)).await;
    they_talk(&mut ana, &mut bea).await;
    nobody_hears_more([&mut ana, &mut bea]).await;
}

#[tokio::test]
async fn a_prepared_offer_of_the_one_who_waited_is_handed_to_the_other() {
    let server = Server::start().await;
    let mut ana = server.visitor("ana").await;
    let mut bea = server.visitor("bea").await;
    let offer = "v=0\r\ns=\"é\" \\ \u{1F600}\r\n";
    ana.finds_with_offer(Mode::Video, offer).await;
    ana.waits().await;
    bea.finds(Mode::Video).await;
    ana.meets(bea.seen_by(Role::Offerer)).await;
    let with_offer = Peer {
        offer: Some(offer.into()),
        ..ana.seen_by(Role::Answerer)
    };
    bea.meets(with_offer).await;
    nobody_hears_more([&mut ana, &mut bea]).await;
}

#[tokio::test]
async fn who_comes_with_a_prepared_offer_offers_to_the_one_who_waited_without() {
    let server = Server::start().await;
    let mut ana = server.visitor("ana").await;
    let mut bea = server.visitor("bea").await;
    ana.finds(Mode::Video).await;
    ana.waits().await;
    bea.finds_with_offer(Mode::Video, "v=0\r\n").await;
    let with_offer = Peer {
        offer: Some("v=0\r\n".into()),
        ..bea.seen_by(Role::Answerer)
    };
    ana.meets(with_offer).await;
    bea.meets(ana.seen_by(Role::Offerer)).await;
    nobody_hears_more([&mut ana, &mut bea]).await;
}

#[tokio::test]
async fn of_two_prepared_offers_the_one_that_waited_is_used() {
    let server = Server::start().await;
    let mut ana = server.visitor("ana").await;
    let mut bea = server.visitor("bea").await;
    // As long as an offer may be: it has waited on a socket's attachment.
    let longest = "v".repeat(MAX_OFFER_BYTES);
    ana.finds_with_offer(Mode::Text, &longest).await;
    ana.waits().await;
    bea.finds_with_offer(Mode::Text, "v=0\r\n").await;
    ana.meets(bea.seen_by(Role::Offerer)).await;
    let with_offer = Peer {
        offer: Some(longest.into()),
        ..ana.seen_by(Role::Answerer)
    };
    bea.meets(with_offer).await;
    nobody_hears_more([&mut ana, &mut bea]).await;
}

#[tokio::test]
async fn text_and_video_never_meet() {
    let server = Server::start().await;
    let mut ana = server.visitor("ana").await;
    let mut bea = server.visitor("bea").await;
    ana.finds(Mode::Video).await;
    ana.waits().await;
    bea.finds(Mode::Text).await;
    bea.waits().await;
    nobody_hears_more([&mut ana, &mut bea]).await;

    // Neither is forgotten: each meets the next one of its kind.
    let mut cleo = server.visitor("cleo").await;
    let mut dan = server.visitor("dan").await;
    cleo.finds(Mode::Text).await;
    meet(&mut bea, &mut cleo).await;
    dan.finds(Mode::Video).await;
    meet(&mut ana, &mut dan).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo, &mut dan]).await;
}

#[tokio::test]
async fn a_shared_interest_comes_before_the_order_of_the_queue_and_is_named() {
    let server = Server::start().await;
    let mut ana = server.visitor("ana").await;
    let mut bea = server.visitor("bea").await;
    let mut cleo = server.visitor("cleo").await;
    ana.finds_with(Mode::Video, &["chess"]).await;
    ana.waits().await;
    bea.finds_with(Mode::Video, &["Film  noir", "go", "été"])
        .await;
    bea.waits().await;
    cleo.finds_with(Mode::Video, &[" ÉTÉ", "jazz", "film NOIR "])
        .await;
    let shared = || vec!["film noir".to_owned(), "été".to_owned()];
    bea.meets(Peer {
        interests: shared(),
        ..cleo.seen_by(Role::Offerer)
    })
    .await;
    cleo.meets(Peer {
        interests: shared(),
        ..bea.seen_by(Role::Answerer)
    })
    .await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
}

#[tokio::test]
async fn who_finds_no_shared_interest_in_time_meets_anyone() {
    let server = Server::start().await;
    let mut ana = server.visitor("ana").await;
    let mut bea = server.visitor("bea").await;
    ana.finds_with(Mode::Video, &["chess"]).await;
    ana.waits().await;
    bea.finds_with(Mode::Video, &["jazz"]).await;
    bea.waits().await;
    nobody_hears_more([&mut ana, &mut bea]).await;

    // Nobody says anything more: the alarm of the object brings them together.
    meet(&mut ana, &mut bea).await;
    they_talk(&mut ana, &mut bea).await;
    nobody_hears_more([&mut ana, &mut bea]).await;
}

#[tokio::test]
async fn who_just_met_meets_again_only_after_a_while_without_anyone_else() {
    let server = Server::start().await;
    let (mut ana, mut bea) = call(&server, "ana", "bea").await;
    bea.finds(Mode::Video).await;
    ana.is_left_by(bea.id, LeaveReason::Skipped).await;
    bea.waits().await;
    ana.finds(Mode::Video).await;
    ana.waits().await;
    nobody_hears_more([&mut ana, &mut bea]).await;

    meet(&mut bea, &mut ana).await;
    nobody_hears_more([&mut ana, &mut bea]).await;
}

#[tokio::test]
async fn to_search_twice_keeps_the_place_in_line() {
    let server = Server::start().await;
    let mut ana = server.visitor("ana").await;
    let mut bea = server.visitor("bea").await;
    let mut cleo = server.visitor("cleo").await;
    ana.finds_with(Mode::Video, &["chess"]).await;
    ana.waits().await;
    bea.finds_with(Mode::Video, &["jazz"]).await;
    bea.waits().await;
    ana.finds_with(Mode::Video, &["chess"]).await;
    ana.waits().await;
    cleo.finds_with(Mode::Video, &["jazz", "chess"]).await;
    let sharing_chess = |peer| Peer {
        interests: vec!["chess".into()],
        ..peer
    };
    ana.meets(sharing_chess(cleo.seen_by(Role::Offerer))).await;
    cleo.meets(sharing_chess(ana.seen_by(Role::Answerer))).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
}
