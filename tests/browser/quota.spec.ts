/** A volume up to the quota of its origin in Chromium: on a profile, and off the record. */
import { type BrowserContext, chromium, expect, type Page, test } from "@playwright/test";
import { type Filled, fillQuota, goOn } from "./quota_scenarios.ts";
import { inWorker, type Scene } from "./volume_scenarios.ts";

const MIB = 1 << 20;
const QUOTA_BYTES = 24 * MIB;

/** Lets the origin have so many bytes, whatever the disk has. */
async function limit(context: BrowserContext, page: Page): Promise<void> {
  const session = await context.newCDPSession(page);
  const { origin } = new URL(page.url());
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: QUOTA_BYTES });
}

function lookAtFull(seen: Filled, transport: string): void {
  expect(seen.transport).toBe(transport);
  expect(seen.refused.filter((code) => code !== "ok")).toEqual(["ENOSPC"]);
  expect([seen.sync, seen.state, seen.isAppendTrue]).toEqual(["ok", "open", true]);
  expect(seen.filledBytes).toBeGreaterThan(QUOTA_BYTES / 2);
  expect(seen.filledBytes).toBeLessThan(QUOTA_BYTES);
  // The override is not in the browser's estimate: before it is full nothing else is known.
  expect(seen.freeBytesBefore).toBeGreaterThan(QUOTA_BYTES / 2);
  expect(seen.freeBytesBefore).toBeLessThan(2 ** 40);
  expect(seen.freeBytesFull).toBeLessThan(2 * MIB);
}

function run<T>(page: Page, where: string, what: (scene: Scene) => Promise<T>, scene: Scene) {
  return where === "page"
    ? page.evaluate(what, scene)
    : page.evaluate(inWorker, { source: what.toString(), scene }) as Promise<T>;
}

const WAYS: [string, "page" | "worker", Omit<Scene, "cairn" | "name">][] = [
  ["direct", "worker", { access: "direct" }],
  ["relay", "worker", { access: "relay" }],
  ["relay", "page", { blocking: "spin" }],
];

async function fill(context: BrowserContext): Promise<void> {
  for (const [transport, where, how] of WAYS) {
    const page = await context.newPage();
    await page.goto("/blank.html");
    await limit(context, page);
    const scene = { cairn: "/dist/cairn.js", name: `full ${transport} ${where}`, ...how };
    const filled = await run(page, where, fillQuota, scene);
    await test.step(JSON.stringify(filled), () => lookAtFull(filled, transport));
    const wentOn = { isKept: true, writtenBytes: 1_000_000, state: "open", violations: 0 };
    expect(await run(page, where, goOn, scene)).toEqual(wentOn);
    await page.evaluate(async () => {
      const { storage } = navigator as unknown as {
        storage: {
          getDirectory(): Promise<{
            keys(): AsyncIterable<string>;
            removeEntry(name: string, options: object): Promise<void>;
          }>;
        };
      };
      const directory = await storage.getDirectory();
      for await (const name of directory.keys()) {
        await directory.removeEntry(name, { recursive: true });
      }
    });
    await page.close();
  }
}

test("a volume that fills the quota on a profile is ENOSPC, and goes on", async ({
  launchOptions,
  baseURL,
}, info) => {
  const profile = info.outputPath("profile");
  const context = await chromium.launchPersistentContext(profile, { ...launchOptions, baseURL });
  await fill(context);
  await context.close();
});

test("a volume that fills the quota off the record is ENOSPC, and goes on", async ({ context }) => {
  await fill(context);
});
