/**
 * The serving thread: opens the image, mounts it, and answers the kernel until the mount is gone.
 *
 * Layer: entry point, started by `fuse.ts`. The engine runs in this thread, between two calls of
 * the loop. It touches nothing below its own mount: it would wait for itself.
 *
 * @module
 */
import { describeError, type ErrnoCode, isErrnoError, messageOf } from "../../mod.ts";
import { fileHandle, openVolumeSync, type StorageHandle, type Volume } from "../../opfs/mod.ts";
import { groupsOfProcess, Libc } from "./linux.ts";
import type { FromServer, MountOrder } from "./messages.ts";
import { attach } from "./mounting.ts";
import { FuseServer } from "./server.ts";
import { serve } from "./session.ts";
import { Troubles } from "./troubles.ts";

/** How long an image that is in use may take to be let go, and how often to look, in ms. */
const CLOSING_MS = 2_000;
const RETRY_MS = 20;

interface WorkerScope {
  onmessage: ((event: MessageEvent<MountOrder>) => void) | null;
  postMessage(message: FromServer): void;
  close(): void;
}

const scope = globalThis as unknown as WorkerScope;

scope.onmessage = ({ data }) => {
  try {
    run(data);
  } catch (error) {
    scope.postMessage({ type: "failed", ...describeError(error) });
  }
  scope.close();
};

function run(order: MountOrder): void {
  const libc = new Libc();
  const volume = openImage(order, libc);
  let failure: string | null = null;
  try {
    serveImage(order, volume, libc);
  } finally {
    failure = closeImage(volume);
  }
  scope.postMessage({ type: "finished", failure });
}

function openImage({ image, readOnly }: MountOrder, libc: Libc): Volume {
  const handle = openDevice(image, readOnly);
  handle.getSpareBytes = () => libc.freeBytes(image);
  try {
    return openVolumeSync(handle, { create: false, readOnly });
  } catch (error) {
    handle.close();
    throw error;
  }
}

/** A server whose mount has just gone may not have closed the image yet. */
function openDevice(image: string, readOnly: boolean): StorageHandle {
  // Looks are counted, not the time: a machine that slept in between has not looked.
  for (let waitedMs = 0;; waitedMs += RETRY_MS) {
    try {
      return openAlone(image, readOnly);
    } catch (error) {
      if (codeOf(error) !== "EBUSY" || waitedMs > CLOSING_MS) throw error;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
  }
}

/**
 * Also who only reads keeps writers out, as long as it is mounted: what the kernel remembers would
 * not be true any more. Unless the image cannot be written from here at all.
 */
function openAlone(image: string, readOnly: boolean): StorageHandle {
  try {
    return fileHandle(image, { create: false });
  } catch (error) {
    const isProtected = ["EACCES", "EPERM", "EROFS"].includes(codeOf(error));
    if (readOnly && isProtected) return fileHandle(image, { create: false, readOnly });
    throw error;
  }
}

function codeOf(error: unknown): ErrnoCode {
  return isErrnoError(error) ? error.code : "EIO";
}

function serveImage(order: MountOrder, volume: Volume, libc: Libc): void {
  const device = attach(libc, order);
  const [stop, toStop] = libc.pipe();
  const { report } = new Troubles((message) => scope.postMessage({ type: "trouble", message }));
  const server = new FuseServer(volume, {
    report,
    attrTimeoutMs: order.attrTimeoutMs,
    groupsOf: groupsOfProcess,
    rootIs: libc.isRoot ? undefined : libc.owner,
  });
  try {
    scope.postMessage({ type: "mounted", stop: toStop, report: volume.report });
    serve({ libc, device, stop, server, report });
    server.close();
  } finally {
    libc.close(device);
    libc.close(stop);
    libc.close(toStop);
  }
}

/** What went wrong, null if everything is durable. */
function closeImage(volume: Volume): string | null {
  try {
    volume.close();
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
