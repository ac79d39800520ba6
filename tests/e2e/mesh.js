// What a mesh costs each who is in it: upload, pictures, the page's own work. `npm run mesh` prints the
// table of docs/mesh.md.
//
// One person is measured. Its camera is as quick as any and swarms with grain, so that every limit is
// reached. The others, who are all on this machine too, have slow cameras, no microphones, and do not look.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { visit } from "./browsers.js";
import { keepConnections } from "./connections.js";
import { FACES, film } from "./face.js";
import { start } from "./server.js";
import { sparesIt } from "./thrift.js";

/** @import { Person } from "./browsers.js" */
/** @import { Page } from "./connections.js" */

/** For how long it is measured, in milliseconds. */
const WINDOW = 10_000;
/** And how long before that everything may settle: the browser finds out slowly what a network carries. */
const SETTLING = 10_000;
/** IPv4 and UDP put as many bytes before each packet. */
const HEADERS = 28;
/** Pictures a second of the others' cameras. */
const SLOW = 3;
const QUICK = 30;
const GRAIN = 24;

/** Whether a picture of so many others arrives. @param {number} others */
const getsAll = async (others) => {
  const { connections } = /** @type {Page} */ (/** @type {unknown} */ (window));
  let pictures = 0;
  for (const connection of connections) {
    if (connection.connectionState !== "connected") continue;
    const reports = [...(await connection.getStats()).values()];
    const decoded = reports.some(
      ({ kind, framesDecoded }) => kind === "video" && framesDecoded > 2,
    );
    if (decoded) pictures++;
  }
  return pictures === others;
};

/**
 * Time in milliseconds, bytes sent with the headers of every packet, pictures decoded of each of the
 * others, and what all senders together may send, in bits a second.
 * @param {number} headers
 */
const sample = async (headers) => {
  const { connections } = /** @type {Page} */ (/** @type {unknown} */ (window));
  let [sent, limit] = [0, 0];
  /** @type {number[]} */
  const decoded = [];
  for (const connection of connections) {
    if (connection.connectionState !== "connected") continue;
    for (const report of (await connection.getStats()).values()) {
      if (report.type === "transport") sent += report.bytesSent + headers * report.packetsSent;
      if (report.type === "inbound-rtp" && report.kind === "video")
        decoded.push(report.framesDecoded ?? 0);
    }
    for (const sender of connection.getSenders()) {
      const [encoding] = sender.getParameters().encodings;
      if (sender.track && encoding?.active)
        limit += encoding.maxBitrate ?? Number.POSITIVE_INFINITY;
    }
  }
  return { at: performance.now(), sent, decoded, limit };
};

/** @param {number} milliseconds */
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * Brings so many people into a room of a running server, and measures one of them.
 *
 * @param {string} address
 * @param {number} size
 */
export async function measure(address, size) {
  const folder = await mkdtemp(join(tmpdir(), "echomingle-mesh-"));
  const camera = join(folder, "camera.y4m");
  await film(camera, /** @type {import("./face.js").Face} */ (FACES[0]), QUICK, GRAIN);
  /** @type {Person[]} */
  const people = [];
  /** @param {import("./browsers.js").Circumstances} circumstances @param {() => void} prepare */
  const comes = async (circumstances, prepare) => {
    const person = await visit("about:blank", "chromium", circumstances);
    people.push(person);
    await person.page.setViewport({ width: 1280, height: 800 });
    await person.page.evaluateOnNewDocument(keepConnections);
    await person.page.evaluateOnNewDocument(prepare);
    await person.page.goto(`${address}/r/mesh-${size}`, { waitUntil: "load" });
    await person.reads("status", people.length === 1 ? "Only you" : `${people.length} people`);
    return person;
  };
  try {
    const measured = await comes(
      { args: [`--use-file-for-fake-video-capture=${camera}`] },
      () => {},
    );
    const slow = { fps: SLOW };
    const other = await comes(slow, sparesIt);
    while (people.length < size) await comes({ beside: other }, sparesIt);
    for (const person of people) await person.waitFor(getsAll, size - 1);
    await measured.seesAll(size - 1);
    await pause(SETTLING);
    const look = async () => ({
      ...(await measured.page.evaluate(sample, HEADERS)),
      worked: (await measured.page.metrics()).TaskDuration ?? 0,
      there: await other.page.evaluate(sample, HEADERS),
    });
    const before = await look();
    await pause(WINDOW);
    const after = await look();
    const seconds = (after.at - before.at) / 1_000;
    // The quickest of those that somebody else decodes is the one with the quick camera.
    const rates = after.there.decoded.map((now, place) => now - (before.there.decoded[place] ?? 0));
    const inSight = (after.there.at - before.there.at) / 1_000;
    return {
      /** bits a second */
      upload: ((after.sent - before.sent) * 8) / seconds,
      limit: after.limit,
      /** pictures a second, of the one that is measured, as somebody else decodes them */
      frames: Math.max(...rates) / inSight,
      /** share of the time in which the page's main thread is busy */
      load: (after.worked - before.worked) / seconds,
    };
  } finally {
    for (const person of people.toReversed()) await person.close();
    await rm(folder, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const server = await start();
  console.log(
    "| people | upload of one | its senders' limits together | pictures a second of it that another decodes | its main thread busy |",
  );
  console.log("|---|---|---|---|---|");
  try {
    for (const size of [2, 4, 6, 8]) {
      const { upload, limit, frames, load } = await measure(server.address, size);
      const megabits = (/** @type {number} */ bits) => `${(bits / 1e6).toFixed(2)} Mbit/s`;
      console.log(
        `| ${size} | ${megabits(upload)} | ${megabits(limit)} | ${frames.toFixed(1)} | ${(100 * load).toFixed(0)} % |`,
      );
    }
  } finally {
    await server.stop();
  }
}
