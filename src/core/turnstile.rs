//! Who is let in where people are told from machines: whoever has a pass, which is given to whom Cloudflare
//! Turnstile took for a person.
//!
//! A pass says until when it holds, and nothing of its owner, who alone keeps it. To look at one takes neither
//! storage nor an object that would wake up for it.

use serde::Serialize;

use crate::core::redacted::Redacted;
use crate::core::seal::{Key, Seal};
use crate::core::time::{Millis, Timestamp};
use crate::core::turn::{
    Ask, Failure, api, as_text, ask, fields, given, one_or_many, readable, succeeded, text,
};

/// For how long a pass holds: a session, be it a long one.
pub const LIFE: Millis = Millis::new(12 * 60 * 60 * 1_000);

/// The longest token of the check (Cloudflare Turnstile: "Server-side validation").
pub const MAX_TOKEN_BYTES: usize = 2_048;

/// What our check is called, so that a token of another one of the same site key is none of ours
/// (`pages/pass.js` says the same).
pub const ACTION: &str = "enter";

/// The subprotocol of our WebSockets, for whoever names any (RFC 6455, section 1.9). A page can put nothing
/// else into an upgrade, so it names its pass as another one.
pub const SUBPROTOCOL: &str = "echomingle";

/// What comes before the pass there.
const PASS: &str = "pass.";

/// Where tokens are verified (Cloudflare Turnstile: "Server-side validation").
const TURNSTILE_API: &str = "https://challenges.cloudflare.com";

/// The secret that takes every test token (Cloudflare Turnstile: "Test your Turnstile implementation"). What is
/// said of such a token is of no page.
const ALWAYS_PASSES: &str = "1x0000000000000000000000000000000AA";

/// The check of a deployment that has one.
pub struct Turnstile {
    site_key: String,
    secret: String,
    api: String,
    seal: Seal,
}

/// The answer of `POST /v1/pass`.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Pass {
    /// To be named as the subprotocol `pass.<pass>` beside `echomingle`, and posted to `/v1/ice`.
    #[cfg_attr(test, ts(as = "String"))]
    pub pass: Redacted,
    /// For how many seconds it holds.
    pub ttl: u32,
}

/// Why there is no pass. Nothing of it is private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Denial {
    /// What was sent can be no token.
    Malformed,
    /// The token is that of no person, or none of this site key.
    Refused,
    /// The token was used before, or is too old.
    Spent,
    /// The token was given on another page, or for something else.
    Elsewhere,
    /// Nobody could say whether the token is good.
    Unknown(Failure),
}

impl Turnstile {
    /// By the variables of these names; none where the site key or the secret is missing. `other_api` is where
    /// tokens are verified, if not where it is for everybody.
    #[must_use]
    pub fn new(
        site_key: &Option<String>,
        secret: &Option<String>,
        other_api: &Option<String>,
    ) -> Option<Self> {
        let (site_key, secret) = (given(site_key)?, given(secret)?);
        Some(Self {
            site_key: site_key.into(),
            secret: secret.into(),
            api: api(given(other_api).unwrap_or(TURNSTILE_API)),
            seal: Seal::new(&Key::derived(secret, "echomingle pass")?),
        })
    }

    /// By what a page asks Turnstile. It is no secret.
    #[must_use]
    pub fn site_key(&self) -> &str {
        &self.site_key
    }

