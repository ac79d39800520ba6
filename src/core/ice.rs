//! The ICE servers that clients are told of: by which they learn their public address, and through which
//! they talk where no direct way is.

use serde::Serialize;

use crate::core::redacted::Redacted;
use crate::core::turn::{Granted, Relay};

/// Used where the deployment names no other. Cloudflare's public STUN server
/// (Cloudflare Realtime: TURN service, "STUN").
pub const DEFAULT_STUN: &str = "stun:stun.cloudflare.com:3478";

/// For how many seconds a client may keep an answer without relays: plain STUN never expires, but a
/// deployment that adds a relay should be noticed within the hour.
pub const STUN_TTL_SECONDS: u32 = 3_600;

/// For how many seconds it may keep an answer that lacks relays because all that are configured failed, or
/// because a check comes first.
pub const RETRY_TTL_SECONDS: u32 = 30;

/// The answer of `GET /v1/ice`.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct IceConfiguration {
    /// As `RTCConfiguration.iceServers` takes them, best first.
    pub ice_servers: Vec<IceServer>,
    /// For how many seconds they hold, counted from when they were asked for.
    pub ttl: u32,
    /// Whether whoever has not chosen uses relays only, so as to hide its address; there may be none.
    pub hide_address: bool,
    /// The site key of Cloudflare Turnstile, where a pass is needed and none that is good came along.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub check: Option<String>,
}

/// An `RTCIceServer` (W3C WebRTC 1.0, section 4.2.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct IceServer {
    /// URLs of the schemes `stun`, `stuns`, `turn` or `turns`.
    pub urls: Vec<String>,
    /// Who one is to a relay.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub username: Option<String>,
    /// The password that belongs to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, as = "Option<String>"))]
    pub credential: Option<Redacted>,
}

/// What a deployment is configured with, as it stands there: each field is the variable of its name in
/// capitals. A relay that lacks one of its variables is not there.
#[derive(Default)]
pub struct Settings {
    /// STUN URLs parted by commas or spaces; [`DEFAULT_STUN`] where it is not set.
    pub stun_urls: Option<String>,
    /// The id of a TURN key of Cloudflare.
    pub turn_key_id: Option<String>,
    /// The API token of that key.
    pub turn_key_api_token: Option<String>,
    /// Where Cloudflare's API is, if not where it is for everybody.
    pub turn_api: Option<String>,
    /// The URLs of a TURN server of one's own, parted by commas or spaces.
    pub turn_urls: Option<String>,
    /// The secret shared with it.
    pub turn_secret: Option<String>,
    /// The name of an app at metered.ca.
    pub metered_app: Option<String>,
    /// The secret key of that app, by which each answer gets a credential that expires.
    pub metered_secret_key: Option<String>,
    /// The API key of one credential of that app, which everybody is then told.
    pub metered_api_key: Option<String>,
    /// Where metered.ca's API is, if not where it is for this app.
    pub metered_api: Option<String>,
    /// `on` where clients are to use nothing but relays.
    pub hide_address: Option<String>,
}

/// What came of asking for relays.
pub enum Relaying {
    /// A relay may be used.
    Granted(Granted),
    /// None is configured, or whoever asks is to have none.
    Unasked,
    /// None of those that are configured could be had.
    Failed,
    /// Whoever asks has to pass a check first, by this site key.
    Unchecked(String),
}

impl Settings {
    /// The relays to try, best first.
    #[must_use]
    pub fn relays(&self) -> Vec<Relay> {
        Relay::all(self)
    }

    /// The answer to a client. Plain STUN is there beside relays too: whoever can talk directly does.
    #[must_use]
    pub fn configuration(&self, relaying: Relaying) -> IceConfiguration {
        let (mut ice_servers, ttl, check) = match relaying {
            Relaying::Granted(Granted { servers, ttl }) => (servers, ttl, None),
            Relaying::Unasked => (Vec::new(), STUN_TTL_SECONDS, None),
            Relaying::Failed => (Vec::new(), RETRY_TTL_SECONDS, None),
            Relaying::Unchecked(site_key) => (Vec::new(), RETRY_TTL_SECONDS, Some(site_key)),
        };
        let mut urls = urls(self.stun_urls.as_deref().unwrap_or(DEFAULT_STUN), is_stun);
        urls.retain(|url| !ice_servers.iter().any(|server| server.urls.contains(url)));
        if !urls.is_empty() {
            ice_servers.push(IceServer {
                urls,
                username: None,
                credential: None,
            });
        }
        IceConfiguration {
            ice_servers,
            ttl,
            hide_address: self.hide_address.as_deref().map(str::trim) == Some("on"),
            check,
        }
    }
}

/// Those of a list of URLs, parted by commas or spaces, that a browser could use.
pub(crate) fn urls(list: &str, fits: fn(&str) -> bool) -> Vec<String> {
    list.split([',', ' ', '\n'])
        .map(str::trim)
        .filter(|url| fits(url))
        .map(String::from)
        .collect()
}

/// Whether it is the URL of a STUN server (RFC 7064) that a browser could use.
pub(crate) fn is_stun(url: &str) -> bool {
    let rest = url
        .strip_prefix("stun:")
        .or_else(|| url.strip_prefix("stuns:"));
    rest.is_some_and(is_place)
}

/// Whether it is the URL of a relay (RFC 7065) that a browser could use.
pub(crate) fn is_turn(url: &str) -> bool {
    let rest = url
        .strip_prefix("turn:")
        .or_else(|| url.strip_prefix("turns:"));
    rest.is_some_and(|rest| match rest.split_once('?') {
        Some((place, transport)) => {
            is_place(place) && matches!(transport, "transport=udp" | "transport=tcp")
        }
        None => is_place(rest),
    })
}

