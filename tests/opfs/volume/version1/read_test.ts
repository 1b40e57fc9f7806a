/**
 * Reading a version-1 image: entries, pieces of contents, refusals, hostile bytes.
 */
import { assert, assertEquals } from "@std/assert";
import { isErrnoError } from "../../../../abi/errno.ts";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { readVersion1, type Version1Image } from "../../../../opfs/volume/version1/read.ts";
import { assertErrno } from "../../../support/errno.ts";
import { Random } from "../../../support/random.ts";
import { reseal, Version1Builder } from "../../../support/version1_builder.ts";
import { importBytes } from "../../../support/version1_rig.ts";

function sample(): Version1Builder {
  const builder = new Version1Builder();
  builder.directory("/");
  builder.directory("/d");
  builder.file("/d/f", "0123456789".repeat(300));
  builder.symlink("/s", "d/f");
  builder.link("/d/l", 2);
  builder.add({ type: 1, path: "/tty", mode: 0o020620, firstBlock: 0x500 });
  return builder;
}

function open(builder: Version1Builder): Version1Image {
  return readVersion1(memoryHandle(builder.build()));
}

Deno.test("Version1Image.files() gives each inode once, with all names and attributes", () => {
  const builder = sample();
  Object.assign(builder.slots[2]!, { uid: 501, gid: 20, mtime: -1.5, ctime: 2.25, atime: 3 });
  const files = [...open(builder).files()];
  assertEquals(files.map((entry) => entry.paths), [["/d/f", "/d/l"], ["/s"], ["/tty"]]);
  assertEquals(files.map((entry) => entry.mode), [0o100644, 0o120777, 0o020620]);
  assertEquals(files.map((entry) => entry.rdev), [0, 0, 0x500]);
  const { uid, gid, mtime, ctime, atime, sizeBytes, slot } = files[0]!;
  assertEquals([uid, gid, mtime, ctime, atime, sizeBytes, slot], [501, 20, -1.5, 2.25, 3, 3000, 2]);
});

Deno.test("Version1Image.read() gives any piece, and nothing at the end", () => {
  const image = open(sample());
  const [file] = [...image.files()];
  const into = new Uint8Array(7);
  assertEquals(image.read(file!, into, 1021), 7);
  assertEquals(new TextDecoder().decode(into), "1234567");
  assertEquals(image.read(file!, into, 2998), 2);
  assertEquals(image.read(file!, into, 3000), 0);
  assertEquals(image.totalBytes, 3003);
});

Deno.test("Version1Image.hasDirectory() knows directories with a slot", () => {
  const image = open(sample());
  assertEquals(["/", "/d", "/d/f", "/none"].map((path) => image.hasDirectory(path)), [
    true,
    true,
    false,
    false,
  ]);
});

Deno.test("Version1Image takes times that are no numbers for 0, and says so", () => {
  const builder = sample();
  Object.assign(builder.slots[2]!, { mtime: NaN, ctime: Infinity, atime: -Infinity });
  const image = open(builder);
  const [{ mtime, ctime, atime }] = [...image.files()] as [ReturnType<typeof Object>];
  assertEquals([mtime, ctime, atime], [0, 0, 0]);
  assertEquals(image.findings.list.map((finding) => finding.code), Array(3).fill("time-wrong"));
});

Deno.test("readVersion1() refuses what would mix data, and reads it in a repair", () => {
  const builder = sample();
  builder.file("/d/f", "again");
  const handle = memoryHandle(builder.build());
  assertErrno("EIO", () => readVersion1(handle));
  assertEquals([...readVersion1(handle, { repair: true }).files()].map((entry) => entry.paths), [
    ["/d/l"],
    ["/s"],
    ["/tty"],
    ["/d/f"],
  ]);
});

/** Values that are at the edge of something. */
const EXTREMES = [0, 1, 2, 3, 4, 5, 63, 64, 0x7fffffff, 0x80000000, 0xffffffff];

/** An image with a few bytes changed, sealed again half of the time. */
function mutated(whole: Uint8Array<ArrayBuffer>, random: Random): Uint8Array<ArrayBuffer> {
  const bytes = whole.slice();
  const view = new DataView(bytes.buffer);
  const tables = 64 + 64 * 64 + 200;
  for (let change = 1 + random.below(4); change > 0; change--) {
    const word = random.below(tables >> 2) * 4;
    const kind = random.below(4);
    if (kind === 0) bytes[random.below(tables)]! ^= 1 << random.below(8);
    else if (kind === 1) view.setUint32(word, random.pick(EXTREMES), true);
    else if (kind === 2) view.setUint32(random.below(16) * 4, random.bits(), true);
    else view.setFloat64(word, random.pick([NaN, -1, 1e308, 0.5, Infinity, 2 ** 53]), true);
  }
  if (random.oneIn(2)) reseal(bytes);
  return random.oneIn(6) ? bytes.slice(0, random.below(bytes.length)) : bytes;
}

Deno.test("readVersion1() and importSteps() answer hostile bytes with ErrnoErrors only", () => {
  const isLong = Deno.env.get("CAIRN_LONG") === "1";
  const whole = sample().build();
  let read = 0;
  for (let seed = 1; seed <= (isLong ? 10_000 : 500); seed++) {
    const bytes = mutated(whole, new Random(seed));
    for (const repair of [false, true]) {
      try {
        importBytes(bytes, { repair });
        read++;
      } catch (error) {
        assert(isErrnoError(error), `seed ${seed}: ${(error as Error).stack}`);
      }
    }
  }
  console.log(`mutated images: ${read} imports went through`);
});
