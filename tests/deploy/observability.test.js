// What Cloudflare is told to keep of a deployment.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { unstable_readConfig } from "wrangler";

test("what the Worker writes is kept, and no request: it has an address, and the name of a room", () => {
  const config = fileURLToPath(new URL("../../wrangler.toml", import.meta.url));
  const { observability } = unstable_readConfig({ config });
  assert.deepEqual(structuredClone(observability), {
    enabled: true,
    logs: { enabled: true, invocation_logs: false },
    traces: { enabled: false },
  });
});
