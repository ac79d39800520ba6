//! Whose network went away while it waited is met by nobody.

use std::time::Duration;

use echomingle::core::actor::SILENCE;
use echomingle::core::protocol::Mode;
use tokio::time::{Instant, sleep};

use crate::hibernation::{has_slept, wakes};
use crate::room_silence::GOING_AWAY;
use crate::server::Server;
use crate::visitor::{meet, nobody_hears_more};

/// Ana says nothing; Cleo only looks whether her connection lives, which the object never sees.
#[tokio::test]
async fn who_waits_and_is_silent_is_met_by_nobody_and_who_looks_after_its_connection_is() {
    let mut server = Server::start().await;
    let mut ana = server.visitor("ana").await;
    let mut cleo = server.visitor("cleo").await;
    ana.finds(Mode::Video).await;
    ana.waits().await;
    cleo.finds(Mode::Text).await;
    cleo.waits().await;
    wakes(&mut server, "lobby", 0).await;
    let since = Instant::now();
    while since.elapsed().as_millis() <= u128::from(SILENCE.get()) {
        sleep(Duration::from_secs(12)).await;
        cleo.pings().await;
    }
    let mut bea = server.visitor("bea").await;
    bea.finds(Mode::Video).await;
    bea.waits().await;
    ana.ends_with(GOING_AWAY).await;
    let slept = has_slept(&mut server, "lobby", 2).await;
    assert!(slept, "the lobby never slept");
    let mut dan = server.visitor("dan").await;
    dan.finds(Mode::Text).await;
    meet(&mut cleo, &mut dan).await;
    let mut emil = server.visitor("emil").await;
    emil.finds(Mode::Video).await;
    meet(&mut bea, &mut emil).await;
    nobody_hears_more([&mut bea, &mut cleo, &mut dan, &mut emil]).await;
}