    /// How to learn whether a token is good. `address` is that of its owner.
    ///
    /// # Errors
    /// It is [`Denial::Malformed`], or there is nobody to ask.
    pub fn ask(&self, token: &[u8], address: Option<&str>) -> Result<Ask, Denial> {
        #[derive(Serialize)]
        struct Question<'a> {
            secret: &'a str,
            response: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            remoteip: Option<&'a str>,
        }
        let response = std::str::from_utf8(token).map_err(|_| Denial::Malformed)?;
        if response.is_empty() || response.len() > MAX_TOKEN_BYTES {
            return Err(Denial::Malformed);
        }
        let question = Question {
            secret: &self.secret,
            response,
            remoteip: address,
        };
        let body = serde_json::to_string(&question).map_err(|_| Denial::Malformed)?;
        ask(&self.api, "/turnstile/v0/siteverify", Some(body), None).map_err(Denial::Unknown)
    }

    /// What the answer to that comes to, for a page of this host.
    ///
    /// # Errors
    /// Why it gives no pass.
    pub fn verdict(&self, status: u16, body: &[u8], host: &str) -> Result<(), Denial> {
        let answer = fields(
            succeeded(status)
                .and(readable(body))
                .map_err(Denial::Unknown)?,
        );
        let is = |name, expected: &str| {
            text(&answer, name).is_some_and(|said| said.eq_ignore_ascii_case(expected))
        };
        match answer.get("success").map(|success| success.get()) {
            Some("true") if self.secret == ALWAYS_PASSES => Ok(()),
            Some("true") if is("hostname", host) && is("action", ACTION) => Ok(()),
            Some("true") => Err(Denial::Elsewhere),
            Some("false") => {
                let codes = answer.get("error-codes");
                let codes = codes.into_iter().flat_map(|codes| one_or_many(codes));
                Err(denial(&codes.filter_map(as_text).collect::<Vec<_>>()))
            }
            _ => Err(Denial::Unknown(Failure::Unreadable)),
        }
    }

    /// A new pass; nothing where none can be made.
    #[must_use]
    pub fn pass(&self, now: Timestamp) -> Option<Pass> {
        Some(Pass {
            pass: self.seal.close((), now.after(LIFE))?,
            ttl: (LIFE.get() / 1_000) as u32,
        })
    }

    /// Whether whoever has this may come in.
    #[must_use]
    pub fn admits(&self, pass: &str, now: Timestamp) -> bool {
        self.seal.open::<()>(pass, now).is_some()
    }
}

impl Denial {
    /// As the status of an HTTP answer.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Refused | Self::Spent | Self::Elsewhere => 403,
            Self::Unknown(_) => 503,
        }
    }

    /// What happened and what to do, for the person at the page.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Malformed => {
                "This is no token of the check. Send the one it gave, 2,048 characters at most."
            }
            Self::Refused => {
                "The check did not take you for a person. Try again, or in another browser."
            }
            Self::Spent => "This check is used up or too old. Try again.",
            Self::Elsewhere => "This check was made on another page. Try again on this one.",
            Self::Unknown(_) => "Nobody can be checked at this moment. Try again in a minute.",
        }
    }
}

/// The subprotocols that an upgrade names, which are a list parted by commas.
fn named(protocols: &str) -> impl Iterator<Item = &str> {
    protocols.split(',').map(str::trim)
}

/// Whether an upgrade names [`SUBPROTOCOL`], and so waits for it to be chosen.
#[must_use]
pub fn names_subprotocol(protocols: &str) -> bool {
    named(protocols).any(|name| name == SUBPROTOCOL)
}

/// The pass that an upgrade names.
#[must_use]
pub fn named_pass(protocols: &str) -> Option<&str> {
    named(protocols).find_map(|name| name.strip_prefix(PASS))
}

