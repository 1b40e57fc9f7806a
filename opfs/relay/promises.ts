/**
 * RelayPromises: a volume that another thread owns, called with promises.
 *
 * Layer: relay, beside `client.ts`, over a channel of its own. It never blocks its thread, so it
 * works on a page's main thread as it is. Calls are sent one after the other, in the order in which
 * they were made.
 *
 * Use: `const promises = new RelayPromises(new Channel(memory, doorbell))`.
 *
 * @module
 */
import type { Attr, AttrChange, DirEntry, StatFs } from "../../abi/attr.ts";
import type { Appended } from "../../abi/node.ts";
import type {
  ChangeOps,
  CompoundOps,
  CreateOptions,
  Ino,
  LockOps,
  TmpfileOptions,
  VolumeOps,
} from "../volume_ops.ts";
import type { Channel } from "./channel.ts";
import type { Reader, Writer } from "./cursor.ts";
import { Exchange, type Payload } from "./exchange.ts";
import { type Metric, metricsFrom } from "./metrics.ts";
import { Op, type OpCode } from "./protocol.ts";
import { readAttr, readEntries, readStatFs, unpackNames } from "./records.ts";
import { readValues, type Value } from "./s11n.ts";
import * as ask from "./requests.ts";

/** The calls of a volume, each as a promise. */
export type VolumePromises = {
  readonly [
    K in Exclude<
      keyof VolumeOps,
      "root" | "generation" | keyof CompoundOps | keyof LockOps | keyof ChangeOps
    >
  ]: (
    ...args: Parameters<VolumeOps[K]>
  ) => Promise<ReturnType<VolumeOps[K]>>;
};

/** A volume that another thread owns, with promises. */
export class RelayPromises implements VolumePromises {
  readonly #channel: Channel;
  readonly #exchange: Exchange;
  #last: Promise<unknown> = Promise.resolve();

  /** Calls over `channel`. */
  constructor(channel: Channel) {
    this.#channel = channel;
    this.#exchange = new Exchange(channel);
  }

  /** The named entry of a directory, or 0. */
  lookup(parent: Ino, name: string): Promise<Ino> {
    return this.#call(Op.LOOKUP, (w) => ask.askName(w, Op.LOOKUP, parent, name), takeIno);
  }

  /** Makes a file, directory, link or special file. */
  create(parent: Ino, name: string, options: CreateOptions): Promise<Ino> {
    return this.#call(Op.CREATE, (w) => ask.askCreate(w, parent, name, options), takeIno);
  }

  /** Makes a file without a name, retained once. */
  tmpfile(parent: Ino, options: TmpfileOptions): Promise<Ino> {
    return this.#call(Op.TMPFILE, (w) => ask.askTmpfile(w, parent, options), takeIno);
  }

  /** Adds a name. */
  link(ino: Ino, parent: Ino, name: string): Promise<void> {
    return this.#call(Op.LINK, (w) => ask.askLink(w, ino, parent, name), takeNothing);
  }

  /** Removes a name. */
  unlink(parent: Ino, name: string): Promise<void> {
    return this.#call(Op.UNLINK, (w) => ask.askName(w, Op.UNLINK, parent, name), takeNothing);
  }

  /** Removes an empty directory. */
  rmdir(parent: Ino, name: string): Promise<void> {
    return this.#call(Op.RMDIR, (w) => ask.askName(w, Op.RMDIR, parent, name), takeNothing);
  }

  /** Moves a name in one step, replacing what is there. */
  rename(
    parent: Ino,
    name: string,
    newParent: Ino,
    newName: string,
    flags: number,
  ): Promise<void> {
    const move = { parent, name, newParent, newName, flags };
    return this.#call(Op.RENAME, (w) => ask.askRename(w, move), takeNothing);
  }

  /** Entries after cursor `after`, as many as fit into the area; none at the end. */
  readdir(ino: Ino, after: number): Promise<DirEntry[]> {
    return this.#call(Op.READDIR, (w) => ask.askReaddir(w, ino, after), readEntries);
  }

