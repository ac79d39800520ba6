/** `npm run deploy`: the Worker goes online first, then the site, which is told where the Worker is. */

import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { node, root } from "./environment.mjs";
import { main, Problem } from "./problem.mjs";
import { run } from "./process.mjs";
import { Progress } from "./progress.mjs";
import { everything, setup } from "./setup.mjs";
import { prepareSite } from "./site.mjs";

const USAGE =
  "npm run deploy -- [--dry-run] [--project echomingle] [--signaling https://signaling.example.com]";

function options() {
  try {
    const { values } = parseArgs({
      options: {
        "dry-run": { type: "boolean", default: false },
        project: { type: "string", default: "echomingle" },
        signaling: { type: "string" },
      },
    });
    return { dryRun: values["dry-run"], project: values.project, signaling: values.signaling };
  } catch {
    throw new Problem(`Not understood: ${process.argv.slice(2).join(" ")}`, { hint: USAGE });
  }
}

/**
 * Runs wrangler and shows what it says.
 *
 * @param {string[]} args
 * @returns {Promise<{ ok: boolean, output: string }>}
 */
function wrangler(...args) {
  console.log(`\n▸ wrangler ${args.join(" ")}`);
  const program = join(root, "node_modules", "wrangler", "bin", "wrangler.js");
  return run(node(), [program, ...args], { onOutput: (text) => process.stdout.write(text) });
}

/** @param {Promise<{ ok: boolean, output: string }>} running @param {string} hint */
async function must(running, hint) {
  const { ok, output } = await running;
  if (!ok)
    throw new Problem("The deployment stopped here; what was online before still is.", { hint });
  return output;
}

await main(async () => {
  const { dryRun, project, signaling } = options();
  const progress = new Progress();
  await setup(progress, everything);
  await build(progress);
  // The site's own address and its previews may use the Worker, nobody else.
  const site = `https://${project}.pages.dev`;
  const origins = ["--var", `ALLOWED_ORIGINS:${site},https://*.${project}.pages.dev`];
  if (dryRun) {
    const out = ["--dry-run", "--outdir", join("build", "dry-run")];
    await must(wrangler("deploy", ...origins, ...out), "The message above says what to mend.");
    const address = signaling ?? "https://signaling.example.com";
    const folder = await prepareSite({ signaling: address });
    console.log(
      `\nDry run: nothing was uploaded. ${folder} is the site, with ${address} as its signaling.`,
    );
    return;
  }
  const login = `Log in first: npx wrangler login
Without a browser: set CLOUDFLARE_API_TOKEN (and CLOUDFLARE_ACCOUNT_ID where there are several accounts).`;
  await must(wrangler("whoami"), login);
  const said = await must(
    wrangler("deploy", ...origins),
    `${login}\nOr mend what the message above names.`,
  );
  const address = signaling ?? /https:\/\/[\w.-]+\.workers\.dev/.exec(said)?.[0];
  if (!address) {
    throw new Problem("The Worker is online, but its address was not printed.", {
      hint: `Say it: ${USAGE}`,
    });
  }
  const folder = await prepareSite({ signaling: address });
  // Fails where the project exists, which is the ordinary case.
  await wrangler("pages", "project", "create", project, "--production-branch", "main");
  await must(
    wrangler("pages", "deploy", folder, "--project-name", project, "--branch", "main"),
    `If the name ${project} is taken: npm run deploy -- --project another-name`,
  );
  console.log(`\nEchoMingle is at ${site}, its signaling at ${address} (GET ${address}/healthz).`);
});
