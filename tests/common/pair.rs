//! The lobby, and people in it.

use echomingle::core::id::PeerId;
use echomingle::core::lobby::Lobby;
use echomingle::core::protocol::Mode::Video;
use echomingle::core::protocol::Stats;

use super::{KEY, Script};

/// A lobby with so many people in it, who have been welcomed.
pub(crate) fn people<const N: usize>() -> (Script<Lobby>, [PeerId; N]) {
    Script::with(|| Lobby::new(KEY))
}

/// Two who are in a call. The first one offers.
pub(crate) fn pair() -> (Script<Lobby>, PeerId, PeerId) {
    let (mut script, [ana, ben]) = people();
    script.finds(ana, Video, &[]);
    script.finds(ben, Video, &[]);
    script.heard();
    (script, ana, ben)
}

/// How many are connected, wait, and are in calls.
pub(crate) fn stats(script: &Script<Lobby>) -> (u32, u32, u32) {
    let Stats {
        online,
        waiting,
        calls,
        waits: _,
    } = script.actor.stats();
    (online, waiting, calls)
}
