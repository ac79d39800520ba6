//! The lobby object, in which random chat happens.
//!
//! The four handlers are written by hand and synchronous, here and in the room. Those that
//! `#[durable_object]` would write are asynchronous, which costs a promise and some 12 to 22 µs a
//! message, and nothing here waits for anything.

use std::cell::RefCell;

use wasm_bindgen::prelude::*;
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

use super::actor::Live;
use super::log::Line;
use super::socket::Socket;
use crate::core::lobby::Lobby;
use crate::core::route::{Route, split_url};

/// The Durable Object of the waiting queue and the pairs.
#[durable_object(fetch)]
pub struct LobbyObject(RefCell<Live<Lobby>>);

impl DurableObject for LobbyObject {
    fn new(state: State, _env: Env) -> Self {
        let awake = |sockets| Line::LobbyAwake { sockets };
        Self(RefCell::new(Live::wake(Lobby::default(), state, awake)))
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        let url = request.inner().url();
        match Route::of(split_url(&url).1) {
            Some(Route::Match) => self.0.borrow_mut().accept(),
            Some(Route::Stats) => {
                let stats = self.0.borrow().actor.stats();
                Response::ok(serde_json::to_string(&stats)?)
            }
            Some(Route::Room(_) | Route::Health | Route::Ice) | None => {
                Response::error("Not here.", 404)
            }
        }
    }
}

#[wasm_bindgen]
impl LobbyObject {
    /// A frame arrived.
    #[wasm_bindgen(js_name = webSocketMessage)]
    pub fn web_socket_message(&self, socket: &Socket, frame: &JsValue) {
        self.0.borrow_mut().received(socket, frame);
    }

    /// A socket was closed by its client, or is gone without a word (code 1006).
    #[wasm_bindgen(js_name = webSocketClose)]
    pub fn web_socket_close(&self, socket: &Socket, code: u16) {
        self.0.borrow_mut().closed(socket, code);
    }

    /// A socket broke.
    #[wasm_bindgen(js_name = webSocketError)]
    pub fn web_socket_error(&self, socket: &Socket) {
        self.0.borrow_mut().broke(socket);
    }

    /// The alarm went off.
    pub fn alarm(&self) {
        self.0.borrow_mut().woken();
    }
}
