//! The lobby object, in which random chat happens.

use std::cell::RefCell;

use wasm_bindgen::prelude::*;
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

use super::actor::{Live, handlers};
use super::log::{Line, log};
use super::socket::Socket;
use super::storage::key;
use crate::core::lobby::Lobby;
use crate::core::route::{Route, split_url};

/// The Durable Object of the waiting queue and the pairs.
#[durable_object(fetch)]
pub struct LobbyObject(RefCell<Live<Lobby>>);

impl DurableObject for LobbyObject {
    fn new(state: State, _env: Env) -> Self {
        log(&Line::LobbyAwake);
        let restored = |sockets| Line::LobbyRestored { sockets };
        let lobby = Lobby::new(key(&state));
        Self(RefCell::new(Live::wake(lobby, state, restored)))
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        let url = request.inner().url();
        match Route::of(split_url(&url).1) {
            Some(Route::Match) => self.0.borrow_mut().accept(),
            Some(Route::Stats) => {
                let stats = self.0.borrow_mut().restored().stats();
                Response::ok(serde_json::to_string(&stats)?)
            }
            Some(Route::Room(_) | Route::Health | Route::Ice) | None => {
                Response::error("Not here.", 404)
            }
        }
    }
}

handlers!(LobbyObject);
