//! Who relays: what is asked of each provider, and what of its answer is believed.
//!
//! The secrets of the deployment are in here and leave in a request to their own provider alone. What a
//! client is told is a name and a password that expire by themselves.

use std::collections::BTreeMap;

use base64ct::{Base64, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde_json::value::RawValue;
use sha1::Sha1;

use crate::core::ice::{IceServer, Settings, is_stun, is_turn, urls};
use crate::core::id::PeerId;
use crate::core::redacted::Redacted;
use crate::core::time::Timestamp;

/// How long a credential lives, in seconds. A call renews it, so it need not outlive one, and whoever
/// takes it for something else has it for minutes.
pub const LIFE_SECONDS: u32 = 600;

/// Milliseconds in which a provider must have answered, or the next is tried.
pub const PATIENCE_MILLIS: u32 = 2_000;

/// The longest answer of a provider that is read, in bytes. Cloudflare's and metered.ca's have less than
/// a thousand.
pub const MAX_ANSWER_BYTES: usize = 16 * 1_024;

/// The longest name that a relay knows anybody by (RFC 8489, section 14.3).
const MAX_NAME_BYTES: usize = 509;

/// Cloudflare's (Cloudflare Realtime: TURN service, "Generate Credentials").
const TURN_API: &str = "https://rtc.live.cloudflare.com";

/// What a credential of metered.ca is good for ("Creating TURN Credentials"): the answer that makes one
/// does not say.
const METERED_URLS: [&str; 4] = [
    "turn:global.relay.metered.ca:80",
    "turn:global.relay.metered.ca:80?transport=tcp",
    "turn:global.relay.metered.ca:443",
    "turns:global.relay.metered.ca:443?transport=tcp",
];

/// A relay that is configured.
pub enum Relay {
    /// Cloudflare Realtime's TURN service.
    Cloudflare {
        /// Where its API is.
        api: String,
        /// The id of the key.
        key: String,
        /// The token of the key.
        token: String,
    },
    /// A server that believes what the secret signs, without being asked: coturn, eturnal and others
    /// (draft-uberti-behave-turn-rest-00).
    Shared {
        /// Where it is.
        urls: Vec<String>,
        /// What it shares with this deployment.
        secret: String,
    },
    /// metered.ca.
    Metered {
        /// Where its API is.
        api: String,
        /// What to ask it with.
        key: MeteredKey,
    },
}

/// By what metered.ca is asked.
pub enum MeteredKey {
    /// The key of the app: a new credential for each answer.
    Secret(String),
    /// The key of one credential, which lives as long as whoever made it has said.
    Credential(String),
}

/// What a client may use, and for how long.
#[derive(Debug, PartialEq, Eq)]
pub struct Granted {
    /// At least one of them is a relay.
    pub servers: Vec<IceServer>,
    /// For how many seconds.
    pub ttl: u32,
}

/// How to have a relay.
pub enum Way {
    /// It is there already.
    Granted(Granted),
    /// By a request to its provider.
    Ask(Ask),
}

/// An HTTP request.
#[derive(Debug, PartialEq, Eq)]
pub struct Ask {
    /// Absolute. May carry a secret.
    pub url: Redacted,
    /// Sent with `POST` as JSON; without it, it is a `GET`.
    pub body: Option<Redacted>,
    /// The value of the header `authorization`.
    pub authorization: Option<Redacted>,
}

/// Why somebody's API was of no use. Nothing of it is private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// It is configured in a way that cannot work: its API is asked by `https`, or on this machine.
    Misconfigured,
    /// There was no answer in time.
    Timeout,
    /// There was no answer at all.
    Unreachable,
    /// The answer had this HTTP status. A redirection is not followed.
    Status(u16),
    /// The answer was longer than is read.
    TooLarge,
    /// The answer was not what the provider's documentation says, or had no relay in it.
    Unreadable,
}

