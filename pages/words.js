// What people write, before others see it: it is only ever text, and here it loses what nobody sees and what
// would turn around the text beside it. Any page may be made to send anything.

/** Names and interests keep their joiners, variation selectors and flags (src/core/words.rs), and nothing else
 * that cannot be seen. */
const NEEDLESS =
  /(?!\p{Join_C}|\p{VS}|[\u{e0020}-\u{e007f}])[\p{DI}\u2800\ufff9-\ufffb\u{1d159}]/gu;
/** Something that can be seen. */
const SEEN = /[^\p{DI}\u2800\ufff9-\ufffb\u{1d159}\s\p{Cc}]/u;
/** Sentences keep all but the embeddings, overrides and isolates (Unicode Standard Annex 9, section 2): who
 * writes from right to left needs the marks. */
const TURNING = /[\u202a-\u202e\u2066-\u2069]/g;

/**
 * A name or an interest, as the server would have it.
 * @param {string} text
 * @param {number} longest in characters
 * @returns {string} words with one space between; empty where nothing of it can be seen
 */
export function words(text, longest) {
  const own = text
    .replace(NEEDLESS, "")
    .replace(/\p{Cc}/gu, " ")
    .trim()
    .split(/\s+/u)
    .join(" ");
  return visible([...own].slice(0, longest).join("").trim());
}

/**
 * What somebody says.
 * @param {string} text
 * @returns {string} empty where nothing of it can be seen
 */
export const sentence = (text) => visible(text.replace(TURNING, ""));

/** @param {string} text */
const visible = (text) => (SEEN.test(text) ? text : "");
