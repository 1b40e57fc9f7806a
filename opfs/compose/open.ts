/**
 * openVolume: one call to a volume, wherever it is and whichever thread owns it.
 *
 * Layer: composer, above the engine, the devices and the relay. A thread that can hold the device
 * runs the engine itself (`transport` "direct"): no shared memory, no headers. A page cannot; it
 * starts a relay worker and calls through it ("relay"), and `share()` lets other workers in.
 *
 * Use: `const volume = await openVolume("notes")`, `FS.mount(VOLUMEFS, { volume }, "/data")`.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";
import { CachedVolume, type CacheMetrics } from "../cache.ts";
import { fileHandle } from "../device/file.ts";
import type { StorageHandle } from "../device/handle.ts";
import { clearUnfinished } from "../device/new_file.ts";
import { openOpfsHandle } from "../device/opfs.ts";
import {
  assertOpenedWith,
  type OpenedWith,
  openedWith,
  type OpenOptions,
  openOptions,
  type VolumeTicket,
} from "./open_options.ts";
import { facadeOf } from "./facade.ts";
import { DEFAULT_BUSY_TIMEOUT_MS, enterRelay, noteDirect, ofThisThread } from "./open_relays.ts";
import { withoutSync } from "../relay/call_port.ts";
import { Channel, claimChannel, threadMayWait } from "../relay/channel.ts";
import { clientLockName, holdLock, lockManager } from "../relay/client_lock.ts";
import { startCommitTimer } from "../relay/commit_timer.ts";
import { RelayClient } from "../relay/client.ts";
import { isMade } from "../relay/delivery.ts";
import { Doorbell } from "../relay/doorbell.ts";
import type { RelayHost } from "../relay/host.ts";
import type { VolumePlace } from "../relay/messages.ts";
import type { Metric } from "../relay/metrics.ts";
import { canHoldDevice, canShare, placeOf } from "../relay/place.ts";
import { Feature, ISOLATION_ADVICE, preflight } from "../relay/preflight.ts";
import { promisesOf, RelayPromises, type VolumePromises } from "../relay/promises.ts";
import { areaSize, type ChannelMemory, Claimed, openChannelMemory } from "../relay/protocol.ts";
import type { Value } from "../relay/s11n.ts";
import { sanityCheck } from "../relay/sanity_check.ts";
import { hintCollector } from "../relay/spare_areas.ts";
import { runSteps, type StepOptions, stepsHere } from "../relay/steps.ts";
import { type StorageReport, storageReport } from "../relay/storage.ts";
import { takeVolumeLock } from "../relay/volume_lock.ts";
import type { CompactReport } from "../volume/upkeep/compact.ts";
import { openVolumeSync } from "../volume/load/mount.ts";
import type { MountReport } from "../volume/format/report.ts";
import type { Volume } from "../volume/volume.ts";
import type { VolumeOps } from "../volume_ops.ts";

export type { OpenedWith, OpenOptions, VolumeTicket };

/** What opening found, and what the browser says of the data's future. */
export interface OpenReport extends MountReport, StorageReport {}

/** Counters of the calls. */
export interface VolumeMetrics {
  /** This client's calls by name; none for direct access, where counting would cost a frame. */
  calls: Record<string, Metric>;
  /** What this client's cache was asked; null without a cache. */
  cache: CacheMetrics | null;
  /** The relay's work for all its clients; none for direct access. */
  relay: Record<string, Metric>;
  /** The engine's own counters, by name. */
  engine: Record<string, Value>;
  /** Calls of the relay's device; none for direct access. */
  device: Record<string, Value>;
}

