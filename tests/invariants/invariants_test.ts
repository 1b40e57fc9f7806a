/**
 * Every invariant of the engine and its devices is made false by some row, and is noticed: with its
 * number, and with a volume that is FAILED and writes nothing more. One that no row meets fails here.
 */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../abi/errno.ts";
import { InvariantError } from "../../abi/invariant.ts";
import { fileHandle } from "../../opfs/device/file.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import type { Journal } from "../../opfs/volume/journal/journal.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import { stateOf } from "../support/engine_state.ts";
import { FaultyHandle } from "../support/faulty_handle.ts";
import { DIRECTORY, fails, FILE } from "../support/on_volume.ts";
import { patched } from "./patched.ts";
import { copyInnerRows, fileInnerRows, fileVolumeRows } from "./files.ts";
import { loadRows } from "./loading.ts";
import { neverSeen } from "./messages.ts";
import { structureRows } from "./structures.ts";
import { sumRows } from "./sums.ts";
import { type Broken, innerRows, volumeRows } from "./volumes.ts";
import { version1Rows } from "./version1.ts";

/** Messages that have been seen. */
const seen: string[] = [];

function isLike(message: string, said: string): boolean {
  return new RegExp(`^${said}$`).test(message);
}

/** The volume that rows break. */
function broken(): Broken & { handle: FaultyHandle } {
  const handle = new FaultyHandle(memoryHandle(), { call: Infinity, isForEver: false });
  const volume = openVolumeSync(handle, { ringBytes: 128 * 1024, poolBytes: 1 << 18 });
  const ino = volume.create(volume.root, "a", FILE);
  volume.write(ino, new Uint8Array(10_000).fill(7), 0);
  volume.link(ino, volume.root, "b");
  volume.create(volume.create(volume.root, "d", DIRECTORY), "e", DIRECTORY);
  volume.sync();
  const state = stateOf(volume);
  const journal = state.committer as Journal;
  return { volume, state, journal, handle, ino, slot: (ino >>> 0) - 1 };
}

const rows = [
  ...structureRows,
  ...sumRows,
  ...loadRows,
  ...innerRows(broken),
  ...fileInnerRows(broken),
  ...copyInnerRows(broken),
  ...version1Rows,
];
for (const [said, act] of rows) {
  Deno.test(`invariant "${said}"`, () => {
    const { message } = assertThrows(() => void act(), InvariantError);
    seen.push(message);
    assert(message === said, message);
  });
}

for (const [said, act] of [...volumeRows, ...fileVolumeRows]) {
  Deno.test(`a volume that meets "${said}" is FAILED and writes nothing more`, () => {
    const parts = broken();
    const error = assertThrows(() => void act(parts), ErrnoError, "EIO");
    assert(error.cause instanceof InvariantError, String(error.cause));
    seen.push(error.cause.message);
    assert(isLike(error.cause.message, said), error.cause.message);
    const { volume, handle } = parts;
    assertEquals(volume.stats().state, "failed");
    const { write, truncate, flush } = handle.counts;
    fails("EROFS", () => volume.create(volume.root, "x", FILE));
    fails("EROFS", () => volume.sync());
    volume.close();
    const now = handle.counts;
    assertEquals([now.write, now.truncate, now.flush], [write, truncate, flush]);
  });
}

Deno.test("fileHandle() does not believe a host that reads or writes more than it was asked", () => {
  const fs = (globalThis as unknown as { process: { getBuiltinModule(name: "fs"): object } })
    .process.getBuiltinModule("fs");
  const folder = Deno.makeTempDirSync();
  const handle = fileHandle(`${folder}/v`);
  for (const name of ["readSync", "writeSync"]) {
    patched(fs as Record<string, unknown>, { [name]: () => 99 }, () => {
      const call = name === "readSync" ? handle.read : handle.write;
      const error = assertThrows(() => call.call(handle, new Uint8Array(4), { at: 0 }), ErrnoError);
      assert(error.cause instanceof InvariantError && error.code === "EIO");
      seen.push(error.cause.message);
    });
  }
  handle.close();
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("every invariant of opfs/volume and opfs/device has been made false", () => {
  const { never, count } = neverSeen(["opfs/volume", "opfs/device"], { letters: "VD", seen });
  assertEquals(never, []);
  console.log(`${count} invariants, each made false`);
  assert(count > 200);
});
