//! Asks for relays, one provider after the other, until one has something to give.

use std::vec;

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::{Headers, Request, RequestInit, RequestRedirect, Response};

use super::answer::json;
use super::bindings::{Env, ice_settings};
use super::log::{Line, log};
use super::platform::{Result, now};
use super::visit::Visit;
use crate::core::ice::{Relaying, Settings};
use crate::core::id::PeerId;
use crate::core::turn::{
    Ask, Failure, Granted, MAX_ANSWER_BYTES, PATIENCE_MILLIS, Relay, Way, read,
};
use crate::core::turnstile::Turnstile;

#[wasm_bindgen(module = "/src/shell/ask.js")]
extern "C" {
    fn ask(asking: Asking, patience: u32, most: usize, posted: Option<Request>) -> Promise;
}

/// The ICE servers, or a promise of them: with relays for a page that may have them, of a network that has not
/// asked too often. Where there is a check, whoever has passed it has `posted` its pass.
pub(super) fn answer(
    env: &Env,
    turnstile: Option<Turnstile>,
    posted: Option<&Request>,
    page: bool,
    address: Option<&str>,
    origin: Option<String>,
) -> Result<JsValue> {
    let settings = ice_settings(env);
    let relays = if page { settings.relays() } else { Vec::new() };
    let relaying = match &turnstile {
        Some(turnstile) => Relaying::Unchecked(turnstile.site_key().into()),
        None if relays.is_empty() => Relaying::Unasked,
        None => Relaying::Failed,
    };
    if posted.is_none() && !matches!(relaying, Relaying::Failed) {
        let answer = settings.configuration(relaying);
        return Ok(json(&answer, origin.as_deref())?.into());
    }
    let id = PeerId::from_random(getrandom::u64().map_err(|error| error.to_string())?);
    let asking = Asking {
        settings,
        turnstile,
        posted: posted.cloned(),
        untried: relays.into_iter(),
        tried: "",
        relaying,
        id,
        origin: origin.clone(),
    };
    Visit::to_relays(asking, origin).counted(env, address)
}

/// How far the asking is.
#[wasm_bindgen]
pub struct Asking {
    settings: Settings,
    turnstile: Option<Turnstile>,
    /// The request that has brought a pass.
    posted: Option<Request>,
    untried: vec::IntoIter<Relay>,
    /// What was tried last.
    tried: &'static str,
    /// What has come of it so far.
    relaying: Relaying,
    id: PeerId,
    origin: Option<String>,
}

impl Asking {
    /// Asks.
    pub(super) fn begin(mut self) -> Promise {
        let posted = self.posted.take();
        ask(self, PATIENCE_MILLIS, MAX_ANSWER_BYTES, posted)
    }
}

#[wasm_bindgen]
impl Asking {
    /// This was posted.
    pub fn heard(&mut self, pass: &[u8]) {
        let good = |turnstile: &Turnstile| {
            str::from_utf8(pass).is_ok_and(|pass| turnstile.admits(pass, now()))
        };
        if self.turnstile.as_ref().is_some_and(good) {
            self.relaying = match self.untried.len() {
                0 => Relaying::Unasked,
                _ => Relaying::Failed,
            };
        }
    }

    /// The request to the next provider; nothing where none need be asked any more.
    pub fn next(&mut self) -> Option<Request> {
        while let Relaying::Failed = self.relaying {
            let relay = self.untried.next()?;
            self.tried = relay.name();
            match relay.way(now(), self.id) {
                Ok(Way::Granted(granted)) => self.come(Ok(granted)),
                Ok(Way::Ask(ask)) => match request(&ask) {
                    Ok(request) => return Some(request),
                    Err(_) => self.come(Err(Failure::Unreachable)),
                },
                Err(why) => self.come(Err(why)),
            }
        }
        None
    }

    /// The provider answered.
    pub fn answered(&mut self, status: u16, body: &[u8]) {
        self.come(read(status, body));
    }

    /// It did not.
    pub fn missed(&mut self, timeout: bool) {
        self.come(Err(missing(timeout)));
    }

    /// What comes of it all.
    pub fn end(self) -> Result<Response> {
        json(
            &self.settings.configuration(self.relaying),
            self.origin.as_deref(),
        )
    }

    fn come(&mut self, result: std::result::Result<Granted, Failure>) {
        match result {
            Ok(granted) => self.relaying = Relaying::Granted(granted),
            Err(why) => log(&Line::RelayFailed {
                relay: self.tried,
                why,
            }),
        }
    }
}

/// Why there was no answer.
pub(super) const fn missing(timeout: bool) -> Failure {
    match timeout {
        true => Failure::Timeout,
        false => Failure::Unreachable,
    }
}

/// The request that asks this.
pub(super) fn request(ask: &Ask) -> Result<Request> {
    let headers = Headers::new()?;
    let init = RequestInit::new();
    init.set_redirect(RequestRedirect::Manual);
    if let Some(body) = &ask.body {
        headers.set("content-type", "application/json")?;
        init.set_method("POST");
        init.set_body(&JsValue::from(body.expose()));
    }
    if let Some(value) = &ask.authorization {
        headers.set("authorization", value.expose())?;
    }
    init.set_headers(&headers);
    Request::new_with_str_and_init(ask.url.expose(), &init)
}
