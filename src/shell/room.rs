//! The room object: one for each name of a room, made when somebody first asks for it.

use std::cell::RefCell;

use wasm_bindgen::prelude::*;
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

use super::actor::Live;
use super::bindings::room_capacity;
use super::log::Line;
use super::socket::Socket;
use crate::core::room::{Room, capacity};

/// The Durable Object of one room.
#[durable_object(fetch)]
pub struct RoomObject(RefCell<Live<Room>>);

impl DurableObject for RoomObject {
    fn new(state: State, env: Env) -> Self {
        let room = Room::new(capacity(room_capacity(&env).as_deref()));
        let awake = |sockets| Line::RoomAwake { sockets };
        Self(RefCell::new(Live::wake(room, state, awake)))
    }

    async fn fetch(&self, _: Request) -> Result<Response> {
        self.0.borrow_mut().accept()
    }
}

#[wasm_bindgen]
impl RoomObject {
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
