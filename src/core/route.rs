//! Which path leads where.

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `/v1/match`: a WebSocket to meet somebody at random.
    Match,
    /// `/v1/ice`: the ICE servers.
    Ice,
    /// `/v1/stats`: how many people there are.
    Stats,
    /// `/healthz`: whether the Worker answers, and its version.
    Health,
}

impl Route {
    /// The route of a path, without its query.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        match path {
            "/v1/match" => Some(Self::Match),
            "/v1/ice" => Some(Self::Ice),
            "/v1/stats" => Some(Self::Stats),
            "/healthz" => Some(Self::Health),
            _ => None,
        }
    }
}

/// The origin and the path of an absolute URL, without query and fragment.
#[must_use]
pub fn split_url(url: &str) -> (&str, &str) {
    let host = url.find("://").map_or(0, |colon| colon + 3);
    let path = url[host..]
        .find(['/', '?', '#'])
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
        assert_eq!(Route::of("/v1/match"), Some(Route::Match));
        for path in ["", "/", "/v1/match/", "/V1/match", "/v1"] {
            assert_eq!(Route::of(path), None, "{path}");
        }
    }
}