/** An open volume. */
export interface OpenedVolume extends VolumeOps {
  /** Who runs the engine: this thread, or a worker. */
  readonly transport: "direct" | "relay";
  /** What opening found. */
  readonly report: OpenReport;
  /** The same calls as promises; on a page's main thread they do not block. */
  readonly promises: VolumePromises;
  /** The volume's state and space. */
  stats(): Promise<Record<string, Value>>;
  /** Counters of the calls. */
  metrics(): Promise<VolumeMetrics>;
  /**
   * A ticket for one more thread. It is good as long as this volume is open.
   *
   * @throws {ErrnoError} ENOTSUP for a volume that is open directly, or by a ticket itself
   */
  share(): VolumeTicket;
  /**
   * An image of the volume as it is now, as a stream, while the volume is worked on: closed, compact
   * and consistent. Until it has been read or is cancelled, what is written over takes up space a
   * second time; without room for that the stream ends with ENOSPC.
   *
   * @throws {ErrnoError} ENOTSUP for a volume that is open by a ticket, EROFS for a failed one
   */
  exportImage(): ReadableStream<Uint8Array<ArrayBuffer>>;
  /**
   * Moves used blocks to the front and cuts the free end off, in steps: calls of others, and the event
   * loop, come in between, and a crash at any point loses nothing. What has been moved stays so when
   * the signal ends it, which rejects with the signal's reason.
   *
   * @throws {ErrnoError} ENOTSUP for a volume that is open by a ticket, EROFS, ENOSPC, EBADF when it
   * is closed in the meantime, EINVAL for the options
   * @example
   * ```ts
   * import { openVolume } from "@cairn/fs/opfs";
   * import { assert } from "@std/assert";
   *
   * await using volume = await openVolume(`${Deno.makeTempDirSync()}/notes.cairn`);
   * const shares: number[] = [];
   * const onProgress = ({ doneBytes, totalBytes }: { doneBytes: number; totalBytes: number }) =>
   *   void shares.push(totalBytes === 0 ? 1 : doneBytes / totalBytes);
   * const { cutBlocks } = await volume.compact({ onProgress });
   * assert(shares.length > 0 && cutBlocks > 0);
   * ```
   */
  compact(options?: StepOptions): Promise<CompactReport>;
  /** Makes everything durable and lets go. A second call does nothing. */
  close(): Promise<void>;
  /** The same as `close`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What an opened volume has beyond a volume's own calls, and its way to close. */
type OpenedMembers = Omit<OpenedVolume, keyof VolumeOps | typeof Symbol.asyncDispose> & {
  close(): Promise<void>;
};

const DEFAULT_AREA_BYTES = 1_048_576;

/**
 * Opens a volume by its name, on a device, or by a ticket. A volume that does not exist is made.
 *
 * @throws {ErrnoError} EBUSY if it is open elsewhere; ENOTSUP where there is no place for
 * volumes, or no shared memory for a relay; EINVAL, EIO or ENOTSUP for bytes that are no volume,
 * damaged, or newer than we are
 * @example
 * ```ts
 * import { openVolume } from "@cairn/fs/opfs";
 * import { assertEquals } from "@std/assert";
 *
 * await using volume = await openVolume(`${Deno.makeTempDirSync()}/notes.cairn`);
 * const ino = volume.create(volume.root, "a.txt", { mode: 0o100644, uid: 0, gid: 0 });
 * volume.write(ino, new TextEncoder().encode("kept"), 0);
 * assertEquals([volume.transport, volume.getattr(ino).size], ["direct", 4]);
 * ```
 */
export async function openVolume(
  what: string | StorageHandle | VolumeTicket | OpenOptions,
): Promise<OpenedVolume> {
  const options = openOptions(what);
  const { name, handle, ticket, access = "auto" } = options;
  const sources = [name, handle, ticket].filter((source) => source !== undefined);
  if (sources.length !== 1) {
    throw new ErrnoError("EINVAL", "open a volume", { why: "give one of name, handle, ticket" });
  }
  if (ticket !== undefined) {
    checkTicket(ticket, options);
    return await attach(ticket, options);
  }
  if (handle !== undefined) {
    if (access === "relay") {
      throw new ErrnoError("EINVAL", "open a handle through a relay", { why: "give a name" });
    }
    return await openDirect(openEngine(handle, options), options, () => {});
  }
  const place = placeOf(name!);
  const isDirect = access === "direct" || access === "auto" && canHoldDevice(place);
  preflight(`open volume "${name}"`, isDirect ? needsHere(place) : needsOfRelay(options));
  return await (isDirect ? openHere(place, options) : openRelayed(place, options));
}

/** What this thread needs to hold the device itself. */
function needsHere(place: VolumePlace): Feature[] {
  return place.kind === "opfs" ? [Feature.SYNC_HANDLE] : [];
}

/** What this thread needs to start a relay and to call it. */
function needsOfRelay({ worker, blocking }: OpenOptions): Feature[] {
  const needs: Feature[] = [];
  if (!isMade(worker)) needs.push(Feature.WORKER);
  // A page that does not want to spin has promises, with memory to share or without.
  if (threadMayWait() || blocking === "spin") needs.push(Feature.SHARED_MEMORY);
  if (canShare()) needs.push(Feature.WAIT_ASYNC);
  return needs;
}

/** The engine in this thread, on the device of a name. */
async function openHere(place: VolumePlace, options: OpenOptions): Promise<OpenedVolume> {
  const timeoutMs = options.busyTimeoutMs ?? DEFAULT_BUSY_TIMEOUT_MS;
  const { create = true, readOnly = false } = options;
  const release = place.kind === "opfs"
    ? await takeVolumeLock(place.path, { timeoutMs }).catch((error) => {
      throw ofThisThread(error, place);
    })
    : () => {};
  let forget = () => {};
  const releaseAll = () => {
    forget();
    release();
  };
  try {
    if (place.kind === "opfs" && !readOnly) await clearUnfinished(place.path);
    const device = place.kind === "host"
      ? fileHandle(place.path, { create: create && !readOnly, readOnly })
      : await openOpfsHandle(place.path, { create: create && !readOnly, deadlineMs: timeoutMs });
    try {
      const engine = openEngine(device, options);
      forget = noteDirect(place);
      return await openDirect(engine, options, releaseAll);
    } catch (error) {
      device.close();
      throw error;
    }
  } catch (error) {
    releaseAll();
    throw ofThisThread(error, place);
  }
}

function openEngine(handle: StorageHandle, options: OpenOptions): Volume {
  const volume = openVolumeSync(handle, options);
  if (options.sanityCheck) sanityCheck(volume);
  return volume;
}

/** The engine's own calls, so that none costs a frame more. */
async function openDirect(
  volume: Volume,
  options: OpenOptions,
  release: () => void,
): Promise<OpenedVolume> {
  const report = { ...volume.report, ...await storageReport(options) };
  const stopTimer = startCommitTimer(volume, options);
  return facadeOf<OpenedMembers>(volume, {
    transport: "direct",
    report,
    promises: promisesOf(volume),
    stats: () => Promise.resolve({ ...volume.stats() }),
    exportImage: () => volume.exportImage(),
    compact: async (options) => await runSteps(stepsHere(volume.compact()), options),
    metrics: () =>
      Promise.resolve({
        calls: {},
        cache: null,
        relay: {},
        engine: { ...volume.metrics() },
        device: {},
      }),
    share() {
      const advice = 'open it with access: "relay" in the first place';
      throw new ErrnoError("ENOTSUP", "share a volume that this thread holds itself", {
        why: advice,
      });
    },
    close: once(async () => {
      stopTimer();
      try {
        await Promise.resolve().then(() => volume.close());
      } finally {
        release();
      }
    }),
  });
}

/** Through the relay of this thread, over shared memory or by messages. */
async function openRelayed(place: VolumePlace, options: OpenOptions): Promise<OpenedVolume> {
  const { host, opened, leave } = await enterRelay(place, options);
  try {
    if (!canShare()) return await openByCalls(host, options, leave);
    const connect = () => host.connect(options.areaBytes ?? DEFAULT_AREA_BYTES).buffers;
    const share = (): VolumeTicket => ({
      kind: "cairn ticket",
      name: place.path,
      address: host.address,
      channels: [connect(), connect()],
      opened,
    });
    const closing = new AbortController();
    const exportImage = () => host.exportImage(closing.signal);
    const compact: Ownership["compact"] = (how) => host.compact(how, closing.signal);
    const owner = { share, exportImage, compact, leave, closing: () => closing.abort() };
    return await attach(share(), options, owner);
  } catch (error) {
    await leave().catch(() => {});
    throw error;
  }
}

/** Calls by messages, where no memory can be shared: promises are all there is. */
async function openByCalls(
  host: RelayHost,
  options: OpenOptions,
  leave: () => Promise<void>,
): Promise<OpenedVolume> {
  const port = host.calls();
  const closePort = port.calls.close;
  const { root, report } = host.address;
  const closing = new AbortController();
  return facadeOf<OpenedMembers>(
    withoutSync(root, `${ISOLATION_ADVICE}, or await volume.promises`),
    {
      transport: "relay",
      report: { ...report as MountReport, ...await storageReport(options) },
      promises: port.calls,
      stats: async () => withPrefix("", await port.stats()),
      metrics: async () => {
        const figures = await port.stats();
        const [engine, device] = [withPrefix("engine.", figures), withPrefix("device.", figures)];
        return { calls: {}, cache: null, relay: {}, engine, device };
      },
      share() {
        throw new ErrnoError("ENOTSUP", "share the volume", { why: ISOLATION_ADVICE });
      },
      exportImage: () => host.exportImage(closing.signal),
      compact: (how) => host.compact(how, closing.signal),
      close: once(() => {
        closing.abort();
        return closePort().finally(leave);
      }),
    },
  );
}

/** What the thread that started the relay can do, and one that came by a ticket cannot. */
interface Ownership {
  share: () => VolumeTicket;
  exportImage: () => ReadableStream<Uint8Array<ArrayBuffer>>;
  compact: (options?: StepOptions) => Promise<CompactReport>;
  /** The volume is about to be closed here. */
  closing: () => void;
  leave: () => Promise<void>;
}

const NO_OWNER: Ownership = {
  share() {
    throw new ErrnoError("ENOTSUP", "share a ticket", {
      why: "share() where the volume was opened by name",
    });
  },
  exportImage() {
    throw new ErrnoError("ENOTSUP", "export the image", {
      why: "do it where the volume was opened by name",
    });
  },
  compact: () =>
    Promise.reject(
      new ErrnoError("ENOTSUP", "compact by a ticket", {
        why: "do it where the volume was opened by name",
      }),
    ),
  closing() {},
  leave: () => Promise.resolve(),
};

/** What was settled where the ticket was made cannot be asked for again. */
function checkTicket({ name, channels, opened }: VolumeTicket, options: OpenOptions): void {
  const { access = "relay", areaBytes } = options;
  if (!Array.isArray(channels) || opened === undefined) {
    throw new ErrnoError("EINVAL", "open a ticket that share() did not make");
  }
  if (access === "direct") {
    throw new ErrnoError("EINVAL", `open a ticket of "${name}" directly`, {
      why: "it is one of a relay",
    });
  }
  const { area } = openChannelMemory(channels[0]);
  if (areaBytes !== undefined && areaSize(areaBytes) !== area.length) {
    const why = `the ticket was made with ${area.length}`;
    throw new ErrnoError(
      "EINVAL",
      `open a ticket of "${name}" with areaBytes ${areaBytes}`,
      { why },
    );
  }
  assertOpenedWith(name, opened, openedWith(options));
}

/** A client on the two channels of a ticket. */
async function attach(
  ticket: VolumeTicket,
  options: OpenOptions,
  owner: Ownership = NO_OWNER,
): Promise<OpenedVolume> {
  const { address, channels } = ticket;
  const action = `open volume "${ticket.name}"`;
  preflight(action, [Feature.SHARED_MEMORY, Feature.WAIT_ASYNC]);
  if (address.doorbell === null) throw new ErrnoError("EINVAL", "open a ticket of no channel");
  const doorbell = new Doorbell(address.doorbell);
  const memories = channels.map(openChannelMemory);
  const blocking = threadMayWait() ? "wait" : options.blocking ?? "never";
  const { deadlineMs } = options;
  const [calls, promised] = memories.map((memory) => {
    return new Channel(memory, doorbell, { blocking, deadlineMs });
  }) as [Channel, Channel];
  calls.assertOpen(action);
  const releaseAll = await claim(memories, ticket.name);
  doorbell.claim();
  try {
    await calls.admitted(action);
  } catch (error) {
    calls.close();
    promised.close();
    releaseAll();
    throw error;
  }
  const { cacheBytes } = options;
  const client = new RelayClient(calls, { root: address.root, readsAhead: cacheBytes !== 0 });
  const promises = new RelayPromises(promised);
  const leave = promises.close.bind(promises);
  const cache = cacheBytes === 0 ? null : new CachedVolume(client, { pageBytes: cacheBytes });
  return facadeOf<OpenedMembers>(cache ?? client, {
    transport: "relay",
    report: { ...address.report as MountReport, ...await storageReport(options) },
    promises,
    stats: async () => withPrefix("", await promises.stats()),
    metrics: async () => {
      const figures = await promises.stats();
      return {
        calls: client.counters.snapshot(),
        cache: cache === null ? null : { ...cache.counts },
        relay: await promises.metrics(),
        engine: withPrefix("engine.", figures),
        device: withPrefix("device.", figures),
      };
    },
    share: owner.share,
    exportImage: owner.exportImage,
    compact: owner.compact,
    close: once(async () => {
      owner.closing();
      try {
        await leave();
      } finally {
        calls.close();
        promises.leave();
        hintCollector();
        releaseAll();
        await owner.leave();
      }
    }),
  });
}

/**
 * Takes the Web Locks after which the relay watches this thread, and the client's ends with them;
 * the result lets the locks go.
 */
async function claim(memories: readonly ChannelMemory[], path: string): Promise<() => void> {
  const releases: (() => void)[] = [];
  const releaseAll = () => releases.splice(0).forEach((release) => release());
  try {
    for (const memory of memories) {
      const release = await holdLock(clientLockName(path, memory));
      releases.push(release ?? (() => {}));
      const isWatched = release !== null && lockManager() !== undefined;
      claimChannel(memory, isWatched ? Claimed.LOCKED : Claimed.CLIENT);
    }
    return releaseAll;
  } catch (error) {
    releaseAll();
    throw error;
  }
}

/** The figures whose names begin so, without it; for "" those that have no such beginning. */
function withPrefix(prefix: string, figures: Record<string, Value>): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(figures)
      .filter(([name]) => prefix === "" ? !name.includes(".") : name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  );
}

function once(close: () => Promise<void>): () => Promise<void> {
  let closing: Promise<void> | null = null;
  return () => closing ??= close();
}
