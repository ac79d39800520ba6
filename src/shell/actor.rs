//! What is behind the sockets of an object: carries events in to its rules and their effects out.
//!
//! The constructor of an object is the wake-up. The runtime makes a new one whenever it needs one, be it
//! for the first visitor, after a hibernation, after a deploy or after a panic, and all of them are the
//! same here: the sockets that are there remember the seats.
//!
//! A seat is read when it is needed. What most objects are woken up by is a signal, and that takes the seats of
//! two ([`Live::relays`]); everything else takes all of them, and the reading of thousands ([`Live::restored`]).

use std::collections::BTreeMap;

use wasm_bindgen::prelude::*;
use web_sys::{Request, Response};

use super::answer::{opened, refused};
use super::bindings::Env;
use super::company::Company;
use super::journal::Journal;
use super::log::{Line, log};
use super::nearest::region;
use super::pass::subprotocol;
use super::platform::{Result, State, WebSocketPair, WebSocketRequestResponsePair, now};
use super::relay::Head;
use super::socket::{Socket, last_ping, length, with_text};
use super::storage::wake_at;
use crate::core::actor::{Actor, Effect, Event, SavedSeat};
use crate::core::id::PeerId;
use crate::core::protocol::{ClientMessage, PING, PONG, Relayed, parse};
use crate::core::rate::Allowance;
use crate::core::rejection::Rejection;
use crate::core::time::Timestamp;

/// WebSocket close code 1001: one end goes away (RFC 6455, section 7.4.1).
const GOING_AWAY: u16 = 1001;

