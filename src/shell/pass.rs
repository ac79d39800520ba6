//! Lets in who has a pass, and gives one to whom Turnstile takes for a person.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::{Request, Response};

use super::answer::{json, refused, told};
use super::bindings::Env;
use super::ice::{missing, request};
use super::log::{Line, log};
use super::platform::{Result, now};
use super::visit::Visit;
use crate::core::turn::{Ask, Failure, MAX_ANSWER_BYTES, PATIENCE_MILLIS};
use crate::core::turnstile::{Denial, SUBPROTOCOL, Turnstile, host, named_pass, names_subprotocol};

#[wasm_bindgen(module = "/src/shell/ask.js")]
extern "C" {
    fn ask(checking: Checking, patience: u32, most: usize, posted: Request) -> Promise;
}

/// The subprotocols that an upgrade names.
fn protocols(upgrade: &Request) -> Result<String> {
    let named = upgrade.headers().get("sec-websocket-protocol")?;
    Ok(named.unwrap_or_default())
}

/// The subprotocol of the WebSocket that this asks for, if it named any.
pub(super) fn subprotocol(upgrade: &Request) -> Result<Option<&'static str>> {
    Ok(names_subprotocol(&protocols(upgrade)?).then_some(SUBPROTOCOL))
}

/// Whether whoever asks for a WebSocket may have one.
pub(super) fn admits(turnstile: Option<&Turnstile>, upgrade: &Request) -> Result<bool> {
    let Some(turnstile) = turnstile else {
        return Ok(true);
    };
    let protocols = protocols(upgrade)?;
    Ok(named_pass(&protocols).is_some_and(|pass| turnstile.admits(pass, now())))
}

/// A promise of a pass for who has passed the check, at a page of this origin.
pub(super) fn answer(
    env: &Env,
    turnstile: Option<Turnstile>,
    posted: &Request,
    own: &str,
    address: Option<&str>,
    origin: Option<String>,
) -> Result<JsValue> {
    let Some(turnstile) = turnstile else {
        return Ok(refused(404, "There is no check here.")?.into());
    };
    let checking = Checking {
        turnstile,
        host: host(origin.as_deref().unwrap_or(own)).into(),
        address: address.map(Into::into),
        origin: origin.clone(),
        posted: Clone::clone(posted),
        question: None,
        verdict: Err(Denial::Malformed),
    };
    Visit::to_check(checking, origin).counted(env, address)
}

/// How far the check is.
#[wasm_bindgen]
pub struct Checking {
    turnstile: Turnstile,
    /// The host of the page.
    host: String,
    address: Option<String>,
    origin: Option<String>,
    /// The request that has brought a token.
    posted: Request,
    question: Option<Ask>,
    verdict: std::result::Result<(), Denial>,
}

impl Checking {
    /// Asks.
    pub(super) fn begin(self) -> Promise {
        let posted = Clone::clone(&self.posted);
        ask(self, PATIENCE_MILLIS, MAX_ANSWER_BYTES, posted)
    }
}

#[wasm_bindgen]
impl Checking {
    /// This was posted.
    pub fn heard(&mut self, token: &[u8]) {
        match self.turnstile.ask(token, self.address.as_deref()) {
            Ok(question) => self.question = Some(question),
            Err(why) => self.verdict = Err(why),
        }
    }

    /// The request to Turnstile, once.
    pub fn next(&mut self) -> Option<Request> {
        let request = request(&self.question.take()?).ok();
        if request.is_none() {
            self.missed(false);
        }
        request
    }

    /// Turnstile answered.
    pub fn answered(&mut self, status: u16, body: &[u8]) {
        self.verdict = self.turnstile.verdict(status, body, &self.host);
    }

    /// It did not.
    pub fn missed(&mut self, timeout: bool) {
        self.verdict = Err(Denial::Unknown(missing(timeout)));
    }

    /// What comes of it all.
    pub fn end(self) -> Result<Response> {
        let unsealed = Denial::Unknown(Failure::Misconfigured);
        let given = self
            .verdict
            .and_then(|()| self.turnstile.pass(now()).ok_or(unsealed));
        let origin = self.origin.as_deref();
        match given {
            Ok(pass) => json(&pass, origin),
            Err(why) => {
                if why != Denial::Malformed {
                    log(&Line::PassDenied { why });
                }
                told(why.status(), why.message(), origin)
            }
        }
    }
}
