// Asks the providers of relays, which takes time: all that waits is JavaScript.

/**
 * Asks one after the other until one has something to give.
 *
 * @param {import("./index.js").Asking} asking
 * @param {number} patience in milliseconds, with each of them
 * @param {number} most bytes of an answer that are read
 * @returns {Promise<Response>} to who asked for relays
 */
export async function ask(asking, patience, most) {
  for (let request = asking.next(); request; request = asking.next()) {
    const signal = AbortSignal.timeout(patience);
    const answer = await exchange(request, signal, most);
    if (answer && !signal.aborted) asking.answered(answer.status, answer.body);
    else asking.missed(signal.aborted);
  }
  return asking.end();
}

/** The answer, of which no more is kept than tells that it is too long. Nothing where there is none. */
async function exchange(request, signal, most) {
  try {
    const { status, body } = await fetch(request, { signal });
    const chunks = [];
    let length = 0;
    for await (const chunk of body ?? []) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > most) break;
    }
    return { status, body: new Uint8Array(await new Blob(chunks).arrayBuffer()) };
  } catch {
    // The error may carry the URL, and with it a key.
  }
}
