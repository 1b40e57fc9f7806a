/** The way of a write, read off its own stack: four frames from FS.write to the device. */
import { assertEquals } from "@std/assert";
import { createFS } from "../../fs/create_fs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import type { StorageHandle } from "../../opfs/device/handle.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";

/** Notes the functions on the stack of each write, from the device upwards. */
class StackHandle implements StorageHandle {
  readonly stacks: string[][] = [];
  readonly #inner: StorageHandle = memoryHandle();

  read(into: Uint8Array, options: { at: number }): number {
    return this.#inner.read(into, options);
  }

  write(from: Uint8Array, options: { at: number }): number {
    const lines = new Error().stack?.split("\n").slice(1) ?? [];
    this.stacks.push(lines.map((line) => line.trim().split(" ")[1] ?? ""));
    return this.#inner.write(from, options);
  }

  getSize(): number {
    return this.#inner.getSize();
  }

  truncate(sizeBytes: number): void {
    this.#inner.truncate(sizeBytes);
  }

  flush(): void {
    this.#inner.flush();
  }

  close(): void {
    this.#inner.close();
  }
}

Deno.test("FS.write() reaches the device in four frames when it goes straight through", () => {
  const handle = new StackHandle();
  const volume = openVolumeSync(handle);
  const FS = createFS({ root: { type: VOLUMEFS, options: { volume } } });
  const stream = FS.open("/f", "w+");
  const payload = new Uint8Array(128 * 1024).fill(7);
  FS.write(stream, payload, 0, payload.length, 0);
  FS.fsync(stream);
  handle.stacks.length = 0;
  FS.write(stream, payload, 0, payload.length, 0);
  assertEquals(handle.stacks.length, 1, "one device call for one write");
  const names = handle.stacks[0]?.slice(0, 4).map((name) => name.split(".").at(-1));
  assertEquals(names, ["write", "write", "write", "write"]);
  const owners = handle.stacks[0]?.slice(0, 4).map((name) => name.split(".")[0]);
  assertEquals([owners?.[0], owners?.[1], owners?.[3]], ["StackHandle", "Volume", "FS"]);
  volume.close();
});
