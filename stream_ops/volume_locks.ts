/**
 * VOLUMEFS, the locks: flock and fcntl on a volume whose other clients heed them.
 *
 * Layer: stream_ops, part of `volume.ts`. An owner is an object here, an instance or an open file
 * description, and a number there. What has never locked a file need not ask to unlock it.
 *
 * @module
 */
import type { FSStream, StreamOps } from "../abi/node.ts";
import { type Ino, LockKind, type LockRequest, type VolumeOps } from "../opfs/volume_ops.ts";
import type { VolumeRecord } from "./volume_record.ts";

type Stream = FSStream<VolumeRecord>;
type LockOf<K extends "lock" | "testLock" | "unlock"> = NonNullable<StreamOps<VolumeRecord>[K]>;
type FileLock = Parameters<LockOf<"lock">>[2];

/** Numbers of owners: across all mounts in this thread, so that those on one volume differ. */
const numbers = new WeakMap<object, number>();
const owners = new Map<number, WeakRef<object>>();
const gone = new FinalizationRegistry<number>((number) => owners.delete(number));
let nextNumber = 1;

function numberOf(owner: object): number {
  const known = numbers.get(owner);
  if (known !== undefined) return known;
  const number = nextNumber++;
  numbers.set(owner, number);
  owners.set(number, new WeakRef(owner));
  gone.register(owner, number);
  return number;
}

/** The lock calls of a mount's op table; none over a volume that has no locks. */
export function volumeLockOps(volume: VolumeOps): Partial<StreamOps<VolumeRecord>> {
  if (volume.lock === undefined) return {};
  const held = new HeldLocks(volume);
  return {
    lock: (stream, owner, lock) => held.lock(stream, owner, lock),
    testLock: (stream, owner, lock) => held.test(stream, owner, lock),
    unlock: (stream, owner) => held.unlock(stream, owner),
  };
}

/** Who has locked what through one mount. */
class HeldLocks {
  readonly #volume: VolumeOps;
  /** Kinds of locks by inode and owner. */
  readonly #files = new Map<Ino, Map<number, Set<number>>>();

  constructor(volume: VolumeOps) {
    this.#volume = volume;
  }

  lock(stream: Stream, owner: object, lock: FileLock): void {
    const { handle } = stream.node.data;
    const request = requestOf(owner, lock);
    this.#volume.lock!(handle, request);
    const file = this.#files.get(handle) ?? new Map<number, Set<number>>();
    const kinds = file.get(request.owner) ?? new Set<number>();
    this.#files.set(handle, file.set(request.owner, kinds.add(request.kind)));
  }

  test(stream: Stream, owner: object, lock: FileLock): ReturnType<LockOf<"testLock">> {
    const found = this.#volume.testLock!(stream.node.data.handle, requestOf(owner, lock));
    return found === null ? null : { ...found, owner: owners.get(found.owner)?.deref() ?? null };
  }

  unlock(stream: Stream, owner: object): void {
    const { handle } = stream.node.data;
    const file = this.#files.get(handle);
    if (file === undefined) return;
    const number = numberOf(owner);
    for (const kind of file.get(number) ?? []) this.#volume.unlock!(handle, number, kind);
    file.delete(number);
    if (file.size === 0) this.#files.delete(handle);
  }
}

function requestOf(owner: object, { isWhole, type, start, end, wait }: FileLock): LockRequest {
  const kind = isWhole ? LockKind.FLOCK : LockKind.RANGE;
  return { kind, owner: numberOf(owner), type, start, end, wait };
}
