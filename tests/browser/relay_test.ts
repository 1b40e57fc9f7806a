/**
 * The relay in Chromium and Firefox: the torture, and true kills of clients and of the relay. One
 * driver, puppeteer, leads both.
 */
import { assert, assertEquals } from "@std/assert";
import * as puppeteer from "puppeteer-core";
import { bundle } from "../../tools/build.ts";
import { browserPath } from "../../tools/needs.ts";
import { startServer } from "../../tools/serve.ts";
import type { TortureOptions, TortureResult } from "../torture/run.ts";
import { CLIENT_PROGRAM, conserve, killClients, killRelay } from "./relay_scenarios.ts";

const CALLS = Deno.env.get("CAIRN_LONG") === "1" ? 250_000 : 1000;
const CAIRN = "/dist/cairn.js";

const BROWSERS = [
  ["Chromium", { browser: "chrome", args: ["--no-sandbox", "--disable-gpu"] }],
  ["Firefox", { browser: "firefox" }],
] as const;

type Launch = Parameters<typeof puppeteer.launch>[0];

async function withPage(
  name: "Chromium" | "Firefox",
  options: object,
  run: (page: puppeteer.Page) => Promise<void>,
): Promise<void> {
  const server = await startServer({ port: 0 });
  const userDataDir = Deno.makeTempDirSync();
  const browser = await puppeteer.launch({
    ...options,
    executablePath: browserPath(name),
    headless: true,
    userDataDir,
    protocolTimeout: 3_600_000,
  } as Launch);
  try {
    const page = await browser.newPage();
    await page.goto(`${server.origin}/blank.html`);
    await run(page);
  } finally {
    await browser.close();
    await server.close();
    Deno.removeSync(userDataDir, { recursive: true });
  }
}

function seedOf(): number {
  const seed = Number(Deno.env.get("CAIRN_SEED") ?? Date.now() % 1e9);
  console.log(`seed ${seed}`);
  return seed;
}

async function torture(page: puppeteer.Page): Promise<void> {
  const program = await bundle("tests/torture/worker.ts", "iife");
  await page.evaluate(await bundle("tests/torture/page.ts", "iife"));
  const timeoutMs = CALLS > 1000 ? 3_000_000 : 150_000;
  const options = { calls: CALLS, seed: seedOf(), path: "/torture.cairn", timeoutMs };
  const { calls, wrong } = await page.evaluate(
    (program, options) => {
      const run = Reflect.get(globalThis, "torture") as (
        program: string,
        options: Omit<TortureOptions, "start">,
      ) => Promise<TortureResult>;
      return run(program, options);
    },
    program,
    options,
  );
  assertEquals(wrong, []);
  console.log(`${calls} calls, none wrong`);
  assert(calls > CALLS * 3, `${calls} calls`);
}

async function noticeClients(page: puppeteer.Page): Promise<void> {
  const scene = { cairn: CAIRN, name: "dying", kills: 5 };
  const seen = await page.evaluate(killClients, { scene, client: CLIENT_PROGRAM });
  const { noticed, attached, orphans, hammered } = seen;
  assertEquals([orphans, hammered.error], [0, ""]);
  assert(hammered.count > 100, `${hammered.count} calls of the one that never pauses`);
  noticed.sort((x, y) => x - y);
  attached.sort((x, y) => x - y);
  const told = `noticed after ${noticed.map(Math.round)} ms, attached in ${
    attached.map(Math.round)
  }`;
  console.log(told);
  // The machine may be busy with anything for a moment; most of the time it is not.
  assert(noticed[2]! < 100 && attached[attached.length >> 1]! < 100, told);
}

async function noticeRelay(page: puppeteer.Page): Promise<void> {
  const scene = { cairn: CAIRN, name: "killed" };
  const seen = await page.evaluate(killRelay, { scene, client: CLIENT_PROGRAM });
  const { waited, ...rest } = seen;
  assertEquals(rest, { error: "EIO", own: "EIO", text: "kept" });
  console.log(`the relay's death was noticed after ${Math.round(waited)} ms`);
  assert(waited < 2000, `${waited} ms`);
}

async function keepSum(page: puppeteer.Page): Promise<void> {
  const scene = { cairn: CAIRN, name: "moved", kills: 20 };
  const sums = await page.evaluate(conserve, { scene, client: CLIENT_PROGRAM });
  assertEquals(sums, Array.from({ length: 21 }, () => 1000));
}

const LOOSE = { sanitizeOps: false, sanitizeResources: false };

for (const [name, options] of BROWSERS) {
  Deno.test(`the relay in ${name}`, LOOSE, async (context) => {
    await withPage(name, options, async (page) => {
      const fresh = async () => {
        await page.goto(page.url());
      };
      await context.step("torture: four clients, no answer wrong", () => torture(page));
      await fresh();
      await context.step("a client's death is noticed while another never pauses", () => {
        return noticeClients(page);
      });
      await fresh();
      await context.step("the relay's death is EIO, and the volume opens again", () => {
        return noticeRelay(page);
      });
      await fresh();
      await context.step("the sum holds while its movers are killed", () => keepSum(page));
    });
  });
}
