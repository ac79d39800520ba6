//! The lobby object: carries the lobby's events in and its effects out.
//!
//! The constructor is the wake-up. The runtime makes a new object whenever it needs one, be it for the
//! first visitor, after a hibernation, after a deploy or after a panic, and all of them are the same
//! here: the seats are read from the sockets that are there.
//!
//! The four handlers are written by hand and synchronous. Those that `#[durable_object]` would
//! write are asynchronous, which costs a promise and some 12 to 22 µs a message, and nothing here
//! waits for anything.

use std::cell::RefCell;
use std::collections::BTreeMap;

use wasm_bindgen::prelude::*;
use worker::js_sys::Date;
use worker::{
    DurableObject, Env, Request, Response, Result, State, WebSocketPair,
    WebSocketRequestResponsePair, durable_object,
};

use super::log::{Line, log};
use super::socket::{Socket, text};
use crate::core::id::PeerId;
use crate::core::lobby::{Effect, Event, Lobby, SavedSeat};
use crate::core::protocol::{PING, PONG, parse};
use crate::core::rate::Allowance;
use crate::core::rejection::Rejection;
use crate::core::route::{Route, split_url};
use crate::core::time::Timestamp;

/// The Durable Object in which random chat happens.
#[durable_object(fetch)]
pub struct LobbyObject {
    state: State,
    live: RefCell<Live>,
}

/// What is in memory, and may be gone at any time.
struct Live {
    lobby: Lobby,
    connections: BTreeMap<PeerId, Connection>,
}

struct Connection {
    socket: Socket,
    allowance: Allowance,
}

impl DurableObject for LobbyObject {
    fn new(state: State, _env: Env) -> Self {
        if let Ok(pair) = WebSocketRequestResponsePair::new(PING, PONG) {
            let _ = state.as_raw().set_websocket_auto_response(&pair);
        }
        let sockets = state.as_raw().get_websockets().unwrap_or_default();
        let sockets = sockets.into_iter().map(JsCast::unchecked_into::<Socket>);
        let mut connections = BTreeMap::new();
        let mut seats = Vec::new();
        for socket in sockets {
            if let Some(seat) = socket.attached().as_deref().and_then(SavedSeat::read) {
                socket.belongs_to(seat.peer());
                connections.insert(seat.peer(), Connection::new(socket));
                seats.push(seat);
            }
        }
        log(&Line::LobbyAwake {
            sockets: connections.len(),
        });
        let (lobby, effects) = Lobby::restore(seats);
        let live = Live { lobby, connections };
        live.perform(effects, &state);
        Self {
            state,
            live: RefCell::new(live),
        }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        let url = request.inner().url();
        match Route::of(split_url(&url).1) {
            Some(Route::Match) => self.accept(),
            Some(Route::Stats) => {
                let stats = self.live.borrow().lobby.stats();
                Response::ok(serde_json::to_string(&stats)?)
            }
            Some(Route::Health | Route::Ice) | None => Response::error("Not here.", 404),
        }
    }
}

#[wasm_bindgen]
impl LobbyObject {
    /// A frame arrived.
    #[wasm_bindgen(js_name = webSocketMessage)]
    pub fn web_socket_message(&self, socket: &Socket, frame: &JsValue) {
        let Some(peer) = socket.peer() else {
            return;
        };
        let mut live = self.live.borrow_mut();
        let Some(connection) = live.connections.get_mut(&peer) else {
            return;
        };
        if let Err(told) = connection.allowance.take(now()) {
            if let Some(rejection) = told {
                live.refuse(peer, &rejection, &self.state);
            }
            return;
        }
        let received = text(frame);
        match received
            .as_deref()
            .map_err(Rejection::clone)
            .and_then(parse)
        {
            Ok(message) => live.happened(Event::Received { peer, message }, &self.state),
            Err(rejection) => live.refuse(peer, &rejection, &self.state),
        }
    }

