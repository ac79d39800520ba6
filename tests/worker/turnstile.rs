//! The check of who comes: how one gets a pass, what it opens, and what happens to whoever has none.
//!
//! Turnstile's siteverify is played as its documentation says it answers to the test secrets (Cloudflare
//! Turnstile: "Test your Turnstile implementation"; the codes: "Server-side validation").

use std::time::{SystemTime, UNIX_EPOCH};

use echomingle::core::ice::{DEFAULT_STUN, RETRY_TTL_SECONDS};
use echomingle::core::protocol::Mode;
use echomingle::core::quota::Counted;
use echomingle::core::time::{Millis, Timestamp};
use echomingle::core::turn::{LIFE_SECONDS, MAX_ANSWER_BYTES};
use echomingle::core::turnstile::{ACTION, LIFE, MAX_TOKEN_BYTES, SUBPROTOCOL, Turnstile};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Error;

use crate::party::comes_in;
use crate::provider::{Provider, Reply, listen};
use crate::server::{Answer, FRIEND, Server};
use crate::visitor::{Visitor, meet, nobody_hears_more};

const SITE_KEY: &str = "1x00000000000000000000AA";
const ALWAYS_PASSES: &str = "1x0000000000000000000000000000000AA";
const ALWAYS_FAILS: &str = "2x0000000000000000000000000000000AA";
const ALREADY_SPENT: &str = "3x0000000000000000000000000000000AA";
/// What the test site keys give, and the test secrets take.
const DUMMY_TOKEN: &str = "XXXX.DUMMY.TOKEN.XXXX";
/// Such as a site that is online has.
const SECRET: &str = "0x4AAAAAAA-nobody-is-told";

const SOCKETS: [&str; 2] = ["/v1/match", "/v1/rooms/kitchen"];
const FROM: [(&str, &str); 2] = [("origin", FRIEND), ("cf-connecting-ip", "192.0.2.1")];

fn siteverify(question: &str) -> String {
    let asked: Value = serde_json::from_str(question).unwrap_or_default();
    let refused = |code: &str| json!({"success": false, "error-codes": [code]});
    let answer = match (asked["secret"].as_str(), asked["response"].as_str()) {
        (None, _) => refused("missing-input-secret"),
        (_, None) => refused("missing-input-response"),
        (Some(ALWAYS_PASSES), Some(DUMMY_TOKEN)) => json!({
            "success": true,
            "challenge_ts": "2022-02-28T15:14:30.096Z",
            "hostname": "localhost",
            "error-codes": [],
            "action": "test",
            "cdata": "test-data",
        }),
        (Some(ALWAYS_FAILS), Some(DUMMY_TOKEN)) => refused("invalid-input-response"),
        (Some(ALREADY_SPENT), Some(DUMMY_TOKEN)) => refused("timeout-or-duplicate"),
        (Some(_), Some(_)) => refused("invalid-input-secret"),
    };
    answer.to_string()
}

/// A server with a check, and a relay for whoever has passed it.
async fn start(secret: &str, siteverify: &str) -> Server {
    Server::start_with(&[
        ("TURNSTILE_SITE_KEY", SITE_KEY),
        ("TURNSTILE_SECRET", secret),
        ("TURNSTILE_API", siteverify),
        ("TURN_URLS", "turn:a.example"),
        ("TURN_SECRET", "another secret"),
    ])
    .await
}

/// Shows a token at a page of a friend.
async fn shows(server: &Server, token: &str) -> Answer {
    let answer = server.posted("/v1/pass", &FROM, token).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some(FRIEND));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(!answer.body.contains(SECRET), "{answer:?}");
    answer
}

async fn passes(server: &Server) -> String {
    let answer = shows(server, DUMMY_TOKEN).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let given = read(&answer.body);
    assert_eq!(given["ttl"], LIFE.get() / 1_000);
    match given["pass"].as_str() {
        Some(pass) => pass.into(),
        None => panic!("{given} has no pass"),
    }
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text} is no JSON: {error}"))
}

fn naming(pass: &str) -> String {
    format!("{SUBPROTOCOL}, pass.{pass}")
}

