//! The Worker: reads a request, asks the core where it leads, and goes there.
//!
//! The only folder that names the platform. It decides nothing: what it does is what the core's answer
//! says, and what it knows of a socket is on the socket.

mod actor;
mod bindings;
mod ice;
mod lobby;
mod log;
mod relay;
mod room;
mod socket;
mod storage;

use serde::Serialize;
use worker::{Context, Env, Headers, Method, Request, Response, Result, event};

use self::bindings::{allowed_origins, lobby, room};
use crate::core::origin::{AllowedOrigins, Sender};
use crate::core::route::{Route, split_url};
use crate::core::time::Millis;

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let url = request.inner().url();
    let (own, path) = split_url(&url);
    let Some(route) = Route::of(path) else {
        return Response::error("There is nothing here. See /healthz.", 404);
    };
    if request.method() != Method::Get {
        return Response::error("Only GET is answered here.", 405);
    }
    let origin = request.headers().get("origin")?;
    let site = request.headers().get("sec-fetch-site")?;
    let allowed = AllowedOrigins::from_list(&allowed_origins(&env));
    let sender = Sender::of(origin.as_deref(), site.as_deref(), &allowed, own);
    if sender == Sender::Stranger {
        let refused = "This page may not use this server. Its owner can add it to ALLOWED_ORIGINS.";
        return Response::error(refused, 403);
    }
    match route {
        Route::Health => health(),
        Route::Ice => {
            let address = request.headers().get("cf-connecting-ip")?;
            let page = sender == Sender::Page;
            match ice::configuration(&env, page, address.as_deref()).await? {
                Ok(answer) => json(&answer, origin),
                Err(wait) => too_often(wait, origin),
            }
        }
        Route::Match | Route::Room(_) if !upgrades(&request)? => {
            Response::error("Open a WebSocket here (Upgrade: websocket).", 426)
        }
        Route::Room(name) => room(&env, name)?.fetch_with_request(request).await,
        Route::Match => lobby(&env)?.fetch_with_request(request).await,
        Route::Stats => {
            let answer = lobby(&env)?.fetch_with_request(request).await?;
            Ok(answer.with_headers(headers("application/json", origin)?))
        }
    }
}

fn upgrades(request: &Request) -> Result<bool> {
    let upgrade = request.headers().get("upgrade")?;
    Ok(upgrade.is_some_and(|to| to.eq_ignore_ascii_case("websocket")))
}

fn health() -> Result<Response> {
    let answer = Response::ok(concat!("ok ", env!("CARGO_PKG_VERSION"), "\n"))?;
    Ok(answer.with_headers(headers("text/plain; charset=utf-8", None)?))
}

fn too_often(wait: Millis, origin: Option<String>) -> Result<Response> {
    let seconds = wait.get().div_ceil(1_000);
    let text = format!("Too much was asked for from this network. Ask again in {seconds} s.");
    let headers = headers("text/plain; charset=utf-8", origin)?;
    headers.set("retry-after", &seconds.to_string())?;
    Ok(Response::error(text, 429)?.with_headers(headers))
}

fn json(answer: &impl Serialize, origin: Option<String>) -> Result<Response> {
    let answer = Response::ok(serde_json::to_string(answer)?)?;
    Ok(answer.with_headers(headers("application/json", origin)?))
}

/// Nothing here is to be cached; a page of another origin may read it if its origin was let in.
fn headers(content_type: &str, origin: Option<String>) -> Result<Headers> {
    let headers = Headers::new();
    headers.set("content-type", content_type)?;
    headers.set("cache-control", "no-store")?;
    headers.set("x-content-type-options", "nosniff")?;
    headers.set("vary", "Origin")?;
    if let Some(origin) = origin {
        headers.set("access-control-allow-origin", &origin)?;
    }
    Ok(headers)
}
