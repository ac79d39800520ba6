/**
 * What is known to be wrong with what the project is made of. Those who know are asked over the network: where nobody
 * answers, that is said, and is no failure. What they find is one.
 */

import { Problem } from "./problem.mjs";
import { run } from "./process.mjs";

/** Seconds to wait for an answer. The database of crates is some megabytes. */
const PATIENCE = 120;

/** @typedef {Pick<import("./process.mjs").Options, "env" | "limit">} Options */
/** @typedef {import("./progress.mjs").Step} Step */

/**
 * @param {Step} step
 * @param {string} deny the file of cargo-deny
 * @param {string} manifest of which workspace
 * @param {Options} [options]
 * @returns {Promise<string>} what came of it, in words
 */
export async function auditCrates(step, deny, manifest, { env = {}, limit = PATIENCE } = {}) {
  const of = ["--locked", "--manifest-path", manifest, "--config", "deny.toml"];
  const settings = { GIT_TERMINAL_PROMPT: "0", ...env };
  const { ok, output } = await run(deny, [...of, "fetch", "db"], { env: settings, limit });
  if (!ok) return unanswered(/^fatal: (.*)$/m.exec(output)?.[1] ?? lastLine(output));
  await step.run("cargo", ["fetch", "--locked", "--manifest-path", manifest]);
  await step.run(deny, [...of, "--offline", "check", "advisories"], { env });
  return "nothing known";
}

/**
 * @param {Options} [options]
 * @returns {Promise<string>} what came of it, in words
 */
export async function auditPackages({ env = {}, limit = PATIENCE } = {}) {
  // Offline, npm would say that there is nothing.
  const how = ["--omit=dev", "--json", "--silent", "--no-offline", "--fetch-retries=0"];
  const { output } = await run("npm", ["audit", ...how], { env, limit });
  const report = read(output);
  if (!report?.auditReportVersion) return unanswered(report?.message ?? lastLine(output));
  const found = Object.values(report.vulnerabilities);
  if (found.length === 0) return "nothing known";
  throw new Problem("npm audit: something is known of what users get.", {
    log: found.map(({ name, severity, range }) => `${name} ${range}: ${severity}`).join("\n"),
    hint: "More of it: npm audit --omit=dev",
  });
}

/**
 * What `npm audit --json` prints: a report, or why there is none.
 *
 * @typedef {object} Report
 * @property {number} [auditReportVersion]
 * @property {Record<string, { name: string, severity: string, range: string }>} vulnerabilities
 * @property {string} [message]
 */

/**
 * @param {string} output
 * @returns {Report | undefined}
 */
function read(output) {
  try {
    return JSON.parse(output);
  } catch {
    return undefined;
  }
}

/** @param {string} why */
function unanswered(why) {
  return `not looked at: nobody could be asked (${why})`;
}

/** @param {string} output */
function lastLine(output) {
  return output.trim().split("\n").at(-1) || "no answer";
}
