//! What a person likes, in the one spelling by which two people's interests are compared.

use serde::{Deserialize, Serialize};

use crate::core::words::words;

/// The most interests that one search may name.
pub const MAX_INTERESTS: usize = 8;
/// The most characters of one interest.
pub const MAX_INTEREST_CHARS: usize = 32;

/// An interest in lower case and in [`words`], never empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Interest(String);

impl Interest {
    /// The interest in `text`, or nothing where nothing of it can be seen.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Some(Self(words(text)?.to_lowercase()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The interests among `texts`, each once, in order of the alphabet.
#[must_use]
pub fn interests(texts: &[String]) -> Vec<Interest> {
    let mut all = Vec::with_capacity(texts.len());
    for interest in texts.iter().filter_map(|text| Interest::from_text(text)) {
        if let Err(place) = all.binary_search(&interest) {
            all.insert(place, interest);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_does_not_keep_people_apart() {
        let texts = [
            "  Jazz ",
            "ASTRONOMY",
            "ja\u{200b}zz",
            "Film   noir",
            "\u{3164}",
            "ÉTÉ",
        ]
        .map(String::from);
        let found = interests(&texts);
        let found: Vec<_> = found.iter().map(Interest::as_str).collect();
        assert_eq!(found, ["astronomy", "film noir", "jazz", "été"]);
    }
}
