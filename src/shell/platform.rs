//! What the runtime is to the Rust side, as far as it is used (Cloudflare: Durable Objects, API reference). What
//! is on every platform of the web is in `web_sys`.

use js_sys::{Date, Object, Promise};
use wasm_bindgen::prelude::*;

use super::socket::Socket;

/// Something of the platform, or what it threw.
pub(super) type Result<T> = std::result::Result<T, JsValue>;

#[wasm_bindgen]
extern "C" {
    /// The state of a Durable Object: its sockets and its storage.
    pub type State;

    #[wasm_bindgen(method, catch, js_name = acceptWebSocket)]
    pub(super) fn accept_websocket(this: &State, socket: &Socket, tags: Vec<JsValue>)
    -> Result<()>;

    #[wasm_bindgen(method, catch, js_name = getWebSockets)]
    pub(super) fn get_websockets(this: &State) -> Result<Vec<Socket>>;

    #[wasm_bindgen(method, catch, js_name = getWebSockets)]
    pub(super) fn get_websockets_with_tag(this: &State, tag: &str) -> Result<Vec<Socket>>;

    #[wasm_bindgen(method, catch, js_name = setWebSocketAutoResponse)]
    pub(super) fn set_websocket_auto_response(
        this: &State,
        pair: &WebSocketRequestResponsePair,
    ) -> Result<()>;

    #[wasm_bindgen(method, catch, js_name = getWebSocketAutoResponseTimestamp)]
    pub(super) fn last_answered(this: &State, socket: &Socket) -> Result<Option<Date>>;

    #[wasm_bindgen(method, catch, getter)]
    pub(super) fn storage(this: &State) -> Result<Storage>;

    /// The storage of a Durable Object.
    pub type Storage;

    #[wasm_bindgen(method, catch, js_name = setAlarm)]
    pub(super) fn set_alarm(this: &Storage, at: &Date) -> Result<Promise>;

    /// Its values by name, read at once and not by a promise.
    #[wasm_bindgen(method, getter)]
    pub(super) fn kv(this: &Storage) -> Shelf;

    /// Values by name.
    pub type Shelf;

    #[wasm_bindgen(method, catch)]
    pub(super) fn get(this: &Shelf, name: &str) -> Result<JsValue>;

    #[wasm_bindgen(method, catch)]
    pub(super) fn put(this: &Shelf, name: &str, value: &JsValue) -> Result<()>;

    /// A text, and what the runtime answers it with without waking anybody.
    pub type WebSocketRequestResponsePair;

    #[wasm_bindgen(constructor, catch)]
    pub(super) fn new(request: &str, response: &str) -> Result<WebSocketRequestResponsePair>;

    /// The two ends of a WebSocket.
    #[wasm_bindgen(extends = Object)]
    pub type WebSocketPair;

    #[wasm_bindgen(constructor, catch)]
    pub(super) fn new() -> Result<WebSocketPair>;

    /// 0 is the client's, 1 the server's.
    #[wasm_bindgen(method, structural, indexing_getter)]
    pub(super) fn end(this: &WebSocketPair, which: u32) -> Socket;

    /// All Durable Objects of a class.
    pub type Namespace;

    #[wasm_bindgen(method, catch, js_name = getByName)]
    pub(super) fn get_by_name(this: &Namespace, name: &str) -> Result<Stub>;

    /// One of them, wherever it is.
    pub type Stub;

    /// A promise of its answer.
    #[wasm_bindgen(method, catch)]
    pub(super) fn fetch(this: &Stub, request: &web_sys::Request) -> Result<Promise>;
}
