/**
 * Every call of a volume with one argument that is out of the ordinary, on each way to a volume: direct,
 * as promises, through a relay with a cache and without, as promises of a relay, and by messages. What
 * the engine answers is right, and all others answer the same, or fail with the same code.
 */
import { assertEquals } from "@std/assert";
import { isErrnoError } from "../../abi/errno.ts";
import { openVolume } from "../../opfs/compose/open.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { PortPromises, serveCalls } from "../../opfs/relay/call_port.ts";
import { promisesOf } from "../../opfs/relay/promises.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";

type Calls = Record<string, (...args: unknown[]) => unknown>;

const FILE = { mode: 0o100644, uid: 0, gid: 0 };
const LINK = { mode: 0o120777, uid: 0, gid: 0, target: "t" };
const DEVICE = { mode: 0o020600, uid: 0, gid: 0, rdev: 5 };
/** Longer than an area. */
const LONG_BYTES = 50_000;

const thrower = (): never => {
  throw new RangeError("an object of the caller throws");
};
const ODD: Readonly<Record<string, unknown>> = {
  ...Object.fromEntries(
    [0, 1, -1, -0, NaN, Infinity, 0.5, 2 ** 31, -(2 ** 31), 2 ** 32 - 1, 2 ** 32, 2 ** 53, 3, 16]
      .map((number) => [`number ${Object.is(number, -0) ? "-0" : number}`, number]),
  ),
  symbol: Symbol("odd"),
  null: null,
  undefined: undefined,
  object: {},
  big: 5n,
  function: () => 1,
  digits: "1",
  list: [1],
  truth: true,
  "a throwing object": { valueOf: thrower, toString: thrower },
  "a throwing proxy": new Proxy({}, { get: thrower, has: thrower, ownKeys: thrower }),
  empty: "",
  dots: "..",
  slash: "a/b",
  "half a character": "\ud800",
  "256 letters": "x".repeat(256),
  "20,000 letters": "y".repeat(20_000),
  "a mark of the byte order": "\ufeffbom",
};
const FIELDS = ["mode", "uid", "gid", "rdev", "size", "atime", "mtime", "target"];

/** Times depend on when, and space on the device. */
function told(value: unknown): string {
  return JSON.stringify(value, (key, each) => {
    if (each instanceof Uint8Array) return [...each.subarray(0, 9)];
    return /^.time$|^blocks$|^freeBlocks$/.test(key) ? 0 : each;
  }) ?? "nothing";
}

function detached(): Uint8Array {
  const bytes = new Uint8Array(8);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

/** The same calls on all ways to a volume; which answer otherwise than the engine. */
class Ways {
  readonly differences: string[] = [];
  count = 0;
  readonly #ways: [string, Calls][];

  constructor(ways: Record<string, object>) {
    this.#ways = Object.entries(ways) as [string, Calls][];
  }

  /** Makes the call; `make` gives each way arguments of its own. Answers what the engine has said. */
  async all(what: string, name: string, make: () => unknown[]): Promise<string> {
    this.count += 1;
    let right = "";
    for (const [way, calls] of this.#ways) {
      const said = await this.#one(calls, name, make());
      if (way === "direct") right = said;
      if (said !== right) this.differences.push(`${what}: ${way} ${said}, the engine ${right}`);
    }
    return right;
  }

  async #one(calls: Calls, name: string, args: unknown[]): Promise<string> {
    try {
      const value = await calls[name]!(...args);
      const into = name === "read" ? told(args[1]) : "";
      return told(value) + into;
    } catch (error) {
      return isErrnoError(error) ? error.code : String(error);
    }
  }
}

/** Arguments that each call takes; none makes a name twice. */
function callsOn(root: number, ino: number, fresh: () => string): Record<string, () => unknown[]> {
  return {
    lookup: () => [root, "a"],
    create: () => [root, fresh(), FILE],
    tmpfile: () => [root, FILE],
    link: () => [ino, root, fresh()],
    unlink: () => [root, "b"],
    rmdir: () => [root, "d"],
    rename: () => [root, "b", root, "e", 0],
    readdir: () => [root, 0],
    readlink: () => [ino],
    getattr: () => [ino],
    setattr: () => [ino, { mode: 0o600 }],
    read: () => [ino, new Uint8Array(4), 0],
    write: () => [ino, new Uint8Array(4), 0],
    append: () => [ino, new Uint8Array(4)],
    seek: () => [ino, 0, 3],
    allocate: () => [ino, 0, 0, 100],
    getxattr: () => [ino, "user.x"],
    setxattr: () => [ino, "user.x", new Uint8Array(2), 0],
    listxattr: () => [ino],
    removexattr: () => [ino, "user.y"],
    retain: () => [ino],
    release: () => [ino],
    fsync: () => [ino],
  };
}

