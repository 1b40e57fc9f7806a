/**
 * The volume suite, once for every browser: what is done, and what must be seen. A driver runs a
 * scenario in a page or in a worker of it, and can lead the page elsewhere. Playwright loads this as
 * CommonJS, so it imports nothing that asks for its own address.
 */
import { assert, assertEquals } from "../../tools/std/assert/mod.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { createFS } from "../../fs/create_fs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import { ALL_CASES } from "../conformance/all.ts";
import { compactInUse } from "./compact_scenarios.ts";
import { dieInCalls, openInHaste } from "./haste_scenarios.ts";
import { backUp, upgradeOlder } from "./image_scenarios.ts";
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
  /** From now on the user allows the site to keep its data. */
  allowPersist(): Promise<void>;
  /** Puts a finding into the report, as a step of its own. */
  note(finding: string): Promise<unknown>;
}

/** One part of the suite. */
export interface Part {
  /** What it proves. */
  name: string;
  /** Whether a worker starts a worker in it. */
  nests?: boolean;
  /** Does it. */
  run(driver: Driver): Promise<void>;
}

const CAIRN = "/dist/cairn.js";
const WAYS: readonly ["page" | "worker", scenario.Scene][] = [
  ["page", { cairn: CAIRN, name: "page", blocking: "spin" }],
  ["worker", { cairn: CAIRN, name: "relayed", access: "relay" }],
  ["worker", { cairn: CAIRN, name: "direct" }],
];

const CONFORMING: readonly ["page" | "worker", scenario.Scene][] = [
  ["page", { cairn: CAIRN, name: "spinning, relayed", blocking: "spin" }],
  ["worker", { cairn: CAIRN, name: "relayed", access: "relay" }],
  ["worker", { cairn: CAIRN, name: "direct", access: "direct" }],
];

const IMAGED: readonly ["page" | "worker", scenario.Scene][] = [
  ["page", { cairn: CAIRN, name: "page image", blocking: "spin" }],
  ["worker", { cairn: CAIRN, name: "relayed image", access: "relay" }],
  ["worker", { cairn: CAIRN, name: "direct image" }],
];

const COMPACTED: readonly ["page" | "worker", scenario.Scene][] = [
  ["page", { cairn: CAIRN, name: "page compacted" }],
  ["page", { cairn: "/noiso/dist/cairn.js", name: "alone compacted" }],
  ["worker", { cairn: CAIRN, name: "relayed compacted", access: "relay" }],
  ["worker", { cairn: CAIRN, name: "direct compacted" }],
];

/** Every part, in order; each begins on an isolated page. */
export const PARTS: readonly Part[] = [
  { name: "the report says what is persisted, quota and usage", run: tellsReport },
  ...WAYS.map(([where, scene]) => ({
    name: `${where} (${scene.name}) keeps files over a reload`,
    nests: startsRelay(where, scene),
    run: (driver: Driver) => keepsFiles(driver, where, scene),
  })),
  ...CONFORMING.map(([where, scene]) => ({
    name: `conformance: ${where} (${scene.name})`,
    nests: startsRelay(where, scene),
    run: (driver: Driver) => conforms(driver, where, scene),
  })),
  { name: "the relay copies a payload once", nests: true, run: copiesOnce },
  { name: "files are found after a restart of the browser", run: survivesRestart },
  { name: "an image goes from the browser to Deno and back", run: carriesImages },
  ...IMAGED.map(([where, scene]) => ({
    name: `${where} (${scene.name}): an image of a volume in use becomes a volume`,
    nests: startsRelay(where, scene),
    run: (driver: Driver) => backsUp(driver, where, scene),
  })),
  ...COMPACTED.map(([where, scene]) => ({
    name: `${where} (${scene.name}): a volume in use is compacted`,
    nests: startsRelay(where, scene),
    run: (driver: Driver) => compacts(driver, where, scene),
  })),
  ...IMAGED.map(([where, scene]) => ({
    name: `${where} (${scene.name}): a volume of an older format is upgraded`,
    nests: startsRelay(where, scene),
    run: (driver: Driver) => upgrades(driver, where, { ...scene, name: `${scene.name}, older` }),
  })),
  { name: "a volume is opened 50 times at once, and again without a moment to wait", run: hastens },
  { name: "a relay that dies in the midst of a call leaves no caller waiting", run: diesInCalls },
  { name: "a page that may not spin has promises", run: hasPromises },
  { name: "workers share a relay with the page", run: sharesRelay },
  {
    name: "a dead relay is EIO within the deadline (worker)",
    nests: true,
    run: (driver) => noticesDeath(driver, "worker"),
  },
  {
    name: "a dead relay is EIO within the deadline (page)",
    run: (driver) => noticesDeath(driver, "page"),
  },
  { name: "a volume that is open elsewhere is EBUSY", nests: true, run: refusesSecond },
  { name: "what is no volume is refused and left as it was", run: refusesForeign },
  { name: "without isolation a page has promises, and a worker everything", run: needsNoIsolation },
];

