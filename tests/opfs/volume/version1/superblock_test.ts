/**
 * Superblocks of version-1 images: believed, restored, refused.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { isErrnoError } from "../../../../abi/errno.ts";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { Findings } from "../../../../opfs/volume/upkeep/transfer.ts";
import { readSuperblock1, solveWord } from "../../../../opfs/volume/version1/superblock.ts";
import { Random } from "../../../support/random.ts";
import { reseal, Version1Builder } from "../../../support/version1_builder.ts";

function image(): Uint8Array<ArrayBuffer> {
  const builder = new Version1Builder();
  builder.directory("/");
  builder.file("/a", "x".repeat(3000));
  return builder.build();
}

function read(bytes: Uint8Array, repair = false): { codes: string[]; message: string } {
  const findings = new Findings();
  let message = "";
  try {
    readSuperblock1(memoryHandle(bytes), { repair, findings });
  } catch (error) {
    assert(isErrnoError(error), String(error));
    message = error.message;
  }
  return { codes: findings.list.map((finding) => finding.code), message };
}

function changed(at: number, value: number): Uint8Array<ArrayBuffer> {
  const bytes = image();
  new DataView(bytes.buffer).setUint32(at, value, true);
  return bytes;
}

Deno.test("readSuperblock1() takes a whole superblock, and one without a checksum", () => {
  assertEquals(read(image()), { codes: [], message: "" });
  assertEquals(read(changed(60, 0)), { codes: ["crc-missing"], message: "" });
});

Deno.test("readSuperblock1() refuses each kind of wrong superblock with its own words", () => {
  const cases: [Uint8Array, string][] = [
    [new Uint8Array(0), "EINVAL: cannot read the version-1 image: 0 bytes are no volume"],
    [image().subarray(0, 63), "63 bytes are no volume"],
    [
      reseal(changed(0, 0x21534656)),
      "EINVAL: cannot read the version-1 image: magic is 0x21534656",
    ],
    [changed(0, 0x00088b1f), "gzip"],
    [reseal(changed(4, 2)), "ENOTSUP: cannot read the version-1 image: it is a version-2 volume"],
    [reseal(changed(4, 9)), "ENOTSUP: cannot read the version-1 image: version 9"],
    [reseal(changed(12, 0)), "EIO: cannot read the version-1 image: block size 0"],
    [changed(60, 1), "EIO: cannot read the version-1 image: superblock checksum is 0x00000001"],
  ];
  for (const [bytes, message] of cases) assertStringIncludes(read(bytes).message, message);
});

Deno.test("readSuperblock1() refuses any flipped bit unless it is asked to repair", () => {
  for (let bit = 0; bit < 60 * 8; bit++) {
    const bytes = image();
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    assert(read(bytes).message !== "", `bit ${bit}`);
  }
});

Deno.test("readSuperblock1() restores any damaged word when it is asked to", () => {
  const random = new Random(3);
  const whole = image();
  for (let at = 0; at < 60; at += 4) {
    if (at === 4) continue;
    const bytes = changed(at, random.bits() & ~0xff | 0x55);
    const findings = new Findings();
    const superblock = readSuperblock1(memoryHandle(bytes), { repair: true, findings });
    const right = readSuperblock1(memoryHandle(whole), { repair: false, findings: new Findings() });
    assertEquals(superblock, right, `word at ${at}`);
    assertEquals(findings.list.map((finding) => finding.code), ["superblock-restored"]);
  }
});

Deno.test("readSuperblock1() in a repair goes by the geometry, and refuses a wrong one", () => {
  assertEquals(read(reseal(changed(0, 1)), true).codes, ["superblock-damaged"]);
  assertStringIncludes(read(reseal(changed(12, 3)), true).message, "block size 3");
  assertStringIncludes(read(reseal(changed(4, 2)), true).message, "version-2");
});

/** The image while block 3 was being taken: the superblock's first `keep` bytes are new. */
function torn(keep: number): Uint8Array<ArrayBuffer> {
  const builder = new Version1Builder();
  builder.directory("/");
  builder.file("/a", "x".repeat(3000));
  const before = builder.build();
  builder.file("/b", "y");
  const after = builder.build();
  after.set(before.subarray(keep, 64), keep);
  return after;
}

Deno.test("readSuperblock1() knows a superblock that was half written", () => {
  assertEquals(read(torn(32)), { codes: ["superblock-torn"], message: "" });
  assertEquals(read(torn(64)), { codes: [], message: "" });
});

Deno.test("readSuperblock1() does not take a wrong counter for a torn superblock", () => {
  const bytes = image();
  bytes[20]! ^= 1;
  assertStringIncludes(read(bytes).message, "checksum");
});

Deno.test("solveWord() finds what stood there, for any superblock and word", () => {
  const seed = 11;
  const random = new Random(seed);
  for (let run = 0; run < 200; run++) {
    const bytes = reseal(new Uint8Array(64).map(() => random.bits()));
    const at = random.below(15) * 4;
    const view = new DataView(bytes.buffer);
    const right = view.getUint32(at, true);
    view.setUint32(at, random.bits(), true);
    assertEquals(solveWord(bytes, at), right, `seed ${seed}, run ${run}`);
  }
});
