//! What people write of themselves, a name or an interest, as words that can be seen.
//!
//! Whoever writes it need not use our page, so what stands here is what others are shown: nobody is called
//! nothing, and no name turns around what stands beside it. Pages hold what peers tell each other to the same
//! rule (`pages/words.js`); `tests/fixtures/words.json` is read by both.

/// The words in `text` with single spaces between; nothing where nothing of it can be seen.
#[must_use]
pub fn words(text: &str) -> Option<String> {
    let mut own = String::with_capacity(text.len());
    let mut seen = false;
    let mut apart = false;
    for c in text.chars().filter(|&c| !unseen(c) || shapes(c)) {
        if c.is_control() || c.is_whitespace() {
            apart = !own.is_empty();
            continue;
        }
        if apart {
            own.push(' ');
            apart = false;
        }
        own.push(c);
        seen |= !unseen(c);
    }
    seen.then_some(own)
}

/// Whether a character takes no place of its own or an empty one: those that Unicode has for ignorable
/// (`Default_Ignorable_Code_Point`, which holds all that change the direction of text), the marks of
/// annotations, the empty cell of Braille and the empty head of a note.
const fn unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Those of them without which others look wrong: joiners of letters and of emoji, variation selectors, and
/// the tags that some flags are spelled with.
const fn shapes(c: char) -> bool {
    matches!(c,
        '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{200c}'..='\u{200d}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{e0020}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// What the JavaScript tests read, too.
    fn fixture(key: &str) -> Vec<Value> {
        let text = include_str!("../../tests/fixtures/words.json");
        match serde_json::from_str::<Value>(text).map(|mut all| all[key].take()) {
            Ok(Value::Array(all)) => all,
            other => panic!("{key} is no list: {other:?}"),
        }
    }

    #[test]
    fn words_are_what_can_be_seen() {
        for case in fixture("words") {
            let (text, expected) = (case[0].as_str().unwrap_or_default(), case[1].as_str());
            let found = words(text).unwrap_or_default();
            assert_eq!(Some(found.as_str()), expected, "{text:?}");
            assert_eq!(words(&found).unwrap_or_default(), found, "words stay");
        }
    }

    #[test]
    fn unseen_is_what_the_page_has_for_unseen() {
        let ranges = fixture("unseen");
        let listed = |c: char| {
            let within = |range: &Value| {
                let [from, to] = [&range[0], &range[1]].map(|end| end.as_u64().unwrap_or_default());
                (from..=to).contains(&u64::from(u32::from(c)))
            };
            ranges.iter().any(within)
        };
        for c in '\0'..=char::MAX {
            assert_eq!(unseen(c), listed(c), "{c:?}");
        }
    }
}
