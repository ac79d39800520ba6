//! The others of a lobby: the directory, and the lobbies beside it.

use wasm_bindgen::prelude::*;

use super::bindings::{Env, directory, lobby};
use super::platform::Stub;
use crate::core::compact::pack;
use crate::core::directory::Report;
use crate::core::id::PeerId;
use crate::core::layout::LobbyName;

#[wasm_bindgen(module = "/src/shell/company.js")]
extern "C" {
    #[wasm_bindgen(js_name = report)]
    fn tell(directory: &Stub, report: &[u8], answers: &Answers);

    #[wasm_bindgen(js_name = handOver)]
    fn hand_over(lobby: &Stub, arrival: &[u8], answers: &Answers, peer: f64, number: f64);

    /// Where answers go: to the lobby as it will be then (`src/shell/entry.js`).
    #[derive(Clone)]
    pub type Answers;
}

/// Whom a lobby speaks to, and who takes the answers.
pub(super) struct Company {
    env: Env,
    answers: Answers,
}

impl Company {
    pub(super) fn new(env: &Env, answers: Answers) -> Self {
        let env = Clone::clone(env);
        Self { env, answers }
    }

    /// Tells the directory how this lobby stands.
    pub(super) fn tell(&self, report: &Report) {
        if let (Ok(directory), Some(report)) = (directory(&self.env), pack(report)) {
            tell(&directory, &report, &self.answers);
        }
    }

    /// Asks another lobby for a token.
    pub(super) fn hand_over(&self, peer: PeerId, number: u64, to: LobbyName, arrival: &[u8]) {
        if let Ok(other) = lobby(&self.env, to) {
            let (peer, number) = (peer.number() as f64, number as f64);
            hand_over(&other, arrival, &self.answers, peer, number);
        }
    }
}
