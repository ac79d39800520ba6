//! Relays by `/v1/ice`: from whom, for whom, how often, and what happens when a provider fails.
//!
//! Cloudflare and metered.ca are played as their documentation says they answer.

use std::time::{SystemTime, UNIX_EPOCH};

use base64ct::{Base64, Encoding};
use echomingle::core::ice::{DEFAULT_STUN, RETRY_TTL_SECONDS, STUN_TTL_SECONDS};
use echomingle::core::quota::Counted;
use echomingle::core::turn::{LIFE_SECONDS, MAX_ANSWER_BYTES, PATIENCE_MILLIS};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Sha1;
use tokio::time::Instant;

use crate::http::is_guarded;
use crate::provider::{Provider, Reply, listen};
use crate::server::{Answer, FRIEND, Server};

const KEY: &str = "key-id";
const TOKEN: &str = "token-nobody-is-told";
const SECRET: &str = "secret-nobody-is-told";
const API_KEY: &str = "api-key-nobody-is-told";

/// The header by which a browser says that a page asks the server it is from.
const SAME_ORIGIN: (&str, &str) = ("sec-fetch-site", "same-origin");

/// Cloudflare Realtime: TURN service, "Generate Credentials".
fn cloudflare_says() -> Reply {
    let answer = json!({
        "iceServers": [
            {"urls": ["stun:stun.cloudflare.com:3478", "stun:stun.cloudflare.com:53"]},
            {
                "urls": [
                    "turn:turn.cloudflare.com:3478?transport=udp",
                    "turn:turn.cloudflare.com:53?transport=udp",
                    "turn:turn.cloudflare.com:3478?transport=tcp",
                    "turn:turn.cloudflare.com:80?transport=tcp",
                    "turns:turn.cloudflare.com:5349?transport=tcp",
                    "turns:turn.cloudflare.com:443?transport=tcp",
                ],
                "username": "bc91b63e2b5d759f8eb9f3b58062439e",
                "credential": "ebd71f1d3edbc2b0edae3cd5a6d82284",
            },
        ],
    });
    Reply::Body(201, answer.to_string())
}

/// What remains of it: a browser uses no port 53.
fn of_cloudflare() -> Value {
    json!([
        {"urls": ["stun:stun.cloudflare.com:3478"]},
        {
            "urls": [
                "turn:turn.cloudflare.com:3478?transport=udp",
                "turn:turn.cloudflare.com:3478?transport=tcp",
                "turn:turn.cloudflare.com:80?transport=tcp",
                "turns:turn.cloudflare.com:5349?transport=tcp",
                "turns:turn.cloudflare.com:443?transport=tcp",
            ],
            "username": "bc91b63e2b5d759f8eb9f3b58062439e",
            "credential": "ebd71f1d3edbc2b0edae3cd5a6d82284",
        },
    ])
}

/// metered.ca: "Get TURN Credential".
fn metered_says() -> Reply {
    let relay = |urls: &str| json!({"urls": urls, "username": "name", "credential": "password"});
    let answer = json!([
        {"urls": "stun:relay.example:80"},
        relay("turn:relay.example:80"),
        relay("turn:relay.example:80?transport=tcp"),
        relay("turn:relay.example:443"),
        relay("turn:relay.example:443?transport=tcp"),
    ]);
    Reply::Body(200, answer.to_string())
}

fn of_metered() -> Value {
    let relay = |urls: &str| json!({"urls": [urls], "username": "name", "credential": "password"});
    json!([
        {"urls": ["stun:relay.example:80"]},
        relay("turn:relay.example:80"),
        relay("turn:relay.example:80?transport=tcp"),
        relay("turn:relay.example:443"),
        relay("turn:relay.example:443?transport=tcp"),
        {"urls": [DEFAULT_STUN]},
    ])
}

fn only_stun() -> Value {
    json!([{"urls": [DEFAULT_STUN]}])
}

/// Asks as a page of a friend does. Nobody is ever told what only the deployment knows.
async fn asks(server: &Server) -> Value {
    let answer = server.answer("GET", "/v1/ice", &[("origin", FRIEND)]).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some(FRIEND));
    told(&answer)
}

