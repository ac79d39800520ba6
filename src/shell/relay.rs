//! The way of a signal through the server, which most of what clients say takes.
//!
//! It is read and checked as any message, but the message that passes it on is not written in Rust: it is
//! what the sender's signals begin with, the data cut out of the frame that arrived, and a brace. JavaScript
//! engines put that together without copying, and no text leaves WebAssembly (docs/performance says what it
//! gave).

use std::cell::OnceCell;

use wasm_bindgen::prelude::*;

use super::socket::Socket;
use crate::core::id::PeerId;
use crate::core::protocol::{Relayed, ServerMessage};

#[wasm_bindgen(inline_js = "
export const pass = (to, head, frame, start, end) => {
  try {
    to.send(head + frame.slice(start, end) + '}');
  } catch {}
};
")]
extern "C" {
    fn pass(to: &Socket, head: &JsValue, frame: &JsValue, start: u32, end: u32);
}

/// What the signals of one peer begin with when they are passed on.
#[derive(Default)]
pub(super) struct Head(OnceCell<JsValue>);

impl Head {
    /// Passes on what came in `frame`, whose text is `text`.
    pub(super) fn relay(
        &self,
        from: PeerId,
        to: &Socket,
        data: Relayed<'_>,
        frame: &JsValue,
        text: &str,
    ) {
        if !text.is_ascii() {
            // Places are counted in other units there.
            return to.tell(&ServerMessage::Signal { from, data });
        }
        let head = self.0.get_or_init(|| JsValue::from(Relayed::head(from)));
        let place = data.place_in(text);
        pass(to, head, frame, place.start as u32, place.end as u32);
    }
}
