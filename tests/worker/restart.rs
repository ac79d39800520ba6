//! The server ends under everybody's feet, as in a deploy.

use echomingle::core::protocol::Mode;

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
