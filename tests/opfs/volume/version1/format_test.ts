/**
 * Version-1 records between bytes and objects.
 */
import { assertEquals, assertMatch } from "@std/assert";
import {
  decodeSlot,
  decodeSuperblock1,
  encodeSlot,
  encodeSuperblock1,
  geometryProblem1,
  INODE_TABLE_AT,
} from "../../../../opfs/volume/version1/format.ts";

/** A fresh image of the peer: 64 bytes that it has written. */
const FRESH =
  "2153465601000000a0860100001000000004000000040000000000000000504000000000106a584100000000" +
  "00545b4100000000106a59410100000087d43dba";
const FRESH_BYTES = 11_358_208;

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fresh(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(FRESH.match(/../g)!.map((pair) => Number.parseInt(pair, 16)));
}

Deno.test("decodeSuperblock1() and encodeSuperblock1() know the peer's fresh superblock", () => {
  const superblock = decodeSuperblock1(fresh());
  assertEquals(superblock, {
    magic: 0x56465321,
    version: 1,
    inodeCount: 100_000,
    blockSize: 4096,
    totalBlocks: 1024,
    freeBlocks: 1024,
    inodeOffset: INODE_TABLE_AT,
    pathOffset: 6_400_064,
    dataOffset: 7_163_904,
    bitmapOffset: 6_662_208,
    pathUsed: 1,
    crc: 0xba3dd487,
  });
  assertEquals(hex(encodeSuperblock1(superblock)), FRESH);
});

Deno.test("geometryProblem1() accepts what the peer writes, and names what is impossible", () => {
  const whole = decodeSuperblock1(fresh());
  assertEquals(geometryProblem1(whole, FRESH_BYTES), null);
  assertEquals(geometryProblem1({ ...whole, blockSize: 1 }, FRESH_BYTES), null);
  assertEquals(geometryProblem1({ ...whole, dataOffset: 7_163_905 }, FRESH_BYTES), null);
  const wrong: [Partial<typeof whole>, RegExp][] = [
    [{ blockSize: 0 }, /block size 0/],
    [{ blockSize: 3000 }, /block size 3000/],
    [{ inodeCount: 0 }, /slot count 0/],
    [{ inodeCount: 0xffffffff }, /slot count 4294967295/],
    [{ inodeOffset: 65 }, /inode table at 65/],
    [{ inodeOffset: NaN }, /inode table at NaN/],
    [{ pathOffset: 6_400_065 }, /path table at 6400065/],
    [{ bitmapOffset: 6_400_064 }, /bitmap at 6400064/],
    [{ bitmapOffset: Infinity }, /bitmap at Infinity/],
    [{ dataOffset: 6_662_208 }, /data at 6662208/],
    [{ dataOffset: 7_163_904.5 }, /data at 7163904.5/],
    [{ totalBlocks: 4_013_569 }, /4013569 blocks/],
    [{ dataOffset: FRESH_BYTES + 1 }, /cut off at 11358208/],
  ];
  for (const [change, message] of wrong) {
    assertMatch(geometryProblem1({ ...whole, ...change }, FRESH_BYTES) ?? "nothing", message);
  }
});

Deno.test("encodeSlot() writes what decodeSlot() reads, in 64 bytes and no more", () => {
  const slot = {
    type: 1,
    pathOffset: 0xfffffffe,
    pathLength: 65535,
    nlink: 3,
    mode: 0o100640,
    size: 2 ** 53 - 1,
    firstBlock: 7,
    blockCount: 0xffffffff,
    mtime: -1.5,
    ctime: 1.25,
    atime: 1e300,
    uid: 501,
    gid: 0xffffffff,
  };
  const bytes = new Uint8Array(66).fill(0xaa);
  encodeSlot(slot, new DataView(bytes.buffer), 1);
  assertEquals(decodeSlot(new DataView(bytes.buffer), 1), slot);
  assertEquals([bytes[0], bytes[65]], [0xaa, 0xaa]);
  assertEquals(hex(bytes.subarray(5, 13)), "feffffffffff0300");
});