  /** What a symbolic link points to. */
  readlink(ino: Ino): Promise<string> {
    return this.#call(Op.READLINK, (w) => ask.askIno(w, Op.READLINK, ino), (r) => r.text());
  }

  /** Attributes, as a fresh object. */
  getattr(ino: Ino): Promise<Attr> {
    return this.#call(Op.GETATTR, (w) => ask.askIno(w, Op.GETATTR, ino), readAttr);
  }

  /** Changes what `change` has in one step. */
  setattr(ino: Ino, change: AttrChange): Promise<void> {
    return this.#call(Op.SETATTR, (w) => ask.askSetattr(w, ino, change), takeNothing);
  }

  /** Bytes read at byte `at`; 0 at the end. */
  read(ino: Ino, into: Uint8Array, at: number): Promise<number> {
    return this.#call(
      Op.READ,
      (w) => ({ into: ask.askRead(w, ino, into, at) }),
      () => this.#exchange.received,
    );
  }

  /** Bytes written at byte `at`. */
  write(ino: Ino, from: Uint8Array, at: number): Promise<number> {
    return this.#call(
      Op.WRITE,
      (w) => ({ from: ask.askWrite(w, ino, from, at) }),
      (r) => r.status,
    );
  }

  /** Writes at the end of the file; where, and how many bytes. */
  append(ino: Ino, from: Uint8Array): Promise<Appended> {
    return this.#call(
      Op.APPEND,
      (w) => ({ from: ask.askAppend(w, ino, from) }),
      (r) => ask.readAppended(r, from),
    );
  }

  /** The next data, or the next hole, at or behind `at`. */
  seek(ino: Ino, at: number, whence: number): Promise<number> {
    return this.#call(Op.SEEK, (w) => ask.askSeek(w, ino, at, whence), (r) => r.f64());
  }

  /** Owns, zeroes or gives back a range. */
  allocate(ino: Ino, mode: number, at: number, length: number): Promise<void> {
    const range = { mode, at, length };
    return this.#call(Op.ALLOCATE, (w) => ask.askAllocate(w, ino, range), takeNothing);
  }

  /** Value of an extended attribute, or null. */
  getxattr(ino: Ino, name: string): Promise<Uint8Array | null> {
    return this.#callForValue(
      Op.GETXATTR,
      (w) => ask.askXattr(w, Op.GETXATTR, ino, name),
      (r, value) => r.status === 0 ? null : value,
    );
  }

  /** Sets an extended attribute, whole or not at all. */
  setxattr(ino: Ino, name: string, value: Uint8Array, flags: number): Promise<void> {
    return this.#call(
      Op.SETXATTR,
      (w) => ({ from: ask.askSetxattr(w, ino, { name, value, flags }) }),
      takeNothing,
    );
  }

  /** Names of the extended attributes. */
  listxattr(ino: Ino): Promise<string[]> {
    return this.#callForValue(
      Op.LISTXATTR,
      (w) => ask.askIno(w, Op.LISTXATTR, ino),
      (_, value) => unpackNames(value),
    );
  }

  /** Removes an extended attribute; false if there is none. */
  removexattr(ino: Ino, name: string): Promise<boolean> {
    return this.#call(
      Op.REMOVEXATTR,
      (w) => ask.askXattr(w, Op.REMOVEXATTR, ino, name),
      (r) => r.status !== 0,
    );
  }

  /** Keeps the inode alive after its last name is gone; the relay gives it back at death. */
  retain(ino: Ino): Promise<void> {
    return this.#call(Op.RETAIN, (w) => ask.askIno(w, Op.RETAIN, ino), takeNothing);
  }

  /** Takes one `retain` back. */
  release(ino: Ino): Promise<void> {
    return this.#call(Op.RELEASE, (w) => ask.askIno(w, Op.RELEASE, ino), takeNothing);
  }

  /** Makes the inode, its data and the names that lead to it durable. */
  fsync(ino: Ino): Promise<void> {
    return this.#call(Op.FSYNC, (w) => ask.askIno(w, Op.FSYNC, ino), takeNothing);
  }

  /** Makes everything before this call durable. */
  sync(): Promise<void> {
    return this.#call(Op.SYNC, (w) => void w.begin(Op.SYNC), takeNothing);
  }

  /** Space. */
  statfs(): Promise<StatFs> {
    return this.#call(Op.STATFS, (w) => void w.begin(Op.STATFS), readStatFs);
  }

  /** Counts and times of the relay's own work, over all its clients. */
  async metrics(): Promise<Record<string, Metric>> {
    const metrics: Record<string, Metric> = {};
    for (let after = 0;;) {
      const fill = (w: Writer) => void w.begin(Op.METRICS).u32(after);
      const values = await this.#call(Op.METRICS, fill, (r) => {
        after = r.status;
        return readValues(this.#channel.memory.area, r);
      });
      Object.assign(metrics, metricsFrom(values));
      if (after === 0) return metrics;
    }
  }

  /** What the relay tells of its volume and device, by name. */
  stats(): Promise<Record<string, Value>> {
    return this.#call(Op.STATS, (w) => void w.begin(Op.STATS), (r) => {
      const values = readValues(this.#channel.memory.area, r);
      const names = values.filter((_, index) => index % 2 === 0);
      return Object.fromEntries(names.map((name, index) => [name, values[index * 2 + 1]!]));
    });
  }

  /** Makes everything durable and leaves the relay. */
  async close(): Promise<void> {
    await this.sync();
    this.leave();
  }

  /** Leaves the relay as it is. */
  leave(): void {
    this.#channel.close();
  }

  /** A call that is answered with the value of an attribute, or with a list of names. */
  #callForValue<T>(
    op: OpCode,
    fill: (writer: Writer) => void,
    take: (reader: Reader, value: Uint8Array<ArrayBuffer>) => T,
  ): Promise<T> {
    const into = new Uint8Array(ask.XATTR_BYTES_MAX);
    const fillAndTake = (writer: Writer): Payload => {
      fill(writer);
      return { into };
    };
    return this.#call(op, fillAndTake, (r) => take(r, into.slice(0, this.#exchange.received)));
  }

  /** Queues one call behind those before it, whatever becomes of them. */
  #call<T>(
    op: OpCode,
    fill: (writer: Writer) => Payload | void,
    take: (reader: Reader) => T,
  ): Promise<T> {
    const run = () => this.#run(op, fill, take);
    const result = this.#last.then(run, run);
    this.#last = result;
    return result;
  }

  async #run<T>(
    op: OpCode,
    fill: (writer: Writer) => Payload | void,
    take: (reader: Reader) => T,
  ): Promise<T> {
    const action = ask.actionOf(op);
    this.#channel.assertOpen(action);
    this.#exchange.start(fill(this.#channel.writer) ?? undefined);
    do await this.#channel.waitAsync(action); while (!this.#exchange.step());
    ask.throwAnswered(this.#channel.reader, this.#channel.memory);
    return take(this.#channel.reader);
  }
}

/** Every call of a volume. */
export const CALLS: readonly (keyof VolumePromises)[] = [
  "lookup",
  "create",
  "tmpfile",
  "link",
  "unlink",
  "rmdir",
  "rename",
  "readdir",
  "readlink",
  "getattr",
  "setattr",
  "read",
  "write",
  "append",
  "seek",
  "allocate",
  "getxattr",
  "setxattr",
  "listxattr",
  "removexattr",
  "retain",
  "release",
  "fsync",
  "sync",
  "statfs",
  "close",
];

/** The same calls over a volume of this thread. */
export function promisesOf(volume: VolumeOps): VolumePromises {
  const calls = CALLS.map((name) => {
    const call = volume[name].bind(volume) as (...args: unknown[]) => unknown;
    return [name, (...args: unknown[]) => Promise.resolve().then(() => call(...args))];
  });
  return Object.fromEntries(calls) as VolumePromises;
}

function takeIno(reader: Reader): Ino {
  return reader.ino();
}

function takeNothing(): void {}
