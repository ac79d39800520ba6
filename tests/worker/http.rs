//! What is answered without a WebSocket, and who may open one.

use echomingle::core::ice::{DEFAULT_STUN, STUN_TTL_SECONDS};
use echomingle::core::protocol::{LeaveReason, Mode};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Error;

use crate::party::comes_in;
use crate::server::{Answer, FRIEND, Server};
use crate::visitor::{Vanishing, Visitor, meet, nobody_hears_more};

const PATHS: [&str; 5] = [
    "/healthz",
    "/v1/ice",
    "/v1/stats",
    "/v1/match",
    "/v1/rooms/kitchen",
];

/// Those where a WebSocket is opened.
const SOCKETS: [&str; 2] = ["/v1/match", "/v1/rooms/kitchen"];

#[tokio::test]
async fn healthz_tells_the_version() {
    let server = Server::start().await;
    let answer = server.get("/healthz").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body, concat!("ok ", env!("CARGO_PKG_VERSION"), "\n"));
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    is_guarded(&answer);
}

#[tokio::test]
async fn ice_tells_of_a_stun_server() {
    let server = Server::start().await;
    let answer = server.get("/v1/ice?some=query").await;
    assert_eq!(answer.status, 200);
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    let expected = json!({
        "iceServers": [{"urls": [DEFAULT_STUN]}],
        "ttl": STUN_TTL_SECONDS,
        "hideAddress": false,
    });
    assert_eq!(body, expected);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    is_guarded(&answer);
}

#[tokio::test]
async fn stats_count_who_is_there_who_waits_and_who_talks() {
    let server = Server::start().await;
    server.has(0, 0, 0).await;
    let mut ana = server.visitor("ana").await;
    server.has(1, 0, 0).await;
    ana.finds(Mode::Video).await;
    ana.waits().await;
    server.has(1, 1, 0).await;
    let mut bea = server.visitor("bea").await;
    server.has(2, 1, 0).await;
    bea.finds(Mode::Video).await;
    meet(&mut ana, &mut bea).await;
    server.has(2, 0, 1).await;
    let mut cleo = server.visitor("cleo").await;
    cleo.finds(Mode::Text).await;
    cleo.waits().await;
    server.has(3, 1, 1).await;
    bea.finds(Mode::Video).await;
    ana.is_left_by(bea.id, LeaveReason::Skipped).await;
    bea.waits().await;
    server.has(3, 2, 0).await;
    bea.finds(Mode::Text).await;
    meet(&mut cleo, &mut bea).await;
    server.has(3, 0, 1).await;
    cleo.leaves().await;
    bea.is_left_by(cleo.id, LeaveReason::Left).await;
    server.has(3, 0, 0).await;
    nobody_hears_more([&mut ana, &mut bea, &mut cleo]).await;
    let stats = server.get("/v1/stats").await.body;
    let stats: Value = serde_json::from_str(&stats).unwrap();
    let waits = stats["waits"].as_array().unwrap().iter();
    let met: u64 = waits.filter_map(Value::as_u64).sum();
    assert_eq!(met, 4, "{stats}");
    ana.closes(None).await;
    server.has(2, 0, 0).await;
    bea.vanishes(Vanishing::Reset).await;
    server.has(1, 0, 0).await;
    cleo.vanishes(Vanishing::Ended).await;
    server.has(0, 0, 0).await;
    is_guarded(&server.get("/v1/stats").await);
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let server = Server::start().await;
    for path in [
        "/",
        "/v1",
        "/v1/match/",
        "/v1/match/mars",
        "/V1/ICE",
        "/healthz2",
        "//v1/ice",
    ] {
        for method in ["GET", "POST"] {
            let answer = server.answer(method, path, &[]).await;
            assert_eq!(answer.status, 404, "{method} {path}");
            is_guarded(&answer);
        }
    }
    for path in PATHS {
        for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"] {
            // Where a pass may come along.
            if (method, path) == ("POST", "/v1/ice") {
                continue;
            }
            let answer = server.answer(method, path, &[]).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            is_guarded(&answer);
        }
    }
}

#[tokio::test]
async fn what_names_no_room_is_not_found_with_and_without_an_upgrade() {
    let server = Server::start().await;
    let too_long = "r".repeat(65);
    for name in [
        "", "a/", "a/b", "/a", "a.b", "a%20b", "%61", "a+b", "a~b", "a:b", "é", &too_long,
    ] {
        let path = format!("/v1/rooms/{name}");
        for method in ["GET", "POST"] {
            let answer = server.answer(method, &path, &[]).await;
            assert_eq!(answer.status, 404, "{method} {path}");
        }
        let opened = server.opens_socket(&path, &[]).await;
        let Err(Error::Http(refused)) = opened else {
            panic!("{path} was to be refused, and there came {opened:?}");
        };
        assert_eq!(refused.status(), 404, "{path}");
    }
    assert_eq!(server.get("/v1/rooms").await.status, 404);
}

