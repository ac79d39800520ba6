//! Many lobbies: who is alone in one meets who is alone in another, and the layout splits and folds under its people.

use std::time::Duration;

use echomingle::core::protocol::{LeaveReason, Mode, Role};
use echomingle::core::region::Region;
use tokio::time::{sleep, timeout};

use crate::server::Server;
use crate::visitor::{Hears, LIMIT, Vanishing, Visitor, nobody_hears_more, they_talk};

/// Between two looks at what takes seconds.
const PAUSE: Duration = Duration::from_millis(500);

/// In which lobby somebody is, as its token says.
fn lobby(visitor: &Visitor) -> &str {
    visitor.token.split('.').next().unwrap_or_default()
}

/// Somebody is told to go to a lobby, and goes.
async fn follows(server: &Server, mut visitor: Visitor, to: &str) -> Visitor {
    let url = format!("/v1/match/{to}");
    let resume = None;
    visitor.hears(Hears::Redirect { url, resume }).await;
    goes(server, visitor, to).await
}

async fn goes(server: &Server, visitor: Visitor, to: &str) -> Visitor {
    let mut past = visitor.past();
    past.path = format!("/v1/match/{to}");
    visitor.vanishes(Vanishing::Ended).await;
    let mut there = server.comes_again(&past).await;
    there.claims(&past).await;
    there.is_back(&past, []).await;
    there.waits().await;
    there
}

async fn searches(visitor: &mut Visitor) {
    visitor.finds(Mode::Video).await;
    visitor.waits().await;
}

#[tokio::test]
async fn two_who_are_alone_in_different_lobbies_meet() {
    let server = Server::start().await;
    let mut ana = server.visitor("ana").await;
    let mut bea = server.visitor_at("/v1/match/enam/2", "bea").await;
    assert_eq!((lobby(&ana), lobby(&bea)), ("global", "enam/2"));
    searches(&mut ana).await;
    searches(&mut bea).await;
    let mut bea = follows(&server, bea, "global").await;
    bea.meets(ana.seen_by(Role::Answerer)).await;
    ana.meets(bea.seen_by(Role::Offerer)).await;
    they_talk(&mut ana, &mut bea).await;
    nobody_hears_more([&mut ana, &mut bea]).await;
}

#[tokio::test]
async fn an_offer_and_the_last_partners_move_along() {
    let server = Server::start().await;
    let mut bea = server.visitor_at("/v1/match/oc", "bea").await;
    bea.finds_with_offer(Mode::Text, "an offer").await;
    bea.waits().await;
    let mut bea = follows(&server, bea, "global").await;
    let mut ana = server.visitor("ana").await;
    ana.finds(Mode::Text).await;
    let mut peer = bea.seen_by(Role::Answerer);
    peer.offer = Some("an offer".into());
    ana.meets(peer).await;
    bea.meets(ana.seen_by(Role::Offerer)).await;
    nobody_hears_more([&mut ana, &mut bea]).await;
}

#[tokio::test]
async fn who_comes_back_at_the_wrong_lobby_is_sent_to_the_right_one() {
    let server = Server::start().await;
    let mut ana = server.visitor_at("/v1/match/weur", "ana").await;
    let mut bea = server.visitor_at("/v1/match/weur", "bea").await;
    searches(&mut ana).await;
    bea.finds(Mode::Video).await;
    bea.meets(ana.seen_by(Role::Answerer)).await;
    ana.meets(bea.seen_by(Role::Offerer)).await;

    let mut past = ana.past();
    ana.vanishes(Vanishing::Ended).await;
    bea.misses(past.id).await;
    past.path = "/v1/match".into();
    let mut astray = server.comes_again(&past).await;
    astray.claims(&past).await;
    let (url, resume) = ("/v1/match/weur".into(), None);
    astray.hears(Hears::Redirect { url, resume }).await;
    astray.vanishes(Vanishing::Ended).await;

    past.path = "/v1/match/weur".into();
    let mut ana = server.returns(&past, [bea.seen_by(Role::Offerer)]).await;
    bea.has_again(ana.id).await;
    they_talk(&mut ana, &mut bea).await;
    nobody_hears_more([&mut ana, &mut bea]).await;
}

#[tokio::test]
async fn the_layout_splits_and_folds_under_its_people() {
    // A lobby is split that has over 6 sockets, and folded where there are less than 2.5, at once.
    let server = Server::start_with(&[("LOBBY_BUDGET", "100000 10 0 0")]).await;
    let [mut ana, mut bea, mut cleo] = [
        server.visitor_from(Region::Oc, "ana").await,
        server.visitor_from(Region::Oc, "bea").await,
        server.visitor_from(Region::Oc, "cleo").await,
    ];
    searches(&mut ana).await;
    bea.finds(Mode::Video).await;
    bea.meets(ana.seen_by(Role::Answerer)).await;
    ana.meets(bea.seen_by(Role::Offerer)).await;
    let mut others = Vec::new();
    for n in 4..8 {
        let name = format!("number {n}");
        others.push(server.visitor_from(Region::Oc, &name).await);
    }
    for visitor in [&ana, &bea, &cleo].into_iter().chain(&others) {
        assert_eq!(lobby(visitor), "global");
    }
    server.has(7, 0, 1).await;

    // Who searches is sent to the lobby of its region, and a call is not.
    cleo.finds(Mode::Text).await;
    cleo.waits().await;
    let mut cleo = follows(&server, cleo, "oc").await;
    they_talk(&mut ana, &mut bea).await;
    bea.finds(Mode::Text).await;
    ana.is_left_by(bea.id, LeaveReason::Skipped).await;
    bea.waits().await;
    let mut bea = follows(&server, bea, "oc").await;
    cleo.meets(bea.seen_by(Role::Offerer)).await;
    bea.meets(cleo.seen_by(Role::Answerer)).await;
    comes_to(&server, "oc").await;

    others.push(ana);
    for visitor in others {
        visitor.vanishes(Vanishing::Ended).await;
    }
    comes_to(&server, "global").await;
    they_talk(&mut cleo, &mut bea).await;
    cleo.finds(Mode::Text).await;
    bea.is_left_by(cleo.id, LeaveReason::Skipped).await;
    cleo.waits().await;
    let mut cleo = follows(&server, cleo, "global").await;
    nobody_hears_more([&mut cleo, &mut bea]).await;
}

/// Whoever comes from there, at last, comes to this lobby.
async fn comes_to(server: &Server, expected: &str) {
    let reached = async {
        loop {
            let visitor = server.visitor_from(Region::Oc, "somebody").await;
            let there = lobby(&visitor) == expected;
            visitor.closes(None).await;
            if there {
                break;
            }
            sleep(PAUSE).await;
        }
    };
    if timeout(LIMIT, reached).await.is_err() {
        panic!("nobody came to {expected}");
    }
}