impl Relay {
    /// Those that are configured, best first.
    pub(crate) fn all(settings: &Settings) -> Vec<Self> {
        let cloudflare = || {
            Some(Self::Cloudflare {
                api: api(given(&settings.turn_api).unwrap_or(TURN_API)),
                key: given(&settings.turn_key_id)?.into(),
                token: given(&settings.turn_key_api_token)?.into(),
            })
        };
        let shared = || {
            Some(Self::Shared {
                urls: urls(given(&settings.turn_urls)?, is_turn),
                secret: given(&settings.turn_secret)?.into(),
            })
        };
        let metered = || {
            let app = given(&settings.metered_app)?;
            let secret = given(&settings.metered_secret_key);
            let credential = given(&settings.metered_api_key);
            Some(Self::Metered {
                api: match given(&settings.metered_api) {
                    Some(other) => api(other),
                    None => format!("https://{app}.metered.live"),
                },
                key: match secret {
                    Some(key) => MeteredKey::Secret(key.into()),
                    None => MeteredKey::Credential(credential?.into()),
                },
            })
        };
        [cloudflare(), shared(), metered()]
            .into_iter()
            .flatten()
            .collect()
    }

    /// What it is called in the log.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Cloudflare { .. } => "cloudflare",
            Self::Shared { .. } => "shared-secret",
            Self::Metered { .. } => "metered",
        }
    }

    /// How to have a credential for somebody. `id` tells apart whom the relay serves, nothing more.
    ///
    /// # Errors
    /// It is [`Failure::Misconfigured`].
    pub fn way(&self, now: Timestamp, id: PeerId) -> Result<Way, Failure> {
        match self {
            Self::Cloudflare { api, key, token } => ask(
                api,
                &format!("/v1/turn/keys/{key}/credentials/generate-ice-servers"),
                Some(format!(r#"{{"ttl":{LIFE_SECONDS}}}"#)),
                Some(format!("Bearer {token}")),
            )
            .map(Way::Ask),
            Self::Shared { urls, secret } => {
                if urls.is_empty() {
                    return Err(Failure::Misconfigured);
                }
                let expiry = now.unix_millis() / 1_000 + u64::from(LIFE_SECONDS);
                let username = format!("{expiry}:{id}");
                let credential = password(secret, &username)?;
                Ok(Way::Granted(Granted {
                    servers: vec![IceServer {
                        urls: urls.clone(),
                        username: Some(username),
                        credential: Some(credential.into()),
                    }],
                    ttl: LIFE_SECONDS,
                }))
            }
            Self::Metered {
                api,
                key: MeteredKey::Secret(key),
            } => ask(
                api,
                &format!("/api/v1/turn/credential?secretKey={key}"),
                Some(format!(r#"{{"expiryInSeconds":{LIFE_SECONDS}}}"#)),
                None,
            )
            .map(Way::Ask),
            Self::Metered {
                api,
                key: MeteredKey::Credential(key),
            } => ask(
                api,
                &format!("/api/v1/turn/credentials?apiKey={key}"),
                None,
                None,
            )
            .map(Way::Ask),
        }
    }
}

/// What a provider's answer grants, whichever of the documented forms it has: Cloudflare's
/// `{"iceServers": …}` of one server or several, metered.ca's bare list ("Get TURN Credential"), or
/// its new credential ("Create TURN Credential").
///
/// # Errors
/// What keeps it from being used.
pub fn read(status: u16, body: &[u8]) -> Result<Granted, Failure> {
    succeeded(status)?;
    let body = readable(body)?;
    let answer = fields(body);
    let servers: Vec<_> = match text(&answer, "password") {
        Some(password) => server(
            METERED_URLS.map(String::from).to_vec(),
            text(&answer, "username"),
            Some(password),
        )
        .into_iter()
        .collect(),
        None => one_or_many(answer.get("iceServers").copied().unwrap_or(body))
            .into_iter()
            .filter_map(read_server)
            .collect(),
    };
    let relayed = |server: &IceServer| server.urls.iter().any(|url| is_turn(url));
    if !servers.iter().any(relayed) {
        return Err(Failure::Unreadable);
    }
    // Only a new credential of metered.ca says how long it lives; Cloudflare's live as long as was
    // asked for.
    let said = answer.get("expiryInSeconds");
    let said = said.and_then(|seconds| seconds.get().parse().ok());
    Ok(Granted {
        servers,
        ttl: said.unwrap_or(LIFE_SECONDS).min(LIFE_SECONDS),
    })
}

/// Whether the status of an answer is that of a success.
pub(super) fn succeeded(status: u16) -> Result<(), Failure> {
    match status {
        200..300 => Ok(()),
        _ => Err(Failure::Status(status)),
    }
}

/// What an answer has to say, as JSON.
pub(super) fn readable(body: &[u8]) -> Result<&RawValue, Failure> {
    if body.len() > MAX_ANSWER_BYTES {
        return Err(Failure::TooLarge);
    }
    let body = std::str::from_utf8(body).map_err(|_| Failure::Unreadable)?;
    serde_json::from_str(body).map_err(|_| Failure::Unreadable)
}

/// The password that goes with a name: base64 of HMAC-SHA1
/// (draft-uberti-behave-turn-rest-00, section 2.2).
fn password(secret: &str, username: &str) -> Result<String, Failure> {
    let mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes());
    let mut mac = mac.map_err(|_| Failure::Misconfigured)?;
    mac.update(username.as_bytes());
    Ok(Base64::encode_string(&mac.finalize().into_bytes()))
}

pub(super) fn ask(
    api: &str,
    path: &str,
    body: Option<String>,
    authorization: Option<String>,
) -> Result<Ask, Failure> {
    if !may_be_asked(api) {
        return Err(Failure::Misconfigured);
    }
    Ok(Ask {
        url: format!("{api}{path}").into(),
        body: body.map(Redacted::from),
        authorization: authorization.map(Redacted::from),
    })
}

/// Secrets travel encrypted, or not at all: plain HTTP is for a provider that a test plays on the same
/// machine.
fn may_be_asked(api: &str) -> bool {
    let local = |host| {
        api.strip_prefix(host).is_some_and(|rest: &str| {
            let port = rest.strip_prefix(':').unwrap_or(rest);
            port.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    api.starts_with("https://")
        || ["http://127.0.0.1", "http://[::1]", "http://localhost"]
            .into_iter()
            .any(local)
}

fn read_server(value: &RawValue) -> Option<IceServer> {
    let value = fields(value);
    let urls = one_or_many(value.get("urls")?).into_iter();
    server(
        urls.filter_map(as_text).collect(),
        text(&value, "username"),
        text(&value, "credential"),
    )
}

/// What of a server a browser could use. A relay without a name that fits and a password would keep it from making
/// any connection (W3C WebRTC 1.0, "set a configuration").
fn server(
    mut urls: Vec<String>,
    username: Option<String>,
    credential: Option<String>,
) -> Option<IceServer> {
    let named = |name: &String| (1..=MAX_NAME_BYTES).contains(&name.len());
    let known = username.as_ref().is_some_and(named) && credential.is_some();
    urls.retain(|url| is_stun(url) || (known && is_turn(url)));
    let relays = urls.iter().any(|url| is_turn(url));
    (!urls.is_empty()).then_some(IceServer {
        urls,
        username: username.filter(|_| relays),
        credential: credential.filter(|_| relays).map(Redacted::from),
    })
}

/// The fields of an object; none of anything else.
pub(super) fn fields(value: &RawValue) -> BTreeMap<String, &RawValue> {
    serde_json::from_str(value.get()).unwrap_or_default()
}

pub(super) fn one_or_many(value: &RawValue) -> Vec<&RawValue> {
    serde_json::from_str(value.get()).unwrap_or_else(|_| vec![value])
}

pub(super) fn text(fields: &BTreeMap<String, &RawValue>, name: &str) -> Option<String> {
    fields.get(name).copied().and_then(as_text)
}

pub(super) fn as_text(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// What a variable is set to: one that is empty is not set.
pub(super) fn given(variable: &Option<String>) -> Option<&str> {
    variable
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

pub(super) fn api(address: &str) -> String {
    address.trim_end_matches('/').into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn names(settings: &Settings) -> Vec<&'static str> {
        Relay::all(settings).iter().map(Relay::name).collect()
    }

    fn way(settings: &Settings) -> Result<Way, Failure> {
        let relays = Relay::all(settings);
        assert_eq!(relays.len(), 1);
        let now = Timestamp::from_unix_millis(1_700_000_000_999);
        relays[0].way(now, PeerId::from_random(1))
    }

    fn asks(settings: &Settings) -> Result<Ask, Failure> {
        way(settings).map(|way| match way {
            Way::Ask(ask) => ask,
            Way::Granted(granted) => panic!("there was nothing to ask for: {granted:?}"),
        })
    }

    fn set(value: &str) -> Option<String> {
        Some(value.into())
    }

    fn cloudflare() -> Settings {
        Settings {
            turn_key_id: set("key"),
            turn_key_api_token: set("token"),
            ..Settings::default()
        }
    }

    fn shared() -> Settings {
        Settings {
            turn_urls: set("turn:a.example, turns:a.example:5349?transport=tcp"),
            turn_secret: set("a secret\n"),
            ..Settings::default()
        }
    }

    fn metered() -> Settings {
        Settings {
            metered_app: set("app"),
            metered_api_key: set("api-key"),
            ..Settings::default()
        }
    }

    fn reads(answer: &Value) -> Result<Granted, Failure> {
        read(200, answer.to_string().as_bytes())
    }

    fn relay(urls: &[&str]) -> IceServer {
        IceServer {
            urls: urls.iter().map(ToString::to_string).collect(),
            username: set("name"),
            credential: Some("password".into()),
        }
    }

    #[test]
    fn relays_are_tried_best_first_and_one_that_lacks_something_is_not_there() {
        assert_eq!(names(&Settings::default()), [""; 0]);
        let all = Settings {
            turn_key_id: set("key"),
            turn_key_api_token: set("token"),
            turn_urls: set("turn:a.example"),
            turn_secret: set("secret"),
            ..metered()
        };
        assert_eq!(names(&all), ["cloudflare", "shared-secret", "metered"]);
        type Set = fn(&mut Settings, Option<String>);
        let cases: [(fn() -> Settings, Set); 6] = [
            (cloudflare, |settings, to| settings.turn_key_id = to),
            (cloudflare, |settings, to| settings.turn_key_api_token = to),
            (shared, |settings, to| settings.turn_urls = to),
            (shared, |settings, to| settings.turn_secret = to),
            (metered, |settings, to| settings.metered_app = to),
            (metered, |settings, to| settings.metered_api_key = to),
        ];
        for (settings, change) in cases {
            for (value, there) in [(set("x"), 1), (None, 0), (set(""), 0), (set(" "), 0)] {
                let mut settings = settings();
                change(&mut settings, value);
                assert_eq!(names(&settings).len(), there);
            }
        }
    }

    #[test]
    fn a_shared_secret_signs_a_name_that_says_when_it_expires() {
        let Ok(Way::Granted(granted)) = way(&shared()) else {
            panic!("nobody has to be asked");
        };
        let expected = IceServer {
            urls: vec![
                "turn:a.example".into(),
                "turns:a.example:5349?transport=tcp".into(),
            ],
            username: set("1700000600:0000000001"),
            // printf %s NAME | openssl dgst -sha1 -hmac 'a secret' -binary | base64
            credential: Some("bbe7Obi2OnkUCHURobllAXjwRSM=".into()),
        };
        assert_eq!(granted.servers, [expected]);
        assert_eq!(granted.ttl, LIFE_SECONDS);
    }

    #[test]
    fn a_relay_of_ones_own_without_any_usable_url_is_misconfigured() {
        let settings = Settings {
            turn_urls: set("stun:a.example turn:a.example:53"),
            ..shared()
        };
        assert_eq!(way(&settings).err(), Some(Failure::Misconfigured));
    }

    /// Cloudflare Realtime: TURN service, "Generate Credentials".
    #[test]
    fn cloudflare_is_asked_as_its_documentation_says() {
        let ask = Ask {
            url:
                "https://rtc.live.cloudflare.com/v1/turn/keys/key/credentials/generate-ice-servers"
                    .into(),
            body: Some(r#"{"ttl":600}"#.into()),
            authorization: Some("Bearer token".into()),
        };
        assert_eq!(asks(&cloudflare()), Ok(ask));
    }

    /// metered.ca: "Get TURN Credential", "Create TURN Credential".
    #[test]
    fn metered_is_asked_as_its_documentation_says() {
        let get = Ask {
            url: "https://app.metered.live/api/v1/turn/credentials?apiKey=api-key".into(),
            body: None,
            authorization: None,
        };
        assert_eq!(asks(&metered()), Ok(get));
        let create = Ask {
            url: "https://app.metered.live/api/v1/turn/credential?secretKey=secret".into(),
            body: Some(r#"{"expiryInSeconds":600}"#.into()),
            authorization: None,
        };
        let settings = Settings {
            metered_secret_key: set("secret"),
            ..metered()
        };
        assert_eq!(asks(&settings), Ok(create));
    }

    #[test]
    fn secrets_travel_encrypted_or_stay_on_this_machine() {
        for api in [
            "https://proxy.example",
            "https://proxy.example:8443/cloudflare/",
            "http://127.0.0.1:9000",
            "http://[::1]:9000/",
            "http://localhost",
        ] {
            let settings = Settings {
                turn_api: set(api),
                ..cloudflare()
            };
            let url = asks(&settings).unwrap().url;
            let place = format!("{}/v1/turn/keys/key/", api.trim_end_matches('/'));
            assert!(url.expose().starts_with(&place), "{place}");
        }
        for api in [
            "http://proxy.example",
            "http://127.0.0.1.proxy.example",
            "http://localhost.proxy.example",
            "http://127.0.0.1:80@proxy.example",
            "ftp://127.0.0.1",
            "proxy.example",
        ] {
            let settings = Settings {
                metered_api: set(api),
                ..metered()
            };
            assert_eq!(asks(&settings), Err(Failure::Misconfigured), "{api}");
        }
    }

    #[test]
    fn one_server_or_several_and_one_url_or_several_are_all_read() {
        let one = json!({"urls": "turn:a.example", "username": "name", "credential": "password"});
        let several = json!([one, {"urls": ["stun:a.example"]}]);
        for answer in [one.clone(), json!([one]), json!({"iceServers": one})] {
            let granted = reads(&answer).unwrap();
            assert_eq!(granted.servers, [relay(&["turn:a.example"])], "{answer}");
            assert_eq!(granted.ttl, LIFE_SECONDS);
        }
        for answer in [several.clone(), json!({"iceServers": several})] {
            let granted = reads(&answer).unwrap();
            assert_eq!(granted.servers.len(), 2, "{answer}");
        }
    }

    #[test]
    fn of_an_answer_no_more_is_kept_than_a_browser_could_use() {
        let answer = json!({"iceServers": [
            {"urls": ["stun:a.example", "stun:a.example:53"], "username": "n", "credential": "c"},
            {
                "urls": ["turn:a.example:53?transport=udp", "turn:a.example", 7, "http://a.example"],
                "username": "name",
                "credential": "password",
                "credentialType": "password",
            },
            {"urls": "turn:nameless.example", "credential": "password"},
            {"urls": ["turn:mixed.example", "stun:mixed.example"], "username": "name"},
            {"urls": "turn:long.example", "username": "n".repeat(510), "credential": "password"},
            {"urls": []},
            "turn:b.example",
            null,
        ]});
        let stun = |url: &str| IceServer {
            urls: vec![url.into()],
            username: None,
            credential: None,
        };
        let kept = [
            stun("stun:a.example"),
            relay(&["turn:a.example"]),
            stun("stun:mixed.example"),
        ];
        assert_eq!(reads(&answer).unwrap().servers, kept);
    }

    #[test]
    fn a_new_credential_of_metered_is_good_for_its_servers_as_long_as_it_says() {
        let credential = |expiry: u32| {
            let answer = json!({
                "username": "name",
                "password": "password",
                "expiryInSeconds": expiry,
                "apiKey": "key",
            });
            reads(&answer).unwrap()
        };
        assert_eq!(credential(600).servers, [relay(&METERED_URLS)]);
        for (expiry, ttl) in [(600, 600), (30, 30), (86_400, 600)] {
            assert_eq!(credential(expiry).ttl, ttl);
        }
    }

    #[test]
    fn what_is_no_answer_grants_nothing() {
        for (status, body, failure) in [
            (500, "{}", Failure::Status(500)),
            (302, "", Failure::Status(302)),
            (401, r#"{"error":"Invalid API Key"}"#, Failure::Status(401)),
            (200, "", Failure::Unreadable),
            (200, "<html>", Failure::Unreadable),
            (200, "null", Failure::Unreadable),
            (200, "[]", Failure::Unreadable),
            (200, r#"{"iceServers":[]}"#, Failure::Unreadable),
            (200, r#"[{"urls":"stun:a.example"}]"#, Failure::Unreadable),
            (200, r#"[{"urls":"turn:a.example"}]"#, Failure::Unreadable),
            (200, r#"{"password":"only"}"#, Failure::Unreadable),
        ] {
            assert_eq!(read(status, body.as_bytes()), Err(failure), "{body}");
        }
        let mut padded = json!([relay_as_json()]).to_string();
        assert!(read(201, padded.as_bytes()).is_ok());
        padded += &" ".repeat(MAX_ANSWER_BYTES);
        assert_eq!(read(201, padded.as_bytes()), Err(Failure::TooLarge));
    }

    fn relay_as_json() -> Value {
        json!({"urls": "turn:a.example", "username": "name", "credential": "password"})
    }

    fn any_server() -> impl Strategy<Value = Value> {
        let text = || {
            let texts = vec![
                json!("turn:a.example"),
                json!("stun:a.example"),
                json!("turn:a.example:53"),
                json!("turns:a.example?transport=tcp"),
                json!(""),
                json!(7),
                Value::Null,
            ];
            prop::sample::select(texts)
        };
        let texts = prop::collection::vec(text(), 0..4).prop_map(Value::from);
        let name = prop::sample::select(vec!["urls", "username", "credential", "other"]);
        let field = (name.prop_map(String::from), prop_oneof![text(), texts]);
        prop::collection::vec(field, 0..6).prop_map(|fields| fields.into_iter().collect())
    }

    proptest! {
        #[test]
        fn whatever_else_is_answered_a_browser_is_given_what_it_can_use(
            mut servers in prop::collection::vec(any_server(), 0..8),
            wrapped in any::<bool>(),
        ) {
            servers.push(relay_as_json());
            let answer = if wrapped { json!({"iceServers": servers}) } else { json!(servers) };
            let granted = reads(&answer).unwrap();
            prop_assert_eq!(granted.servers.last(), Some(&relay(&["turn:a.example"])));
            for server in &granted.servers {
                prop_assert!(!server.urls.is_empty());
                prop_assert!(server.urls.iter().all(|url| is_turn(url) || is_stun(url)));
                let relays = server.urls.iter().any(|url| is_turn(url));
                prop_assert_eq!(relays, server.username.is_some());
                prop_assert_eq!(relays, server.credential.is_some());
            }
        }

        #[test]
        fn no_bytes_are_too_strange(body in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assert_eq!(read(200, &body), Err(Failure::Unreadable));
        }
    }
}
