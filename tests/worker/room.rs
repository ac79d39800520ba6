//! Who hears of whom in a room, and who comes into it.

use std::collections::BTreeMap;

use echomingle::core::id::PeerId;
use echomingle::core::protocol::{
    ErrorCode, LeaveReason, MAX_NAME_CHARS, Mode, Peer, Role, ServerMessage,
};
use futures_util::future::join_all;
use serde_json::json;

use crate::party::{
    MEMBER, NEWCOMER, all_talk, away, comes_in, gather, gone, is_told_to_all, stands,
};
use crate::server::{ROOM_CAPACITY, Server};
use crate::visitor::{
    Vanishing, Visitor, call, is_error, is_relayed, nobody_hears_more, they_talk,
};

#[tokio::test]
async fn who_comes_hears_of_all_in_the_order_in_which_they_came_and_all_of_it() {
    let server = Server::start().await;
    let mut ana = server.visitor_of("kitchen", "ana").await;
    let mut bea = server.visitor_of("kitchen", "bea").await;
    let mut cleo = server.visitor_of("kitchen", "cleo").await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;

    // Not in the order in which they connected.
    cleo.enters("Cleo").await;
    cleo.hears(stands(cleo.id, false)).await;
    ana.enters(None).await;
    ana.hears(stands(cleo.id, false)).await;
    ana.meets(cleo.seen_by(NEWCOMER)).await;
    cleo.meets(ana.seen_by(MEMBER)).await;
    bea.enters("Bea").await;
    bea.hears(stands(cleo.id, false)).await;
    bea.meets(cleo.seen_by(NEWCOMER)).await;
    bea.meets(ana.seen_by(NEWCOMER)).await;
    cleo.meets(bea.seen_by(MEMBER)).await;
    ana.meets(bea.seen_by(MEMBER)).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
}

#[tokio::test]
async fn every_two_of_a_room_talk_to_the_letter_and_the_third_hears_nothing() {
    let server = Server::start().await;
    let mut people = gather(&server, "kitchen", ["Ana", "Bea", "Cleo"]).await;
    for one in 1..people.len() {
        for other in 0..one {
            let [one, other] = people.get_disjoint_mut([one, other]).unwrap();
            for data in [
                r#"{"b":1,"a":1.0,"b":1e400}"#,
                r#""\u00e9\/""#,
                "[ 1 ,\t2 ]",
            ] {
                is_relayed(data, one, other).await;
                is_relayed(data, other, one).await;
            }
            nobody_hears_more(&mut people).await;
        }
    }
}

#[tokio::test]
async fn rooms_know_neither_of_each_other_nor_of_the_lobby() {
    let server = Server::start().await;
    let [mut ana, mut bea] = gather(&server, "kitchen", ["Ana", "Bea"]).await;
    let [mut cleo, mut dan] = gather(&server, "garden", ["Cleo", "Dan"]).await;
    let (mut eve, mut fay) = call(&server, "eve", "fay").await;
    let mut waiting = server.visitor("waiting").await;
    waiting.finds(Mode::Video).await;
    waiting.waits().await;
    let mut outside = server.visitor_of("kitchen", "outside").await;
    let nobody = PeerId::from_random(0);

    for to in [cleo.id, eve.id, waiting.id, outside.id, nobody, ana.id] {
        ana.signals(to, json!("psst")).await;
        ana.is_refused(ErrorCode::UnknownPeer).await;
    }
    for to in [cleo.id, eve.id, outside.id, nobody] {
        ana.removes(to).await;
        ana.is_refused(ErrorCode::UnknownPeer).await;
        ana.asks_to_mute(to).await;
        ana.is_refused(ErrorCode::UnknownPeer).await;
    }
    for stranger in [&mut dan, &mut fay, &mut waiting, &mut outside] {
        stranger.signals(ana.id, json!("psst")).await;
        stranger.is_refused(ErrorCode::UnknownPeer).await;
    }
    ana.locks(true).await;
    is_told_to_all(stands(ana.id, true), [&mut ana, &mut bea]).await;
    ana.leaves().await;
    bea.is_left_by(ana.id, LeaveReason::Left).await;
    bea.hears(stands(bea.id, true)).await;

    they_talk(&mut cleo, &mut dan).await;
    they_talk(&mut eve, &mut fay).await;
    nobody_hears_more([
        &mut ana,
        &mut bea,
        &mut cleo,
        &mut dan,
        &mut eve,
        &mut fay,
        &mut waiting,
        &mut outside,
    ])
    .await;
}

