/**
 * The volume suite, once for every browser: what is done, and what must be seen. A driver runs a
 * scenario in a page or in a worker of it, and can lead the page elsewhere. Playwright loads this as
 * CommonJS, so it imports nothing that asks for its own address.
 */
import { assert, assertEquals } from "../../tools/std/assert/mod.ts";
import { checkVolume } from "../../opfs/volume/check.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { createFS } from "../../fs/create_fs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import { openVolumeSync } from "../../opfs/volume/mount.ts";
import * as scenario from "./volume_scenarios.ts";

type Scenario<T> = (scene: scenario.Scene) => Promise<T>;

/** How a suite reaches a browser. */
export interface Driver {
  /** Leads the page to a path of the server, and loads it anew. */
  goto(path: string): Promise<void>;
  /** Runs a scenario in the page, or in a worker of it. */
  run<T>(where: "page" | "worker", what: Scenario<T>, scene: scenario.Scene): Promise<T>;
  /** Ends the browser and starts it again on the same profile. */
  restart(): Promise<void>;
}

/** One part of the suite. */
export interface Part {
  /** What it proves. */
  name: string;
  /** Does it. */
  run(driver: Driver): Promise<void>;
}

const CAIRN = "/dist/cairn.js";
const WAYS: readonly ["page" | "worker", scenario.Scene][] = [
  ["page", { cairn: CAIRN, name: "page", blocking: "spin" }],
  ["worker", { cairn: CAIRN, name: "relayed", access: "relay" }],
  ["worker", { cairn: CAIRN, name: "direct" }],
];

/** Every part, in order; each begins on an isolated page. */
export const PARTS: readonly Part[] = [
  ...WAYS.map(([where, scene]) => ({
    name: `${where} (${scene.name}) keeps files over a reload`,
    run: (driver: Driver) => keepsFiles(driver, where, scene),
  })),
  { name: "files are found after a restart of the browser", run: survivesRestart },
  { name: "an image goes from the browser to Deno and back", run: carriesImages },
  { name: "a page that may not spin has promises", run: hasPromises },
  { name: "workers share a relay with the page", run: sharesRelay },
  { name: "a dead relay is EIO within the deadline", run: noticesDeath },
  { name: "a volume that is open elsewhere is EBUSY", run: refusesSecond },
  { name: "without isolation a page is told why, and a worker needs none", run: needsNoIsolation },
];

async function keepsFiles(
  driver: Driver,
  where: "page" | "worker",
  scene: scenario.Scene,
): Promise<void> {
  await driver.goto("/blank.html");
  const kept = await driver.run(where, scenario.keep, { ...scene, text: "behalten" });
  assertEquals(kept, {
    transport: scene.name === "direct" ? "direct" : "relay",
    same: true,
    sizes: [3_000_000, 4096],
    reports: ["number", "number", "boolean"],
  });
  await driver.goto("/blank.html?again");
  const found = await driver.run(where, scenario.find, scene);
  assertEquals(found, { text: "behalten!", same: true, size: 3_000_000, wasClean: true });
}

async function survivesRestart(driver: Driver): Promise<void> {
  await driver.goto("/blank.html");
  const scene: scenario.Scene = { cairn: CAIRN, name: "restart", blocking: "spin" };
  await driver.run("page", scenario.keep, { ...scene, text: "über den Neustart" });
  await driver.restart();
  await driver.goto("/blank.html");
  const found = await driver.run("page", scenario.find, scene);
  assertEquals(found.text, "über den Neustart!");
}

