/**
 * The devices that every device test runs on: add a row for a new one.
 *
 * Layer: tests.
 *
 * @module
 */
import { fileHandle } from "../../opfs/device/file.ts";
import type { StorageHandle } from "../../opfs/device/handle.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";

/** A kind of device. */
export interface DeviceRow {
  /** What it is called in test names. */
  name: string;
  /** Runs `body` with an empty one and cleans up. */
  use(body: (handle: StorageHandle) => void): void;
}

/** Every kind of device that exists outside of a browser. */
export const devices: readonly DeviceRow[] = [
  { name: "memoryHandle()", use: (body) => body(memoryHandle()) },
  {
    name: "fileHandle()",
    use(body): void {
      const folder = Deno.makeTempDirSync();
      const handle = fileHandle(`${folder}/image`);
      try {
        body(handle);
      } finally {
        handle.close();
        Deno.removeSync(folder, { recursive: true });
      }
    },
  },
];
