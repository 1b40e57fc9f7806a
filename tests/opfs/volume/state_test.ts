/** What device errors mean. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../abi/errno.ts";
import { memoryHandle } from "../../../opfs/device/memory.ts";
import { checkVolume } from "../../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../../opfs/volume/load/mount.ts";
import { FILE } from "../../support/on_volume.ts";

/** Writes 100 KB to a device whose write throws; the error's code, and the state after. */
function writeWith(error: Error): [string, string] {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const ino = volume.create(volume.root, "a", FILE);
  const { write } = handle;
  handle.write = () => {
    throw error;
  };
  const thrown = assertThrows(() => volume.write(ino, new Uint8Array(100_000), 0), ErrnoError);
  handle.write = write;
  assertEquals(thrown.cause, error);
  return [thrown.code, volume.stats().state];
}

Deno.test("a refused write is ENOSPC and everything stays, unless the error says otherwise", () => {
  assertEquals(writeWith(new Error("?")), ["ENOSPC", "open"]);
  assertEquals(writeWith(new DOMException("no", "QuotaExceededError")), ["ENOSPC", "open"]);
  assertEquals(writeWith(Object.assign(new Error("no"), { code: "ENOSPC" })), ["ENOSPC", "open"]);
  assertEquals(writeWith(Object.assign(new Error("no"), { code: "EIO" })), ["EIO", "failed"]);
  assertEquals(writeWith(new DOMException("no", "InvalidStateError")), ["EIO", "failed"]);
});

Deno.test("a record that is refused stays to be written, and nothing is lost", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const { write } = handle;
  volume.write(volume.create(volume.root, "a", FILE), new Uint8Array([1, 2]), 0);
  handle.write = () => 0;
  assertThrows(() => volume.sync(), ErrnoError, "ENOSPC");
  assertThrows(() => volume.sync(), ErrnoError, "ENOSPC");
  handle.write = write;
  volume.sync();
  const crashed = openVolumeSync(memoryHandle(handle.toBytes()));
  assertEquals(crashed.getattr(crashed.lookup(crashed.root, "a")).size, 2);
  volume.close();
  assertEquals(checkVolume(handle).violations, []);
});

Deno.test("a broken invariant stops the volume, and is an ErrnoError to the caller", () => {
  const handle = memoryHandle();
  const volume = openVolumeSync(handle);
  const { truncate } = handle;
  handle.truncate = () => {};
  const ino = volume.create(volume.root, "a", FILE);
  volume.write(ino, new Uint8Array([1]), 0);
  volume.sync();
  handle.flush = () => {
    throw new RangeError("a bug");
  };
  volume.write(ino, new Uint8Array([2]), 0);
  const error = assertThrows(() => volume.sync(), ErrnoError, "EIO");
  assert(error.cause instanceof RangeError);
  assertEquals(volume.stats().state, "failed");
  handle.truncate = truncate;
  volume.close();
});
