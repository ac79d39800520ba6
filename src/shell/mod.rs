//! The Worker: reads a request, asks the core where it leads, and goes there.
//!
//! The only folder that names the platform. It decides nothing: what it does is what the core's answer
//! says, and what it knows of a socket is on the socket. Nothing in it waits: a promise is handed on.

mod actor;
mod answer;
mod bindings;
mod company;
mod directory;
mod ice;
mod journal;
mod lobby;
mod log;
mod nearest;
mod pass;
mod platform;
mod relay;
mod room;
mod socket;
mod storage;
mod visit;

use wasm_bindgen::prelude::*;
use web_sys::Request;

use self::answer::refused;
use self::bindings::{Env, allowed_origins, directory, lobby, room, turnstile};
use self::log::{Line, log};
use self::nearest::nearest;
use self::platform::Result;
use self::visit::Visit;
use crate::core::origin::{AllowedOrigins, Sender};
use crate::core::route::{Route, split_url};

/// A request arrived. Its answer, or a promise of one.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "JavaScript reaches it")]
pub fn fetch(request: &Request, env: &Env) -> Result<JsValue> {
    let url = request.url();
    let (own, path) = split_url(&url);
    let Some(route) = Route::of(path) else {
        return Ok(refused(404, "There is nothing here. See /healthz.")?.into());
    };
    let method = request.method();
    if !route.takes(&method) {
        return Ok(refused(
            405,
            "Not with this method: /v1/pass takes POST, all else GET.",
        )?
        .into());
    }
    let headers = request.headers();
    let origin = headers.get("origin")?;
    let site = headers.get("sec-fetch-site")?;
    let allowed = AllowedOrigins::from_list(&allowed_origins(env));
    let sender = Sender::of(origin.as_deref(), site.as_deref(), &allowed, own);
    if sender == Sender::Stranger {
        let text = "This page may not use this server. Its owner can add it to ALLOWED_ORIGINS.";
        return Ok(refused(403, text)?.into());
    }
    let turnstile = turnstile(env);
    let address = headers.get("cf-connecting-ip")?;
    let address = address.as_deref();
    match route {
        Route::Health => {
            let text = concat!("ok ", env!("CARGO_PKG_VERSION"), "\n");
            Ok(answer::text(text)?.into())
        }
        Route::Ice => {
            let posted = (turnstile.is_some() && method == "POST").then_some(request);
            let page = sender == Sender::Page;
            ice::answer(env, turnstile, posted, page, address, origin)
        }
        Route::Pass => pass::answer(env, turnstile, request, own, address, origin),
        Route::Match(_) | Route::Room(_) if !upgrades(request)? => {
            Ok(refused(426, "Open a WebSocket here (Upgrade: websocket).")?.into())
        }
        Route::Match(_) | Route::Room(_) if !pass::admits(turnstile.as_ref(), request)? => {
            let text = "A pass is needed here that is still good. /v1/ice names the check for it.";
            Ok(refused(403, text)?.into())
        }
        Route::Room(name) => Visit::to_object(room(env, name)?, request)?.counted(env, address),
        Route::Match(named) => {
            let name = match named {
                Some(name) => name,
                None => nearest(request)?,
            };
            Visit::to_object(lobby(env, name)?, request)?.counted(env, address)
        }
        Route::Stats => Ok(directory(env)?.fetch_with_request(request)?.into()),
    }
}

fn upgrades(request: &Request) -> Result<bool> {
    let upgrade = request.headers().get("upgrade")?;
    Ok(upgrade.is_some_and(|to| to.eq_ignore_ascii_case("websocket")))
}

/// Has a panic say where it was, and not of what: its text may quote what somebody said.
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|panic| {
        if let Some(place) = panic.location() {
            log(&Line::Panicked {
                file: place.file().into(),
                line: place.line(),
            });
        }
    }));
}
