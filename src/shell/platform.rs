//! What the runtime is to the Rust side (Cloudflare: Durable Objects, API reference): `worker-sys`, which is the
//! raw bindings that `worker` is built on, and the little that they leave out.

use js_sys::Date;
use wasm_bindgen::prelude::*;
use worker_sys::DurableObjectStorage;

use super::socket::Socket;
use crate::core::time::Timestamp;

pub(super) use worker_sys::{
    DurableObject as Stub, DurableObjectNamespace as Namespace, DurableObjectState as State,
    WebSocketPair, WebSocketRequestResponsePair,
};

/// Something of the platform, or what it threw.
pub(super) type Result<T> = std::result::Result<T, JsValue>;

#[wasm_bindgen]
extern "C" {
    /// [`State`], for what the bindings leave out.
    type Pings;

    #[wasm_bindgen(method, catch, js_name = getWebSocketAutoResponseTimestamp)]
    fn last_answered(this: &Pings, socket: &Socket) -> Result<Option<Date>>;

    /// The storage of an object, likewise.
    type Storage;

    #[wasm_bindgen(method, getter)]
    fn kv(this: &Storage) -> Shelf;

    /// Values by name, read at once and not by a promise.
    pub type Shelf;

    #[wasm_bindgen(method, catch)]
    pub(super) fn get(this: &Shelf, name: &str) -> Result<JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(super) fn put(this: &Shelf, name: &str, value: &JsValue) -> Result<()>;
}

/// When the runtime last answered a ping of this socket for us, if it ever did.
pub(super) fn last_answered(state: &State, socket: &Socket) -> Option<Date> {
    state
        .unchecked_ref::<Pings>()
        .last_answered(socket)
        .ok()
        .flatten()
}

/// What an object keeps by name.
pub(super) fn shelf(storage: &DurableObjectStorage) -> Shelf {
    storage.unchecked_ref::<Storage>().kv()
}

/// The time of the runtime's clock.
pub(super) fn now() -> Timestamp {
    Timestamp::from_unix_millis(Date::now() as u64)
}
