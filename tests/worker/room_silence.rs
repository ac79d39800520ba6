//! A network that went away says nothing: somebody else has to notice.

use std::time::Duration;

use echomingle::core::actor::SILENCE;
use echomingle::core::protocol::{ErrorCode, LeaveReason, ServerMessage};
use tokio::time::{Instant, sleep};

use crate::hibernation::{self, has_slept, wakes};
use crate::party::{away, gather, gone, is_told_to_all, stands};
use crate::server::Server;
use crate::visitor::{Says, nobody_hears_more, they_talk};

/// WebSocket close code 1001: one end goes away.
pub(crate) const GOING_AWAY: u16 = 1001;

#[tokio::test]
async fn who_is_missed_and_silent_is_lost_and_who_looks_after_its_connection_is_not() {
    let server = Server::start().await;
    the_silent_one_is_lost(&server, Duration::from_secs(3)).await;
}

#[tokio::test]
async fn who_is_silent_is_lost_though_the_room_sleeps_between_the_complaints() {
    let mut server = Server::start().await;
    the_silent_one_is_lost(&server, hibernation::SILENCE).await;
    wakes(&mut server, "room", 0).await;
    let slept = has_slept(&mut server, "room", 3).await;
    assert!(slept, "the room never slept");
}

/// Ana says nothing; Cleo, who is missed as well, only looks whether her connection lives.
async fn the_silent_one_is_lost(server: &Server, pause: Duration) {
    let [ana, mut bea, mut cleo] = gather(server, "kitchen", ["Ana", "Bea", "Cleo"]).await;
    let silence = Duration::from_millis(SILENCE.get());
    let since = Instant::now();
    let away = away(ana.id);
    loop {
        assert!(
            since.elapsed() < 2 * silence,
            "Ana was never taken for lost"
        );
        for whom in [ana.id, cleo.id] {
            bea.says(Says::Missing { peer: whom }).await;
        }
        // By a mistake in its turn Bea knows that nothing came of it.
        bea.says_text(r#"{"type":"nothing"}"#).await;
        let heard = bea.hears_something(&away).await;
        if heard == away {
            break;
        }
        let ServerMessage::Error { code, .. } = heard else {
            panic!("Bea heard {heard:?}");
        };
        assert_eq!(code, ErrorCode::BadMessage);
        // The object never sees a ping, only that there was one.
        cleo.pings().await;
        sleep(pause).await;
    }
    assert!(
        since.elapsed() > silence - pause,
        "Ana had no time to answer"
    );
    bea.is_refused(ErrorCode::BadMessage).await;
    cleo.hears(away).await;
    they_talk(&mut bea, &mut cleo).await;
    let ana = ana.ends_with(GOING_AWAY).await;
    is_told_to_all(gone(ana, LeaveReason::Lost), [&mut bea, &mut cleo]).await;
    is_told_to_all(stands(bea.id, false), [&mut bea, &mut cleo]).await;
    nobody_hears_more([&mut bea, &mut cleo]).await;
}