    /// A socket was closed by its client, or is gone without a word (code 1006).
    #[wasm_bindgen(js_name = webSocketClose)]
    pub fn web_socket_close(&self, socket: &Socket, code: u16) {
        socket.answer_close(code);
        self.gone(socket);
    }

    /// A socket broke.
    #[wasm_bindgen(js_name = webSocketError)]
    pub fn web_socket_error(&self, socket: &Socket) {
        self.gone(socket);
    }

    /// The alarm went off.
    pub fn alarm(&self) {
        self.live.borrow_mut().happened(Event::Woken, &self.state);
    }
}

impl LobbyObject {
    fn accept(&self) -> Result<Response> {
        let WebSocketPair { client, server } = WebSocketPair::new()?;
        let accepted = self.state.as_raw().accept_websocket(server.as_ref());
        if accepted.is_err() {
            return Response::error("All seats are taken. Try again in a minute.", 503);
        }
        let mut live = self.live.borrow_mut();
        let peer = loop {
            let bits = getrandom::u64().map_err(|error| error.to_string())?;
            let peer = PeerId::from_random(bits);
            if !live.lobby.knows(peer) {
                break peer;
            }
        };
        let socket: Socket = server.as_ref().clone().unchecked_into();
        socket.belongs_to(peer);
        live.connections.insert(peer, Connection::new(socket));
        live.happened(Event::Connected { peer }, &self.state);
        Response::from_websocket(client)
    }

    fn gone(&self, socket: &Socket) {
        if let Some(peer) = socket.peer() {
            self.live.borrow_mut().forget(peer, &self.state);
        }
    }
}

impl Live {
    fn happened(&mut self, event: Event<'_>, state: &State) {
        let effects = self.lobby.handle(event, now());
        self.perform(effects, state);
    }

    /// A peer is gone. The runtime may go on to list its socket for a while, and an object that wakes
    /// up meanwhile must not find a seat on it.
    fn forget(&mut self, peer: PeerId, state: &State) {
        if let Some(connection) = self.connections.remove(&peer) {
            connection.socket.attach(&[]);
        }
        self.happened(Event::Disconnected { peer }, state);
    }

    /// Tells a client of its mistake. One that is sent away is gone at once: it may never answer the
    /// close, and its partner must not wait for that.
    fn refuse(&mut self, peer: PeerId, rejection: &Rejection, state: &State) {
        self.perform(Effect::reject(peer, rejection), state);
        if rejection.close().is_some() {
            self.forget(peer, state);
        }
    }

    fn perform(&self, effects: Vec<Effect<'_>>, state: &State) {
        for effect in effects {
            match effect {
                Effect::Send { to, message } => {
                    if let Some(connection) = self.connections.get(&to)
                        && let Ok(text) = serde_json::to_string(&message)
                    {
                        connection.socket.send(&text);
                    }
                }
                Effect::Save { peer } => {
                    if let Some(connection) = self.connections.get(&peer)
                        && let Some(attachment) = self.lobby.attachment(peer)
                    {
                        connection.socket.attach(&attachment);
                    }
                }
                Effect::Close { peer, code, reason } => {
                    if let Some(connection) = self.connections.get(&peer) {
                        connection.socket.close(code, &reason);
                    }
                }
                Effect::WakeAt(at) => wake_at(at, state),
            }
        }
    }
}

impl Connection {
    fn new(socket: Socket) -> Self {
        Self {
            socket,
            allowance: Allowance::full(now()),
        }
    }
}

/// The alarm is written while the object goes on; the runtime holds back what it sends meanwhile until
/// the write is safe (Cloudflare: Durable Objects, output gates).
fn wake_at(at: Timestamp, state: &State) {
    let at = Date::new(&JsValue::from(at.unix_millis() as f64));
    let Ok(storage) = state.as_raw().storage() else {
        return log(&Line::AlarmRefused);
    };
    if storage.set_alarm(at, JsValue::UNDEFINED.into()).is_err() {
        log(&Line::AlarmRefused);
    }
}

fn now() -> Timestamp {
    Timestamp::from_unix_millis(Date::now() as u64)
}
