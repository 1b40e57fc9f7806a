/**
 * Emscripten's file makers: paths, files with data, devices, files that load when they are needed.
 *
 * Layer: fs, a group of calls, made of others.
 *
 * @module
 */
import { S_IFCHR } from "../abi/mode.ts";
import type { FSNode } from "../abi/node.ts";
import { bytesOf, refuse, saidBy } from "./arguments.ts";
import type { AttrCalls } from "./attr_calls.ts";
import { type DeviceInput, deviceOf, type DeviceOutput, freeDevice } from "./devices.ts";
import { fetchBytes, LazyContents, lazyOps } from "./lazy.ts";
import type { Legacy } from "./legacy.ts";
import type { NodeCalls } from "./node_calls.ts";
import type { State } from "./state.ts";
import { removeTree } from "./tree.ts";
import type { WholeFile } from "./whole_file.ts";

/** Data of a file: text of a byte per character, as Emscripten takes it, a view, or bytes. */
export type FileData = string | ArrayBufferView | ArrayBuffer | readonly number[];

/** The longest list of bytes: a longer one is no list of bytes, and walking it would take memory. */
const MAX_LIST = 2 ** 28;

/** What lazy files load, by what their nodes remember. */
const LAZY = new WeakMap<FSNode["data"], LazyContents>();

/** Emscripten's file makers. */
export interface Makers {
  /** Makes the directories of `path` below `parent` that are missing, and returns the whole path. */
  createPath(parent: string | FSNode, path: string, canRead?: boolean, canWrite?: boolean): string;

  /** Makes an empty file. */
  createFile(
    parent: string | FSNode,
    name: string,
    properties?: unknown,
    canRead?: boolean,
    canWrite?: boolean,
  ): FSNode;

  /** Makes a file with data. A string gives a byte for each character, its low eight bits. */
  createDataFile(
    parent: string | FSNode | null,
    name: string | null,
    data?: FileData | null,
    canRead?: boolean,
    canWrite?: boolean,
    canOwn?: boolean,
  ): FSNode;

  /** Makes a character device from callbacks for single bytes, and its driver. */
  createDevice(
    parent: string | FSNode,
    name: string,
    input?: DeviceInput | null,
    output?: DeviceOutput | null,
  ): FSNode;

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
  ): FSNode;

  /** Loads a lazy file as a whole. True if there is nothing to wait for. */
  forceLoadFile(node: FSNode): boolean;

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
  ): void;

  /** The same with a promise. A string is the URL; anything else is the data. */
  preloadFile(
    parent: string | FSNode,
    name: string | null,
    url: FileData,
    canRead?: boolean,
    canWrite?: boolean,
    dontCreateFile?: boolean,
    canOwn?: boolean,
    preFinish?: (() => void) | null,
  ): Promise<void>;

  /** Permission bits for a file that may be read and written or not. */
  getMode(canRead: boolean, canWrite: boolean): number;

  /** Removes a tree, however deep, and what is not there is no error. ENOTEMPTY, EACCES, EROFS … */
  rmTree(path: string): void;
}

type Instance = State & Makers & NodeCalls & AttrCalls & WholeFile & Legacy;

/** The calls; `this` is the instance. */
export const MAKERS: Makers & ThisType<Instance> = {
  createPath(parent, path, _canRead, _canWrite) {
    const whole = below(this, parent, path);
    this.mkdirTree(whole);
    return whole;
  },

  createFile(parent, name, _properties, canRead, canWrite) {
    return this.create(below(this, parent, name), modeOf(canRead, canWrite));
  },

  createDataFile(parent, name, data, canRead, canWrite, canOwn) {
    const path = below(this, parent ?? "/", name === null ? "" : name);
    const mode = modeOf(canRead, canWrite);
    const node = this.create(path, mode);
    if (data === undefined || data === null) return node;
    this.chmod(node, mode | 0o200);
    this.writeFile(path, plainData(data), { flags: "w", canOwn: canOwn === true });
    this.chmod(node, mode);
    return node;
  },

  createDevice(parent, name, input, output) {
    const mode = this.getMode(Boolean(input), Boolean(output));
    const dev = freeDevice(this);
    const driver = deviceOf(input, output);
    const node = this.mknod(below(this, parent, name), S_IFCHR | mode, dev);
    this.chmod(node, mode);
    this.devices[dev] = { stream_ops: driver as never };
    return node;
  },

  createLazyFile(parent, name, url, canRead, canWrite) {
    if (typeof url !== "string") refuse("EINVAL", "createLazyFile", url);
    const node = this.createFile(parent, name, {}, canRead, canWrite);
    const contents = new LazyContents(url);
    const { node_ops, stream_ops } = lazyOps(node, contents);
    node.node_ops = node_ops;
    node.stream_ops = stream_ops;
    node.pins++;
    LAZY.set(node.data, contents);
    return node;
  },

  forceLoadFile(node) {
    const data = saidBy("forceLoadFile", () => node?.data);
    LAZY.get(data)?.loadAll();
    return true;
  },

  createPreloadedFile(
    parent,
    name,
    url,
    canRead,
    canWrite,
    onload,
    onerror,
    dontCreateFile,
    canOwn,
    preFinish,
  ) {
    this.preloadFile(parent, name, url, canRead, canWrite, dontCreateFile, canOwn, preFinish)
      .then(() => onload?.(), (error) => onerror?.(error));
  },

  async preloadFile(parent, name, url, canRead, canWrite, dontCreateFile, canOwn, preFinish) {
    const data = typeof url === "string" ? await fetchBytes(url) : plainData(url);
    preFinish?.();
    if (!dontCreateFile) this.createDataFile(parent, name, data, canRead, canWrite, canOwn);
  },

  getMode(canRead, canWrite) {
    return modeOf(Boolean(canRead), Boolean(canWrite));
  },

  rmTree(path) {
    removeTree(this, "rmTree", path);
  },
};

function below(state: Legacy, parent: string | FSNode, name: string): string {
  const directory = typeof parent === "string" ? parent : state.getPath(parent);
  if (typeof name !== "string") refuse("EINVAL", "make a file", name);
  return name === "" ? directory : `${directory}/${name}`.replace(/\/\/+/g, "/");
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
