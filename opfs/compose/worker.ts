/**
 * The relay's worker: opens the device and the volume, and serves channels on it.
 *
 * Layer: entry point and composer; it runs in a dedicated worker and is reached by URL, or as the
 * generated text in `worker_source.ts`. The messages are those of `messages.ts`.
 *
 * @module
 */
import { type DescribedError, describeError, reasonOf } from "../../abi/described.ts";
import { ErrnoError } from "../../abi/errno.ts";
import type { PathCalls } from "../../abi/path_calls.ts";
import { createFS } from "../../fs/create_fs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import { bringImage } from "./bring_image.ts";
import { upgradeImage } from "./upgrade_image.ts";
import { HeartbeatHandle } from "../device/heartbeat_handle.ts";
import type { StorageHandle } from "../device/handle.ts";
import { fileHandle } from "../device/file.ts";
import { clearUnfinished } from "../device/new_file.ts";
import { openOpfsHandle } from "../device/opfs.ts";
import { type EngineSettings, openVolumeSync } from "../volume/load/mount.ts";
import type { Volume } from "../volume/volume.ts";
import { serveCalls } from "../relay/call_port.ts";
import { clientLockName, watchLock } from "../relay/client_lock.ts";
import { startCommitTimer } from "../relay/commit_timer.ts";
import type { FromWorker, RelaySettings, ToWorker, VolumePlace } from "../relay/messages.ts";
import { Feature, preflight } from "../relay/preflight.ts";
import { receivePieces, sendError, sendPieces } from "../relay/pieces.ts";
import { type ChannelBuffers, channelId, MESSAGE_VERSION } from "../relay/protocol.ts";
import type { Value } from "../relay/s11n.ts";
import { sanityCheck } from "../relay/sanity_check.ts";
import { Relay } from "../relay/server.ts";
import { serveSteps } from "../relay/steps.ts";
import { takeVolumeLock } from "../relay/volume_lock.ts";

interface WorkerScope {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker): void;
}

type Init = Extract<ToWorker, { type: "init" }>;
type Import = Extract<ToWorker, { type: "import" }>;
type Upgrade = Extract<ToWorker, { type: "upgrade" }>;

/** How often the page gets a sign of life while its worker opens or closes, in ms. */
const LIFE_MS = 250;

/** One worker with its one volume: what it opens, serves and closes. */
class VolumeWorker {
  readonly #scope: WorkerScope;
  #relay: Relay | null = null;
  #volume: Volume | null = null;
  /** Whether it has got its task; that happens once. */
  #isInitialized = false;
  #isClosing = false;
  #releaseLock: () => void = () => {};
  #stopTimer: () => void = () => {};
  #stats: () => Record<string, Value> = () => ({});
  /** Ends an upgrade between two of its steps. */
  readonly #abort = new AbortController();
  /** When the page last got a sign of life. */
  #saidAt = 0;
  /** Where the worker stands: it is said again to a page that asks. */
  #standing: FromWorker = { type: "loaded", version: MESSAGE_VERSION };

  /** Hears and answers from now on. */
  constructor(scope: WorkerScope) {
    this.#scope = scope;
    scope.onmessage = ({ data }) => this.#take(data);
    scope.postMessage(this.#standing);
  }

  #take(data: ToWorker): void {
    if (data.type === "init") this.#init(data);
    else if (data.type === "hello") this.#hello(data.channel);
    else if (data.type === "calls") this.#takeCalls(data.port);
    else if (data.type === "export") this.#sendImage(data.port);
    else if (data.type === "compact") this.#compact(data.port);
    else if (data.type === "import") this.#import(data);
    else if (data.type === "upgrade") this.#upgrade(data);
    else if (data.type === "close") this.#close();
    else if (data.type === "abort") this.#abort.abort();
    else if (data.type === "announce") this.#scope.postMessage(this.#standing);
  }

