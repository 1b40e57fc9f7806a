/**
 * A volume's image as a directory of this computer: the kernel's programs read and write it.
 *
 * Layer: adapters (`@cairn/fs/adapters/fuse`). Linux, under Deno with `--allow-all`, because FFI goes
 * around every other permission and /proc is read. As root nothing else is needed, for other users
 * fusermount3. A thread of its own opens the image, mounts it and answers the kernel.
 *
 * What a program has synced is durable when its call returns, anything else after five seconds at
 * latest. Killing the process leaves an image that opens, with everything that was durable, and a
 * dead mount, which the next mount on the same directory clears away.
 *
 * ```ts ignore
 * import { mountImage } from "@cairn/fs/adapters/fuse";
 *
 * const mount = await mountImage("notes.cairn", "/mnt/notes");
 * Deno.addSignalListener("SIGINT", () => void mount.unmount({ force: true }));
 * await mount.finished;
 * ```
 *
 * @module
 */
import { ErrnoError, type MountReport, restoreError } from "../mod.ts";
import { Libc } from "./fuse/linux.ts";
import type { FromServer, MountOrder } from "./fuse/messages.ts";
import { detach, isMounted, waitAwhile } from "./fuse/mounting.ts";
import { logToSystem } from "./fuse/troubles.ts";

/** How {@link mountImage} mounts. */
export interface MountOptions {
  /** Whether every change is EROFS and the image is not written. Default false. */
  readOnly?: boolean;
  /** Whether others than the mounting user may look in. Default false. */
  allowOther?: boolean;
  /** How long the kernel may believe names and attributes, in ms. Default 60,000. */
  attrTimeoutMs?: number;
  /**
   * Hears what goes wrong while it is mounted, in words, each message once: programs see an error number
   * alone. The system's log (`/dev/log`) gets the same.
   */
  report?: (message: string) => void;
}

/** How {@link KernelMount.unmount} goes about it. */
export interface UnmountOptions {
  /**
   * Whether programs that use the mount lose it, and with it what they have in shared maps and have
   * not synced. Default false: EBUSY.
   */
  force?: boolean;
}

/**
 * No other process can change the volume while it is mounted, and the kernel knows what it has changed
 * itself, so what it remembers stays true.
 */
const ATTR_TIMEOUT_MS = 60_000;

/** An image that is mounted. */
export class KernelMount {
  readonly #libc = new Libc();
  readonly #stop: number;
  /** Where it is mounted: absolute, without links. */
  readonly directory: string;
  /** What opening the image found. */
  readonly report: MountReport;
  /** Fulfilled when the mount is gone and the image is durable and closed; rejects with EIO if not. */
  readonly finished: Promise<void>;
  #isFinished = false;

  /** Made by {@link mountImage}. */
  constructor(
    mounted: { directory: string; stop: number; report: MountReport; finished: Promise<void> },
  ) {
    this.#stop = mounted.stop;
    this.directory = mounted.directory;
    this.report = mounted.report;
    this.finished = mounted.finished.finally(() => {
      this.#isFinished = true;
      this.#libc.dispose();
    });
    // Who only mounts and unmounts hears of a failure by `unmount()`.
    this.finished.catch(() => {});
  }

