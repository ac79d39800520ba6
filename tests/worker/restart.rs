//! The server ends under everybody's feet, as in a deploy.

use echomingle::core::protocol::{ErrorCode, Mode};

use crate::party::{all_talk, comes_in, gather, is_told_to_all, stands};
use crate::server::Server;
use crate::visitor::{Sound, call, meet, nobody_hears_more, they_talk};

#[tokio::test]
async fn after_a_restart_everybody_is_lost_and_who_comes_back_meets() {
    let mut server = Server::start().await;
    let (mut ana, mut bea) = call(&server, "ana", "bea").await;
    let mut cleo = server.visitor("cleo").await;
    cleo.finds(Mode::Video).await;
    cleo.waits().await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
    server.restart().await;
    for visitor in [ana, bea, cleo] {
        visitor.ends(Sound::Broken).await;
    }
    server.has(0, 0, 0).await;

    let (mut ana, mut bea) = call(&server, "ana, again", "bea, again").await;
    let mut cleo = server.visitor("cleo, again").await;
    let mut dan = server.visitor("dan").await;
    cleo.finds(Mode::Video).await;
    cleo.waits().await;
    dan.finds(Mode::Video).await;
    meet(&mut cleo, &mut dan).await;
    they_talk(&mut ana, &mut bea).await;
    they_talk(&mut cleo, &mut dan).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo, &mut dan]).await;
}

#[tokio::test]
async fn after_a_restart_a_locked_room_is_as_new_and_open() {
    let mut server = Server::start().await;
    let [mut ana, mut bea, mut cleo] = gather(&server, "kitchen", ["Ana", "Bea", "Cleo"]).await;
    ana.locks(true).await;
    is_told_to_all(stands(ana.id, true), [&mut ana, &mut bea, &mut cleo]).await;
    let mut dan = server.visitor_of("kitchen", "dan").await;
    dan.enters("Dan").await;
    dan.is_refused(ErrorCode::RoomLocked).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo, &mut dan]).await;
    server.restart().await;
    for visitor in [ana, bea, cleo, dan] {
        visitor.ends(Sound::Broken).await;
    }

    let mut dan = server.visitor_of("kitchen", "dan, again").await;
    comes_in(&mut dan, "Dan", []).await;
    let mut ana = server.visitor_of("kitchen", "ana, again").await;
    comes_in(&mut ana, None, [&mut dan]).await;
    all_talk([&mut dan, &mut ana]).await;
    nobody_hears_more([&mut dan, &mut ana]).await;
}
