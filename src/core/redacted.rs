//! Text that no log may hold: session descriptions, tokens, credentials.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Shows nothing but its length to whoever prints it, and all of it to whoever is sent it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Redacted(String);

impl Redacted {
    /// The text itself, for where it is to go.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Redacted {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use crate::core::actor::Effect;
    use crate::core::id::PeerId;
    use crate::core::protocol::parse;

    #[test]
    fn nothing_that_is_said_can_be_printed() {
        let peer = PeerId::from_random(1);
        for frame in [
            r#"{"type":"find","mode":"video","offer":"secret"}"#,
            r#"{"type":"offer","offer":"secret"}"#,
            r#"{"type":"resume","token":"secret"}"#,
            &format!(r#"{{"type":"signal","to":"{peer}","data":"secret"}}"#),
        ] {
            let printed = format!("{:?}", parse(frame).unwrap());
            assert!(printed.contains(" bytes"), "{printed}");
            assert!(!printed.contains("secret"), "{printed}");
        }
        let welcome = Effect::welcome(peer, Some("secret".into()), Vec::new());
        assert!(!format!("{welcome:?}").contains("secret"));
    }
}
