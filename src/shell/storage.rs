//! What an object keeps: its alarm, and for ever the key that its tokens are signed with and what a lobby is called.

use js_sys::{Date, Uint8Array};
use wasm_bindgen::prelude::*;

use super::log::{Line, log};
use super::platform::{Result, State, shelf};
use crate::core::layout::LobbyName;
use crate::core::resume::Key;
use crate::core::time::Timestamp;

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
    let found = get(state, NAME)?;
    if let Some((key, name)) = found.split_first_chunk() {
        let name = str::from_utf8(name).unwrap_or_default();
        return Ok((Key::new(*key), name.into()));
    }
    let key = fresh();
    put(state, NAME, &[key.bytes(), told.as_bytes()].concat())?;
    Ok((key, told.into()))
}

/// Bytes by name; none where there are none.
pub(super) fn get(state: &State, name: &str) -> Result<Vec<u8>> {
    let found = shelf(&state.storage()?).get(name)?;
    let bytes = found.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec);
    Ok(bytes.unwrap_or_default())
}

/// Keeps bytes by name.
pub(super) fn put(state: &State, name: &str, bytes: &[u8]) -> Result<()> {
    shelf(&state.storage()?).put(name, &Uint8Array::from(bytes))
}

/// Sets the one alarm. It is written while the object goes on; the runtime holds back what it sends meanwhile until the
/// write is safe (Cloudflare: Durable Objects, output gates).
pub(super) fn wake_at(state: &State, at: Timestamp) {
    let at = Date::new(&JsValue::from(at.unix_millis() as f64));
    let storage = state.storage();
    let set = storage.and_then(|storage| storage.set_alarm(at, JsValue::UNDEFINED.into()));
    if set.is_err() {
        log(&Line::AlarmRefused);
    }
}

fn fresh() -> Key {
    let mut bytes = [0; Key::BYTES];
    // A key of zeros would be everybody's.
    if let Err(error) = getrandom::fill(&mut bytes) {
        wasm_bindgen::throw_str(&error.to_string());
    }
    Key::new(bytes)
}
