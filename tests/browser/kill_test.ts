/**
 * True kills in Chromium and Firefox: a client's thread and the relay's thread end by terminate() at
 * each point of the protocol, a page within a page is removed, and a page is closed.
 */
import { assert, assertEquals } from "@std/assert";
import * as puppeteer from "puppeteer-core";
import { bundle } from "../../tools/build.ts";
import { browserPath } from "../../tools/needs.ts";
import { startServer } from "../../tools/serve.ts";
import type { Kill, KillPage, Outcome, Point } from "./kill_page.ts";

declare const kills: KillPage;

const BROWSERS = [
  ["Chromium", { browser: "chrome", args: ["--no-sandbox", "--disable-gpu"] }],
  ["Firefox", { browser: "firefox" }],
] as const;

/**
 * The point, and by how many bytes the log may have grown: what was not durable when the relay died
 * may be gone, and nothing is there twice.
 */
const POINTS: readonly [Point, { client: number[]; relay: number[] }][] = [
  ["before the request is seen", { client: [0, 100], relay: [0] }],
  // Pieces of an append that was cut off: two had been sent, the rest never came.
  ["in the middle of a payload", { client: [32_744], relay: [0, 16_360] }],
  ["after the change, before its answer", { client: [100], relay: [0, 100] }],
  ["after the answer", { client: [100], relay: [0, 100] }],
  // Leases come with posting; what there is to be revoked now is what others have cached.
  ["while others learn of a change", { client: [100], relay: [0, 100] }],
  ["while it waits for a lock", { client: [0], relay: [0] }],
];

const LOOSE = { sanitizeOps: false, sanitizeResources: false };

async function withBrowser(
  name: "Chromium" | "Firefox",
  options: object,
  run: (newPage: () => Promise<puppeteer.Page>) => Promise<void>,
): Promise<void> {
  const server = await startServer({ port: 0 });
  const userDataDir = Deno.makeTempDirSync();
  const browser = await puppeteer.launch(
    {
      ...options,
      executablePath: browserPath(name),
      headless: true,
      userDataDir,
    } as Parameters<typeof puppeteer.launch>[0],
  );
  const program = await bundle("tests/browser/kill_page.ts", "iife");
  const newPage = async () => {
    const page = await browser.newPage();
    await page.goto(`${server.origin}/blank.html`);
    await page.evaluate(program);
    return page;
  };
  try {
    await run(newPage);
  } finally {
    await browser.close();
    await server.close();
    Deno.removeSync(userDataDir, { recursive: true });
  }
}

function check(kill: Kill, grown: readonly number[], outcome: Outcome): void {
  const { noticedMs, grown: seen, ...rest } = outcome;
  const told = `${kill.who} ${kill.point}: ${JSON.stringify(outcome)}`;
  const isAnswered = kill.point === "after the answer";
  const code = kill.who === "client" ? "" : isAnswered ? "no error" : "EIO";
  assertEquals(rest, { code, orphans: 0, kept: "kkkkkkkkkk", later: 100 }, told);
  assert(grown.includes(seen), told);
  // Chromium itself takes two seconds to end a thread that is inside of a wait.
  assert(noticedMs < 5000, told);
}

for (const [name, options] of BROWSERS) {
  Deno.test(`true kills in ${name}`, LOOSE, async (context) => {
    const client = await bundle("tests/browser/kill_client.ts", "iife");
    const relay = await bundle("tests/browser/kill_relay.ts", "iife");
    const programs = { relay, client };
    const noticed: number[] = [];
    await withBrowser(name, options, async (newPage) => {
      const page = await newPage();
      for (const who of ["client", "relay"] as const) {
        for (const [point, grown] of POINTS) {
          await context.step(`the ${who} is killed ${point}`, async () => {
            const kill = { who, point, programs };
            const outcome = await page.evaluate((kill: Kill) => kills.kill(kill), kill);
            check(kill, grown[who], outcome);
            if (point !== "while it waits for a lock") noticed.push(outcome.noticedMs);
          });
        }
      }
      await context.step("a page within the page is closed while it holds a lock", async () => {
        const cairn = new URL("/dist/cairn.js", page.url()).href;
        const waitedMs = await page.evaluate((scene) => kills.closeFrame(scene), { cairn, client });
        assert(waitedMs < 2000, `${waitedMs} ms`);
        noticed.push(waitedMs);
      });
      await context.step(
        "a page is closed with its relay, and another opens the volume",
        async () => {
          const other = await newPage();
          await other.evaluate((client: string) => kills.keepBusy(client), client);
          await other.close();
          const { openedMs, ...rest } = await page.evaluate(() => kills.openAfter());
          assertEquals(rest, { kept: "kkkkkkkkkk", rest: 0 });
          assert(openedMs < 5000, `${openedMs} ms`);
        },
      );
    });
    console.log(`noticed after ${noticed.map(Math.round)} ms`);
  });
}
