/**
 * Emscripten's file makers: paths, files with data, devices, files that load when they are needed.
 *
 * Layer: fs; ninth link of the chain. They are conveniences over the calls above them.
 *
 * @module
 */
import { S_IFCHR } from "../abi/mode.ts";
import type { FSNode } from "../abi/node.ts";
import { bytesOf, refuse, saidBy } from "./arguments.ts";
import { type DeviceInput, deviceOf, type DeviceOutput, freeDevice } from "./devices.ts";
import { fetchBytes, LazyContents, lazyOps } from "./lazy.ts";
import { Legacy } from "./legacy.ts";
import { removeTree } from "./tree.ts";

/** Data of a file: text of a byte per character, as Emscripten takes it, a view, or bytes. */
export type FileData = string | ArrayBufferView | ArrayBuffer | readonly number[];

/** The longest list of bytes: a longer one is no list of bytes, and walking it would take memory. */
const MAX_LIST = 2 ** 28;

/** Emscripten's file makers. */
export class Makers extends Legacy {
  readonly #lazy = new WeakMap<FSNode["data"], LazyContents>();

  /** Makes the directories of `path` below `parent` that are missing, and returns the whole path. */
  createPath(
    parent: string | FSNode,
    path: string,
    _canRead?: boolean,
    _canWrite?: boolean,
  ): string {
    const whole = this.#below(parent, path);
    this.mkdirTree(whole);
    return whole;
  }

  /** Makes an empty file. */
  createFile(
    parent: string | FSNode,
    name: string,
    _properties?: unknown,
    canRead?: boolean,
    canWrite?: boolean,
  ): FSNode {
    return this.create(this.#below(parent, name), modeOf(canRead, canWrite));
  }

  /** Makes a file with data. A string gives a byte for each character, its low eight bits. */
  createDataFile(
    parent: string | FSNode | null,
    name: string | null,
    data?: FileData | null,
    canRead?: boolean,
    canWrite?: boolean,
    canOwn?: boolean,
  ): FSNode {
    const path = name === null ? this.#below(parent ?? "/", "") : this.#below(parent ?? "/", name);
    const mode = modeOf(canRead, canWrite);
    const node = this.create(path, mode);
    if (data === undefined || data === null) return node;
    this.chmod(node, mode | 0o200);
    this.writeFile(path, plainData(data), { flags: "w", canOwn: canOwn === true });
    this.chmod(node, mode);
    return node;
  }

  /** Makes a character device from callbacks for single bytes, and its driver. */
  createDevice(
    parent: string | FSNode,
    name: string,
    input?: DeviceInput | null,
    output?: DeviceOutput | null,
  ): FSNode {
    const mode = this.getMode(Boolean(input), Boolean(output));
    const dev = freeDevice(this);
    const driver = deviceOf(input, output);
    const node = this.mknod(this.#below(parent, name), S_IFCHR | mode, dev);
    this.chmod(node, mode);
    this.devices[dev] = { stream_ops: driver as never };
    return node;
  }

  /**
   * Makes a file whose bytes are fetched when they are read, a MiB at a time where the server allows
   * it. Fetching is synchronous, which browsers allow in workers only; elsewhere reading is EIO.
   */
  createLazyFile(
    parent: string | FSNode,
    name: string,
    url: string,
    canRead?: boolean,
    canWrite?: boolean,
  ): FSNode {
    if (typeof url !== "string") refuse("EINVAL", "createLazyFile", url);
    const node = this.createFile(parent, name, {}, canRead, canWrite);
    const contents = new LazyContents(url);
    const { node_ops, stream_ops } = lazyOps(node, contents);
    node.node_ops = node_ops;
    node.stream_ops = stream_ops;
    node.pins++;
    this.#lazy.set(node.data, contents);
    return node;
  }

  /** Loads a lazy file as a whole. True if there is nothing to wait for. */
  forceLoadFile(node: FSNode): boolean {
    const data = saidBy("forceLoadFile", () => node?.data);
    this.#lazy.get(data)?.loadAll();
    return true;
  }

  /**
   * Fetches a file, or takes its data, and makes it when it is there; `onload` or `onerror` is called
   * once.
   */
  createPreloadedFile(
    parent: string | FSNode,
    name: string | null,
    url: FileData,
    canRead?: boolean,
    canWrite?: boolean,
    onload?: (() => void) | null,
    onerror?: ((error: unknown) => void) | null,
    dontCreateFile?: boolean,
    canOwn?: boolean,
    preFinish?: (() => void) | null,
  ): void {
    this.preloadFile(parent, name, url, canRead, canWrite, dontCreateFile, canOwn, preFinish)
      .then(() => onload?.(), (error) => onerror?.(error));
  }

  /** The same with a promise. A string is the URL; anything else is the data. */
  async preloadFile(
    parent: string | FSNode,
    name: string | null,
    url: FileData,
    canRead?: boolean,
    canWrite?: boolean,
    dontCreateFile?: boolean,
    canOwn?: boolean,
    preFinish?: (() => void) | null,
  ): Promise<void> {
    const data = typeof url === "string" ? await fetchBytes(url) : plainData(url);
    preFinish?.();
    if (!dontCreateFile) this.createDataFile(parent, name, data, canRead, canWrite, canOwn);
  }

  /** Permission bits for a file that may be read and written or not. */
  getMode(canRead: boolean, canWrite: boolean): number {
    return modeOf(Boolean(canRead), Boolean(canWrite));
  }

  /** Removes a tree, however deep, and what is not there is no error. ENOTEMPTY, EACCES, EROFS … */
  rmTree(path: string): void {
    removeTree(this, "rmTree", path);
  }

  #below(parent: string | FSNode, name: string): string {
    const directory = typeof parent === "string" ? parent : this.getPath(parent);
    if (typeof name !== "string") refuse("EINVAL", "make a file", name);
    return name === "" ? directory : `${directory}/${name}`.replace(/\/\/+/g, "/");
  }
}

/** Permission bits; what is not said is allowed. */
function modeOf(canRead: boolean = true, canWrite: boolean = true): number {
  return (canRead ? 0o555 : 0) | (canWrite ? 0o222 : 0);
}

function plainData(data: FileData): ArrayBufferView {
  if (typeof data === "string") {
    return Uint8Array.from({ length: data.length }, (_, index) => data.charCodeAt(index));
  }
  if (!Array.isArray(data)) return bytesOf(data, "createDataFile");
  if (data.length > MAX_LIST) refuse("EFBIG", "createDataFile", data.length);
  return Uint8Array.from(data);
}