/// Somebody who comes in with a pass.
async fn visitor(server: &Server, path: &str, name: &str, pass: &str) -> Visitor {
    let named = naming(pass);
    let headers = [("Sec-WebSocket-Protocol", &*named), ("Origin", FRIEND)];
    // It insists on the subprotocol, as a browser does.
    match server.opens_socket(path, &headers).await {
        Ok(socket) => Visitor::welcomed(name, path, socket).await,
        Err(error) => panic!("{name} could not open a WebSocket: {error}"),
    }
}

async fn is_refused(server: &Server, path: &str, headers: &[(&str, &str)], why: &str) {
    let opened = server.opens_socket(path, headers).await;
    let Err(Error::Http(refused)) = opened else {
        panic!("{path} with {headers:?} was to be refused, and there came {opened:?}");
    };
    assert_eq!(refused.status(), 403, "{path} with {headers:?}");
    let body = String::from_utf8_lossy(refused.body().as_deref().unwrap_or_default());
    assert!(body.contains(why), "{body}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test has a clock, and is no wasm"
)]
fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    Timestamp::from_unix_millis(now.unwrap_or_default().as_millis() as u64)
}

/// A pass such as a server with this secret gave at that time.
fn pass_of(secret: &str, at: Timestamp) -> String {
    let set = |text: &str| Some(text.into());
    let turnstile = Turnstile::new(&set(SITE_KEY), &set(secret), &None);
    match turnstile.and_then(|turnstile| turnstile.pass(at)) {
        Some(given) => given.pass.expose().into(),
        None => panic!("{secret} makes no pass"),
    }
}

fn unchecked() -> Value {
    json!({
        "iceServers": [{"urls": [DEFAULT_STUN]}],
        "ttl": RETRY_TTL_SECONDS,
        "hideAddress": false,
        "check": SITE_KEY,
    })
}

#[tokio::test]
async fn who_passes_the_check_gets_in_and_has_relays() {
    let mut turnstile = Provider::start(Reply::By(siteverify)).await;
    let server = start(ALWAYS_PASSES, &turnstile.url()).await;
    let told = server.answer("GET", "/v1/ice", &FROM).await;
    assert_eq!(read(&told.body), unchecked());

    let pass = passes(&server).await;
    let asked = turnstile.was_asked().await;
    assert_eq!(
        (&*asked.method, &*asked.path),
        ("POST", "/turnstile/v0/siteverify")
    );
    assert_eq!(asked.headers["content-type"], "application/json");
    let question = json!({
        "secret": ALWAYS_PASSES,
        "response": DUMMY_TOKEN,
        "remoteip": "192.0.2.1",
    });
    assert_eq!(read(&asked.body), question);

    let told = server.posted("/v1/ice", &FROM, &pass).await;
    assert_eq!(told.header("access-control-allow-origin"), Some(FRIEND));
    let told = read(&told.body);
    assert_eq!(told["iceServers"][0]["urls"], json!(["turn:a.example"]));
    assert_eq!(told["ttl"], LIFE_SECONDS);
    assert_eq!(told.get("check"), None);

    let mut ana = visitor(&server, "/v1/match", "ana", &pass).await;
    ana.finds(Mode::Video).await;
    ana.waits().await;
    let mut ben = visitor(&server, "/v1/match", "ben", &pass).await;
    ben.finds(Mode::Video).await;
    meet(&mut ana, &mut ben).await;
    let mut cem = visitor(&server, "/v1/rooms/kitchen", "cem", &pass).await;
    comes_in(&mut cem, "cem", []).await;
    nobody_hears_more([&mut ana, &mut ben, &mut cem]).await;
    turnstile.was_asked_nothing_more();
}

