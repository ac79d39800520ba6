//! Many who search at once.

use std::collections::BTreeMap;

use echomingle::core::protocol::{Mode, Peer, Role, ServerMessage};
use futures_util::future::join_all;
use serde_json::json;

use crate::server::Server;
use crate::visitor::{Visitor, find, nobody_hears_more};

const CROWD: u32 = 200;

#[tokio::test]
async fn everybody_in_a_crowd_gets_exactly_one_partner() {
    let server = Server::start().await;
    let server = &server;
    let arrive = |n| async move { server.visitor(&format!("visitor {n}")).await };
    let mut crowd = join_all((0..CROWD).map(arrive)).await;
    let partners = join_all(crowd.iter_mut().map(meets_somebody)).await;

    let ids = crowd.iter().map(|visitor| visitor.id);
    let partners: BTreeMap<_, _> = ids.zip(&partners).collect();
    assert_eq!(partners.len(), CROWD as usize, "ids are unique");
    for (id, partner) in &partners {
        let back = partners[&partner.id];
        assert_eq!(back.id, *id, "the partner of {} is {}", partner.id, back.id);
        assert_ne!(
            back.role, partner.role,
            "{id} and {} have one role",
            partner.id
        );
    }
    server.has(CROWD, 0, CROWD / 2).await;

    join_all(crowd.iter_mut().map(|visitor| {
        let partner = partners[&visitor.id].id;
        async move {
            visitor.signals(partner, json!(partner)).await;
            visitor.hears_signal(partner, json!(visitor.id)).await;
        }
    }))
    .await;
    nobody_hears_more(&mut crowd).await;
}

/// Searches and waits, if need be. Only who waited offers: nobody here has a prepared offer.
async fn meets_somebody(visitor: &mut Visitor) -> Peer {
    visitor.says(find(Mode::Video)).await;
    let mut heard = visitor.hears_something("a partner").await;
    let waited = heard == ServerMessage::Waiting {};
    if waited {
        heard = visitor.hears_something("a partner").await;
    }
    let ServerMessage::PeerJoined { peer, .. } = heard else {
        panic!("{} waited for a partner and heard {heard:?}", visitor.id);
    };
    assert_eq!(peer.role == Role::Offerer, waited, "{peer:?}");
    peer
}