async function tellsReport(driver: Driver): Promise<void> {
  await driver.allowPersist();
  await driver.goto("/blank.html");
  const scene: scenario.Scene = { cairn: CAIRN, name: "reported", blocking: "spin" };
  assertEquals(await driver.run("page", scenario.tellReport, scene), {
    unasked: 0,
    asked: [true],
    persisted: [true, true],
    hasQuota: true,
    grows: true,
  });
}

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

function startsRelay(where: string, { access }: scenario.Scene): boolean {
  return where === "worker" && access === "relay";
}

/** The suite that Deno runs, on files of the browser. */
async function conforms(
  driver: Driver,
  where: "page" | "worker",
  scene: scenario.Scene,
): Promise<void> {
  await driver.goto("/blank.html");
  const { failures, passed, pending, lacked } = await driver.run(where, scenario.conform, scene);
  assertEquals(failures, []);
  assertEquals([passed + pending, lacked], [ALL_CASES.length, 0]);
  assert(passed > 200);
  await driver.note(`${passed} cases hold, ${pending} are pending`);
}

/**
 * Once, by the client. In the relay's thread only the engine copies: as much as it does alone, and
 * where the relay's pieces do not end with a block, the two halves of that block.
 */
async function copiesOnce(driver: Driver): Promise<void> {
  for (const [areaBytes, edgeBytes] of [[2_097_152, 0], [1_048_576, 2 * 4096]] as const) {
    await driver.goto("/blank.html");
    const scene: scenario.Scene = { cairn: CAIRN, name: "copied", areaBytes };
    const counts = await driver.run("worker", scenario.countCopies, scene);
    const seen = counts.map(({ call, sizeBytes }) => `${call} ${sizeBytes}`);
    assertEquals(seen, ["write 4096", "read 4096", "write 1048576", "read 1048576"]);
    for (const { call, sizeBytes, client, relay, engine } of counts) {
      assertEquals(client, { copiedBytes: sizeBytes, filledBytes: 0, allocatedBytes: 0 });
      assertEquals([relay.filledBytes, relay.allocatedBytes, engine.allocatedBytes], [0, 0, 0]);
      const more = relay.copiedBytes - engine.copiedBytes;
      const what = `${call} of ${sizeBytes}: ${relay.copiedBytes}, alone ${engine.copiedBytes}`;
      assert(more >= 0 && more <= edgeBytes, what);
      await driver.note(`area ${areaBytes}: ${what}`);
    }
  }
}