fn told(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    for secret in [TOKEN, SECRET, API_KEY] {
        assert!(!answer.body.contains(secret), "{answer:?}");
        assert!(!answer.headers.values().any(|value| value.contains(secret)));
    }
    read(&answer.body)
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text} is no JSON: {error}"))
}

fn answer(servers: &Value, ttl: u32) -> Value {
    json!({"iceServers": servers, "ttl": ttl, "hideAddress": false})
}

fn signed(secret: &str, text: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret.as_bytes()) else {
        panic!("HMAC takes keys of any length");
    };
    mac.update(text.as_bytes());
    Base64::encode_string(&mac.finalize().into_bytes())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test has a clock, and is no wasm"
)]
fn unix_seconds() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_secs()
}

#[tokio::test]
async fn a_shared_secret_signs_names_that_expire_in_ten_minutes() {
    let server = Server::start_with(&[
        ("TURN_URLS", "turn:a.example:3478,turns:a.example:5349"),
        ("TURN_SECRET", SECRET),
        ("STUN_URLS", "stun:b.example"),
    ])
    .await;
    let mut names = Vec::new();
    for _ in 0..3 {
        let before = unix_seconds();
        let told = asks(&server).await;
        let after = unix_seconds();
        assert_eq!(told["ttl"], LIFE_SECONDS);
        assert_eq!(told["iceServers"][1], json!({"urls": ["stun:b.example"]}));
        assert_eq!(told["iceServers"].as_array().unwrap().len(), 2);
        let relay = &told["iceServers"][0];
        assert_eq!(
            relay["urls"],
            json!(["turn:a.example:3478", "turns:a.example:5349"])
        );
        let name = relay["username"].as_str().unwrap();
        assert_eq!(relay["credential"], signed(SECRET, name));
        let (expiry, id) = name.split_once(':').unwrap();
        let life = u64::from(LIFE_SECONDS);
        assert!((before + life..=after + life).contains(&expiry.parse().unwrap()));
        assert!(!names.contains(&id.to_owned()), "{names:?}");
        names.push(id.to_owned());
    }
}

#[tokio::test]
async fn cloudflare_is_asked_for_credentials_of_ten_minutes() {
    let mut cloudflare = Provider::start(cloudflare_says()).await;
    let server = Server::start_with(&[
        ("TURN_KEY_ID", KEY),
        ("TURN_KEY_API_TOKEN", TOKEN),
        ("TURN_API", &cloudflare.url()),
    ])
    .await;
    assert_eq!(asks(&server).await, answer(&of_cloudflare(), LIFE_SECONDS));
    let asked = cloudflare.was_asked().await;
    assert_eq!(asked.method, "POST");
    let path = format!("/v1/turn/keys/{KEY}/credentials/generate-ice-servers");
    assert_eq!(asked.path, path);
    assert_eq!(asked.headers["authorization"], format!("Bearer {TOKEN}"));
    assert_eq!(asked.headers["content-type"], "application/json");
    let body = read(&asked.body);
    assert_eq!(body, json!({"ttl": LIFE_SECONDS}));
    cloudflare.was_asked_nothing_more();
}

#[tokio::test]
async fn metered_is_asked_for_what_its_credential_is_good_for() {
    let mut metered = Provider::start(metered_says()).await;
    let server = Server::start_with(&[
        ("METERED_APP", "app"),
        ("METERED_API_KEY", API_KEY),
        ("METERED_API", &metered.url()),
    ])
    .await;
    assert_eq!(asks(&server).await, answer(&of_metered(), LIFE_SECONDS));
    let asked = metered.was_asked().await;
    assert_eq!(asked.method, "GET");
    let path = format!("/api/v1/turn/credentials?apiKey={API_KEY}");
    assert_eq!(asked.path, path);
    assert_eq!(asked.body, "");
    metered.was_asked_nothing_more();
}

