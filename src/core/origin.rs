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
    fn a_star_alone_is_everybody() {
        assert!(AllowedOrigins::from_list("*").allows("https://any.example", OWN));
    }
}
