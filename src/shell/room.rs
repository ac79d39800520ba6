//! The room object: one for each name of a room, made when somebody first asks for it.

use std::cell::RefCell;

use wasm_bindgen::prelude::*;
use web_sys::{Request, Response};

use super::actor::{Live, handlers};
use super::bindings::{Env, room_capacity};
use super::log::{Line, log};
use super::platform::{Result, State};
use super::socket::Socket;
use super::storage::key;
use crate::core::room::{Room, capacity};

/// The Durable Object of one room.
#[wasm_bindgen]
pub struct RoomObject(RefCell<Live<Room>>);

#[wasm_bindgen]
impl RoomObject {
    /// It is made, or wakes up.
    #[wasm_bindgen(constructor)]
    pub fn new(state: State, env: &Env) -> Self {
        log(&Line::RoomAwake);
        let restored = |sockets| Line::RoomRestored { sockets };
        let room = Room::new(capacity(room_capacity(env).as_deref()), key(&state));
        Self(RefCell::new(Live::wake(room, state, env, restored)))
    }

    /// A request arrived.
    pub fn fetch(&self, request: &Request) -> Result<Response> {
        self.0.borrow_mut().accept(request)
    }
}

handlers!(RoomObject);
