/**
 * Facade: what `openVolume` returns, over an engine, a cache or a relay's client.
 *
 * Layer: composer, below `open.ts`. The volume inside stays as its class made it: here are its calls,
 * bound to it, and what an opened volume has beyond them. A bound call costs no frame.
 *
 * @module
 */
import { closed } from "../relay/closed.ts";
import type { CallName } from "../relay/operation.ts";
import { CALLS, type VolumePromises } from "../relay/promises.ts";
import { CALL_ROWS } from "../relay/rows.ts";
import type { VolumeOps } from "../volume_ops.ts";

/** What stands in the place of a volume's own, or beside it. */
export interface FacadeMembers {
  /** The same calls as promises. */
  readonly promises: VolumePromises;
  /** The one way to close: that of the promises is the same. */
  close(): Promise<void>;
}

const SYNC_CALLS: readonly (CallName | "onChange")[] = [
  ...CALL_ROWS.map(({ call }) => call),
  "onChange",
];

/**
 * The calls of `volume` that it has, with `extras` over them. From the first `close` on, what an opened
 * volume has beyond a volume's own calls is EBADF too: others may keep alive what it would reach.
 */
export function facadeOf<E extends FacadeMembers>(
  volume: VolumeOps,
  extras: E,
): VolumeOps & E & { [Symbol.asyncDispose](): Promise<void> } {
  const { promises } = extras;
  let isClosed = false;
  const close = (): Promise<void> => {
    isClosed = true;
    return extras.close();
  };
  const members = {
    ...extras,
    ...refusing(extras, () => isClosed),
    close,
    promises: boundPromises(promises, close),
    [Symbol.asyncDispose ?? "asyncDispose"]: close,
  };
  return Object.assign(Object.create(boundCalls(volume)), members);
}

/** What an opened volume has beyond, as messages name it; and whether it answers with a promise. */
const BEYOND: Readonly<Record<string, { action: string; isPromise: boolean }>> = {
  share: { action: "share the volume", isPromise: false },
  exportImage: { action: "export the image", isPromise: false },
  compact: { action: "compact the volume", isPromise: true },
  stats: { action: "ask for stats", isPromise: true },
  metrics: { action: "ask for metrics", isPromise: true },
};

function refusing(extras: object, isClosed: () => boolean): Record<string, unknown> {
  const members: Record<string, unknown> = {};
  for (const [name, { action, isPromise }] of Object.entries(BEYOND)) {
    const call = (extras as Record<string, ((...args: unknown[]) => unknown) | undefined>)[name];
    if (call === undefined) continue;
    members[name] = (...args: unknown[]) => {
      if (!isClosed()) return call(...args);
      if (isPromise) return Promise.reject(closed(action));
      throw closed(action);
    };
  }
  return members;
}

/** As a prototype the engine of JavaScript sees constants in them, which it inlines. */
function boundCalls(volume: VolumeOps): object {
  const calls = {
    root: volume.root,
    get generation(): number {
      return volume.generation;
    },
  };
  for (const name of SYNC_CALLS) {
    const value = volume[name]?.bind(volume);
    if (value !== undefined) Object.defineProperty(calls, name, { value, writable: true });
  }
  return calls;
}

function boundPromises(promises: VolumePromises, close: () => Promise<void>): VolumePromises {
  const calls = CALLS.map((name) => [name, promises[name].bind(promises)]);
  return { ...Object.fromEntries(calls) as VolumePromises, close };
}