#[tokio::test]
async fn a_name_is_one_room_and_every_letter_of_it_counts() {
    let server = Server::start().await;
    let longest = "r".repeat(64);
    let mut people = Vec::new();
    // The global one is called like the object that is the lobby.
    for room in [
        "kitchen",
        "Kitchen",
        "KITCHEN",
        "kitchen-",
        "kitchen_",
        "global",
        &longest[1..],
        &longest,
    ] {
        let mut one = server.visitor_of(room, &format!("one of {room}")).await;
        comes_in(&mut one, "One", []).await;
        let query = format!("{room}?another");
        let mut other = server.visitor_of(&query, &format!("other of {room}")).await;
        comes_in(&mut other, "Other", [&mut one]).await;
        they_talk(&mut one, &mut other).await;
        people.extend([one, other]);
    }
    nobody_hears_more(&mut people).await;
}

#[tokio::test]
async fn who_only_stands_before_the_door_hears_nothing_and_is_missed_by_nobody() {
    let server = Server::start().await;
    let mut dan = server.visitor_of("kitchen", "dan").await;
    let eve = server.visitor_of("kitchen", "eve").await;
    let [mut ana, mut bea] = gather(&server, "kitchen", ["Ana", "Bea"]).await;
    dan.leaves().await; // means nothing yet
    they_talk(&mut ana, &mut bea).await;
    eve.closes(None).await;
    bea.leaves().await;
    ana.is_left_by(bea.id, LeaveReason::Left).await;
    bea.leaves().await; // means nothing any more
    nobody_hears_more([&mut ana, &mut bea, &mut dan]).await;
}

#[tokio::test]
async fn a_name_is_told_in_plain_words_and_may_be_changed() {
    let server = Server::start().await;
    let longest = "\u{1F600}".repeat(MAX_NAME_CHARS);
    for (room, said, told) in [
        ("a", "  Ana \n María\t", Some("Ana María")),
        ("b", " \u{0}\u{7f} ", None),
        ("c", "", None),
        ("d", &longest, Some(&longest[..])),
        ("e", r#"<b>"Ana\</b>"#, Some(r#"<b>"Ana\</b>"#)),
    ] {
        let mut ana = server.visitor_of(room, &format!("ana ({said:?})")).await;
        comes_in(&mut ana, said, []).await;
        let named = |role, visitor: &Visitor| Peer {
            name: told.map(Into::into),
            ..visitor.seen_by(role)
        };
        let mut bea = server.visitor_of(room, "bea").await;
        bea.enters(None).await;
        bea.hears(stands(ana.id, false)).await;
        bea.meets(named(NEWCOMER, &ana)).await;
        ana.meets(bea.seen_by(MEMBER)).await;

        // A member who joins stays where it is, and is called otherwise from now on.
        ana.enters("Anabel").await;
        bea.enters(said).await;
        nobody_hears_more([&mut ana, &mut bea]).await;
        let mut cleo = server.visitor_of(room, "cleo").await;
        cleo.enters(None).await;
        cleo.hears(stands(ana.id, false)).await;
        cleo.meets(ana.seen_by(NEWCOMER)).await;
        cleo.meets(named(NEWCOMER, &bea)).await;
        ana.meets(cleo.seen_by(MEMBER)).await;
        bea.meets(cleo.seen_by(MEMBER)).await;
        nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
    }
}

#[tokio::test]
async fn who_finds_the_room_full_stays_and_comes_in_when_a_seat_is_free() {
    let server = Server::start().await;
    let [mut ana, mut bea, mut cleo, mut dan] =
        gather(&server, "kitchen", ["Ana", "Bea", "Cleo", "Dan"]).await;
    let mut eve = server.visitor_of("kitchen", "eve").await;
    for _ in 0..2 {
        eve.enters("Eve").await;
        eve.is_refused(ErrorCode::RoomFull).await;
    }
    eve.signals(ana.id, json!("psst")).await;
    eve.is_refused(ErrorCode::UnknownPeer).await;
    // Who is inside may join, full as the room is.
    dan.enters("Daniel").await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo, &mut dan, &mut eve]).await;

    bea.leaves().await;
    let left = gone(bea.id, LeaveReason::Left);
    is_told_to_all(left, [&mut ana, &mut cleo, &mut dan]).await;
    comes_in(&mut eve, "Eve", [&mut ana, &mut cleo, &mut dan]).await;
    bea.enters("Bea").await;
    bea.is_refused(ErrorCode::RoomFull).await;

    cleo.goes_away().await;
    let cleo = cleo.vanishes(Vanishing::Ended).await;
    is_told_to_all(away(cleo), [&mut ana, &mut dan, &mut eve]).await;
    // Her seat is kept for her.
    bea.enters("Bea").await;
    bea.is_refused(ErrorCode::RoomFull).await;
    let lost = gone(cleo, LeaveReason::Lost);
    is_told_to_all(lost, [&mut ana, &mut dan, &mut eve]).await;
    comes_in(&mut bea, "Bea", [&mut ana, &mut dan, &mut eve]).await;
    all_talk([&mut ana, &mut bea, &mut dan, &mut eve]).await;
    nobody_hears_more([&mut ana, &mut bea, &mut dan, &mut eve]).await;
}

