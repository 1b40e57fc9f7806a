/**
 * How much of a file can be read, whatever its slot claims.
 */
import { assertEquals } from "@std/assert";
import { isDevice, isSpecial, measure, modeOf } from "../../../../opfs/volume/version1/contents.ts";
import {
  decodeSlot,
  decodeSuperblock1,
  type Slot,
} from "../../../../opfs/volume/version1/format.ts";

const superblock = {
  ...decodeSuperblock1(new Uint8Array(64)),
  blockSize: 1024,
  totalBlocks: 10,
  dataOffset: 5000,
};
const IMAGE_BYTES = 5000 + 10 * 1024;

function slot(change: Partial<Slot>): Slot {
  return { ...decodeSlot(new DataView(new ArrayBuffer(64)), 0), type: 1, ...change };
}

function look(change: Partial<Slot>): [size: number, at: number, needed: number, code: string] {
  const { sizeBytes, at, neededBlocks, problem } = measure(slot(change), superblock, IMAGE_BYTES);
  return [sizeBytes, at, neededBlocks, problem?.code ?? "whole"];
}

Deno.test("measure() takes whole files as they are, preallocated ones too", () => {
  assertEquals(look({}), [0, 5000, 0, "whole"]);
  assertEquals(look({ size: 1024, blockCount: 1, firstBlock: 2 }), [1024, 7048, 1, "whole"]);
  assertEquals(look({ size: 1, blockCount: 8 }), [1, 5000, 1, "whole"]);
});

Deno.test("measure() never goes beyond a file's blocks", () => {
  assertEquals(look({ size: 1025, blockCount: 1 }), [1024, 5000, 1, "size-wrong"]);
  assertEquals(look({ size: 5, blockCount: 0, firstBlock: 3 }), [0, 8072, 0, "size-wrong"]);
  assertEquals(look({ size: -5, blockCount: 0 }), [0, 5000, 0, "size-wrong"]);
  assertEquals(look({ size: NaN, blockCount: 2 }), [2048, 5000, 2, "size-wrong"]);
  assertEquals(look({ size: 3.5, blockCount: 1 }), [3, 5000, 1, "size-wrong"]);
  assertEquals(look({ size: Infinity, blockCount: 1 }), [1024, 5000, 1, "size-wrong"]);
});

Deno.test("measure() never goes beyond the image", () => {
  assertEquals(look({ size: 2048, blockCount: 2, firstBlock: 9 })[0], 1024);
  assertEquals(look({ size: 2048, blockCount: 2, firstBlock: 9 })[3], "contents-cut");
  const far = look({ size: 2 ** 40, blockCount: 0xffffffff, firstBlock: 0xffffffff });
  assertEquals([far[0], far[2], far[3]], [0, 0, "contents-cut"]);
});

Deno.test("modeOf() goes by the slot's type, and by the mode for bare special files", () => {
  assertEquals(modeOf(slot({ type: 1, mode: 0o120777 })), 0o100777);
  assertEquals(modeOf(slot({ type: 2, mode: 0 })), 0o040000);
  assertEquals(modeOf(slot({ type: 3, mode: 0xffffffff })), 0o127777);
  assertEquals(modeOf(slot({ mode: 0o010600 })), 0o010600);
  assertEquals(modeOf(slot({ mode: 0o010600, size: 1, blockCount: 1 })), 0o100600);
});

Deno.test("isSpecial() and isDevice() take bare files only", () => {
  assertEquals(isSpecial(slot({ mode: 0o140600 })), true);
  assertEquals(isDevice(slot({ mode: 0o140600 })), false);
  assertEquals(isDevice(slot({ mode: 0o020600, firstBlock: 0x103 })), true);
  assertEquals(isDevice(slot({ mode: 0o060600, blockCount: 1 })), false);
  assertEquals(isSpecial(slot({ type: 3, mode: 0o010600 })), false);
});
