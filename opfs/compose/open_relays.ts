/**
 * The volumes that this thread has open, and the relays that it has started for them.
 *
 * Layer: composer, below `open.ts`. One volume has one relay per thread, however often it is opened;
 * its options are those of the first opener, and a later one that asks for others is refused.
 *
 * Use: `const { host, leave } = await enterRelay(place, options)`, and `leave()` in the end.
 *
 * @module
 */
import { ErrnoError, isErrnoError } from "../../abi/errno.ts";
import { assertOpenedWith, type OpenedWith, openedWith, type OpenOptions } from "./open_options.ts";
import { DEFAULT_DEADLINE_MS } from "../relay/channel.ts";
import { RelayHost } from "../relay/host.ts";
import type { VolumePlace } from "../relay/messages.ts";

/** How long to wait for another holder to let go, in ms, unless the caller says otherwise. */
export const DEFAULT_BUSY_TIMEOUT_MS = 2000;
const START_TIMEOUT_MS = 20_000;

interface Entry {
  host: Promise<RelayHost>;
  opened: OpenedWith;
  users: number;
}

/** The relays that this thread has started, with the number of volumes open on each. */
const relays = new Map<string, Entry>();
/** How often this thread has each volume open directly. */
const direct = new Map<string, number>();

/** A relay that one more caller uses. */
export interface Entered {
  /** The relay. */
  host: RelayHost;
  /** How its volume was opened. */
  opened: OpenedWith;
  /** Ends this use of it; with the last one the relay ends. */
  leave: () => Promise<void>;
}

/**
 * A relay worker on the device of a name: this thread's own, if it has started one already.
 *
 * @throws {ErrnoError} EBUSY if it has, with other options; what starting it throws
 */
export async function enterRelay(place: VolumePlace, options: OpenOptions): Promise<Entered> {
  const key = keyOf(place);
  const wanted = openedWith(options);
  const known = relays.get(key);
  if (known !== undefined && await hasDied(known.host) && relays.get(key) === known) {
    relays.delete(key);
  }
  const entry = relays.get(key) ?? begin(place, wanted, options);
  assertOpenedWith(place.path, entry.opened, wanted);
  relays.set(key, entry);
  entry.users += 1;
  const leave = async () => {
    entry.users -= 1;
    if (entry.users > 0) return;
    if (relays.get(key) === entry) relays.delete(key);
    await (await entry.host).close();
  };
  try {
    return { host: await entry.host, opened: entry.opened, leave };
  } catch (error) {
    await leave().catch(() => {});
    throw ofThisThread(error, place);
  }
}

function begin(place: VolumePlace, opened: OpenedWith, options: OpenOptions): Entry {
  const settings = {
    busyTimeoutMs: options.busyTimeoutMs ?? DEFAULT_BUSY_TIMEOUT_MS,
    deadlineMs: options.deadlineMs ?? DEFAULT_DEADLINE_MS,
    ...opened,
  };
  const { worker } = options;
  const host = RelayHost.start({ place, settings, worker, startTimeoutMs: START_TIMEOUT_MS });
  return { host, opened, users: 0 };
}

/** Whether a relay that was started has ended without being asked to. */
async function hasDied(host: Promise<RelayHost>): Promise<boolean> {
  // One that could not even start says why to each of its users.
  const started = await host.catch(() => null);
  return started !== null && !await started.isAlive();
}

/** Notes that this thread has a volume open itself; the result notes that it has it no longer. */
export function noteDirect(place: VolumePlace): () => void {
  const key = keyOf(place);
  direct.set(key, (direct.get(key) ?? 0) + 1);
  return () => {
    const left = direct.get(key)! - 1;
    if (left > 0) direct.set(key, left);
    else direct.delete(key);
  };
}

/** EBUSY says that it is this thread itself that has the volume open, where that is so. */
export function ofThisThread(error: unknown, place: VolumePlace): unknown {
  if (!isErrnoError(error) || error.code !== "EBUSY") return error;
  const key = keyOf(place);
  const isDirect = direct.has(key);
  if (!isDirect && !relays.has(key)) return error;
  const why = isDirect
    ? "this thread has it open itself, directly: use that volume, or close it first"
    : 'this thread has it open through a relay: open it with access: "relay", or close it first';
  return new ErrnoError("EBUSY", `open "${place.path}"`, { why, cause: error });
}

/** How much this thread keeps of what it has opened; for tests that count. */
export function countOpened(): { relays: number; direct: number } {
  return { relays: relays.size, direct: direct.size };
}

function keyOf({ kind, path }: VolumePlace): string {
  return `${kind}:${path}`;
}