async function compacts(
  driver: Driver,
  where: "page" | "worker",
  scene: scenario.Scene,
): Promise<void> {
  const folder = scene.cairn.startsWith("/noiso") ? "/noiso" : "";
  await driver.goto(`${folder}/blank.html`);
  const seen = await driver.run(where, compactInUse, scene);
  const { steps, blocks, cutBlocks, made } = seen;
  assert(steps > 4 && made === steps, JSON.stringify(seen));
  assert(blocks[1] < blocks[0] - 1000 && cutBlocks > 1000, JSON.stringify(seen));
  assertEquals([seen.isForward, seen.isWhole, seen.ended], [true, true, "enough"]);
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

/** An upgrade in a browser: the same contents, once, and not while the volume is open. */
async function upgrades(
  driver: Driver,
  where: "page" | "worker",
  scene: scenario.Scene,
): Promise<void> {
  await driver.goto("/blank.html");
  assertEquals(await driver.run(where, upgradeOlder, scene), {
    text: "Hello, reader.\n",
    isComplete: true,
    again: "null",
    busy: "EBUSY",
    left: [`${scene.name}.cairn`],
  });
}

async function backsUp(
  driver: Driver,
  where: "page" | "worker",
  scene: scenario.Scene,
): Promise<void> {
  await driver.goto("/blank.html");
  const { pieces, ...seen } = await driver.run(where, backUp, scene);
  const expected = { clean: true, files: 1, refusal: "EEXIST", isOld: true, isNew: true };
  assertEquals(seen, expected);
  assert(pieces > 5, `written over ${pieces} times`);
}

async function hastens(driver: Driver): Promise<void> {
  await driver.goto("/blank.html");
  const seen = await driver.run("page", openInHaste, { cairn: CAIRN, name: "haste" });
  assertEquals(seen, { made: 50, found: 50, refusals: [] });
}

/** What was answered before the end is right too; what comes after it is an error within bounds. */
async function diesInCalls(driver: Driver): Promise<void> {
  await driver.goto("/blank.html");
  const ends = await driver.run("page", dieInCalls, { cairn: CAIRN, name: "died" });
  assertEquals(Object.keys(ends).length, 7);
  for (const [name, [call, closing]] of Object.entries(ends)) {
    assert(["ok", "EIO", "EBADF"].includes(call), `${name}: ${call}`);
    assert(["ok", "EIO"].includes(closing), `close after ${name}: ${closing}`);
  }
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

async function noticesDeath(driver: Driver, where: "page" | "worker"): Promise<void> {
  for (
    const [text, why] of [
      ["busy", "the relay has shown no life for 500 ms"],
      ["asleep", "the relay worker has ended"],
    ] as const
  ) {
    await driver.goto("/blank.html");
    const scene: scenario.Scene = {
      cairn: CAIRN,
      name: `lost ${where} ${text}`,
      blocking: "spin",
      text,
    };
    const { message, isBounded, again } = await driver.run(where, scenario.lose, scene);
    assert(String(message).includes(why), `${text}: ${message}`);
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
  assertEquals(await driver.run("page", readHeld, scene), "held");
  await driver.goto("/blank.html?released");
  assertEquals(await driver.run("worker", scenario.refuse, scene), "no error");
}

/** Opens a volume, writes, and keeps it open as long as the page lives. */
async function hold({ cairn, name }: scenario.Scene): Promise<void> {
  const { openVolume } = await import(cairn);
  const volume = await openVolume({ name, access: "relay" });
  const options = { mode: 0o100644, uid: 0, gid: 0 };
  const ino = await volume.promises.create(volume.root, "a", options);
  await volume.promises.write(ino, new TextEncoder().encode("held"), 0);
  Reflect.set(globalThis, "held", volume);
}

/** What the volume that is held has in its file. */
async function readHeld(): Promise<string> {
  const volume = Reflect.get(globalThis, "held");
  const into = new Uint8Array(100);
  const ino = await volume.promises.lookup(volume.root, "a");
  return new TextDecoder().decode(into.slice(0, await volume.promises.read(ino, into, 0)));
}

async function refusesForeign(driver: Driver): Promise<void> {
  await driver.goto("/blank.html");
  const image = toText(new TextEncoder().encode("This is not a volume.\n".repeat(500)));
  const scene: scenario.Scene = { cairn: CAIRN, name: "foreign", blocking: "spin" };
  await driver.run("page", scenario.importImage, { ...scene, text: image });
  for (const where of ["page", "worker"] as const) {
    const message = await driver.run(where, scenario.refuse, scene);
    assert(/^(EINVAL|EIO|ENOTSUP): cannot open/.test(message), message);
    assertEquals(await driver.run("page", scenario.exportImage, scene), image);
  }
}

async function needsNoIsolation(driver: Driver): Promise<void> {
  await driver.goto("/noiso/blank.html");
  const scene: scenario.Scene = { cairn: "/noiso/dist/cairn.js", name: "alone" };
  const message = await driver.run("page", scenario.refuse, { ...scene, blocking: "spin" });
  assert(message.includes("Cross-Origin-Opener-Policy: same-origin"), message);
  assert(message.includes("open the volume in a worker, which needs neither"), message);
  const promised = { ...scene, name: "promised alone" };
  const { message: why, ...rest } = await driver.run("page", scenario.promise, promised);
  assertEquals(rest, { written: 2_500_000, read: 2_500_000, isThere: true });
  assert(String(why).startsWith("ENOTSUP: cannot call getattr() synchronously"), String(why));
  assert(String(why).includes("Cross-Origin-Opener-Policy: same-origin"), String(why));
  assert(String(why).endsWith("or await volume.promises"), String(why));
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
