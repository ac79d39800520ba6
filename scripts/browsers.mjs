/** The end-to-end tests drive browsers of the system: those that are found, else the distribution's packages. */

import { existsSync } from "node:fs";
import { install } from "./debian.mjs";
import { isMain, which } from "./environment.mjs";
import { main } from "./problem.mjs";
import { Progress } from "./progress.mjs";

const CHROMIUM = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const FIREFOX = ["firefox-esr", "firefox"];

const CHROMIUM_ON_MAC = [
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const FIREFOX_ON_MAC = ["/Applications/Firefox.app/Contents/MacOS/firefox"];

/**
 * @param {string | undefined} chosen
 * @param {string[]} names
 * @param {string[]} files
 */
function find(chosen, names, files) {
  if (chosen) return chosen;
  for (const name of names) {
    const file = which(name);
    if (file) return file;
  }
  return files.find((file) => existsSync(file));
}

const chromium = () => find(process.env.CHROMIUM_BIN, CHROMIUM, CHROMIUM_ON_MAC);
const firefox = () => find(process.env.FIREFOX_BIN, FIREFOX, FIREFOX_ON_MAC);

/**
 * @param {Progress} progress
 * @returns {Promise<{ CHROMIUM_BIN: string, FIREFOX_BIN: string }>} their programs, installed if need be
 */
export async function browsers(progress) {
  await progress.task("browsers", async (step) => {
    const missing = [];
    if (!chromium()) missing.push("chromium");
    if (!firefox()) missing.push("firefox-esr");
    if (missing.length === 0) return "there";
    // Without any font a page has no text, and nothing of it can be clicked.
    await install(
      step,
      [...missing, "fonts-dejavu-core"],
      `The end-to-end tests need ${missing.join(" and ")}, which cannot be found.`,
      "install Chromium (or Chrome) and Firefox, or name their programs in CHROMIUM_BIN and FIREFOX_BIN.",
    );
    return `installed ${missing.join(", ")}`;
  });
  return { CHROMIUM_BIN: chromium() ?? "", FIREFOX_BIN: firefox() ?? "" };
}

if (isMain(import.meta.url)) await main(async () => console.log(await browsers(new Progress())));