  /**
   * Takes the mount off, makes everything durable and closes the image.
   *
   * @throws {ErrnoError} EBUSY while it is in use, EIO if not everything could be made durable
   */
  async unmount({ force = false }: UnmountOptions = {}): Promise<void> {
    if (!this.#isFinished) await this.#detach(force);
    await this.finished;
  }

  /** By force only if it has to be: the kernel hands over everything when it unmounts politely. */
  async #detach(force: boolean): Promise<void> {
    try {
      await detach(this.#libc, this.directory, { lazily: false });
    } catch (error) {
      if (!force) throw error;
      await detach(this.#libc, this.directory, { lazily: true });
      await this.#stopSoon();
    }
  }

  /** A program that still has something open gets a moment; then the connection is closed. */
  async #stopSoon(): Promise<void> {
    if (!await waitAwhile(() => this.#isFinished)) {
      this.#libc.write(this.#stop, new Uint8Array(1), 1);
    }
  }
}

/**
 * Mounts an image on a directory.
 *
 * @throws {ErrnoError} ENOENT, ENOTDIR, EBUSY while the image is open elsewhere or the directory has
 * such a mount, EINVAL if the image is in it, ENOTSUP, EIO for what is no volume or a damaged one, EPERM, EACCES
 * @example
 * ```ts ignore
 * const mount = await mountImage("notes.cairn", "/mnt/notes", { readOnly: true });
 * console.log(Deno.readTextFileSync("/mnt/notes/a.txt"));
 * await mount.unmount();
 * ```
 */
export async function mountImage(
  image: string,
  directory: string,
  options: MountOptions = {},
): Promise<KernelMount> {
  const { readOnly = false, allowOther = false, attrTimeoutMs = ATTR_TIMEOUT_MS } = options;
  if (!(attrTimeoutMs >= 0)) throw new ErrnoError("EINVAL", `mount for ${attrTimeoutMs} ms`);
  const libc = new Libc();
  try {
    const target = await clearDirectory(libc, directory);
    const path = realPath(image);
    refuseOwnFolder(path, target);
    const order = { image: path, directory: target, readOnly, allowOther, attrTimeoutMs };
    return await start(order, options.report ?? (() => {}));
  } finally {
    libc.dispose();
  }
}

/** The directory's real path; what a killed server has left on it is taken off. */
async function clearDirectory(libc: Libc, directory: string): Promise<string> {
  const target = realPath(directory);
  if (isMounted(target)) {
    if (libc.isAnswering(target)) {
      throw new ErrnoError("EBUSY", `mount on "${target}"`, {
        why: "there is such a mount already",
      });
    }
    await detach(libc, target, { lazily: true });
  }
  if (Deno.statSync(target).isDirectory) return target;
  throw new ErrnoError("ENOTDIR", `mount on "${target}"`);
}

/** The server looks for its image by path: below its own mount it would wait for itself for ever. */
function refuseOwnFolder(image: string, directory: string): void {
  if (!image.startsWith(directory.endsWith("/") ? directory : `${directory}/`)) return;
  throw new ErrnoError("EINVAL", `mount on "${directory}"`, { why: "the image is in it" });
}

function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    throw hostError(error, `mount: look at "${path}"`);
  }
}

function hostError(error: unknown, action: string): ErrnoError {
  if (error instanceof Deno.errors.NotFound) return new ErrnoError("ENOENT", action);
  if (error instanceof Deno.errors.NotADirectory) return new ErrnoError("ENOTDIR", action);
  const isDenied = error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotCapable;
  return new ErrnoError(isDenied ? "EACCES" : "EIO", action, { cause: error });
}

/** Writes to the system's log, and passes on. */
function logged(image: string, report: (message: string) => void): (message: string) => void {
  return (message) => {
    const libc = new Libc();
    try {
      logToSystem(libc, `"${image}": ${message}`);
    } finally {
      libc.dispose();
    }
    report(message);
  };
}

function start(order: MountOrder, report: (message: string) => void): Promise<KernelMount> {
  const trouble = logged(order.image, report);
  const mounted = Promise.withResolvers<KernelMount>();
  const finished = Promise.withResolvers<void>();
  finished.promise.catch(() => {});
  const worker = new Worker(new URL("./fuse/worker.ts", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }: MessageEvent<FromServer>) => {
    if (data.type === "trouble") trouble(data.message);
    else if (data.type === "mounted") {
      const { stop, report } = data;
      const { directory } = order;
      mounted.resolve(
        new KernelMount({ directory, stop, report, finished: finished.promise }),
      );
    } else if (data.type === "failed") {
      mounted.reject(restoreError(data));
      finished.reject(restoreError(data));
    } else if (data.failure === null) finished.resolve();
    else {
      trouble(`not everything could be made durable: ${data.failure}`);
      finished.reject(new ErrnoError("EIO", `close "${order.image}"`, { why: data.failure }));
    }
  };
  worker.onerror = (event) => {
    event.preventDefault();
    const error = new ErrnoError("EIO", `serve "${order.image}"`, { why: event.message });
    trouble(error.message);
    mounted.reject(error);
    finished.reject(error);
  };
  worker.postMessage(order);
  return mounted.promise;
}
