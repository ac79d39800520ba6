// What a mesh costs each who is in it: upload, pictures, the page's own work. `npm run mesh` prints the
// table of docs/mesh.md.

import { pathToFileURL } from "node:url";
import { visit } from "./browsers.js";
import { start } from "./server.js";

/** @import { Person } from "./browsers.js" */

/** For how long it is measured, in milliseconds, once everybody is in sight. */
const WINDOW = 10_000;
/** IPv4 and UDP put as many bytes before each packet. */
const HEADERS = 28;
/** How long it may take until all see all; a small machine has to be all of them. */
const PATIENCE = 180_000;

/**
 * @typedef {object} Sample
 * @property {number} at in milliseconds
 * @property {number} sent bytes, with the headers of every packet
 * @property {number} decoded pictures
 * @property {number} limit what all senders may send together, in bits a second
 */

/** Keeps the connections of a page in reach. */
const keepConnections = () => {
  const page = /** @type {any} */ (window);
  page.connections = [];
  page.RTCPeerConnection = class extends RTCPeerConnection {
    /** @param {RTCConfiguration} [configuration] */
    constructor(configuration) {
      super(configuration);
      page.connections.push(this);
    }
  };
};

/** Shows nothing of what is decoded: one machine is all eight here, and has no graphics card. */
const looksAway = () => {
  setInterval(() => {
    for (const video of document.querySelectorAll("video")) video.style.visibility = "hidden";
  }, 100);
};

/** Whether a picture of so many others arrives. @param {number} others */
const getsAll = async (others) => {
  const { connections } = /** @type {{ connections: RTCPeerConnection[] }} */ (
    /** @type {unknown} */ (window)
  );
  let pictures = 0;
  for (const connection of connections) {
    if (connection.connectionState !== "connected") continue;
    const reports = [...(await connection.getStats()).values()];
    const decoded = reports.some(
      ({ kind, framesDecoded }) => kind === "video" && framesDecoded > 5,
    );
    if (decoded) pictures++;
  }
  return pictures === others;
};

/** @param {number} headers @returns {Promise<Sample>} */
const sample = async (headers) => {
  const connections = /** @type {RTCPeerConnection[]} */ (
    /** @type {any} */ (window).connections
  ).filter(({ connectionState }) => connectionState === "connected");
  const total = { at: performance.now(), sent: 0, decoded: 0, limit: 0 };
  for (const connection of connections) {
    for (const report of (await connection.getStats()).values()) {
      if (report.type === "transport")
        total.sent += report.bytesSent + headers * report.packetsSent;
      if (report.type === "inbound-rtp" && report.kind === "video")
        total.decoded += report.framesDecoded ?? 0;
    }
    for (const sender of connection.getSenders()) {
      const [encoding] = sender.getParameters().encodings;
      if (sender.track && encoding?.active) total.limit += encoding.maxBitrate ?? Infinity;
    }
  }
  return total;
};

/**
 * Brings so many people into a room of a running server, and measures one of them.
 *
 * @param {string} address
 * @param {number} size
 */
export async function measure(address, size) {
  /** @type {Person[]} */
  const people = [];
  try {
    for (let place = 0; place < size; place++) {
      const person = await visit("about:blank", "chromium", people[0] ? { beside: people[0] } : {});
      people.push(person);
      await person.page.setViewport({ width: 1280, height: 800 });
      await person.page.evaluateOnNewDocument(keepConnections);
      if (place > 0) await person.page.evaluateOnNewDocument(looksAway);
      await person.page.goto(`${address}/r/mesh-${size}`, { waitUntil: "load" });
      await person.reads("status", place === 0 ? "Only you" : `${place + 1} people`);
    }
    for (const person of people) {
      person.patience = PATIENCE;
      await person.waitFor(getsAll, size - 1);
    }
    await people[0]?.seesAll(size - 1);
    const [measured] = people;
    if (!measured) throw new Error("nobody came");
    const { page } = measured;
    const work = async () => (await page.metrics()).TaskDuration ?? 0;
    const [before, worked] = [await page.evaluate(sample, HEADERS), await work()];
    await new Promise((resolve) => setTimeout(resolve, WINDOW));
    const [after, working] = [await page.evaluate(sample, HEADERS), await work()];
    const seconds = (after.at - before.at) / 1_000;
    return {
      /** bits a second */
      upload: ((after.sent - before.sent) * 8) / seconds,
      limit: after.limit,
      /** pictures a second, of each of the others */
      frames: (after.decoded - before.decoded) / seconds / (size - 1),
      /** share of the time in which the page's main thread is busy */
      load: (working - worked) / seconds,
    };
  } finally {
    await Promise.all(people.toReversed().map((person) => person.close()));
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const server = await start();
  console.log(
    "| people | upload of one | of at most | pictures a second, of each | main thread busy |",
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
