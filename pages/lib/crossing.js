// Two who have offered to each other before they met need no answer where their offers are alike: each takes
// the other's for one. What an answer has to agree on (RFC 3264, section 6) they agree on already, and each
// says the same of the other that the other does.

/** @import { Role } from "./protocol.js" */

/** What is agreed on: kinds in their order, codecs, extensions, directions. What is one's own is left out:
 * addresses, credentials, names of streams. */
const AGREED =
  /^(?:m=|a=(?:mid|group|rtpmap|fmtp|rtcp-fb|extmap|extmap-allow-mixed|rtcp-mux|rtcp-rsize|rid|simulcast|sctp-port|max-message-size|setup|sendrecv|sendonly|recvonly|inactive)\b)/;

/** @param {string} sdp */
function agreed(sdp) {
  const lines = sdp.split(/\r?\n/).filter((line) => AGREED.test(line));
  // The port is an address.
  return lines.map((line) => line.replace(/^(m=\w+) \d+/, "$1")).join("\n");
}

/**
 * The other's offer as the answer to ours.
 *
 * @param {string} ours the offer that the other one has
 * @param {string} theirs
 * @param {Role} role ours
 * @returns {string | null} null where they are not alike, and an answer is needed. The other one finds the same.
 */
export function cross(ours, theirs, role) {
  if (agreed(ours) !== agreed(theirs)) return null;
  // The one who answers begins with DTLS, as answers have it (RFC 8842, section 5.3); here that is a question of
  // roles alone.
  const setup = role === "offerer" ? "active" : "passive";
  return theirs.replaceAll("a=setup:actpass", `a=setup:${setup}`);
}
