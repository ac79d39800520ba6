//! What is logged: that something happened, and no word of what anybody said, is called, or where it is.

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::path::Path;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::provider::{Provider, Reply};
use crate::server::{FRIEND, Server};
use crate::visitor::LIMIT;

/// By which Cloudflare and a browser tell of somebody.
const HEADERS: [(&str, &str); 4] = [
    ("cf-connecting-ip", "203.0.113.77"),
    ("user-agent", "A browser of somebody's"),
    ("accept-language", "of-somebody"),
    ("origin", FRIEND),
];
/// What only the deployment knows, and what a provider says when it refuses.
const SECRETS: [&str; 3] = ["shared-with-the-relay", "token-of-the-key", "said-in-anger"];
const OFFER: &str = "v=0\r\no=- 4611731400430051336 2 IN IP4 192.0.2.7\r\ns=-\r\nt=0 0\r\n\
    a=ice-ufrag:fRaG\r\na=ice-pwd:nobody-else-knows-this-word\r\na=fingerprint:sha-256 7B:01:19\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=candidate:1 1 udp 1 198.51.100.9 9 typ host\r\n";
/// What stands in no log of ours, whoever said it.
const NEVER: [&str; 9] = [
    "v=0",
    "a=",
    "ice-",
    "fingerprint",
    "candidate",
    "sdp",
    "turn:",
    "wifi",
    "IN IP",
];
/// The field whose words are ours.
const OURS: &str = "code";
/// A word of less is in some of our own.
const SHORTEST: usize = 8;

/// Somebody whose every word is taken down, and every word that it hears.
struct Person<'a> {
    socket: WebSocketStream<TcpStream>,
    words: &'a mut BTreeSet<String>,
    heard: Vec<Value>,
}

impl<'a> Person<'a> {
    async fn at(server: &Server, path: &str, words: &'a mut BTreeSet<String>) -> Self {
        collect(&path.rsplit('/').next().into(), words);
        let Ok(socket) = server.opens_socket(path, &HEADERS).await else {
            panic!("{path} was to be opened");
        };
        let heard = Vec::new();
        let mut person = Self {
            socket,
            words,
            heard,
        };
        person.hears("welcome").await;
        person
    }

    async fn says(&mut self, message: &Value) {
        self.sends(message.to_string()).await;
    }

    async fn sends(&mut self, frame: String) {
        match serde_json::from_str(&frame) {
            Ok(message) => collect(&message, self.words),
            Err(_) => collect(&Value::from(frame.as_str()), self.words),
        }
        // A flood ends the connection, which is as good.
        let _ = self.socket.send(Message::text(frame)).await;
    }

    /// Waits until it hears a message of this type, and gives it.
    async fn hears(&mut self, kind: &str) -> Value {
        while let Ok(Some(Ok(frame))) = timeout(LIMIT, self.socket.next()).await {
            let Ok(text) = frame.to_text() else { continue };
            let Ok(message) = serde_json::from_str::<Value>(text) else {
                continue;
            };
            collect(&message, self.words);
            self.heard.push(message.clone());
            if message["type"] == kind {
                return message;
            }
        }
        panic!("waited for {kind}, and heard {:#?}", self.heard);
    }
}

