// Makes pages/icons.svg of the Lucide icons (ISC licence) that the page uses: `node scripts/icons.mjs`.

import { readFileSync, writeFileSync } from "node:fs";

const NAMES = [
  "arrow-right",
  "camera",
  "circle-check",
  "circle-dashed",
  "circle-x",
  "copy",
  "crown",
  "hand",
  "info",
  "lock",
  "lock-open",
  "mic",
  "mic-off",
  "monitor-up",
  "pin",
  "send",
  "settings-2",
  "share-2",
  "switch-camera",
  "user-x",
  "users",
  "video",
  "video-off",
  "volume-x",
  "x",
];

const root = new URL("../", import.meta.url);

const symbols = NAMES.map((name) => {
  const icon = readFileSync(new URL(`node_modules/lucide-static/icons/${name}.svg`, root), "utf8");
  const shapes = icon.slice(
    icon.indexOf(">", icon.indexOf("<svg")) + 1,
    icon.lastIndexOf("</svg>"),
  );
  return `<symbol id="${name}" viewBox="0 0 24 24">${shapes.replace(/\s*\n\s*/g, "")}</symbol>\n`;
});
const sprite = `<svg xmlns="http://www.w3.org/2000/svg">
<!-- Lucide, https://lucide.dev, ISC licence. Made by scripts/icons.mjs. -->
${symbols.join("")}</svg>
`;
writeFileSync(new URL("pages/icons.svg", root), sprite);
