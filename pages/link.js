// The link of a room is all that is needed to be in it, so nobody may guess one.

/** Crockford's base 32, without letters that read like others: five bits a character. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
/** Eighty random bits: trying a million names a second for a year finds one of a billion rooms with a
 * probability of about 1 in 40. */
const CHARACTERS = 16;

/** @returns {string} the name of a room that nobody has heard of, such as `7hq2-x0vd-m9ka-4tzr` */
export function newRoom() {
  const random = crypto.getRandomValues(new Uint8Array(CHARACTERS));
  const name = Array.from(random, (byte) => ALPHABET[byte % ALPHABET.length]).join("");
  return name.replace(/....(?=.)/g, "$&-");
}

/** @param {string} room */
export const roomPath = (room) => `/r/${room}`;

/**
 * @param {string} path of a page
 * @returns {string | null} the room it is the page of; names are as the server has them (src/core/route.rs)
 */
export function roomOf(path) {
  return /^\/r\/([A-Za-z0-9_-]{1,64})\/?$/.exec(path)?.[1] ?? null;
}

/**
 * @param {string} link
 * @returns {Promise<boolean>} whether it is on the clipboard
 */
export async function copy(link) {
  try {
    await navigator.clipboard.writeText(link);
    return true;
  } catch {
    return false;
  }
}

/** Whether the system has a way to send a link on. */
export const canShare = () => "share" in navigator;

/** @param {string} link @returns {Promise<void>} also when the person thinks better of it */
export async function send(link) {
  await navigator.share({ title: "EchoMingle", text: "Join me:", url: link }).catch(() => {});
}
