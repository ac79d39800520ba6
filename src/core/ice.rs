//! The ICE servers that clients are told of: by which they learn their public address.

use serde::Serialize;

/// Used where the deployment names no other. Cloudflare's public STUN server
/// (Cloudflare Realtime: TURN service, "STUN").
pub const DEFAULT_STUN: &str = "stun:stun.cloudflare.com:3478";

/// For how many seconds a client may keep the answer: plain STUN never expires, but a deployment
/// that adds a relay should be noticed within the hour.
pub const TTL_SECONDS: u32 = 3_600;

/// The answer of `GET /v1/ice`.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct IceConfiguration {
    /// As `RTCConfiguration.iceServers` takes them, best first.
    pub ice_servers: Vec<IceServer>,
    /// For how many seconds they hold.
    pub ttl: u32,
}

/// An `RTCIceServer` (W3C WebRTC 1.0, section 4.2.4).
#[derive(Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct IceServer {
    /// URLs of the schemes `stun`, `stuns`, `turn` or `turns`.
    pub urls: Vec<String>,
}

/// The ICE servers for a list of STUN URLs parted by commas or spaces. What is no STUN URL is left
/// out, and so is port 53, which browsers refuse to use.
#[must_use]
pub fn from_stun_urls(list: Option<&str>) -> IceConfiguration {
    let usable = |url: &&str| {
        (url.starts_with("stun:") || url.starts_with("stuns:")) && !url.ends_with(":53")
    };
    let urls: Vec<String> = list
        .unwrap_or(DEFAULT_STUN)
        .split([',', ' '])
        .filter(usable)
        .map(String::from)
        .collect();
    IceConfiguration {
        ice_servers: match urls.is_empty() {
            true => Vec::new(),
            false => vec![IceServer { urls }],
        },
        ttl: TTL_SECONDS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(list: Option<&str>) -> Vec<String> {
        let servers = from_stun_urls(list).ice_servers;
        servers.into_iter().flat_map(|server| server.urls).collect()
    }

    #[test]
    fn there_is_a_stun_server_without_any_configuration() {
        assert_eq!(urls(None), [DEFAULT_STUN]);
    }

    #[test]
    fn what_a_browser_could_not_use_is_left_out() {
        let list = "stun:a.example:3478, stun:b.example:53 http://c.example,stuns:d.example";
        assert_eq!(urls(Some(list)), ["stun:a.example:3478", "stuns:d.example"]);
        assert_eq!(from_stun_urls(Some("")).ice_servers, []);
    }
}
