/**
 * The volume beside the raw handle, in Deno and in a worker of Chromium, in one table.
 *
 * Trust the ratios: absolute times move with the machine. Use: `deno run -A bench/volume.ts [rounds]
 * [deno] [chromium]`; CHROMIUM_BIN names the browser's program outright.
 *
 * @module
 */
import * as esbuild from "esbuild";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { chromium } from "@playwright/test";
import { browserPath } from "../tools/needs.ts";
import { fileHandle } from "../opfs/mod.ts";
import { type Figures, measure } from "./volume_workloads.ts";

/** A line of the second table: how much of the raw speed is left, or how a cost grows. */
interface Goal {
  what: string;
  ratio(figures: Figures): number;
  isMet(ratio: number): boolean;
  goal: string;
}

const GOALS: readonly Goal[] = [
  {
    what: "sequential write, share of raw",
    ratio: (f) => f["raw sequential write 128 KiB"]! / f["sequential write 128 KiB"]!,
    isMet: (ratio) => ratio >= 0.75,
    goal: ">= 0.75",
  },
  {
    what: "sequential read, share of raw",
    ratio: (f) => f["raw sequential read 128 KiB"]! / f["sequential read 128 KiB"]!,
    isMet: (ratio) => ratio >= 0.7,
    goal: ">= 0.70",
  },
  {
    what: "append at 1 GB to append at 10 MB",
    ratio: (f) => f["append 4 KiB, last 10 MB of 1 GB"]! / f["append 4 KiB, up to 10 MB"]!,
    isMet: (ratio) => ratio <= 2.5,
    goal: "<= 2.5",
  },
  {
    what: "random write, share of raw",
    ratio: (f) => f["raw random write 4 KiB"]! / f["random write 4 KiB"]!,
    isMet: () => true,
    goal: "-",
  },
  {
    what: "random read, share of raw",
    ratio: (f) => f["raw random read 4 KiB"]! / f["random read 4 KiB"]!,
    isMet: () => true,
    goal: "-",
  },
  {
    what: "mount of 50,000 files, ms",
    ratio: (f) => f["mount of 50,000 files, ms"]!,
    isMet: (ms) => ms <= 60,
    goal: "<= 60",
  },
];

async function inDeno(): Promise<Figures> {
  const folder = mkdtempSync("/tmp/cairn-bench-");
  const path = (name: string): string => `${folder}/${name}`;
  try {
    return await measure({
      fresh(name) {
        rmSync(path(name), { force: true });
        return Promise.resolve(fileHandle(path(name)));
      },
      again: (name) => Promise.resolve(fileHandle(path(name), { create: false })),
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function workerText(): Promise<string> {
  const { outputFiles } = await esbuild.build({
    entryPoints: [new URL("./volume_worker.ts", import.meta.url).pathname],
    bundle: true,
    format: "iife",
    platform: "browser",
    target: "es2022",
    write: false,
    // The relay's worker is not started here, so it does not matter where this script came from.
    logLevel: "error",
  });
  return outputFiles[0]?.text ?? "";
}

async function inChromium(): Promise<Figures> {
  const program = await workerText();
  const server = createServer((request, response) => {
    const isWorker = request.url === "/worker.js";
    response.writeHead(200, { "Content-Type": isWorker ? "text/javascript" : "text/html" });
    response.end(isWorker ? program : "<!doctype html>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const profile = mkdtempSync("/tmp/cairn-bench-");
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: browserPath("Chromium"),
    args: ["--no-sandbox", "--disable-gpu"],
  });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    return await page.evaluate(() =>
      new Promise<Record<string, number>>((resolve, reject) => {
        const worker = new Worker("/worker.js");
        worker.onmessage = ({ data }) => data.figures ? resolve(data.figures) : reject(data.error);
        worker.onerror = (event) => reject(new Error(event.message));
        worker.postMessage(1);
      })
    );
  } finally {
    await browser.close();
    server.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function tell(place: string, rounds: readonly Figures[]): void {
  const figures: Figures = {};
  for (const name of Object.keys(rounds[0] ?? {})) {
    figures[name] = median(rounds.map((round) => round[name]!));
  }
  console.log(`\n${place}: µs a call, median of ${rounds.length}`);
  for (const [name, value] of Object.entries(figures)) {
    console.log(`  ${name.padEnd(36)}${value.toPrecision(3).padStart(10)}`);
  }
  console.log(`${place}: ratios within one run`);
  for (const { what, ratio, isMet, goal } of GOALS) {
    const value = median(rounds.map(ratio));
    const verdict = goal === "-" ? "" : isMet(value) ? "met" : "MISSED";
    console.log(
      `  ${what.padEnd(36)}${value.toPrecision(3).padStart(10)}  ${goal.padEnd(8)}${verdict}`,
    );
  }
}

async function main(): Promise<void> {
  const [rounds = "3", ...asked] = Deno.args;
  const places: readonly [string, () => Promise<Figures>][] = [["deno", inDeno], [
    "chromium",
    inChromium,
  ]];
  for (const [place, run] of places) {
    if (asked.length > 0 && !asked.includes(place)) continue;
    const results: Figures[] = [];
    for (let round = 0; round < Number(rounds); round++) results.push(await run());
    tell(place, results);
  }
  await esbuild.stop();
}

if (import.meta.main) await main();