/** Reads and writes with positions, and with bytes, of each kind. */
async function callWithBytes(ways: Ways, ino: number): Promise<void> {
  for (const name of ["read", "write"]) {
    const long = () => new Uint8Array(LONG_BYTES);
    for (const [kind, at] of Object.entries(ODD)) {
      await ways.all(`long ${name} ${kind}`, name, () => [ino, long(), at]);
    }
    for (const bytes of [new Uint16Array(4), new DataView(new ArrayBuffer(4)), "abc", [1, 2]]) {
      await ways.all(
        `${name} of ${Object.prototype.toString.call(bytes)}`,
        name,
        () => [ino, bytes, 0],
      );
    }
    await ways.all(`detached ${name}`, name, () => [ino, detached(), 0]);
  }
}

Deno.test("all ways to a volume answer alike, whatever they are called with, and after its close", async () => {
  const folder = Deno.makeTempDirSync();
  const opened = (name: string, cacheBytes?: number) =>
    openVolume({ name: `${folder}/${name}.cairn`, access: "relay", areaBytes: 16_384, cacheBytes });
  const direct = openVolumeSync(memoryHandle());
  const { port1, port2 } = new MessageChannel();
  serveCalls(port2, openVolumeSync(memoryHandle()), () => ({}));
  const isAlive = () => Promise.resolve(true);
  const ways = new Ways({
    direct,
    "as promises": promisesOf(openVolumeSync(memoryHandle())),
    "through a cache": await opened("cached"),
    "through a relay": await opened("plain", 0),
    "as promises of a relay": (await opened("promises")).promises,
    "by messages": new PortPromises(port1, { isAlive, deadlineMs: 30_000 }).calls,
  });
  const { root } = direct;
  let made = 0;
  const fresh = () => `n${made}`;
  const ino = Number(await ways.all("create", "create", () => [root, "a", FILE]));
  await ways.all("write", "write", () => [ino, new TextEncoder().encode("hello world"), 0]);
  // After so many that are missing a cache knows the directory as a whole.
  for (let miss = 0; miss < 5; miss++) await ways.all("miss", "lookup", () => [root, `-${miss}`]);
  const calls = callsOn(root, ino, fresh);
  for (const [name, make] of Object.entries(calls)) {
    for (const [kind, value] of Object.entries(ODD)) {
      for (let place = 0; place < make().length; place++) {
        made++;
        await ways.all(`${name} ${place} ${kind}`, name, () => make().with(place, value));
      }
    }
  }
  for (const field of FIELDS) {
    for (const [kind, value] of Object.entries(ODD)) {
      for (const base of [FILE, LINK, DEVICE]) {
        made++;
        const options = { ...base, [field]: value };
        const said = await ways.all(`${field} ${kind}`, "create", () => [root, fresh(), options]);
        if (!Number(said)) continue;
        await ways.all(`${field} ${kind} made`, "getattr", () => [Number(said)]);
      }
      const change = { [field]: value };
      await ways.all(`change ${field} ${kind}`, "setattr", () => [ino, change]);
      await ways.all(`changed ${field} ${kind}`, "getattr", () => [ino]);
      await ways.all(`tmpfile ${field} ${kind}`, "tmpfile", () => [root, { ...FILE, ...change }]);
    }
  }
  await callWithBytes(ways, ino);
  await ways.all("set a mark", "setxattr", () => [ino, "\ufeffuser.a", new Uint8Array(1), 0]);
  await ways.all("list a mark", "listxattr", () => [ino]);
  await ways.all("space", "statfs", () => []);
  await ways.all("close", "close", () => []);
  for (const [name, make] of Object.entries(calls)) await ways.all(`closed ${name}`, name, make);
  for (const name of ["sync", "statfs"]) await ways.all(`closed ${name}`, name, () => []);
  port2.close();
  Deno.removeSync(folder, { recursive: true });
  assertEquals(ways.differences, [], `${ways.count} calls each`);
  console.log(`${ways.count} calls on each way`);
});
