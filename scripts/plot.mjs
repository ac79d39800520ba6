/** Plots for docs/performance, drawn by gnuplot: a plot is what it shows and how it is labelled. */

import { rm, writeFile } from "node:fs/promises";
import { install } from "./debian.mjs";
import { which } from "./environment.mjs";

/** What is drawn: lines of points, or a bar for each point, one beside the other where there are several. */
/** @typedef {{ name: string, points: [x: number | string, y: number][] }} Series */

/**
 * @typedef {object} Plot
 * @property {string} title
 * @property {string} x what the horizontal axis is, with its unit
 * @property {string} y
 * @property {"lines" | "bars"} shape of lines x is a number, of bars a name
 * @property {("x" | "y")[]} [logarithmic] axes
 * @property {Series[]} series
 */

/** Blue, orange, green, pink, yellow, light blue: told apart by the colour-blind too (Okabe and Ito). */
const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

/** @param {import("./progress.mjs").Step} step */
export async function provideGnuplot(step) {
  if (which("gnuplot")) return "there";
  const elsewhere = "install gnuplot";
  await install(step, ["gnuplot-nox"], "gnuplot, which draws the plots, is not there.", elsewhere);
  return "installed";
}

/**
 * @param {import("./progress.mjs").Step} step
 * @param {string} file an SVG, readable on any page: its ground is white
 * @param {Plot} plot
 */
export async function draw(step, file, plot) {
  const script = `${file}.gnuplot`;
  await writeFile(script, commands(file, plot));
  await step.run("gnuplot", [script]).finally(() => rm(script));
}

/** @param {string} text */
const quoted = (text) => `"${text.replace(/["\\]/g, "\\$&")}"`;

/** @param {string} file @param {Plot} plot */
function commands(file, { title, x, y, shape, logarithmic = [], series }) {
  const data = series.map(({ points }, index) => {
    const rows = points.map(
      ([at, value]) => `${typeof at === "string" ? quoted(at) : at} ${value}`,
    );
    return [`$series${index} << END`, ...rows, "END"].join("\n");
  });
  const drawn = series.map(({ name }, index) => {
    const color = `lc rgb ${quoted(COLORS[index % COLORS.length] ?? "black")}`;
    const how =
      shape === "bars" ? `using 2:xtic(1) ${color}` : `with linespoints lw 2 pt 7 ps 0.5 ${color}`;
    return `$series${index} ${how} title ${quoted(name)}`;
  });
  const bars = ["set style data histograms", "set style fill solid", "set boxwidth 0.9"];
  return [
    'set terminal svg size 800,450 font "sans-serif,14" background "white" noenhanced',
    `set output ${quoted(file)}`,
    `set title ${quoted(title)}`,
    `set xlabel ${quoted(x)}`,
    `set ylabel ${quoted(y)}`,
    "set border 3",
    "set tics nomirror",
    'set grid ytics lc rgb "#dddddd"',
    "set key outside right top reverse Left",
    'set format y "%g"',
    ...logarithmic.map((axis) => `set logscale ${axis}`),
    ...(shape === "lines" ? ['set format x "%.0f"'] : bars),
    ...(logarithmic.includes("y") ? [] : ["set yrange [0:*]"]),
    ...data,
    `plot ${drawn.join(", ")}`,
    "",
  ].join("\n");
}
