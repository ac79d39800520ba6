//! The room object: one for each name of a room, made when somebody first asks for it.

use std::cell::RefCell;

use wasm_bindgen::prelude::*;
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

use super::actor::{Live, handlers};
use super::bindings::room_capacity;
use super::log::{Line, log};
use super::socket::Socket;
use super::storage::key;
use crate::core::room::{Room, capacity};

/// The Durable Object of one room.
#[durable_object(fetch)]
pub struct RoomObject(RefCell<Live<Room>>);

impl DurableObject for RoomObject {
    fn new(state: State, env: Env) -> Self {
        log(&Line::RoomAwake);
        let restored = |sockets| Line::RoomRestored { sockets };
        let room = Room::new(capacity(room_capacity(&env).as_deref()), key(&state));
        Self(RefCell::new(Live::wake(room, state, restored)))
    }

    async fn fetch(&self, _: Request) -> Result<Response> {
        self.0.borrow_mut().accept()
    }
}

handlers!(RoomObject);
