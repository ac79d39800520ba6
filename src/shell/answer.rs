//! The answers to requests, as the platform has them.

use js_sys::Reflect;
use serde::Serialize;
use wasm_bindgen::prelude::*;
use web_sys::{Headers, Response, ResponseInit, WebSocket};

use super::platform::Result;
use crate::core::time::Millis;

const TEXT: &str = "text/plain; charset=utf-8";

/// What every answer says. Each is of its moment, and for programs: whoever opens one as a page gets text in
/// which nothing works. Browsers heed the one about transport over https alone (RFC 6797, section 8.1).
const ALWAYS: [(&str, &str); 7] = [
    ("cache-control", "no-store"),
    (
        "content-security-policy",
        "default-src 'none'; frame-ancestors 'none'",
    ),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("strict-transport-security", "max-age=31536000"),
    ("vary", "Origin"),
    ("x-content-type-options", "nosniff"),
];

/// What went wrong, in words.
pub(super) fn refused(status: u16, text: &str) -> Result<Response> {
    told(status, text, None)
}

/// Likewise, for a page to read.
pub(super) fn told(status: u16, text: &str, origin: Option<&str>) -> Result<Response> {
    response(status, text, &headers(TEXT, origin)?)
}

/// Something went too fast, and there is a time to wait.
pub(super) fn too_often(wait: Millis, origin: Option<&str>) -> Result<Response> {
    let seconds = wait.get().div_ceil(1_000);
    let text = format!("Too much was asked for from this network. Ask again in {seconds} s.");
    let headers = headers(TEXT, origin)?;
    headers.set("retry-after", &seconds.to_string())?;
    response(429, &text, &headers)
}

/// A text for programs.
pub(super) fn text(text: &str) -> Result<Response> {
    told(200, text, None)
}

/// A value as JSON.
pub(super) fn json(value: &impl Serialize, origin: Option<&str>) -> Result<Response> {
    let text = serde_json::to_string(value).map_err(|error| error.to_string())?;
    response(200, &text, &headers("application/json", origin)?)
}

/// The client's end of a WebSocket, of this subprotocol.
pub(super) fn opened(client: &WebSocket, subprotocol: Option<&str>) -> Result<Response> {
    let init = ResponseInit::new();
    init.set_status(101);
    if let Some(name) = subprotocol {
        let headers = Headers::new()?;
        headers.set("sec-websocket-protocol", name)?;
        init.set_headers(&headers);
    }
    Reflect::set(&init, &JsValue::from("webSocket"), client)?;
    Response::new_with_opt_str_and_init(None, &init)
}

fn response(status: u16, body: &str, headers: &Headers) -> Result<Response> {
    let init = ResponseInit::new();
    init.set_status(status);
    init.set_headers(headers);
    Response::new_with_opt_str_and_init(Some(body), &init)
}

/// A page of another origin may read the answer if its origin was let in.
fn headers(content_type: &str, origin: Option<&str>) -> Result<Headers> {
    let headers = Headers::new()?;
    headers.set("content-type", content_type)?;
    for (name, value) in ALWAYS {
        headers.set(name, value)?;
    }
    if let Some(origin) = origin {
        headers.set("access-control-allow-origin", origin)?;
    }
    Ok(headers)
}