/// What the runtime calls of an object that is a `RefCell<Live<_>>`. All of it is synchronous: a promise for
/// each message costs some 12 to 22 µs, and nothing here waits for anything.
macro_rules! handlers {
    ($object:ident) => {
        #[wasm_bindgen]
        impl $object {
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
    };
}
pub(super) use handlers;

/// What is in memory, and may be gone at any time.
pub(super) struct Live<A> {
    actor: A,
    /// The sockets whose seats are in memory.
    connections: BTreeMap<PeerId, Connection>,
    state: State,
    /// Whether that is all of them.
    complete: bool,
    /// What goes to the log when it is.
    line: fn(usize) -> Line,
    journal: Journal,
    /// The objects beside this one, where it speaks to any.
    company: Option<Company>,
}

struct Connection {
    socket: Socket,
    allowance: Allowance,
    head: Head,
    /// When it last said something; after a sleep, when it had when its seat was written down last. The
    /// pings that the runtime answered come on top ([`last_ping`]), and the runtime remembers them.
    heard: Timestamp,
}

impl<A: Actor> Live<A> {
    /// Gives an empty actor the sockets that are there, of which none is read yet. `line` is what goes to the
    /// log when all are.
    pub(super) fn wake(actor: A, state: State, env: &Env, line: fn(usize) -> Line) -> Self {
        if let Ok(pair) = WebSocketRequestResponsePair::new(PING, PONG) {
            let _ = state.set_websocket_auto_response(&pair);
        }
        Self {
            actor,
            connections: BTreeMap::new(),
            state,
            complete: false,
            line,
            journal: Journal::new(env),
            company: None,
        }
    }

    /// With others beside it.
    pub(super) fn in_company(mut self, company: Company) -> Self {
        self.company = Some(company);
        self
    }

    /// The actor, with those seats that were needed.
    pub(super) const fn actor(&self) -> &A {
        &self.actor
    }

    /// The actor, with every seat in it.
    fn restored(&mut self) -> &mut A {
        if !self.complete {
            for socket in self.state.get_websockets().unwrap_or_default() {
                self.recall(socket.unchecked_ref());
            }
            self.complete = true;
            log(&(self.line)(self.connections.len()));
            let effects = self.actor.restore(now());
            self.perform(effects);
        }
        &mut self.actor
    }

    /// Whose socket this is, if anybody's; its seat is in memory from now on.
    fn recall(&mut self, socket: &Socket) -> Option<PeerId> {
        let known = socket.peer();
        if known.is_some() || self.complete {
            return known;
        }
        let seat = SavedSeat::read(&socket.attached()?)?;
        let peer = seat.peer();
        socket.belongs_to(peer);
        let connection = Connection::new(socket.clone(), seat.heard());
        self.connections.insert(peer, connection);
        self.actor.recall(seat);
        Some(peer)
    }

    /// Whether the socket of a peer is found by its tag; its seat is in memory from now on. Who came back to a seat
    /// is not: a tag is the first id that the owner of a socket had.
    fn finds(&mut self, peer: PeerId) -> bool {
        let tagged = self.state.get_websockets_with_tag(&peer.to_string());
        let mut tagged = tagged.unwrap_or_default().into_iter();
        tagged.any(|socket| self.recall(socket.unchecked_ref()) == Some(peer))
    }

    /// Whether a signal takes the short way, for which the seats of the two have to be there and no other.
    fn relays(&mut self, from: PeerId, to: PeerId) -> bool {
        self.actor.relays(from, to)
            && (self.complete || self.connections.contains_key(&to) || self.finds(to))
    }

    /// Opens a WebSocket to somebody new.
    pub(super) fn accept(&mut self, request: &Request) -> Result<Response> {
        if !self.restored().admits() {
            return crowded();
        }
        let peer = loop {
            let bits = getrandom::u64().map_err(|error| error.to_string())?;
            let peer = PeerId::from_random(bits);
            if !self.restored().knows(peer) {
                break peer;
            }
        };
        let mut pair = WebSocketPair::new()?;
        let socket = pair.server()?;
        let tags = vec![JsValue::from(peer.to_string())];
        let accepted = self.state.accept_websocket_with_tags(&socket, tags);
        if accepted.is_err() {
            return crowded();
        }
        let socket: Socket = socket.unchecked_into();
        socket.belongs_to(peer);
        self.connections
            .insert(peer, Connection::new(socket, now()));
        let region = region(request);
        self.happened(Event::Connected { peer, region });
        opened(&pair.client()?, subprotocol(request)?)
    }

    /// A frame arrived.
    pub(super) fn received(&mut self, socket: &Socket, frame: &JsValue) {
        let Some(peer) = self.recall(socket) else {
            return;
        };
        let Some(connection) = self.connections.get_mut(&peer) else {
            return;
        };
        connection.heard = now();
        self.actor.hears(connection.heard);
        let taken = connection.allowance.take(length(frame), connection.heard);
        if let Err(told) = taken {
            if let Some(rejection) = told {
                self.refuse(peer, &rejection);
            }
            return;
        }
        with_text(frame, |text| {
            match text.and_then(|text| Ok((text, parse(text)?))) {
                Ok((text, ClientMessage::Signal { to, data })) if self.relays(peer, to) => {
                    self.relay(peer, to, data, frame, text);
                }
                Ok((_, message)) => self.heard(peer, message),
                Err(rejection) => self.refuse(peer, &rejection),
            }
        });
    }

    /// Somebody said something that is for the actor.
    fn heard(&mut self, peer: PeerId, message: ClientMessage<Relayed<'_>>) {
        let connection = self.connections.get_mut(&peer);
        let allowed = connection.map(|one| one.allowance.serve(&message, one.heard));
        match allowed {
            Some(Err(rejection)) => self.refuse(peer, &rejection),
            Some(Ok(())) | None => self.happened(Event::Received { peer, message }),
        }
    }

    fn relay(&self, from: PeerId, to: PeerId, data: Relayed<'_>, frame: &JsValue, text: &str) {
        let (sender, recipient) = (self.connections.get(&from), self.connections.get(&to));
        if let (Some(sender), Some(recipient)) = (sender, recipient) {
            sender
                .head
                .relay(from, &recipient.socket, data, frame, text);
        }
    }

    /// A socket was closed by its client, or is gone without a word (code 1006).
    pub(super) fn closed(&mut self, socket: &Socket, code: u16) {
        socket.answer_close(code);
        self.broke(socket);
    }

    /// A socket is gone.
    pub(super) fn broke(&mut self, socket: &Socket) {
        if let Some(peer) = self.recall(socket) {
            self.forget(peer);
        }
    }

    /// The alarm went off.
    pub(super) fn woken(&mut self) {
        self.happened(Event::Woken);
    }

    /// Something happened.
    pub(super) fn happened(&mut self, event: Event<'_>) {
        self.restored();
        let (connections, state) = (&self.connections, &self.state);
        let heard = |peer| {
            let Connection { socket, heard, .. } = connections.get(&peer)?;
            last_ping(state, socket).max(Some(*heard))
        };
        let effects = self.actor.handle(event, now(), &heard);
        self.perform(effects);
    }

    /// A peer is gone.
    fn forget(&mut self, peer: PeerId) {
        // It has to be known to be missed.
        self.restored();
        self.release(peer);
        self.happened(Event::Disconnected { peer });
    }

    /// A socket is nobody's any more. The runtime may go on to list it for a while, and an object that wakes
    /// up meanwhile must not find a seat on it; nor is its end that of another one that has its id.
    fn release(&mut self, peer: PeerId) -> Option<Socket> {
        let Connection { socket, .. } = self.connections.remove(&peer)?;
        socket.attach(&[]);
        socket.belongs_to_nobody();
        Some(socket)
    }

    /// Tells a client of its mistake. One that is sent away is gone at once: it may never answer the
    /// close, and its partner must wait neither for that nor for its return.
    fn refuse(&mut self, peer: PeerId, rejection: &Rejection) {
        self.perform(Effect::reject(peer, rejection));
        if rejection.close().is_some() {
            let message = ClientMessage::Leave {};
            self.happened(Event::Received { peer, message });
            self.forget(peer);
        }
    }

    fn rename(&mut self, from: PeerId, to: PeerId) {
        if let Some(connection) = self.connections.remove(&from) {
            connection.socket.belongs_to(to);
            let head = Head::default();
            self.connections
                .insert(to, Connection { head, ..connection });
        }
    }

    fn perform(&mut self, effects: Vec<Effect<'_>>) {
        for effect in effects {
            match effect {
                Effect::Send { to, message } => {
                    if let Some(connection) = self.connections.get(&to) {
                        connection.socket.tell(&message);
                    }
                }
                Effect::Save { peer } => {
                    if let Some(connection) = self.connections.get(&peer)
                        && let Some(attachment) = self.actor.attachment(peer, connection.heard)
                    {
                        connection.socket.attach(&attachment);
                    }
                }
                Effect::Close { peer, code, reason } => {
                    if let Some(connection) = self.connections.get(&peer) {
                        connection.socket.close(code, &reason);
                    }
                }
                Effect::Evict { peer } => {
                    if let Some(socket) = self.release(peer) {
                        socket.close(GOING_AWAY, "Nothing was heard from you for too long.");
                    }
                }
                Effect::Rename { from, to } => self.rename(from, to),
                Effect::WakeAt(at) => wake_at(&self.state, at),
                Effect::Count(note) => self.journal.count(note),
                Effect::Report(report) => {
                    if let Some(company) = &self.company {
                        company.tell(&report);
                    }
                }
                Effect::HandOver {
                    peer,
                    number,
                    to,
                    arrival,
                } => {
                    if let Some(company) = &self.company {
                        company.hand_over(peer, number, to, &arrival);
                    }
                }
            }
        }
    }
}

/// As many are here as can be.
fn crowded() -> Result<Response> {
    refused(503, "All seats are taken. Try again in a minute.")
}

impl Connection {
    fn new(socket: Socket, heard: Timestamp) -> Self {
        Self {
            socket,
            allowance: Allowance::full(now()),
            head: Head::default(),
            heard,
        }
    }
}
