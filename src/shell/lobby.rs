//! The lobby object, in which random chat happens.

use std::cell::RefCell;

use wasm_bindgen::prelude::*;
use web_sys::{Request, Response};

use super::actor::{Live, handlers};
use super::bindings::Env;
use super::company::{Answers, Company};
use super::log::{Line, log};
use super::platform::{Result, State, now};
use super::socket::Socket;
use super::storage::key_of_lobby;
use crate::core::actor::Event;
use crate::core::compact::unpack;
use crate::core::id::PeerId;
use crate::core::lobby::Lobby;

/// The Durable Object of the waiting queue and the pairs.
#[wasm_bindgen]
pub struct LobbyObject(RefCell<Live<Lobby>>);

#[wasm_bindgen]
impl LobbyObject {
    /// It is made, or wakes up.
    #[wasm_bindgen(constructor)]
    pub fn new(state: State, env: &Env, answers: Answers) -> Self {
        log(&Line::LobbyAwake);
        let restored = |sockets| Line::LobbyRestored { sockets };
        let (key, name) = key_of_lobby(&state);
        let lobby = Lobby::among_others(name, key);
        let company = Company::new(env, answers);
        let live = Live::wake(lobby, state, env, restored);
        Self(RefCell::new(live.in_company(company)))
    }

    /// Another lobby asks for a token for who is to come from there.
    pub fn expect(&self, arrival: &[u8]) -> Option<String> {
        let live = self.0.borrow();
        let token = live.actor().expect(arrival, now())?;
        Some(token.expose().into())
    }

    /// The directory has answered.
    pub fn advised(&self, advice: &[u8]) {
        if let Some(advice) = unpack(advice) {
            self.0.borrow_mut().happened(Event::Advised(advice));
        }
    }

    /// Another lobby has answered.
    pub fn expected(&self, peer: f64, number: f64, token: Option<String>) {
        self.0.borrow_mut().happened(Event::Expected {
            peer: PeerId::from_random(peer as u64),
            number: number as u64,
            token: token.map(Into::into),
        });
    }

    /// A request arrived.
    pub fn fetch(&self, request: &Request) -> Result<Response> {
        self.0.borrow_mut().accept(request)
    }
}

handlers!(LobbyObject);
