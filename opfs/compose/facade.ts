/**
 * Facade: what `openVolume` returns, over an engine, a cache or a relay's client.
 *
 * Layer: composer, below `open.ts`. The volume inside stays as its class made it: here are its calls,
 * bound to it, and what an opened volume has beyond them. A bound call costs no frame.
 *
 * @module
 */
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

/** The calls of `volume` that it has, with `extras` over them. */
export function facadeOf<E extends FacadeMembers>(
  volume: VolumeOps,
  extras: E,
): VolumeOps & E & { [Symbol.asyncDispose](): Promise<void> } {
  const { promises, close } = extras;
  const members = {
    ...extras,
    promises: boundPromises(promises, close),
    [Symbol.asyncDispose ?? "asyncDispose"]: close,
  };
  return Object.assign(Object.create(boundCalls(volume)), members);
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