async function carriesImages(driver: Driver): Promise<void> {
  await driver.goto("/blank.html");
  const scene: scenario.Scene = { cairn: CAIRN, name: "carried" };
  await driver.run("worker", scenario.keep, { ...scene, text: "aus dem Browser" });
  const handle = memoryHandle(fromText(await driver.run("page", scenario.exportImage, scene)));
  const { clean, violations } = checkVolume(handle);
  assert(clean, JSON.stringify(violations));
  const volume = openVolumeSync(handle);
  const FS = createFS({ root: { type: VOLUMEFS, options: { volume } } });
  assertEquals(FS.readFile("/ü/tiefer/text", { encoding: "utf8" }), "aus dem Browser!");
  const large = FS.readFile("/large");
  assertEquals(large.length, 3_000_000);
  assert(large.every((byte: number, at: number) => byte === (at * 7 + (at >> 8) & 255)));
  FS.writeFile("/ü/tiefer/text", "aus Deno");
  volume.close();
  const back: scenario.Scene = { cairn: CAIRN, name: "back" };
  const image = handle.toBytes();
  await driver.run("page", scenario.importImage, { ...back, text: toText(image) });
  const found = await driver.run("worker", scenario.find, back);
  assertEquals(found, { text: "aus Deno", same: true, size: 3_000_000, wasClean: true });
}

async function hasPromises(driver: Driver): Promise<void> {
  await driver.goto("/blank.html");
  const { message, ...rest } = await driver.run("page", scenario.promise, {
    cairn: CAIRN,
    name: "promised",
  });
  assertEquals(rest, { written: 2_500_000, read: 2_500_000, isThere: true });
  assert(String(message).startsWith("ENOTSUP") && String(message).includes('blocking: "spin"'));
}

async function sharesRelay(driver: Driver): Promise<void> {
  await driver.goto("/blank.html");
  const cairn = new URL(CAIRN, await driver.run("page", here, { cairn: "", name: "" })).href;
  const said = await driver.run("page", scenario.share, {
    cairn,
    name: "shared",
    blocking: "spin",
  });
  assertEquals(said, ["1 relay 0", "2 relay 0", "3 relay 0", "page 0"]);
}

function here(): Promise<string> {
  return Promise.resolve(globalThis.location.href);
}

async function noticesDeath(driver: Driver): Promise<void> {
  for (const [where, name] of [["worker", "lost"], ["page", "lost on page"]] as const) {
    await driver.goto("/blank.html");
    const scene: scenario.Scene = { cairn: CAIRN, name, blocking: "spin" };
    const { message, isBounded, again } = await driver.run(where, scenario.lose, scene);
    assert(String(message).includes("shown no life for 500 ms"), String(message));
    assertEquals(isBounded, true);
    const isDirect = where === "worker" ? again === "direct" : String(again).startsWith("ENOTSUP");
    assert(isDirect, String(again));
  }
}

async function refusesSecond(driver: Driver): Promise<void> {
  await driver.goto("/blank.html");
  const scene: scenario.Scene = { cairn: CAIRN, name: "held" };
  await driver.run("page", hold, scene);
  for (const access of ["direct", "relay"] as const) {
    const message = await driver.run("worker", scenario.refuse, { ...scene, access });
    assert(message.startsWith('EBUSY: cannot open "/held.cairn": another tab or worker'), message);
  }
  await driver.goto("/blank.html?released");
  assertEquals(await driver.run("worker", scenario.refuse, scene), "no error");
}

/** Opens a volume and keeps it open as long as the page lives. */
async function hold({ cairn, name }: scenario.Scene): Promise<void> {
  const { openVolume } = await import(cairn);
  Reflect.set(globalThis, "held", await openVolume({ name, access: "relay" }));
}

async function needsNoIsolation(driver: Driver): Promise<void> {
  await driver.goto("/noiso/blank.html");
  const scene: scenario.Scene = { cairn: "/noiso/dist/cairn.js", name: "alone" };
  const message = await driver.run("page", scenario.refuse, { ...scene, blocking: "spin" });
  assert(message.includes("Cross-Origin-Opener-Policy: same-origin"), message);
  assert(message.includes("open the volume in a worker, which needs neither"), message);
  const kept = await driver.run("worker", scenario.keep, { ...scene, text: "allein" });
  assertEquals([kept.transport, kept.same], ["direct", true]);
  assertEquals((await driver.run("worker", scenario.find, scene)).text, "allein!");
}

function fromText(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function toText(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 30_000) {
    text += String.fromCharCode(...bytes.subarray(at, at + 30_000));
  }
  return btoa(text);
}