/// A host and perhaps a port. One malformed URL keeps a browser from making any connection (W3C WebRTC
/// 1.0, "set a configuration"), and port 53 is one that browsers refuse to use.
fn is_place(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (text, "3478"),
    };
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let of_address = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let named = match host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        Some(address) => !address.is_empty() && address.bytes().all(of_address),
        None => !host.is_empty() && host.bytes().all(of_name),
    };
    let numbered = port.bytes().all(|byte| byte.is_ascii_digit())
        && port
            .parse::<u16>()
            .is_ok_and(|port| port != 0 && port != 53);
    named && numbered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stun(urls: &[&str]) -> IceServer {
        IceServer {
            urls: urls.iter().map(ToString::to_string).collect(),
            username: None,
            credential: None,
        }
    }

    fn with_stun(list: Option<&str>, relaying: Relaying) -> IceConfiguration {
        let settings = Settings {
            stun_urls: list.map(String::from),
            ..Settings::default()
        };
        settings.configuration(relaying)
    }

    #[test]
    fn there_is_a_stun_server_without_any_configuration() {
        let answer = with_stun(None, Relaying::Unasked);
        assert_eq!(answer.ice_servers, [stun(&[DEFAULT_STUN])]);
        assert_eq!(answer.ttl, STUN_TTL_SECONDS);
        assert!(!answer.hide_address);
    }

    #[test]
    fn what_a_browser_could_not_use_is_left_out() {
        let list = "stun:a.example:3478, stun:b.example:53 http://c.example,stuns:d.example";
        let answer = with_stun(Some(list), Relaying::Unasked);
        let expected = stun(&["stun:a.example:3478", "stuns:d.example"]);
        assert_eq!(answer.ice_servers, [expected]);
        assert_eq!(with_stun(Some(""), Relaying::Unasked).ice_servers, []);
    }

    #[test]
    fn urls_are_read_as_browsers_read_them() {
        for place in [
            "a.example",
            "a.example:3478",
            "192.0.2.1:80",
            "[2001:db8::53]",
            "[2001:db8::1]:65535",
            "a_b-c.example:5349",
        ] {
            for scheme in ["stun", "stuns"] {
                assert!(is_stun(&format!("{scheme}:{place}")), "{place}");
                assert!(!is_turn(&format!("{scheme}:{place}")), "{place}");
                assert!(!is_stun(&format!("{scheme}:{place}?transport=udp")));
            }
            for scheme in ["turn", "turns"] {
                for transport in ["", "?transport=udp", "?transport=tcp"] {
                    let url = format!("{scheme}:{place}{transport}");
                    assert!(is_turn(&url), "{url}");
                    assert!(!is_stun(&url), "{url}");
                }
                for query in ["?", "?transport=sctp", "?transport=udp&x", "?x=y"] {
                    assert!(!is_turn(&format!("{scheme}:{place}{query}")), "{query}");
                }
            }
        }
        for place in [
            "",
            ":3478",
            "a.example:",
            "a.example:53",
            "[2001:db8::1]:53",
            "a.example:0",
            "a.example:65536",
            "a.example:+80",
            "a.example:80:80",
            "2001:db8::1",
            "[]",
            "[a.example]",
            "//a.example",
            "a b",
            "a.example/",
            "someone@a.example",
            "é.example",
        ] {
            assert!(!is_stun(&format!("stun:{place}")), "{place}");
            assert!(!is_turn(&format!("turn:{place}")), "{place}");
        }
    }

    #[test]
    fn stun_is_there_beside_relays_and_nothing_twice() {
        let relay = IceServer {
            urls: vec![DEFAULT_STUN.into(), "turn:a.example".into()],
            username: Some("name".into()),
            credential: Some("password".into()),
        };
        let granted = || {
            Relaying::Granted(Granted {
                servers: vec![relay.clone()],
                ttl: 5,
            })
        };
        let answer = with_stun(None, granted());
        assert_eq!((answer.ice_servers.len(), answer.ttl), (1, 5));
        let answer = with_stun(Some("stun:b.example"), granted());
        assert_eq!(answer.ice_servers, [relay, stun(&["stun:b.example"])]);
    }

    #[test]
    fn who_gets_no_relay_for_a_failure_asks_again_soon() {
        let answer = with_stun(None, Relaying::Failed);
        assert_eq!(answer.ice_servers, [stun(&[DEFAULT_STUN])]);
        assert_eq!(answer.ttl, RETRY_TTL_SECONDS);
    }

    #[test]
    fn who_has_to_pass_a_check_first_is_told_so_and_nobody_else() {
        let answer = with_stun(None, Relaying::Unchecked("site key".into()));
        assert_eq!(answer.ice_servers, [stun(&[DEFAULT_STUN])]);
        assert_eq!(answer.ttl, RETRY_TTL_SECONDS);
        assert_eq!(answer.check.as_deref(), Some("site key"));
        let written = serde_json::to_string(&with_stun(None, Relaying::Unasked)).unwrap();
        assert!(!written.contains("check"), "{written}");
    }

    #[test]
    fn addresses_are_hidden_where_it_is_switched_on() {
        for (text, hidden) in [("on", true), (" on\n", true), ("off", false), ("", false)] {
            let settings = Settings {
                hide_address: Some(text.into()),
                ..Settings::default()
            };
            let answer = settings.configuration(Relaying::Unasked);
            assert_eq!(answer.hide_address, hidden, "{text:?}");
        }
    }

    #[test]
    fn a_server_without_a_password_is_written_without_the_fields() {
        let written = serde_json::to_string(&stun(&["stun:a.example"])).unwrap();
        assert_eq!(written, r#"{"urls":["stun:a.example"]}"#);
    }
}
