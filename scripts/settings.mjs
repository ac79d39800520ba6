/** What a deployment is configured with, and what that means, in plain words: before anybody is surprised. */

/** What keeps a secret (docs/configuration.md); all else may be read by anybody. */
export const SECRETS = new Set([
  "TURN_KEY_API_TOKEN",
  "TURN_SECRET",
  "METERED_SECRET_KEY",
  "METERED_API_KEY",
  "TURNSTILE_SECRET",
]);

/** Relays that can be had; each needs one name of every part. */
const RELAYS = [
  { who: "Cloudflare", parts: [["TURN_KEY_ID"], ["TURN_KEY_API_TOKEN"]] },
  { who: "your own", parts: [["TURN_URLS"], ["TURN_SECRET"]] },
  { who: "metered.ca", parts: [["METERED_APP"], ["METERED_SECRET_KEY", "METERED_API_KEY"]] },
];
const TURNSTILE = { parts: [["TURNSTILE_SITE_KEY"], ["TURNSTILE_SECRET"]] };

/**
 * @param {Record<string, string>} variables what is configured for everybody to read
 * @param {string[] | null} secrets the names of what is not; `null` where nobody knows, and all that could be there
 *   is taken to be
 * @returns {{ facts: string[], mistakes: string[] }} one sentence each
 */
export function explain(variables, secrets) {
  const has = new Set(Object.keys(variables).filter((name) => variables[name]));
  for (const name of secrets ?? []) has.add(name);
  const known = (/** @type {string[]} */ names) =>
    names.some((name) => has.has(name)) || (!secrets && names.some((name) => SECRETS.has(name)));
  const begun = (/** @type {string[][]} */ parts) => parts.flat().some((name) => has.has(name));
  const complete = (/** @type {string[][]} */ parts) => parts.every(known);
  /** @type {string[]} */
  const facts = [];
  /** @type {string[]} */
  const mistakes = [];

  const relays = RELAYS.filter(({ parts }) => complete(parts)).map(({ who }) => who);
  const hiding = variables.HIDE_ADDRESS === "on";
  if (relays.length > 0) facts.push(`Relays: ${relays.join(", then ")}.`);
  else if (hiding) {
    mistakes.push("HIDE_ADDRESS is on and there is no relay: nobody will be connected to anybody.");
  } else {
    facts.push(
      "No relay: people whose networks allow no direct way will not connect to each other (docs/turn.md).",
    );
  }
  if (relays.length > 0 && hiding) facts.push("HIDE_ADDRESS is on: every call uses a relay.");

  if (complete(TURNSTILE.parts)) facts.push("Turnstile checks who comes.");
  else facts.push("Turnstile is off: a program may meet people, too.");

  for (const { parts } of [...RELAYS, TURNSTILE]) {
    if (!begun(parts) || complete(parts)) continue;
    const set = parts.flat().filter((name) => has.has(name));
    const lacking = parts.filter((names) => !known(names));
    const named = lacking.map((names) => names.join(" or ")).join(" and ");
    mistakes.push(
      `${set.join(" and ")} is set, but ${named} is not, so it has no effect. ${howToSet(lacking)}`,
    );
  }
  for (const name of Object.keys(variables).filter((name) => SECRETS.has(name))) {
    mistakes.push(
      `${name} is a secret and is configured where others can read it. Take it out there, and: npx wrangler secret put ${name}`,
    );
  }
  if (listed(variables.ALLOWED_ORIGINS).includes("*")) {
    facts.push("ALLOWED_ORIGINS has a * alone: pages of every site may use this server.");
  }
  return { facts, mistakes };
}

/** @param {string[][]} lacking */
function howToSet([[name = ""] = []]) {
  if (SECRETS.has(name)) return `Set it: npx wrangler secret put ${name}`;
  return `Set it in wrangler.toml under [vars], or with --var ${name}:value`;
}

/**
 * @param {string | undefined} text as in the configuration: parted by commas or spaces
 * @returns {string[]}
 */
export const listed = (text) => (text ?? "").split(/[,\s]+/).filter(Boolean);
