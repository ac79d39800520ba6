// What workerd writes down of what its objects were asked and did (`workerd serve --help`: `--async-trace`).

import { readFile } from "node:fs/promises";

/** What the runtime hands to an object: a frame of a socket, or its end. */
const SOCKET = "hibernatable_websocket";

const SET_ALARM = "durable_object_storage_setAlarm";

/** @param {string} file of a server that has ended */
export async function read(file) {
  const counts = { workerRequests: 0, objectRequests: 0, frames: 0, alarms: 0, alarmsSet: 0 };
  const objects = new Set();
  const text = await readFile(file, "utf8");
  for (const line of text.trimEnd().split("\n")) {
    const { e: entry, ctx, actor, kind, name } = JSON.parse(line);
    if (entry === "ctx" && actor) objects.add(ctx);
    if (entry !== "init") continue;
    if (name === SET_ALARM) counts.alarmsSet += 1;
    if (kind !== "request") continue;
    if (name === SOCKET) counts.frames += 1;
    else if (name === "alarm") counts.alarms += 1;
    else if (objects.has(ctx)) counts.objectRequests += 1;
    else counts.workerRequests += 1;
  }
  return counts;
}
