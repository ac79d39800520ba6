//! Which path leads where.

use crate::core::layout::LobbyName;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route<'a> {
    /// `/v1/match`: a WebSocket to meet somebody at random. `/v1/match/{lobby}`: in this lobby.
    Match(Option<LobbyName>),
    /// `/v1/rooms/{room}`: a WebSocket to the room of this name, `[A-Za-z0-9_-]{1,64}`.
    Room(&'a str),
    /// `/v1/ice`: the ICE servers.
    Ice,
    /// `/v1/pass`: a pass for a token of the check.
    Pass,
    /// `/v1/stats`: how many people there are.
    Stats,
    /// `/healthz`: whether the Worker answers, and its version.
    Health,
}

/// The longest name of a room, in characters.
const MAX_ROOM_CHARS: usize = 64;

impl<'a> Route<'a> {
    /// The route of a path, without its query.
    #[must_use]
    pub fn of(path: &'a str) -> Option<Self> {
        if let Some(lobby) = path.strip_prefix("/v1/match/") {
            return lobby.parse().ok().map(Some).map(Self::Match);
        }
        if let Some(room) = path.strip_prefix("/v1/rooms/") {
            return names_a_room(room).then_some(Self::Room(room));
        }
        match path {
            "/v1/match" => Some(Self::Match(None)),
            "/v1/ice" => Some(Self::Ice),
            "/v1/pass" => Some(Self::Pass),
            "/v1/stats" => Some(Self::Stats),
            "/healthz" => Some(Self::Health),
            _ => None,
        }
    }

    /// Whether this is asked with a method. A pass is posted, also when the check it is of is switched off.
    #[must_use]
    pub fn takes(self, method: &str) -> bool {
        match self {
            Self::Pass => method == "POST",
            Self::Ice => method == "GET" || method == "POST",
            Self::Match(_) | Self::Room(_) | Self::Stats | Self::Health => method == "GET",
        }
    }
}

fn names_a_room(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=MAX_ROOM_CHARS).contains(&text.len()) && text.bytes().all(fits)
}

/// The origin and the path of an absolute URL, without query and fragment.
#[must_use]
pub fn split_url(url: &str) -> (&str, &str) {
    let host = url.find('/').map_or(0, |slash| slash + "//".len());
    let path = url
        .get(host..)
        .and_then(|rest| rest.find(['/', '?', '#']))
        .map_or(url.len(), |slash| host + slash);
    let end = url[path..]
        .find(['?', '#'])
        .map_or(url.len(), |query| path + query);
    (&url[..path], &url[path..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_split_into_origin_and_path() {
        for (url, origin, path) in [
            (
                "https://a.example/v1/match",
                "https://a.example",
                "/v1/match",
            ),
            (
                "http://a.example:8787/v1/ice?x=/y#z",
                "http://a.example:8787",
                "/v1/ice",
            ),
            ("http://a.example", "http://a.example", ""),
            ("http://a.example?x", "http://a.example", ""),
            ("http://[::1]:80/#/", "http://[::1]:80", "/"),
        ] {
            assert_eq!(split_url(url), (origin, path));
        }
    }

    #[test]
    fn only_known_paths_lead_somewhere() {
        assert_eq!(Route::of("/v1/match"), Some(Route::Match(None)));
        let half = Some("weur/2".parse().unwrap());
        assert_eq!(Route::of("/v1/match/weur/2"), Some(Route::Match(half)));
        for path in [
            "",
            "/",
            "/v1/match/",
            "/V1/match",
            "/v1",
            "/v1/match/mars",
            "/v1/match/weur/2/",
            "/v1/match/weur/1024",
        ] {
            assert_eq!(Route::of(path), None, "{path}");
        }
    }

    #[test]
    fn all_is_asked_by_get_but_what_takes_a_pass_or_gives_one() {
        let all = [
            Route::Match(None),
            Route::Room("r"),
            Route::Stats,
            Route::Health,
        ];
        for route in all {
            assert!(route.takes("GET") && !route.takes("POST"), "{route:?}");
        }
        assert!(Route::Ice.takes("GET") && Route::Ice.takes("POST"));
        assert!(Route::Pass.takes("POST") && !Route::Pass.takes("GET"));
        assert!(!Route::Ice.takes("PUT") && !Route::Pass.takes("PUT"));
    }

    #[test]
    fn a_room_has_a_name_of_plain_letters() {
        let longest = "r".repeat(MAX_ROOM_CHARS);
        for name in ["r", "Zz_09-", &longest] {
            let path = format!("/v1/rooms/{name}");
            assert_eq!(Route::of(&path), Some(Route::Room(name)));
        }
        for name in ["", "a/b", "a b", "%41", "é", "a.b", &format!("{longest}r")] {
            let path = format!("/v1/rooms/{name}");
            assert_eq!(Route::of(&path), None, "{path}");
        }
        assert_eq!(Route::of("/v1/rooms"), None);
    }
}
