//! What is counted: a line in the log and a data point, of which none is of anybody in particular.

use echomingle::core::note::Report;
use echomingle::core::protocol::{ClientMessage, ErrorCode, LeaveReason, Mode, Peer, Role};
use serde_json::{Value, json};

use crate::party::gather;
use crate::server::Server;
use crate::visitor::{Vanishing, meet, nobody_hears_more};

/// The next notes of this server, without what it says of its waking.
async fn notes<const N: usize>(server: &mut Server) -> [Value; N] {
    let mut notes = [const { Value::Null }; N];
    for note in &mut notes {
        while note.is_null() || of_waking(note) {
            *note = serde_json::from_str(&server.logs().await).unwrap_or_default();
        }
    }
    notes
}

fn of_waking(line: &Value) -> bool {
    let event = line["event"].as_str().unwrap_or_default();
    event.starts_with("lobby-") || event.starts_with("room-")
}

#[tokio::test]
async fn what_comes_about_in_random_chat_is_in_the_log() {
    let mut server = Server::start_with(&[("LOG_SAMPLING", "1")]).await;
    let mut ana = server.visitor("ana").await;
    ana.finds_with(Mode::Video, &["music"]).await;
    ana.waits().await;
    let mut bea = server.visitor("bea").await;
    bea.finds_with(Mode::Video, &["music"]).await;
    let likes = |peer| Peer {
        interests: vec!["music".into()],
        ..peer
    };
    let (of_ana, of_bea) = (ana.seen_by(Role::Answerer), bea.seen_by(Role::Offerer));
    bea.meets(likes(of_ana)).await;
    ana.meets(likes(of_bea)).await;
    let [met] = notes(&mut server).await;
    assert!(met["waitedMs"].as_u64().is_some(), "{met}");
    let expected = json!({"event": "met", "mode": "video", "waitedMs": met["waitedMs"], "shared": true, "crossed": false});
    assert_eq!(met, expected);

    let past = ana.past();
    ana.vanishes(Vanishing::Reset).await;
    bea.misses(past.id).await;
    let mut ana = server.returns(&past, [bea.seen_by(Role::Offerer)]).await;
    bea.has_again(past.id).await;
    let expected = [
        // Before it vanished it was seen that it had heard all, by a mistake.
        json!({"event": "refused", "code": "bad-message"}),
        json!({"event": "resumed"}),
    ];
    assert_eq!(notes(&mut server).await, expected);

    let report = Report {
        connected: true,
        ms: 340,
        relayed: false,
    };
    bea.says(ClientMessage::Find {
        mode: Mode::Text,
        interests: Vec::new(),
        offer: None,
        crosses: false,
        last: Some(report),
    })
    .await;
    ana.is_left_by(bea.id, LeaveReason::Skipped).await;
    bea.waits().await;
    let expected = [
        json!({"event": "set-up", "connected": true, "ms": 340, "relayed": false}),
        json!({"event": "ended", "reason": "skipped"}),
    ];
    assert_eq!(notes(&mut server).await, expected);
    nobody_hears_more([&mut ana, &mut bea]).await;
}

#[tokio::test]
async fn what_comes_about_in_a_room_is_in_the_log() {
    let mut server = Server::start_with(&[("LOG_SAMPLING", "1")]).await;
    let [mut ana, mut bea] = gather(&server, "den", ["Ana", "Bea"]).await;
    bea.leaves().await;
    ana.is_left_by(bea.id, LeaveReason::Left).await;
    let expected = [
        json!({"event": "entered", "members": 1}),
        json!({"event": "entered", "members": 2}),
        json!({"event": "gone", "reason": "left"}),
    ];
    assert_eq!(notes(&mut server).await, expected);
    nobody_hears_more([&mut ana, &mut bea]).await;
}

#[tokio::test]
async fn all_of_it_is_a_data_point_even_if_nothing_is_logged() {
    let mut server = Server::start_with(&[("LOG_SAMPLING", "0"), ("DATA_POINTS", "on")]).await;
    let [mut ana, mut bea] = [server.visitor("ana").await, server.visitor("bea").await];
    ana.finds(Mode::Text).await;
    ana.waits().await;
    bea.finds(Mode::Text).await;
    meet(&mut ana, &mut bea).await;
    bea.leaves().await;
    ana.is_left_by(bea.id, LeaveReason::Left).await;
    let [met, ended] = notes(&mut server).await;
    let waited = &met["dataPoint"]["doubles"][0];
    assert!(waited.as_u64().is_some(), "{met}");
    let expected = json!({"dataPoint": {"indexes": ["met"], "blobs": ["met", "text"], "doubles": [waited, 0, 0]}});
    assert_eq!(met, expected);
    let expected =
        json!({"dataPoint": {"indexes": ["ended"], "blobs": ["ended", "left"], "doubles": []}});
    assert_eq!(ended, expected);
    nobody_hears_more([&mut ana, &mut bea]).await;
}

#[tokio::test]
async fn mistakes_are_counted_so_often_and_no_more() {
    let mut server = Server::start_with(&[("LOG_SAMPLING", "1")]).await;
    let mut crowd = Vec::new();
    for number in 0..3 {
        let mut visitor = server.visitor(&format!("{number}")).await;
        for _ in 0..100 {
            visitor.says_text("no message").await;
        }
        for _ in 0..100 {
            visitor.is_refused(ErrorCode::BadMessage).await;
        }
        crowd.push(visitor);
    }
    let mut counted = 0;
    while let Some(line) = server.logs_by_now().await {
        counted += usize::from(line.contains("refused"));
    }
    assert!((60..300).contains(&counted), "{counted}");
    nobody_hears_more(&mut crowd).await;
}