/// All text in a value that is long enough to be somebody's.
fn collect(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.trim().chars().count() >= SHORTEST => {
            words.insert(text.clone());
        }
        Value::Array(all) => all.iter().for_each(|one| collect(one, words)),
        Value::Object(all) => {
            let said = all.iter().filter(|(name, _)| *name != OURS);
            said.for_each(|(_, one)| collect(one, words));
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// All frames that a client may send, and all that it may not (`tests/fixtures.rs`).
fn frames(folder: &Path, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else {
        panic!("{} cannot be read", folder.display());
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            frames(&path, found);
        } else if let Ok(text) = fs::read_to_string(&path) {
            found.push(text);
        }
    }
}

/// Holds what was logged to what it may not hold.
fn tells_nothing(log: &str, words: &BTreeSet<String>) {
    for word in NEVER
        .into_iter()
        .chain(words.iter().map(String::as_str))
        .chain(SECRETS)
        .chain(HEADERS.map(|(_, value)| value))
    {
        assert!(!log.contains(word), "{word:?} is in the log:\n{log}");
    }
    let parts = log.split(|c: char| !c.is_ascii_hexdigit() && c != '.' && c != ':');
    for part in parts.map(|part| part.trim_matches(':')) {
        let address = part.parse::<IpAddr>();
        assert!(address.is_err(), "{part} is in the log:\n{log}");
    }
}

/// Two who meet at random: everything that travels, a lost socket, and a token that is another's.
async fn strangers(server: &Server, words: &mut BTreeSet<String>) {
    let mut of_ana = BTreeSet::new();
    let mut ana = Person::at(server, "/v1/match", &mut of_ana).await;
    let mut bea = Person::at(server, "/v1/match", words).await;
    let find = |who: &str| {
        let interests = ["what they both like", who];
        json!({"type": "find", "mode": "video", "interests": interests, "offer": OFFER})
    };
    ana.says(&find("what ana likes")).await;
    ana.hears("waiting").await;
    bea.says(&find("what bea likes")).await;
    let joined = bea.hears("peer-joined").await;
    let met = ana.hears("peer-joined").await;
    let (to, from) = (&joined["peer"]["id"], &met["peer"]["id"]);
    let data = json!({"description": {"type": "answer", "sdp": OFFER}});
    ana.says(&json!({"type": "signal", "to": from, "data": data}))
        .await;
    bea.hears("signal").await;
    let line = "candidate:2 1 udp 1 2001:db8::77 9 typ host";
    let data = json!({"candidates": [{"candidate": line, "sdpMid": "0"}]});
    bea.says(&json!({"type": "signal", "to": to, "data": data}))
        .await;
    ana.hears("signal").await;
    let token = met["resume"].clone();
    drop(ana);
    words.append(&mut of_ana);
    let mut bea = Person::at(server, "/v1/match", words).await;
    let mut forged = token.as_str().unwrap_or_default().to_owned();
    forged.push('A');
    bea.says(&json!({"type": "resume", "token": forged})).await;
    bea.hears("error").await;
    bea.says(&json!({"type": "resume", "token": token})).await;
    bea.hears("welcome").await;
    bea.says(&json!({"type": "leave"})).await;
}

/// Two in a room, and all that its host may do.
async fn members(server: &Server, words: &mut BTreeSet<String>) {
    let path = "/v1/rooms/where-nobody-else-is";
    let mut of_ana = BTreeSet::new();
    let mut ana = Person::at(server, path, &mut of_ana).await;
    ana.says(&json!({"type": "join", "name": "Ana of the Room"}))
        .await;
    ana.hears("room").await;
    let mut bea = Person::at(server, path, words).await;
    bea.says(&json!({"type": "join", "name": "Bea of the Room"}))
        .await;
    bea.hears("peer-joined").await;
    let met = ana.hears("peer-joined").await;
    let peer = &met["peer"]["id"];
    for message in [
        json!({"type": "signal", "to": peer, "data": {"description": {"type": "offer", "sdp": OFFER}}}),
        json!({"type": "ask-to-mute", "peer": peer}),
        json!({"type": "missing", "peer": peer}),
        json!({"type": "lock", "on": true}),
        json!({"type": "away"}),
        json!({"type": "remove", "peer": peer}),
    ] {
        ana.says(&message).await;
    }
    bea.hears("peer-left").await;
    drop(ana);
    words.append(&mut of_ana);
}

/// Every frame that there is a fixture of, in both places, by people who come and go.
async fn everything(server: &Server, words: &mut BTreeSet<String>) {
    let mut all = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/client");
    frames(&folder, &mut all);
    assert!(all.len() > 100, "only {} fixtures", all.len());
    for path in ["/v1/match", "/v1/rooms/where-all-is-said"] {
        for some in all.chunks(20) {
            let mut person = Person::at(server, path, words).await;
            for frame in some {
                person.sends(frame.clone()).await;
            }
            // By the answer to this, which no other has, all has been answered.
            person.sends(format!("{{{}", "\n".repeat(776))).await;
            let mut why = String::new();
            while !why.contains("line 777") {
                why = person.hears("error").await["message"].to_string();
            }
        }
    }
}

#[tokio::test]
async fn the_log_holds_no_word_of_anybody() {
    let refusal = Reply::Body(403, json!({"error": SECRETS[2], "sdp": OFFER}).to_string());
    let provider = Provider::start(refusal).await;
    let api = provider.url();
    let server = Server::start_with(&[
        ("LOG_SAMPLING", "1"),
        ("DATA_POINTS", "on"),
        ("TURN_KEY_ID", "key-of-the-relay"),
        ("TURN_KEY_API_TOKEN", SECRETS[1]),
        ("TURN_API", &api),
        ("TURN_URLS", "turn:relay.of.somebody.example:3478"),
        ("TURN_SECRET", SECRETS[0]),
    ])
    .await;
    let mut words = BTreeSet::new();
    strangers(&server, &mut words).await;
    members(&server, &mut words).await;
    everything(&server, &mut words).await;
    for (method, path) in [
        ("GET", "/v1/ice"),
        ("GET", "/v1/stats"),
        ("GET", "/v1/match"),
        ("POST", "/v1/rooms/where-nobody-else-is"),
        ("GET", "/v1/rooms/no%20room%20of%20anybody"),
        ("GET", "/healthz?of=somebody"),
    ] {
        let answer = server.answer(method, path, &HEADERS).await;
        if let Ok(value) = serde_json::from_str(&answer.body) {
            collect(&value, &mut words);
        }
    }
    // Of each kind of what is somebody's there was some.
    for part in ["fRaG", "Bea of the Room", "what they both like", "turn:"] {
        let said = words.iter().any(|word| word.contains(part));
        assert!(said, "nobody has said {part}");
    }
    let log = server.last_words().await;
    for event in ["lobby-awake", "room-awake", "relay-failed"] {
        assert!(log.contains(event), "{event} is not in the log:\n{log}");
    }
    tells_nothing(&log, &words);
}
