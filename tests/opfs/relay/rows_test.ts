/**
 * What the rows say of their calls is true: each golden call is made on a volume, and what it changes
 * is compared with the row. A new row is looked at as soon as it has its golden bytes.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE } from "../../../abi/flags.ts";
import { ErrnoError } from "../../../abi/errno.ts";
import { CachedVolume } from "../../../opfs/cache.ts";
import type { RelayClient } from "../../../opfs/relay/client.ts";
import { OPERATIONS, type OpName } from "../../../opfs/relay/operations.ts";
import { CALL_ROWS } from "../../../opfs/relay/rows.ts";
import { CALLS } from "../../../opfs/relay/promises.ts";
import type { VolumeOps } from "../../../opfs/volume_ops.ts";
import { turnedRelay } from "../../support/turned_relay.ts";
import { GOLDEN, goldenVolume } from "./golden_vectors.ts";

const NAMES = Object.keys(OPERATIONS) as OpName[];
/** The last inode of the golden volume, and one that comes after it. */
const [KNOWN, NEXT] = [5, 6];

/** A clock that is never read twice at one time. */
function ticks(): () => number {
  let now = 0;
  return () => ++now;
}

/** What a call answers, or how it fails. */
function told(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return (error as Error).message;
  }
}

/** Everything that a client may ask a volume for, and so keep. Quiet: it changes nothing itself. */
function everything(volume: VolumeOps, lastIno: number): unknown[] {
  return Array.from({ length: lastIno }, (_, index) => index + 1).map((ino) => {
    const names = ["f", "d", "l", "x", "g", "n", "s", "\u00fc"];
    const bytes = new Uint8Array(16);
    return {
      attr: told(() => {
        const { atime: _, ...attr } = volume.getattr(ino);
        return attr;
      }),
      names: names.map((name) => told(() => volume.lookup(ino, name))),
      entries: told(() => volume.readdir(ino, 0)),
      target: told(() => volume.readlink(ino)),
      bytes: told(() => [volume.read(ino, bytes, 0, true), [...bytes]]),
      xattrs: told(() => volume.listxattr(ino).map((name) => [name, volume.getxattr(ino, name)])),
    };
  });
}

for (const name of NAMES) {
  const { changes, call } = OPERATIONS[name];
  if (call === null) continue;

  Deno.test(`${name} changes what its row says: ${changes}`, () => {
    const volume = goldenVolume(ticks());
    const { relay, channel, client } = turnedRelay(volume);
    const [mine, other] = [client(), client()];
    // No cache can have kept anything of an inode that was not there.
    const before = everything(volume, KNOWN);
    const [ownBefore, othersBefore] = [mine.generation, other.generation];
    GOLDEN[name].call(mine, channel());
    relay.turn();
    const isOther = JSON.stringify(everything(volume, KNOWN)) !== JSON.stringify(before);
    if (isOther) assert(changes !== "nothing", "it changes something: its row has to say so");
    assertEquals(mine.generation - ownBefore, changes === "names" ? 1 : 0);
    assertEquals(other.generation - othersBefore, changes === "nothing" ? 0 : 1);
  });

  Deno.test(`${name} leaves a cache that says what the volume says`, () => {
    const volume = goldenVolume(ticks());
    const { channel, client } = turnedRelay(volume);
    const cached = new CachedVolume(client());
    everything(cached, NEXT);
    everything(cached, NEXT);
    GOLDEN[name].call(cached as unknown as RelayClient, channel());
    assertEquals(everything(cached, NEXT), everything(volume, NEXT));
  });
}

/** The call of the volume that fails after it has been made, where it is not the row's own. */
const STEPS: Readonly<Record<string, string>> = { store: "write", createRetain: "create" };

for (const { call, changes, fails } of CALL_ROWS) {
  if (changes === "nothing") continue;

  Deno.test(`${call} that fails is announced to others as its row says: ${fails}`, () => {
    const volume = goldenVolume(ticks());
    const { channel, client } = turnedRelay(volume);
    const [mine, other] = [client(), client()];
    const name = NAMES.find((key) => OPERATIONS[key].call === call)!;
    const step = STEPS[call] ?? call;
    const made: (...args: unknown[]) => unknown = Reflect.get(volume, step);
    Reflect.set(volume, step, (...args: unknown[]) => {
      made.apply(volume, args);
      throw new ErrnoError("EIO", "do all of it");
    });
    const before = [mine.generation, other.generation];
    assertThrows(() => GOLDEN[name].call(mine, channel()), Error, "EIO");
    const after = [mine.generation, other.generation];
    const grown = fails === "halfway" ? 1 : 0;
    assertEquals(after.map((each, index) => each - before[index]!), [grown, grown]);
  });
}

Deno.test("docs/PROTOCOL.md lists the calls that fail halfway", () => {
  const page = Deno.readTextFileSync(new URL("../../../docs/PROTOCOL.md", import.meta.url));
  const listed = /call of several steps fails \(([^)]*), a payload/.exec(page)![1]!.split(", ");
  const halfway = NAMES.filter((name) =>
    CALL_ROWS.some(({ call, fails }) => fails === "halfway" && call === OPERATIONS[name].call)
  );
  assertEquals(listed.sort(), halfway.sort());
});

Deno.test("every row of a volume's own calls has its promise", () => {
  const own = CALL_ROWS.filter(({ part }) => part === "volume").map(({ call }) => call);
  assertEquals<readonly string[]>(CALLS, [...own, "close"]);
});

Deno.test("a cache says what the volume says after a range was zeroed, and after a longer one", () => {
  const volume = goldenVolume(ticks());
  const cached = new CachedVolume(turnedRelay(volume).client());
  for (const mode of [FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE]) {
    everything(cached, NEXT);
    cached.allocate(2, mode, 1, 5);
    assertEquals(everything(cached, NEXT), everything(volume, NEXT));
  }
});
