//! Many lobbies: who is alone in one meets who is alone in another, and the layout splits and folds under its people.

use echomingle::core::protocol::{LeaveReason, Mode, Role};
use echomingle::core::region::Region;
use serde_json::Value;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Error;

use crate::server::{PAUSE, Server};
use crate::visitor::{Hears, LIMIT, Vanishing, Visitor, meet, nobody_hears_more, they_talk};

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
    let mut cleo = server.visitor_at("/v1/match/oc", "cleo").await;
    bea.finds(Mode::Text).await;
    bea.waits().await;
    cleo.finds(Mode::Text).await;
    meet(&mut bea, &mut cleo).await;
    cleo.finds(Mode::Text).await;
    bea.is_left_by(cleo.id, LeaveReason::Skipped).await;
    cleo.waits().await;
    let mut cleo = follows(&server, cleo, "global").await;
    cleo.leaves().await;
    bea.finds_with_offer(Mode::Text, "an offer").await;
    bea.waits().await;
    let mut bea = follows(&server, bea, "global").await;

    let mut ana = server.visitor("ana").await;
    // They have just met, and do not at once again.
    cleo.finds(Mode::Text).await;
    cleo.waits().await;
    ana.finds(Mode::Text).await;
    let mut peer = bea.seen_by(Role::Answerer);
    peer.offer = Some("an offer".into());
    ana.meets(peer).await;
    bea.meets(ana.seen_by(Role::Offerer)).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
}

#[tokio::test]
async fn who_comes_back_at_the_wrong_lobby_is_sent_to_the_right_one() {
    let server = Server::start().await;
    let mut ana = server.visitor_at("/v1/match/weur", "ana").await;
    let mut bea = server.visitor_at("/v1/match/weur", "bea").await;
    searches(&mut ana).await;
    bea.finds(Mode::Video).await;
    meet(&mut ana, &mut bea).await;

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
async fn stats_are_the_sum_over_all_lobbies() {
    let server = Server::start().await;
    let mut crowd = Vec::new();
    for path in ["/v1/match/global", "/v1/match/oc"] {
        let mut one = server.visitor_at(path, &format!("one of {path}")).await;
        let mut other = server.visitor_at(path, &format!("other of {path}")).await;
        searches(&mut one).await;
        other.finds(Mode::Video).await;
        meet(&mut one, &mut other).await;
        crowd.extend([one, other]);
    }
    let mut eve = server.visitor_at("/v1/match/global", "eve").await;
    searches(&mut eve).await;
    let dan = server.visitor_at("/v1/match/oc", "dan").await;
    server.has(6, 1, 2).await;
    let waits = serde_json::to_value(server.stats().await.waits).unwrap();
    let met = waits.as_array().unwrap().iter();
    let met: u64 = met.filter_map(Value::as_u64).sum();
    assert_eq!(met, 4, "{waits}");

    // What one lobby tells takes nothing from the other.
    dan.closes(None).await;
    server.has(5, 1, 2).await;
    eve.leaves().await;
    server.has(5, 0, 2).await;
    crowd.push(eve);
    nobody_hears_more(&mut crowd).await;
}

#[tokio::test]
async fn a_lobby_that_there_cannot_be_is_not_found() {
    let server = Server::start().await;
    for name in ["mars", "weur/1", "weur/1024", "global/2", "oc/", "Global"] {
        let path = format!("/v1/match/{name}");
        assert_eq!(server.get(&path).await.status, 404, "{path}");
        let opened = server.opens_socket(&path, &[]).await;
        let Err(Error::Http(refused)) = opened else {
            panic!("{path} was to be refused, and there came {opened:?}");
        };
        assert_eq!(refused.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn the_layout_outlives_the_directory() {
    // Nothing is folded for an hour.
    let mut server = Server::start_with(&[("LOBBY_BUDGET", "100000 10 0 3600")]).await;
    let mut crowd = Vec::new();
    for n in 1..8 {
        let name = format!("number {n}");
        crowd.push(server.visitor_from(Region::Oc, &name).await);
    }
    server.has(7, 0, 0).await;
    comes_to(&server, "oc").await;
    nobody_hears_more(&mut crowd).await;

    server.restart().await;
    for visitor in crowd {
        visitor.breaks_off().await;
    }
    // A Worker that knows nothing yet takes it that there is one lobby, which knows better when it has told of itself.
    let mut ana = server.visitor_from(Region::Oc, "ana").await;
    assert_eq!(lobby(&ana), "global");
    comes_to(&server, "oc").await;
    searches(&mut ana).await;
    let mut ana = follows(&server, ana, "oc").await;
    nobody_hears_more([&mut ana]).await;
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
