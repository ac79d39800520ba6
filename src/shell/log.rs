//! What is worth a line in the log: a closed list, so that nothing private can slip into one.

use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::core::turn::Failure;
use crate::core::turnstile::Denial;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console, js_name = log)]
    fn print(text: &str);

}

/// One line, as JSON.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum Line {
    /// A lobby object was made or woke up.
    LobbyAwake,
    /// It has read what all its sockets remember.
    LobbyRestored {
        /// How many sockets it found.
        sockets: usize,
    },
    /// A room object was made or woke up.
    RoomAwake,
    /// It has read what all its sockets remember.
    RoomRestored {
        /// How many sockets it found.
        sockets: usize,
    },
    /// A relay that is configured could not be had, and the next was tried.
    RelayFailed {
        /// Which.
        relay: &'static str,
        /// Why, as far as it is nobody's secret.
        why: Failure,
    },
    /// Somebody asked for a pass and got none.
    PassDenied {
        /// Why, as far as it is nobody's secret.
        why: Denial,
    },
    /// What must not come to pass did, and all in memory is lost.
    Panicked {
        /// The source file.
        file: String,
        /// The line in it.
        line: u32,
    },
    /// The runtime refused the alarm.
    AlarmRefused,
    /// What the directory knows could not be kept.
    LayoutNotKept,
    /// The key of the tokens could not be read or kept.
    KeyNotKept,
}

/// Writes a line.
pub(super) fn log(line: &Line) {
    if let Ok(text) = serde_json::to_string(line) {
        print(&text);
    }
}
