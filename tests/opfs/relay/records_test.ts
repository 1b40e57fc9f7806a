import { assertEquals, assertThrows } from "@std/assert";
import { wholeMessage } from "../../../opfs/relay/channel.ts";
import { Reader, Writer } from "../../../opfs/relay/cursor.ts";
import { createChannelMemory } from "../../../opfs/relay/protocol.ts";
import * as records from "../../../opfs/relay/records.ts";

/** Writes a response, gives its reader. */
function answered(write: (writer: Writer) => void, status = 0): Reader {
  const memory = createChannelMemory(16_384);
  const writer = new Writer(memory).beginResponse();
  write(writer);
  const reader = new Reader(memory);
  reader.openResponse(wholeMessage(writer.endResponse(status)));
  return reader;
}

Deno.test("attributes, space and what is new come back as they went", () => {
  const attr = {
    ino: 2 ** 32 - 1,
    mode: 0o100644,
    nlink: 65_535,
    uid: 4_294_967_295,
    gid: 7,
    rdev: 0xffff,
    size: 2 ** 43,
    blocks: 2 ** 34,
    atime: 1.25,
    mtime: -1,
    ctime: 1e15 + 0.5,
  };
  assertEquals(records.readAttr(answered((w) => records.writeAttr(w, attr))), attr);
  const space = { blockSize: 512, blocks: 2 ** 41, freeBlocks: 3, inodes: 4, freeInodes: 5 };
  assertEquals(records.readStatFs(answered((w) => records.writeStatFs(w, space))), space);
  for (
    const made of [{ mode: 1, uid: 2, gid: 3, rdev: 4 }, {
      mode: 0o120777,
      uid: 2,
      gid: 3,
      rdev: 0,
      target: "ü",
    }]
  ) {
    const reader = answered((w) => records.writeCreateOptions(w, made));
    assertEquals(records.readCreateOptions(reader), made);
  }
});

Deno.test("a change has exactly the fields that it had, zeros too", () => {
  const whole = { mode: 0, uid: 0, gid: 0, size: 0, atime: 0, mtime: 0 };
  const names = Object.keys(whole) as (keyof typeof whole)[];
  for (let mask = 0; mask < 64; mask++) {
    const kept = names.filter((_, index) => mask >> index & 1);
    const change = Object.fromEntries(kept.map((name) => [name, whole[name]]));
    assertEquals(records.readChange(answered((w) => records.writeChange(w, change))), change);
  }
});

Deno.test("what a file without a name is made with, and names of attributes, come back", () => {
  for (const isLinkable of [true, false]) {
    const made = { mode: 0o600, uid: 2, gid: 3, isLinkable };
    const reader = answered((w) => records.writeTmpfileOptions(w, made));
    assertEquals(records.readTmpfileOptions(reader), made);
  }
  for (const names of [[], ["a"], ["user.ü", "b c", "x"]]) {
    assertEquals(records.unpackNames(records.packNames(names)), names);
  }
});

Deno.test("readEntries() refuses another number of entries than the status says", () => {
  const entry = { ino: 1, mode: 2, name: "é", cursor: 2 ** 40 };
  const write = (w: Writer) => records.writeEntry(w, entry);
  assertEquals(records.readEntries(answered(write, 1)), [entry]);
  assertThrows(() => records.readEntries(answered(write, 2)), Error, "EPROTO");
});