/// The host of an origin, which Turnstile names without its port.
#[must_use]
pub fn host(origin: &str) -> &str {
    let host = origin.rsplit('/').next().unwrap_or(origin);
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// By the error codes of siteverify (Cloudflare Turnstile: "Server-side validation").
fn denial(codes: &[String]) -> Denial {
    let has = |code: &str| codes.iter().any(|one| one == code);
    if has("missing-input-secret") || has("invalid-input-secret") {
        Denial::Unknown(Failure::Misconfigured)
    } else if has("internal-error") {
        Denial::Unknown(Failure::Unreachable)
    } else if has("timeout-or-duplicate") {
        Denial::Spent
    } else {
        Denial::Refused
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::core::turn::MAX_ANSWER_BYTES;

    const SECRET: &str = "0x4AAAAAAA-secret";
    const HOST: &str = "mingle.example";
    const NOW: Timestamp = Timestamp::from_unix_millis(1_800_000_000_000);

    fn set(value: &str) -> Option<String> {
        Some(value.into())
    }

    fn with(secret: &str, api: Option<String>) -> Turnstile {
        Turnstile::new(&set("site key"), &set(secret), &api).unwrap()
    }

    fn ours() -> Turnstile {
        with(SECRET, None)
    }

    fn verdict(answer: &Value) -> Result<(), Denial> {
        ours().verdict(200, answer.to_string().as_bytes(), HOST)
    }

    /// Cloudflare Turnstile: "Server-side validation".
    fn success() -> Value {
        json!({
            "success": true,
            "challenge_ts": "2022-02-28T15:14:30.096Z",
            "hostname": HOST,
            "error-codes": [],
            "action": ACTION,
            "cdata": "",
            "metadata": {"interactive": false},
        })
    }

    #[test]
    fn there_is_a_check_where_both_the_site_key_and_the_secret_are_set() {
        let there = |key, secret| Turnstile::new(&key, &secret, &None).is_some();
        assert!(there(set("key"), set("secret")));
        for (key, secret) in [
            (None, None),
            (set("key"), None),
            (None, set("secret")),
            (set(" "), set("secret")),
            (set("key"), set("\n")),
        ] {
            assert!(!there(key.clone(), secret.clone()), "{key:?} {secret:?}");
        }
    }

    #[test]
    fn siteverify_is_asked_with_the_secret_the_token_and_the_address() {
        let ask = ours().ask(b"a \"token\"", Some("192.0.2.1")).unwrap();
        let url = "https://challenges.cloudflare.com/turnstile/v0/siteverify";
        assert_eq!(ask.url.expose(), url);
        assert_eq!(ask.authorization, None);
        let printed = format!("{ask:?}");
        assert!(!printed.contains(SECRET), "{printed}");
        let body = |ask: Ask| serde_json::from_str::<Value>(ask.body.unwrap().expose()).unwrap();
        let expected =
            json!({"secret": SECRET, "response": "a \"token\"", "remoteip": "192.0.2.1"});
        assert_eq!(body(ask), expected);
        let ask = ours().ask(b"token", None).unwrap();
        assert_eq!(body(ask), json!({"secret": SECRET, "response": "token"}));
    }

    #[test]
    fn another_api_is_asked_over_https_or_on_the_same_machine() {
        let url = |api: &str| Ok(with(SECRET, set(api)).ask(b"token", None)?.url);
        for api in ["https://proxy.example/", "http://127.0.0.1:8080"] {
            let expected = format!("{}/turnstile/v0/siteverify", api.trim_end_matches('/'));
            assert_eq!(url(api), Ok(expected.into()));
        }
        let misconfigured = Denial::Unknown(Failure::Misconfigured);
        assert_eq!(url("http://proxy.example"), Err(misconfigured));
    }

    #[test]
    fn nobody_is_asked_of_what_can_be_no_token() {
        let longest = "t".repeat(MAX_TOKEN_BYTES);
        assert!(ours().ask(longest.as_bytes(), None).is_ok());
        let too_long = format!("{longest}t");
        for body in [&b""[..], &[0xff], too_long.as_bytes()] {
            assert_eq!(ours().ask(body, None), Err(Denial::Malformed), "{body:?}");
        }
    }

    #[test]
    fn a_person_at_our_page_is_let_in() {
        assert_eq!(verdict(&success()), Ok(()));
        let mut shouted = success();
        shouted["hostname"] = json!(HOST.to_uppercase());
        assert_eq!(verdict(&shouted), Ok(()));
    }

    #[test]
    fn a_token_of_another_page_or_for_something_else_is_refused() {
        for (name, value) in [
            ("hostname", json!("evil.example")),
            ("hostname", json!("mingle.example.evil.example")),
            ("hostname", json!("")),
            ("hostname", Value::Null),
            ("hostname", json!([HOST])),
            ("action", json!("login")),
            ("action", json!("")),
            ("action", Value::Null),
        ] {
            let mut answer = success();
            answer[name] = value.clone();
            assert_eq!(verdict(&answer), Err(Denial::Elsewhere), "{name} {value}");
        }
    }

    #[test]
    fn what_is_said_of_a_test_token_is_of_no_page() {
        let answer = json!({"success": true, "hostname": "example.com", "action": "test"});
        let body = answer.to_string();
        let test = with(ALWAYS_PASSES, None);
        assert_eq!(test.verdict(200, body.as_bytes(), HOST), Ok(()));
        assert_eq!(verdict(&answer), Err(Denial::Elsewhere));
    }

    #[test]
    fn each_error_code_means_what_its_documentation_says() {
        let misconfigured = Denial::Unknown(Failure::Misconfigured);
        for (code, why) in [
            ("missing-input-secret", misconfigured),
            ("invalid-input-secret", misconfigured),
            ("missing-input-response", Denial::Refused),
            ("invalid-input-response", Denial::Refused),
            ("bad-request", Denial::Refused),
            ("timeout-or-duplicate", Denial::Spent),
            ("internal-error", Denial::Unknown(Failure::Unreachable)),
            ("of-tomorrow", Denial::Refused),
        ] {
            let answer = json!({"success": false, "error-codes": [code]});
            assert_eq!(verdict(&answer), Err(why), "{code}");
        }
        for codes in [
            json!([]),
            json!({"internal-error": 1}),
            json!([7]),
            Value::Null,
        ] {
            let answer = json!({"success": false, "error-codes": codes});
            assert_eq!(verdict(&answer), Err(Denial::Refused), "{codes}");
        }
        assert_eq!(verdict(&json!({"success": false})), Err(Denial::Refused));
    }

    #[test]
    fn what_is_no_answer_lets_nobody_in() {
        let unknown = |failure| Err(Denial::Unknown(failure));
        let said = |status, body: &str| ours().verdict(status, body.as_bytes(), HOST);
        let good = success().to_string();
        assert_eq!(said(500, &good), unknown(Failure::Status(500)));
        assert_eq!(said(302, ""), unknown(Failure::Status(302)));
        let long = format!("{good}{}", " ".repeat(MAX_ANSWER_BYTES));
        assert_eq!(said(200, &long), unknown(Failure::TooLarge));
        for success in ["\"true\"", "1", "null", "[true]", "{}"] {
            let odd = good.replace("\"success\":true", &format!("\"success\":{success}"));
            assert_ne!(odd, good);
            assert_eq!(said(200, &odd), unknown(Failure::Unreadable), "{odd}");
        }
        for body in ["", "<html>", "true", "[]", "{}", "null", &good[1..]] {
            assert_eq!(said(200, body), unknown(Failure::Unreadable), "{body}");
        }
    }

    #[test]
    fn a_pass_admits_for_twelve_hours() {
        let Pass { pass, ttl } = ours().pass(NOW).unwrap();
        let pass = pass.expose();
        assert_eq!(ttl, 12 * 60 * 60);
        let token = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        assert!(pass.bytes().all(token), "a subprotocol cannot hold {pass}");
        let last = NOW.after(LIFE).before(Millis::new(1));
        assert!(ours().admits(pass, NOW) && ours().admits(pass, last));
        assert!(!ours().admits(pass, NOW.after(LIFE)));
        assert!(!ours().admits("", NOW));
    }

    #[test]
    fn a_pass_of_another_secret_or_of_another_kind_admits_nobody() {
        let Pass { pass, .. } = with("another", None).pass(NOW).unwrap();
        assert!(!ours().admits(pass.expose(), NOW));
        let of_secret = |purpose| Seal::new(&Key::derived(SECRET, purpose).unwrap());
        let until = NOW.after(LIFE);
        let other = of_secret("something else").close((), until).unwrap();
        assert!(!ours().admits(other.expose(), NOW));
        let seat = of_secret("echomingle pass").close(7_u32, until).unwrap();
        assert!(!ours().admits(seat.expose(), NOW));
    }

    #[test]
    fn an_upgrade_names_its_pass_beside_the_subprotocol() {
        for protocols in [
            "echomingle, pass.a-b_c",
            "echomingle,pass.a-b_c",
            " pass.a-b_c ,x, echomingle",
        ] {
            assert_eq!(named_pass(protocols), Some("a-b_c"), "{protocols}");
            assert!(names_subprotocol(protocols), "{protocols}");
        }
        for protocols in [
            "",
            "echomingle2",
            "Echomingle",
            "apass.x",
            "pass",
            "xpass.y",
        ] {
            assert_eq!(named_pass(protocols), None, "{protocols}");
            assert!(!names_subprotocol(protocols), "{protocols}");
        }
    }

    #[test]
    fn the_host_of_an_origin_has_no_port() {
        for (origin, expected) in [
            ("https://mingle.example", "mingle.example"),
            ("http://localhost:8787", "localhost"),
            ("https://[2001:db8::1]", "[2001:db8::1]"),
            ("http://[::1]:80", "[::1]"),
        ] {
            assert_eq!(host(origin), expected);
        }
    }

    #[test]
    fn every_denial_says_what_to_do() {
        for denial in [
            Denial::Malformed,
            Denial::Refused,
            Denial::Spent,
            Denial::Elsewhere,
            Denial::Unknown(Failure::Timeout),
        ] {
            let message = denial.message();
            assert!(message.ends_with('.') && message.matches(". ").count() == 1);
            assert!((400..600).contains(&denial.status()));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_let_anybody_in(body in prop::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(ours().verdict(200, &body, HOST).is_err());
        }
    }
}