/// metered.ca: "Create TURN Credential", "Creating TURN Credentials".
#[tokio::test]
async fn metered_makes_a_credential_that_expires_for_who_has_its_secret() {
    let new = json!({
        "username": "name",
        "password": "password",
        "expiryInSeconds": 600,
        "label": "",
        "apiKey": API_KEY,
    });
    let mut metered = Provider::start(Reply::Body(200, new.to_string())).await;
    let server = Server::start_with(&[
        ("METERED_APP", "app"),
        ("METERED_SECRET_KEY", SECRET),
        ("METERED_API_KEY", API_KEY),
        ("METERED_API", &metered.url()),
    ])
    .await;
    let relay = json!({
        "urls": [
            "turn:global.relay.metered.ca:80",
            "turn:global.relay.metered.ca:80?transport=tcp",
            "turn:global.relay.metered.ca:443",
            "turns:global.relay.metered.ca:443?transport=tcp",
        ],
        "username": "name",
        "credential": "password",
    });
    let servers = json!([relay, {"urls": [DEFAULT_STUN]}]);
    assert_eq!(asks(&server).await, answer(&servers, LIFE_SECONDS));
    let asked = metered.was_asked().await;
    assert_eq!(asked.method, "POST");
    let path = format!("/api/v1/turn/credential?secretKey={SECRET}");
    assert_eq!(asked.path, path);
    let body = read(&asked.body);
    assert_eq!(body, json!({"expiryInSeconds": LIFE_SECONDS}));
    metered.was_asked_nothing_more();
}

#[tokio::test]
async fn a_provider_that_fails_gives_way_to_the_next_and_the_log_says_why() {
    let elsewhere = Provider::start(cloudflare_says()).await;
    let long = format!("[{}]", " ".repeat(MAX_ANSWER_BYTES));
    for (reply, why) in [
        (Reply::Body(500, "{}".into()), json!({"status": 500})),
        (Reply::Body(401, String::new()), json!({"status": 401})),
        (Reply::Redirect(elsewhere.url()), json!({"status": 302})),
        (Reply::Body(201, "<html>".into()), json!("unreadable")),
        (Reply::Body(200, "[]".into()), json!("unreadable")),
        (Reply::Body(200, long), json!("too-large")),
        (Reply::Endless, json!("too-large")),
        (Reply::Silence, json!("timeout")),
    ] {
        let mut cloudflare = Provider::start(reply.clone()).await;
        let mut metered = Provider::start(metered_says()).await;
        let mut server = Server::start_with(&[
            ("TURN_KEY_ID", KEY),
            ("TURN_KEY_API_TOKEN", TOKEN),
            ("TURN_API", &cloudflare.url()),
            ("METERED_APP", "app"),
            ("METERED_API_KEY", API_KEY),
            ("METERED_API", &metered.url()),
        ])
        .await;
        let told = asks(&server).await;
        assert_eq!(told, answer(&of_metered(), LIFE_SECONDS), "{reply:?}");
        let line = read(&server.logs().await);
        let expected = json!({"event": "relay-failed", "relay": "cloudflare", "why": why});
        assert_eq!(line, expected, "{reply:?}");
        cloudflare.was_asked().await;
        cloudflare.is_left().await;
        cloudflare.was_asked_nothing_more();
        metered.was_asked().await;
        metered.was_asked_nothing_more();
    }
}

#[tokio::test]
async fn the_next_is_not_tried_before_a_slow_one_had_its_time() {
    let mut cloudflare = Provider::start(Reply::Silence).await;
    let server = Server::start_with(&[
        ("TURN_KEY_ID", KEY),
        ("TURN_KEY_API_TOKEN", TOKEN),
        ("TURN_API", &cloudflare.url()),
        ("TURN_URLS", "turn:a.example"),
        ("TURN_SECRET", SECRET),
    ])
    .await;
    let before = Instant::now();
    let told = asks(&server).await;
    assert!(before.elapsed().as_millis() >= u128::from(PATIENCE_MILLIS) - 100);
    assert_eq!(told["iceServers"][0]["urls"], json!(["turn:a.example"]));
    cloudflare.was_asked().await;
    cloudflare.is_left().await;
}