#[tokio::test]
async fn without_a_good_pass_nobody_gets_in_and_no_object_hears_of_it() {
    let turnstile = Provider::start(Reply::By(siteverify)).await;
    let mut server = start(ALWAYS_PASSES, &turnstile.url()).await;
    let good = passes(&server).await;
    let late = Millis::new(LIFE.get() + 60_000);
    let other = if good.starts_with('A') { 'B' } else { 'A' };
    let touched = format!("{other}{}", &good[1..]);
    let bad = [
        String::new(),
        "nonsense".into(),
        touched,
        good[1..].into(),
        "A".repeat(6_000),
        pass_of(SECRET, now()),
        pass_of(ALWAYS_PASSES, now().before(late)),
    ];
    for path in SOCKETS {
        is_refused(&server, path, &[], "/v1/ice").await;
        is_refused(&server, path, &[("Origin", FRIEND)], "/v1/ice").await;
        let other = [("Sec-WebSocket-Protocol", SUBPROTOCOL)];
        is_refused(&server, path, &other, "/v1/ice").await;
        // Not where it would be written down.
        let url = format!("{path}?pass={good}");
        is_refused(&server, &url, &[], "/v1/ice").await;
        for pass in &bad {
            let named = naming(pass);
            let headers = [("Sec-WebSocket-Protocol", &*named)];
            is_refused(&server, path, &headers, "/v1/ice").await;
        }
    }
    for pass in &bad {
        let told = server.posted("/v1/ice", &FROM, pass).await;
        assert_eq!(read(&told.body), unchecked(), "{pass}");
    }
    let told = server.get(&format!("/v1/ice?pass={good}")).await;
    assert_eq!(read(&told.body), unchecked());
    assert_eq!(server.logs_by_now().await, None);
    // This one was made here, and the same way.
    let made = pass_of(ALWAYS_PASSES, now());
    let mut ana = visitor(&server, "/v1/match", "ana", &made).await;
    ana.hears_nothing_more().await;
}