#[tokio::test]
async fn what_opens_a_websocket_asks_for_an_upgrade() {
    let server = Server::start().await;
    let longest = format!("/v1/rooms/{}", "r".repeat(64));
    for path in SOCKETS.into_iter().chain(["/v1/rooms/Zz_09-", &longest]) {
        for headers in [&[][..], &[("upgrade", "h2c")], &[("origin", FRIEND)]] {
            let answer = server.answer("GET", path, headers).await;
            assert_eq!(answer.status, 426, "{path} with {headers:?}");
            assert!(answer.body.contains("WebSocket"), "{answer:?}");
            is_guarded(&answer);
        }
    }
    // Nobody got in but who comes now.
    let mut ana = server.visitor("ana").await;
    server.has(1, 0, 0).await;
    nobody_hears_more([&mut ana]).await;
}

#[tokio::test]
async fn pages_of_strangers_are_refused_everywhere() {
    let server = Server::start().await;
    for origin in [
        "https://stranger.example",
        "http://friend.example",
        "https://friend.example:8443",
        "https://friend.example.stranger.example",
        "https://sub.friend.example",
        "null",
    ] {
        for path in PATHS {
            let answer = server.answer("GET", path, &[("origin", origin)]).await;
            assert_eq!(answer.status, 403, "{path} for {origin}");
            assert_eq!(answer.header("access-control-allow-origin"), None);
            assert!(answer.body.contains("ALLOWED_ORIGINS"), "{answer:?}");
            is_guarded(&answer);
        }
        for path in SOCKETS {
            let opened = server.opens_socket(path, &[("Origin", origin)]).await;
            let Err(Error::Http(refused)) = opened else {
                panic!("{path} for {origin} was to be refused, and there came {opened:?}");
            };
            assert_eq!(refused.status(), 403, "{path} for {origin}");
        }
    }
    // Nobody got in but who comes now.
    let mut ana = server.visitor("ana").await;
    server.has(1, 0, 0).await;
    nobody_hears_more([&mut ana]).await;
}

#[tokio::test]
async fn pages_of_friends_and_its_own_are_served() {
    let server = Server::start().await;
    let own = server.origin();
    let mut visitors = Vec::new();
    for origin in [FRIEND, &own] {
        for path in ["/v1/ice", "/v1/stats"] {
            let answer = server.answer("GET", path, &[("origin", origin)]).await;
            assert_eq!(answer.status, 200, "{path} for {origin}");
            assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
            is_guarded(&answer);
        }
        for path in SOCKETS {
            let opened = server.opens_socket(path, &[("Origin", origin)]).await;
            visitors.push(Visitor::welcomed(origin, path, opened.unwrap()).await);
        }
    }
    let [ana, cleo, bea, dan] = &mut visitors[..] else {
        panic!("there are two of them for each path");
    };
    ana.finds(Mode::Video).await;
    ana.waits().await;
    bea.finds(Mode::Video).await;
    meet(ana, bea).await;
    comes_in(cleo, "cleo", []).await;
    comes_in(dan, "dan", [&mut *cleo]).await;
    nobody_hears_more(&mut visitors).await;
}

/// What every answer but an open WebSocket says, a refusal too: it changes from one moment and from one origin to
/// the next, it is no page, and its address is to be asked over https alone.
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

/// Says all of it, of which kind it is, where it goes, and nothing else of its own.
pub(crate) fn is_guarded(answer: &Answer) {
    for (name, value) in ALWAYS {
        assert_eq!(answer.header(name), Some(value), "{name} of {answer:?}");
    }
    let kinds = ["text/plain; charset=utf-8", "application/json"];
    let kind = answer.header("content-type").unwrap_or_default();
    assert!(kinds.contains(&kind), "{answer:?}");
    let own = ["content-type", "access-control-allow-origin", "retry-after"];
    // Of the connection, by workerd.
    let platform = ["connection", "content-length", "transfer-encoding"];
    for name in answer.headers.keys().map(String::as_str) {
        let always = ALWAYS.iter().any(|&(known, _)| known == name);
        assert!(
            always || own.contains(&name) || platform.contains(&name),
            "{name}"
        );
    }
}