#[tokio::test]
async fn without_any_relay_that_works_there_is_stun_for_a_short_while() {
    let (nobody, address) = listen().await;
    drop(nobody);
    let closed = format!("http://{address}");
    let mut server = Server::start_with(&[
        ("TURN_KEY_ID", KEY),
        ("TURN_KEY_API_TOKEN", TOKEN),
        ("TURN_API", &closed),
        ("TURN_URLS", "stun:a.example"),
        ("TURN_SECRET", SECRET),
        ("METERED_APP", "app"),
        ("METERED_API_KEY", API_KEY),
        ("METERED_API", "http://elsewhere.example"),
    ])
    .await;
    server.may_complain_of("Connection refused");
    assert_eq!(asks(&server).await, answer(&only_stun(), RETRY_TTL_SECONDS));
    for (relay, why) in [
        ("cloudflare", "unreachable"),
        ("shared-secret", "misconfigured"),
        ("metered", "misconfigured"),
    ] {
        let line = read(&server.logs().await);
        let expected = json!({"event": "relay-failed", "relay": relay, "why": why});
        assert_eq!(line, expected);
    }
}

#[tokio::test]
async fn relays_are_for_pages_that_may_use_the_server() {
    let mut cloudflare = Provider::start(cloudflare_says()).await;
    let server = Server::start_with(&[
        ("TURN_KEY_ID", KEY),
        ("TURN_KEY_API_TOKEN", TOKEN),
        ("TURN_API", &cloudflare.url()),
    ])
    .await;
    let own = server.origin();
    for headers in [
        &[("origin", FRIEND)][..],
        &[("origin", &own)],
        &[SAME_ORIGIN],
        &[("origin", FRIEND), ("sec-fetch-site", "cross-site")],
    ] {
        let told = told(&server.answer("GET", "/v1/ice", headers).await);
        assert_eq!(told, answer(&of_cloudflare(), LIFE_SECONDS), "{headers:?}");
        cloudflare.was_asked().await;
    }
    for headers in [
        &[][..],
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "cross-site")],
    ] {
        let told = told(&server.answer("GET", "/v1/ice", headers).await);
        assert_eq!(told, answer(&only_stun(), STUN_TTL_SECONDS), "{headers:?}");
    }
    for headers in [
        &[("origin", "https://stranger.example")][..],
        &[("origin", "null"), SAME_ORIGIN],
    ] {
        let refused = server.answer("GET", "/v1/ice", headers).await;
        assert_eq!(refused.status, 403, "{headers:?}");
        assert!(!refused.body.contains("turn"), "{refused:?}");
    }
    cloudflare.was_asked_nothing_more();
}

#[tokio::test]
async fn a_network_that_asks_too_often_waits_and_others_do_not() {
    let server = Server::start_with(&[("TURN_URLS", "turn:a.example"), ("TURN_SECRET", SECRET)]);
    let server = server.await;
    let from = async |address| {
        let headers = [("origin", FRIEND), ("cf-connecting-ip", address)];
        server.answer("GET", "/v1/ice", &headers).await
    };
    let burst = Counted::Relays.limit().burst;
    // While they are asked for, there is more.
    let mut served = 0;
    let refused = loop {
        let answer = from("192.0.2.1").await;
        if answer.status != 200 {
            break answer;
        }
        told(&answer);
        served += 1;
        assert!(served < 100 * burst, "nobody is ever refused");
    };
    assert!(served >= burst, "{served}");
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("retry-after"), Some("1"));
    is_guarded(&refused);
    assert_eq!(refused.header("access-control-allow-origin"), Some(FRIEND));
    assert_eq!(
        refused.body,
        "Too much was asked for from this network. Ask again in 1 s."
    );
    told(&from("192.0.2.2").await);
    told(&from("2001:db8::1").await);
    // Plain STUN costs nothing and is for everybody.
    let from = [("cf-connecting-ip", "192.0.2.1")];
    for _ in 0..3 {
        let told = told(&server.answer("GET", "/v1/ice", &from).await);
        assert_eq!(told["iceServers"], only_stun());
    }
}

#[tokio::test]
async fn a_deployment_says_whether_it_hides_addresses() {
    let server = Server::start_with(&[
        ("HIDE_ADDRESS", "on"),
        ("TURN_URLS", "turn:a.example"),
        ("TURN_SECRET", SECRET),
    ])
    .await;
    assert_eq!(asks(&server).await["hideAddress"], true);
    let told = told(&server.get("/v1/ice").await);
    assert_eq!(told["hideAddress"], true);
}