  /** Says where the worker stands now. */
  #announce(message: FromWorker): void {
    this.#standing = message;
    this.#scope.postMessage(message);
  }

  /** One worker, one volume: a second init is refused and changes nothing. */
  #init(message: Init): void {
    if (this.#isInitialized) {
      const action = "open a second volume in one worker";
      this.#scope.postMessage({ type: "unavailable", code: "EBUSY", action });
      return;
    }
    this.#isInitialized = true;
    this.#saidAt = performance.now();
    this.#start(message).catch((error) => this.#refuse(error));
  }

  async #start({ version, place, settings }: Init): Promise<void> {
    if (version !== MESSAGE_VERSION) {
      throw new ErrnoError("EPROTO", "open the volume", {
        why: `the page speaks version ${version}`,
      });
    }
    checkPlatform(place);
    if (place.kind === "opfs") {
      const timeoutMs = settings.busyTimeoutMs;
      this.#releaseLock = await takeVolumeLock(place.path, { timeoutMs });
    }
    const device = new HeartbeatHandle(await openDevice(place, settings), () => this.#beat());
    const volume = this.#volume = mount(device, engineOf(settings));
    if (settings.sanityCheck) sanityCheck(volume);
    this.#stats = () => this.#collectStats(volume, device);
    if (typeof SharedArrayBuffer === "function") {
      this.#relay = this.#serve(volume, { place, settings });
    }
    this.#stopTimer = startCommitTimer(volume, engineOf(settings));
    const { root, report } = volume;
    const address = { doorbell: this.#relay?.doorbell.buffer ?? null, root, report };
    this.#announce({ type: "ready", version: MESSAGE_VERSION, address });
  }

  #collectStats(volume: Volume, device: HeartbeatHandle): Record<string, Value> {
    return {
      ...volume.stats(),
      ...prefixed("engine.", volume.metrics()),
      ...prefixed("device.", device.counts),
      "relay.clients": this.#relay?.clientCount ?? 0,
      "relay.unclaimed": this.#relay?.unclaimedCount ?? 0,
    };
  }

  #serve(volume: Volume, { place, settings }: Pick<Init, "place" | "settings">): Relay {
    const relay = new Relay(volume, {
      deadlineMs: settings.deadlineMs,
      stats: this.#stats,
      paths: () => pathsOf(volume, engineOf(settings).readOnly),
      onLeft: (channel) => this.#scope.postMessage({ type: "left", channel: channelId(channel) }),
      watchClient: (channel, gone) => watchLock(clientLockName(place.path, channel), gone),
    });
    relay.run().catch((error) => this.#fail(error));
    return relay;
  }

  /** Shows that the thread lives: to the clients, or to the page while it opens or closes. */
  #beat(): void {
    if (this.#relay !== null && !this.#isClosing) return this.#relay.beat();
    const now = performance.now();
    if (now - this.#saidAt < LIFE_MS) return;
    this.#saidAt = now;
    this.#scope.postMessage(this.#standing);
  }

  #refuse(error: unknown): void {
    this.#releaseLock();
    this.#announce({ type: "unavailable", ...describeError(error) });
  }

  /** A relay that cannot go on has no client any more; they learn of it at once. */
  #fail(error: unknown): void {
    if (!this.#isClosing) this.#announce({ type: "closed", ...describeError(error) });
  }

  #hello(channel: ChannelBuffers): void {
    try {
      if (this.#relay === null) {
        throw new ErrnoError("EIO", "attach a channel", { why: "no volume is open here" });
      }
      this.#relay.expect(channel);
    } catch (error) {
      const reason = reasonOf(describeError(error));
      this.#scope.postMessage({ type: "refused", channel, reason });
    }
  }

  /** A page that may not share memory calls by messages. */
  #takeCalls(port: MessagePort): void {
    if (this.#volume === null || this.#isClosing) port.close();
    else serveCalls(port, this.#volume, this.#stats);
  }

  #sendImage(port: MessagePort): void {
    try {
      if (this.#volume === null) throw new ErrnoError("EBADF", "export the image of no volume");
      sendPieces(port, this.#volume.exportImage());
    } catch (error) {
      sendError(port, error);
    }
  }

  /** A step each time the page asks for one; in between clients are served. */
  #compact(port: MessagePort): void {
    serveSteps(port, () => {
      if (this.#volume === null) throw new ErrnoError("EBADF", "compact no volume");
      return this.#volume.compact();
    });
  }

  /** One worker, one volume, here too. */
  #import({ place, settings, port }: Import): void {
    if (this.#isInitialized) return;
    this.#isInitialized = true;
    const onLife = () => this.#beat();
    bringImage(receivePieces(port).stream, place, { ...settings, onLife }).then(
      (report) => this.#announce({ type: "imported", report }),
      (error) => this.#refuse(error),
    );
  }

  /** As an import: that is all this worker does. */
  #upgrade({ place, settings }: Upgrade): void {
    if (this.#isInitialized) return;
    this.#isInitialized = true;
    const onProgress = (progress: { doneBytes: number; totalBytes: number }): void =>
      this.#scope.postMessage({ type: "progress", progress });
    const onLife = () => this.#beat();
    upgradeImage(place, { ...settings, onProgress, onLife, signal: this.#abort.signal }).then(
      (report) => this.#announce({ type: "upgraded", report }),
      (error) => this.#refuse(error),
    );
  }

  /** Serves what has been asked, closes the volume, then lets its lock go. */
  async #close(): Promise<void> {
    this.#stopTimer();
    this.#isClosing = true;
    let failure: Partial<DescribedError> = {};
    try {
      await this.#relay?.stop();
      this.#volume?.close();
    } catch (error) {
      failure = describeError(error);
    }
    this.#releaseLock();
    this.#announce({ type: "closed", ...failure });
  }
}

/** What this thread lacks is said before anything is opened. */
function checkPlatform({ kind, path }: VolumePlace): void {
  const needs: Feature[] = kind === "opfs" ? [Feature.SYNC_HANDLE] : [];
  if (typeof SharedArrayBuffer === "function") needs.push(Feature.WAIT_ASYNC);
  preflight(`open "${path}" in a relay worker`, needs);
}

/** Messages do not know the engine; what they carry for it is made by `open_options.ts`. */
function engineOf({ engine }: RelaySettings): EngineSettings {
  return engine;
}

async function openDevice(
  place: VolumePlace,
  settings: RelaySettings,
): Promise<StorageHandle> {
  const { create = true, readOnly = false } = engineOf(settings);
  if (place.kind === "host") {
    return fileHandle(place.path, { create: create && !readOnly, readOnly });
  }
  if (!readOnly) await clearUnfinished(place.path);
  const deadlineMs = settings.busyTimeoutMs;
  return await openOpfsHandle(place.path, { create: create && !readOnly, deadlineMs });
}

/** Mounts over a device that shows the clients a sign of life around each of its calls. */
function mount(device: StorageHandle, engine: EngineSettings): Volume {
  try {
    return openVolumeSync(device, engine);
  } catch (error) {
    device.close();
    throw error;
  }
}

/** The volume by paths, with nothing mounted on it: its /dev and /proc are its own. */
function pathsOf(volume: Volume, readOnly = false): PathCalls {
  const root = { type: VOLUMEFS, options: { volume }, readOnly };
  const fs = createFS({ root });
  fs.umask(0);
  for (const path of ["/dev", "/proc"]) {
    if (fs.findObject(path)?.isFolder) fs.unmount(path);
  }
  return fs;
}

/** Figures under names that say whose they are. */
function prefixed(prefix: string, figures: object): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [prefix + name, value as Value]),
  );
}

new VolumeWorker(globalThis as unknown as WorkerScope);
