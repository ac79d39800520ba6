//! What an object keeps for ever: the key that its tokens are signed with, and what a lobby is called.

use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

use super::log::{Line, log};
use super::platform::{Result, State, shelf};
use crate::core::layout::LobbyName;
use crate::core::resume::Key;

const NAME: &str = "resume-key";

/// The key of this object, made now if it has none. Where it cannot be kept it lasts until the object
/// sleeps, and so do the tokens.
pub(super) fn key(state: &State) -> Key {
    key_and_name(state, "").0
}

/// The key of a lobby, likewise, and its name: the runtime tells it to who is sent for, and not to who is woken up.
pub(super) fn key_of_lobby(state: &State) -> (Key, LobbyName) {
    let told = state.id().ok().and_then(|id| id.name());
    let (key, name) = key_and_name(state, &told.unwrap_or_default());
    (key, name.parse().unwrap_or(LobbyName::Global))
}

fn key_and_name(state: &State, told: &str) -> (Key, String) {
    kept(state, told).unwrap_or_else(|_| {
        log(&Line::KeyNotKept);
        (fresh(), told.into())
    })
}

/// The key, and the name after it.
fn kept(state: &State, told: &str) -> Result<(Key, String)> {
    let shelf = shelf(&state.storage()?);
    let found = shelf.get(NAME)?.dyn_into::<Uint8Array>().ok();
    let found = found.map(|bytes| bytes.to_vec()).unwrap_or_default();
    if let Some((key, name)) = found.split_first_chunk() {
        let name = str::from_utf8(name).unwrap_or_default();
        return Ok((Key::new(*key), name.into()));
    }
    let key = fresh();
    let bytes = [key.bytes().as_slice(), told.as_bytes()].concat();
    shelf.put(NAME, &Uint8Array::from(bytes.as_slice()))?;
    Ok((key, told.into()))
}

fn fresh() -> Key {
    let mut bytes = [0; Key::BYTES];
    // A key of zeros would be everybody's.
    if let Err(error) = getrandom::fill(&mut bytes) {
        wasm_bindgen::throw_str(&error.to_string());
    }
    Key::new(bytes)
}
