//! What an object keeps for ever: the key that its tokens are signed with, and nothing else.

use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

use super::log::{Line, log};
use super::platform::{Result, State, shelf};
use crate::core::resume::Key;

const NAME: &str = "resume-key";

/// The key of this object, made now if it has none. Where it cannot be kept it lasts until the object
/// sleeps, and so do the tokens.
pub(super) fn key(state: &State) -> Key {
    kept(state).unwrap_or_else(|_| {
        log(&Line::KeyNotKept);
        fresh()
    })
}

fn kept(state: &State) -> Result<Key> {
    let shelf = shelf(&state.storage()?);
    let found = shelf.get(NAME)?.dyn_into::<Uint8Array>().ok();
    if let Some(bytes) = found.and_then(|bytes| bytes.to_vec().try_into().ok()) {
        return Ok(Key::new(bytes));
    }
    let key = fresh();
    shelf.put(NAME, &Uint8Array::from(key.bytes().as_slice()))?;
    Ok(key)
}

fn fresh() -> Key {
    let mut bytes = [0; Key::BYTES];
    // A key of zeros would be everybody's.
    if let Err(error) = getrandom::fill(&mut bytes) {
        wasm_bindgen::throw_str(&error.to_string());
    }
    Key::new(bytes)
}
