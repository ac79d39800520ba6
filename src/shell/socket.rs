//! The server's end of a hibernating WebSocket, as the platform has it.
//!
//! Sending to a socket that is gone is no error here: its close event is on the way.

use std::cell::RefCell;

use js_sys::{Object, Uint8Array};
use wasm_bindgen::prelude::*;

use super::platform::{State, last_answered};
use crate::core::id::PeerId;
use crate::core::protocol::{MAX_FRAME_BYTES, Relayed, ServerMessage};
use crate::core::rejection::Rejection;
use crate::core::time::Timestamp;

/// WebSocket close code 1000 (RFC 6455, section 7.4.1).
const NORMAL_CLOSURE: u16 = 1000;

#[wasm_bindgen]
extern "C" {
    /// A `WebSocket` of the runtime.
    #[wasm_bindgen(extends = Object)]
    #[derive(Clone)]
    pub type Socket;

    #[wasm_bindgen(method, catch, js_name = send)]
    fn send_text(this: &Socket, text: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = close)]
    fn close_with(this: &Socket, code: u16, reason: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = serializeAttachment)]
    fn serialize_attachment(this: &Socket, value: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = deserializeAttachment)]
    fn deserialize_attachment(this: &Socket) -> Result<JsValue, JsValue>;

    /// Our own mark on the object, there until the object sleeps: the peer's number, so that a
    /// message finds its seat without reading the attachment.
    #[wasm_bindgen(method, structural, getter, js_name = echominglePeer)]
    fn mark(this: &Socket) -> Option<f64>;

    #[wasm_bindgen(method, structural, setter, js_name = echominglePeer)]
    fn set_mark(this: &Socket, number: Option<f64>);
}

/// When the runtime last answered a ping of this socket for us, if it ever did.
pub(super) fn last_ping(state: &State, socket: &Socket) -> Option<Timestamp> {
    let at = last_answered(state, socket)?;
    Some(Timestamp::from_unix_millis(at.get_time() as u64))
}

impl Socket {
    /// Sends a message.
    pub(super) fn tell(&self, message: &ServerMessage<Relayed<'_>>) {
        if let Ok(text) = serde_json::to_string(message) {
            let _ = self.send_text(&text);
        }
    }

    /// Closes the socket.
    pub(super) fn close(&self, code: u16, reason: &str) {
        let _ = self.close_with(code, reason);
    }

    /// Completes the closing that the client began: the runtime leaves that to the object where sockets
    /// hibernate, and a client that is not answered waits for some ten seconds. Codes that no frame may
    /// carry (RFC 6455, section 7.4.1) are refused by the runtime.
    pub(super) fn answer_close(&self, code: u16) {
        if self.close_with(code, "").is_err() {
            self.close(NORMAL_CLOSURE, "");
        }
    }

    /// Keeps bytes with the socket that survive the object's sleep.
    pub(super) fn attach(&self, bytes: &[u8]) {
        let _ = self.serialize_attachment(&Uint8Array::from(bytes));
    }

    /// The bytes attached last.
    pub(super) fn attached(&self) -> Option<Vec<u8>> {
        let value = self.deserialize_attachment().ok()?;
        Some(value.dyn_ref::<Uint8Array>()?.to_vec())
    }

    /// The peer whose socket this was [marked](Self::belongs_to) as.
    pub(super) fn peer(&self) -> Option<PeerId> {
        self.mark().map(|number| PeerId::from_random(number as u64))
    }

    /// Marks the socket as that of a peer.
    pub(super) fn belongs_to(&self, peer: PeerId) {
        self.set_mark(Some(peer.number() as f64));
    }

    /// Takes the mark off.
    pub(super) fn belongs_to_nobody(&self) {
        self.set_mark(None);
    }
}

#[wasm_bindgen(inline_js = "
const encoder = new TextEncoder();
export const copy = (frame, into) => {
  if (typeof frame !== 'string') return -1;
  const { read, written } = encoder.encodeInto(frame, into);
  return read < frame.length ? -2 : written;
};
export const length = (frame) => frame.length ?? frame.byteLength;
")]
extern "C" {
    /// Copies the text of a frame as UTF-8, and says how many bytes it took, or less than nothing where it is
    /// no text or too long. One call and the runtime's own copying: the bindings take three, and a loop over
    /// the characters.
    fn copy(frame: &JsValue, into: &mut [u8]) -> i32;

    /// How long a frame is: in units of UTF-16 where it is text, else in bytes.
    pub(super) fn length(frame: &JsValue) -> u32;
}

thread_local! {
    /// Where frames are read, one after the other.
    static FRAME: RefCell<Box<[u8]>> = RefCell::new(vec![0; MAX_FRAME_BYTES].into());
}

/// Does something with the text of an incoming frame, of which no more is copied than may be read.
pub(super) fn with_text<T>(frame: &JsValue, act: impl FnOnce(Result<&str, Rejection>) -> T) -> T {
    FRAME.with_borrow_mut(|buffer| {
        let text = match usize::try_from(copy(frame, buffer)) {
            Ok(length) => std::str::from_utf8(&buffer[..length]).map_err(|_| Rejection::NotText),
            Err(_) if frame.is_string() => Err(Rejection::TooLarge),
            Err(_) => Err(Rejection::NotText),
        };
        act(text)
    })
}
