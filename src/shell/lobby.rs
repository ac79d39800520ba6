//! The lobby object, in which random chat happens.

use std::cell::RefCell;

use wasm_bindgen::prelude::*;
use web_sys::{Request, Response};

use super::actor::{Live, handlers};
use super::answer::{json, refused};
use super::bindings::Env;
use super::log::{Line, log};
use super::platform::{Result, State};
use super::socket::Socket;
use super::storage::key;
use crate::core::lobby::Lobby;
use crate::core::route::{Route, split_url};

/// The Durable Object of the waiting queue and the pairs.
#[wasm_bindgen]
pub struct LobbyObject(RefCell<Live<Lobby>>);

#[wasm_bindgen]
impl LobbyObject {
    /// It is made, or wakes up.
    #[wasm_bindgen(constructor)]
    pub fn new(state: State, env: &Env) -> Self {
        log(&Line::LobbyAwake);
        let restored = |sockets| Line::LobbyRestored { sockets };
        let lobby = Lobby::new(key(&state));
        Self(RefCell::new(Live::wake(lobby, state, env, restored)))
    }

    /// A request arrived.
    pub fn fetch(&self, request: &Request) -> Result<Response> {
        let url = request.url();
        match Route::of(split_url(&url).1) {
            Some(Route::Match) => self.0.borrow_mut().accept(request),
            Some(Route::Stats) => {
                let origin = request.headers().get("origin")?;
                json(&self.0.borrow_mut().restored().stats(), origin.as_deref())
            }
            Some(Route::Room(_) | Route::Health | Route::Ice | Route::Pass) | None => {
                refused(404, "Not here.")
            }
        }
    }
}

handlers!(LobbyObject);
