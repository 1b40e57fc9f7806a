/**
 * The volume's bench in a dedicated worker of a browser, on its origin private file system.
 *
 * @module
 */
import { openOpfsHandle, type StorageHandle } from "../opfs/mod.ts";
import { type Devices, measure } from "./volume_workloads.ts";

interface Scope {
  onmessage: ((event: MessageEvent<number>) => void) | null;
  postMessage(message: unknown): void;
}

const scope = globalThis as unknown as Scope;

const devices: Devices = {
  async fresh(name: string): Promise<StorageHandle> {
    const handle = await openOpfsHandle(`/bench-${name}`);
    handle.truncate(0);
    handle.flush();
    return handle;
  },
  again: (name) => openOpfsHandle(`/bench-${name}`, { create: false }),
};

scope.onmessage = ({ data: scale }) => {
  measure(devices, scale).then(
    (figures) => scope.postMessage({ figures }),
    (error) => scope.postMessage({ error: String((error as Error).stack ?? error) }),
  );
};