#[tokio::test]
async fn of_many_who_join_at_once_as_many_as_fit_are_inside_and_each_two_meet_once() {
    let server = Server::start().await;
    for (room, n) in [2, 2, 3, 5, 8, 8, 8, 20].into_iter().enumerate() {
        let server = &server;
        let room = &format!("room-{room}");
        let arrive = |k| async move { server.visitor_of(room, &format!("{k} of {n}")).await };
        let mut crowd = join_all((0..n).map(arrive)).await;
        let heard = join_all(crowd.iter_mut().map(|visitor| tries_to_join(visitor, n))).await;

        let inside: BTreeMap<_, _> = crowd
            .iter()
            .zip(heard)
            .filter_map(|(visitor, heard)| Some((visitor.id, heard?)))
            .collect();
        assert_eq!(inside.len(), n.min(ROOM_CAPACITY as usize));
        for (id, (host, peers)) in &inside {
            let theirs = |peer: &PeerId| inside[peer].1.get(id).copied();
            for (peer, role) in peers {
                let other = match role {
                    Role::Offerer => Role::Answerer,
                    Role::Answerer => Role::Offerer,
                };
                assert_eq!(theirs(peer), Some(other), "{id} is {role:?} to {peer}");
            }
            let came_first = inside[host].1.values().all(|role| *role == MEMBER);
            assert!(came_first, "{id} heard that {host} is the host");
        }
        nobody_hears_more(&mut crowd).await;
    }
}

/// Joins a room that is about to be full: who its host is and the role towards each other member, once
/// all have come; nothing for who is left outside.
async fn tries_to_join(
    visitor: &mut Visitor,
    crowd: usize,
) -> Option<(PeerId, BTreeMap<PeerId, Role>)> {
    visitor.enters(None).await;
    let heard = visitor.hears_something("the room or that it is full").await;
    let ServerMessage::Room { host, .. } = heard else {
        assert!(
            is_error(&heard, ErrorCode::RoomFull),
            "{} heard {heard:?}",
            visitor.id
        );
        return None;
    };
    assert_eq!(heard, stands(host, false));
    let mut peers = BTreeMap::new();
    for _ in 1..crowd.min(ROOM_CAPACITY as usize) {
        let heard = visitor.hears_something("another member").await;
        let ServerMessage::PeerJoined { peer, resume: None } = heard else {
            panic!(
                "{} waited for another member and heard {heard:?}",
                visitor.id
            );
        };
        // First those who were there, then those who came later.
        let in_order = peer.role == MEMBER || peers.values().all(|role| *role == NEWCOMER);
        assert!(in_order, "{} heard of {peer:?} after {peers:?}", visitor.id);
        let nameless = Peer {
            id: peer.id,
            role: peer.role,
            name: None,
            interests: Vec::new(),
            offer: None,
            crossed: false,
        };
        assert_eq!(peer, nameless);
        let known = peers.insert(peer.id, peer.role);
        assert_eq!(known, None, "{peer:?} was told twice");
    }
    Some((host, peers))
}
