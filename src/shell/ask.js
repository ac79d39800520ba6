// Asks somebody else's API, which takes time: all that waits is JavaScript.

/**
 * Asks one after the other until one has something to give.
 *
 * @param {import("./index.js").Asking | import("./index.js").Checking} asking
 * @param {number} patience in milliseconds, with each of them
 * @param {number} most bytes of an answer, or of what was posted, that are read
 * @param {Request} [posted] what has to be heard first
 * @returns {Promise<Response>} to who asked us
 */
export async function ask(asking, patience, most, posted) {
  if (posted) asking.heard(await read(posted.body, most).catch(() => new Uint8Array()));
  for (let request = asking.next(); request; request = asking.next()) {
    const signal = AbortSignal.timeout(patience);
    const answer = await exchange(request, signal, most);
    if (answer && !signal.aborted) asking.answered(answer.status, answer.body);
    else asking.missed(signal.aborted);
  }
  return asking.end();
}

/** The answer; nothing where there is none. */
async function exchange(request, signal, most) {
  try {
    const { status, body } = await fetch(request, { signal });
    return { status, body: await read(body, most) };
  } catch {
    // The error may carry the URL, and with it a key.
  }
}

/** All of a body, or no more of it than tells that it is too long. */
async function read(body, most) {
  const chunks = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > most) break;
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}
