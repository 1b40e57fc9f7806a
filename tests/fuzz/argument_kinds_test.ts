/**
 * Every call of a volume with one argument of another kind than it takes: symbols, big numbers, objects
 * that throw when they are looked at. What comes out is an ErrnoError, and the volume goes on.
 */
import { assert, assertEquals } from "@std/assert";
import { isErrnoError } from "../../abi/errno.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import type { CallOf } from "../../opfs/relay/rows.ts";
import type { VolumeOps } from "../../opfs/volume_ops.ts";
import { FILE } from "../support/on_volume.ts";
import { turnedRelay } from "../support/turned_relay.ts";

const thrower = (): never => {
  throw new RangeError("an object of the caller throws");
};
const FIELDS = ["mode", "uid", "gid", "rdev", "target", "size", "atime", "mtime", "isLinkable"];
const getters = Object.fromEntries(FIELDS.map((name) => [name, { get: thrower }]));

/** What no call takes, or takes in another place. */
const KINDS: Readonly<Record<string, unknown>> = {
  symbol: Symbol("odd"),
  null: null,
  undefined: undefined,
  object: {},
  big: 5n,
  function: () => 1,
  text: "x",
  list: [1],
  truth: true,
  "a throwing object": { valueOf: thrower, toString: thrower },
  "throwing getters": Object.defineProperties({}, getters),
  "a throwing proxy": new Proxy({}, { get: thrower, has: thrower, ownKeys: thrower }),
  "a symbol for a mode": { mode: Symbol("m"), uid: 0, gid: 0 },
  "a symbol for an owner": { mode: 0o100644, uid: Symbol("m"), gid: 0 },
  "a throwing owner": { mode: 0o100644, uid: { valueOf: thrower }, gid: 0 },
  "a symbol for a target": { mode: 0o120777, uid: 0, gid: 0, target: Symbol("t") },
  "a symbol for a size": { size: Symbol("s") },
  "a big size": { size: 5n },
  "a symbol for a time": { atime: Symbol("t") },
};

/** Arguments that each call takes. */
function callsOn(
  root: number,
  ino: number,
): Record<Exclude<CallOf<"volume">, "sync" | "statfs">, unknown[]> {
  return {
    lookup: [root, "a"],
    create: [root, "b", FILE],
    tmpfile: [root, FILE],
    link: [ino, root, "c"],
    unlink: [root, "b"],
    rmdir: [root, "d"],
    rename: [root, "b", root, "e", 0],
    readdir: [root, 0],
    readlink: [ino],
    getattr: [ino],
    setattr: [ino, { mode: 0o600 }],
    read: [ino, new Uint8Array(4), 0],
    write: [ino, new Uint8Array(4), 0],
    append: [ino, new Uint8Array(4)],
    seek: [ino, 0, 3],
    allocate: [ino, 0, 0, 100],
    copyRange: [ino, 0, ino, 50, 20],
    getxattr: [ino, "user.x"],
    setxattr: [ino, "user.x", new Uint8Array(2), 0],
    listxattr: [ino],
    removexattr: [ino, "user.x"],
    retain: [ino],
    release: [ino],
    fsync: [ino],
  };
}

for (const where of ["direct", "relayed"]) {
  Deno.test(`no kind of argument fails a volume, ${where}`, () => {
    const device = memoryHandle();
    const engine = openVolumeSync(device);
    const volume: VolumeOps = where === "direct" ? engine : turnedRelay(engine).client(65_536);
    const ino = volume.create(volume.root, "a", FILE);
    let calls = 0;
    for (const [name, right] of Object.entries(callsOn(volume.root, ino))) {
      for (const [kind, value] of Object.entries(KINDS)) {
        for (let place = 0; place < right.length; place++) {
          const given = right.with(place, value);
          const what = `${name} with ${kind} in place ${place}`;
          try {
            (volume as unknown as Record<string, (...given: unknown[]) => void>)[name]!(...given);
          } catch (error) {
            assert(isErrnoError(error), `${what}: ${String(error)}`);
          }
          assertEquals(engine.stats().state !== "failed", true, what);
          calls++;
        }
      }
    }
    console.log(`${calls} calls`);
    engine.close();
    assertEquals(checkVolume(device).violations, []);
  });
}
