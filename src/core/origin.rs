//! Which web pages may use this server: its own, and those that the deployment names.
//!
//! A browser puts the page's origin on every WebSocket upgrade and cross-origin request and lets no
//! page forge it (RFC 6454; Fetch, section 3.2), so this keeps other people's sites from spending this
//! deployment's quota. Programs that are not browsers send what they like or nothing; limits hold for
//! them all the same.

/// The origins allowed beside the server's own: a list of origins parted by commas or spaces, where
/// `*` stands for one label of a host name (`https://*.example.pages.dev`) and alone for everybody.
#[derive(Debug, Clone, Default)]
pub struct AllowedOrigins(Vec<String>);

impl AllowedOrigins {
    /// Reads the list as it stands in the configuration.
    #[must_use]
    pub fn from_list(list: &str) -> Self {
        let parts = list
            .split([',', ' '])
            .map(|part| part.trim_end_matches('/'));
        Self(
            parts
                .filter(|part| !part.is_empty())
                .map(str::to_ascii_lowercase)
                .collect(),
        )
    }

    /// Whether a page of `origin` may use the server that answers under `own` (scheme, host and port).
    #[must_use]
    pub fn allows(&self, origin: &str, own: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        origin == own || self.0.iter().any(|pattern| fits(&origin, pattern))
    }
}

/// Who sends a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// A page that may use this server.
    Page,
    /// A page that may not.
    Stranger,
    /// A program that does not say, or a page that cannot read the answer.
    Unknown,
}

impl Sender {
    /// By the headers `origin` and `sec-fetch-site`. A browser puts no origin on a page's `GET` to the
    /// server that the page is from, and says there `same-origin` instead (W3C Fetch Metadata, section
    /// 2.3), where the page is one that may use a camera at all: over `https`, or on this machine.
    #[must_use]
    pub fn of(
        origin: Option<&str>,
        fetch_site: Option<&str>,
        allowed: &AllowedOrigins,
        own: &str,
    ) -> Self {
        match (origin, fetch_site) {
            (Some(origin), _) if allowed.allows(origin, own) => Self::Page,
            (Some(_), _) => Self::Stranger,
            (None, Some("same-origin")) => Self::Page,
            (None, _) => Self::Unknown,
        }
    }
}

fn fits(origin: &str, pattern: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else {
        return origin == pattern;
    };
    pattern == "*"
        || origin
            .strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after))
            .is_some_and(|label| {
                let of_label = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
                !label.is_empty() && label.bytes().all(of_label)
            })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "https://signal.example";

    #[test]
    fn its_own_pages_need_no_configuration() {
        let none = AllowedOrigins::from_list("");
        assert!(none.allows(OWN, OWN));
        assert!(!none.allows("https://elsewhere.example", OWN));
        assert!(!none.allows("null", OWN));
    }

    #[test]
    fn named_pages_are_allowed_and_their_previews_by_a_pattern() {
        let list = "https://mingle.pages.dev/, https://*.mingle.pages.dev";
        let allowed = AllowedOrigins::from_list(list);
        assert!(allowed.allows("https://mingle.pages.dev", OWN));
        assert!(allowed.allows("https://4f2a.mingle.pages.dev", OWN));
        for foreign in [
            "http://mingle.pages.dev",
            "https://a.b.mingle.pages.dev",
            "https://.mingle.pages.dev",
            "https://evil.example/.mingle.pages.dev",
            "https://mingle.pages.dev.evil.example",
        ] {
            assert!(!allowed.allows(foreign, OWN), "{foreign}");
        }
    }

    #[test]
    fn a_page_is_known_by_its_origin_or_by_having_none_of_its_own() {
        let allowed = AllowedOrigins::from_list("https://mingle.pages.dev");
        let of = |origin, site| Sender::of(origin, site, &allowed, OWN);
        for site in [None, Some("same-origin"), Some("cross-site"), Some("none")] {
            assert_eq!(of(Some(OWN), site), Sender::Page);
            assert_eq!(of(Some("https://mingle.pages.dev"), site), Sender::Page);
            assert_eq!(of(Some("https://evil.example"), site), Sender::Stranger);
            assert_eq!(of(Some("null"), site), Sender::Stranger);
        }
        assert_eq!(of(None, Some("same-origin")), Sender::Page);
        for site in ["same-site", "cross-site", "none", "", "same-origin, none"] {
            assert_eq!(of(None, Some(site)), Sender::Unknown, "{site}");
        }
        assert_eq!(of(None, None), Sender::Unknown);
    }

    #[test]
    fn a_star_alone_is_everybody() {
        assert!(AllowedOrigins::from_list("*").allows("https://any.example", OWN));
    }
}
