//! What an object keeps for ever: the key that its tokens are signed with, and nothing else.

use wasm_bindgen::prelude::*;
use worker::State;
use worker::js_sys::Uint8Array;

use super::log::{Line, log};
use crate::core::resume::Key;

const NAME: &str = "resume-key";

#[wasm_bindgen]
extern "C" {
    /// The storage of an object, for what the bindings of the platform leave out: reading at once and
    /// not by a promise (Cloudflare: SQLite-backed Durable Object Storage, synchronous KV API).
    type Storage;

    #[wasm_bindgen(method, getter)]
    fn kv(this: &Storage) -> Shelf;

    type Shelf;

    #[wasm_bindgen(method, catch)]
    fn get(this: &Shelf, name: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn put(this: &Shelf, name: &str, value: &JsValue) -> Result<(), JsValue>;
}

/// The key of this object, made now if it has none. Where it cannot be kept it lasts until the object
/// sleeps, and so do the tokens.
pub(super) fn key(state: &State) -> Key {
    kept(state).unwrap_or_else(|_| {
        log(&Line::KeyNotKept);
        fresh()
    })
}

fn kept(state: &State) -> Result<Key, JsValue> {
    let storage: Storage = state.as_raw().storage()?.unchecked_into();
    let shelf = storage.kv();
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