#[tokio::test]
async fn a_page_of_strangers_is_refused_before_anything() {
    let mut turnstile = Provider::start(Reply::By(siteverify)).await;
    let mut server = start(ALWAYS_PASSES, &turnstile.url()).await;
    let pass = pass_of(ALWAYS_PASSES, now());
    let named = naming(&pass);
    for origin in ["https://stranger.example", "null"] {
        let headers = [("origin", origin)];
        for (path, body) in [("/v1/pass", DUMMY_TOKEN), ("/v1/ice", &pass)] {
            let answer = server.posted(path, &headers, body).await;
            assert_eq!(answer.status, 403, "{path}");
            assert!(answer.body.contains("ALLOWED_ORIGINS"), "{answer:?}");
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
        for path in SOCKETS {
            let headers = [("Origin", origin), ("Sec-WebSocket-Protocol", &named)];
            is_refused(&server, path, &headers, "ALLOWED_ORIGINS").await;
        }
    }
    turnstile.was_asked_nothing_more();
    assert_eq!(server.logs_by_now().await, None);
}

#[tokio::test]
async fn who_fails_the_check_is_told_what_to_do() {
    for (secret, token, status, words, why) in [
        (
            ALWAYS_FAILS,
            DUMMY_TOKEN,
            403,
            "another browser",
            json!("refused"),
        ),
        (ALREADY_SPENT, DUMMY_TOKEN, 403, "used up", json!("spent")),
        // A secret that is none, or a test secret that is shown a real token.
        (
            SECRET,
            DUMMY_TOKEN,
            503,
            "in a minute",
            json!({"unknown": "misconfigured"}),
        ),
        (
            ALWAYS_PASSES,
            "0.real-token",
            503,
            "in a minute",
            json!({"unknown": "misconfigured"}),
        ),
    ] {
        let turnstile = Provider::start(Reply::By(siteverify)).await;
        let mut server = start(secret, &turnstile.url()).await;
        let answer = shows(&server, token).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(answer.body.contains(words), "{answer:?}");
        let line = read(&server.logs().await);
        assert_eq!(line, json!({"event": "pass-denied", "why": why}));
    }
}

/// What is said of a token by siteverify, where the secret is one of a site that is online.
#[tokio::test]
async fn a_token_is_good_at_the_page_that_it_was_given_to() {
    for (hostname, action, status) in [
        ("friend.example", ACTION, 200),
        ("elsewhere.example", ACTION, 403),
        ("friend.example", "login", 403),
    ] {
        let said = json!({"success": true, "hostname": hostname, "action": action});
        let turnstile = Provider::start(Reply::Body(200, said.to_string())).await;
        let server = start(SECRET, &turnstile.url()).await;
        let answer = shows(&server, "0.real-token").await;
        assert_eq!(answer.status, status, "{hostname} {action}: {answer:?}");
        // The same token at a page of another host, which may use the server, too.
        let other = [("origin", "http://localhost:8788")];
        let answer = server.posted("/v1/pass", &other, "0.real-token").await;
        assert_eq!(answer.status, 403, "{answer:?}");
    }
}

#[tokio::test]
async fn where_nobody_can_be_asked_nobody_gets_a_pass_and_the_log_says_why() {
    let (nobody, address) = listen().await;
    drop(nobody);
    let long = format!(r#"{{"success":true}}{}"#, " ".repeat(MAX_ANSWER_BYTES));
    for (reply, why) in [
        (None, json!("unreachable")),
        (
            Some(Reply::Body(500, r#"{"success":true}"#.into())),
            json!({"status": 500}),
        ),
        (
            Some(Reply::Redirect("https://evil.example".into())),
            json!({"status": 302}),
        ),
        (Some(Reply::Body(200, "<html>".into())), json!("unreadable")),
        (
            Some(Reply::Body(200, r#"{"success":"true"}"#.into())),
            json!("unreadable"),
        ),
        (Some(Reply::Body(200, long)), json!("too-large")),
        (Some(Reply::Endless), json!("too-large")),
        (Some(Reply::Silence), json!("timeout")),
    ] {
        let turnstile = match reply.clone() {
            Some(reply) => Some(Provider::start(reply).await),
            None => None,
        };
        let url = match &turnstile {
            Some(turnstile) => turnstile.url(),
            None => format!("http://{address}"),
        };
        let mut server = start(ALWAYS_PASSES, &url).await;
        server.may_complain_of("Connection refused");
        let answer = shows(&server, DUMMY_TOKEN).await;
        assert_eq!(answer.status, 503, "{reply:?}");
        assert!(answer.body.contains("in a minute"), "{answer:?}");
        let line = read(&server.logs().await);
        let expected = json!({"event": "pass-denied", "why": {"unknown": why}});
        assert_eq!(line, expected, "{reply:?}");
        if let Some(mut turnstile) = turnstile {
            turnstile.was_asked().await;
            turnstile.is_left().await;
            turnstile.was_asked_nothing_more();
        }
    }
}

#[tokio::test]
async fn nobody_is_asked_of_what_can_be_no_token() {
    let mut turnstile = Provider::start(Reply::By(siteverify)).await;
    let mut server = start(ALWAYS_PASSES, &turnstile.url()).await;
    for length in [0, MAX_TOKEN_BYTES + 1, 3 * MAX_ANSWER_BYTES] {
        let answer = shows(&server, &"t".repeat(length)).await;
        assert_eq!(answer.status, 400, "{length}: {answer:?}");
        assert!(answer.body.contains("2,048"), "{answer:?}");
    }
    turnstile.was_asked_nothing_more();
    assert_eq!(server.logs_by_now().await, None);
}

#[tokio::test]
async fn a_network_that_tries_too_often_waits_and_others_do_not() {
    let turnstile = Provider::start(Reply::By(siteverify)).await;
    let server = start(ALWAYS_PASSES, &turnstile.url()).await;
    let burst = Counted::Relays.limit().burst;
    let mut tried = 0;
    let refused = loop {
        let answer = shows(&server, "").await;
        if answer.status != 400 {
            break answer;
        }
        tried += 1;
        assert!(tried < 100 * burst, "nobody is ever refused");
    };
    assert!(tried >= burst, "{tried}");
    assert_eq!(refused.status, 429, "{refused:?}");
    let elsewhere = [("origin", FRIEND), ("cf-connecting-ip", "192.0.2.2")];
    let answer = server.posted("/v1/pass", &elsewhere, DUMMY_TOKEN).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn where_half_of_it_is_configured_there_is_no_check() {
    for (name, value) in [
        ("TURNSTILE_SITE_KEY", SITE_KEY),
        ("TURNSTILE_SECRET", ALWAYS_PASSES),
    ] {
        let server = Server::start_with(&[(name, value)]).await;
        let told = read(&server.answer("GET", "/v1/ice", &FROM).await.body);
        assert_eq!(told.get("check"), None);
        // Who has a pass from when there was one is told the same, and gets in.
        let posted = server.posted("/v1/ice", &FROM, "of yesterday").await;
        assert_eq!(read(&posted.body), told);
        let answer = server.posted("/v1/pass", &FROM, DUMMY_TOKEN).await;
        assert_eq!(answer.status, 404);
        assert_eq!(server.get("/v1/pass").await.status, 405);
        let mut ana = server.visitor("ana").await;
        let mut ben = visitor(&server, "/v1/match", "ben", "of yesterday").await;
        nobody_hears_more([&mut ana, &mut ben]).await;
    }
}
