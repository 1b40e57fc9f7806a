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
import { BeatingHandle } from "../device/beating_handle.ts";
import type { StorageHandle } from "../device/handle.ts";
import { fileHandle } from "../device/file.ts";
import { openOpfsHandle } from "../device/opfs.ts";
import { type EngineSettings, openVolumeSync } from "../volume/load/mount.ts";
import type { Volume } from "../volume/volume.ts";
import { serveCalls } from "../relay/call_port.ts";
import { clientLockName, watchLock } from "../relay/client_lock.ts";
import { startCommitTimer } from "../relay/commit_timer.ts";
import type { FromWorker, RelaySettings, ToWorker, VolumePlace } from "../relay/messages.ts";
import { Feature, preflight } from "../relay/preflight.ts";
import { receivePieces, sendError, sendPieces } from "../relay/pieces.ts";
import { channelId, MESSAGE_VERSION } from "../relay/protocol.ts";
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

/** How often the page is told of life while its worker opens or closes, in ms. */
const LIFE_MS = 250;

const scope = globalThis as unknown as WorkerScope;
let relay: Relay | null = null;
let volume: Volume | null = null;
let isInitialized = false;
let releaseLock: () => void = () => {};
let stopTimer: () => void = () => {};
let stats: () => Record<string, Value> = () => ({});
let isClosing = false;
let saidAt = 0;

scope.onmessage = ({ data }) => {
  if (data.type === "init") init(data);
  else if (data.type === "hello") hello(data.channel);
  else if (data.type === "calls") takeCalls(data.port);
  else if (data.type === "export") sendImage(data.port);
  else if (data.type === "compact") compact(data.port);
  else if (data.type === "import") importOnce(data);
  else if (data.type === "upgrade") upgradeOnce(data);
  else if (data.type === "close") close();
  else if (data.type === "announce") scope.postMessage(standing);
};
let standing: FromWorker = { type: "loaded", version: MESSAGE_VERSION };
scope.postMessage(standing);

/** Says where the worker stands now; it is said again to whoever asks. */
function announce(message: FromWorker): void {
  standing = message;
  scope.postMessage(message);
}

/** One worker, one volume: a second init is refused and disturbs nobody. */
function init(message: Init): void {
  if (isInitialized) {
    const action = "open a second volume in one worker";
    scope.postMessage({ type: "unavailable", code: "EBUSY", action });
    return;
  }
  isInitialized = true;
  saidAt = performance.now();
  start(message).catch(refuse);
}

async function start({ version, place, settings }: Init): Promise<void> {
  if (version !== MESSAGE_VERSION) {
    throw new ErrnoError("EPROTO", "open the volume", {
      why: `the page speaks version ${version}`,
    });
  }
  checkPlatform(place);
  releaseLock = place.kind === "opfs"
    ? await takeVolumeLock(place.path, { timeoutMs: settings.busyTimeoutMs })
    : releaseLock;
  const device = new BeatingHandle(await openDevice(place, settings), beat);
  const mounted = volume = mount(device, engineOf(settings));
  if (settings.sanityCheck) sanityCheck(mounted);
  stats = () => ({
    ...mounted.stats(),
    ...prefixed("engine.", mounted.metrics()),
    ...prefixed("device.", device.counts),
    "relay.clients": relay?.clientCount ?? 0,
    "relay.untaken": relay?.untakenCount ?? 0,
  });
  if (typeof SharedArrayBuffer === "function") relay = serve(mounted, { place, settings });
  stopTimer = startCommitTimer(mounted, engineOf(settings));
  const { root, report } = mounted;
  const address = { doorbell: relay?.doorbell.buffer ?? null, root, report };
  announce({ type: "ready", version: MESSAGE_VERSION, address });
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

function serve(mounted: Volume, { place, settings }: Pick<Init, "place" | "settings">): Relay {
  const made = new Relay(mounted, {
    deadlineMs: settings.deadlineMs,
    stats,
    paths: () => pathsOf(mounted, engineOf(settings).readOnly),
    onLeft: (channel) => scope.postMessage({ type: "left", channel: channelId(channel) }),
    watchClient: (channel, gone) => watchLock(clientLockName(place.path, channel), gone),
  });
  made.run().catch(fail);
  return made;
}

/** Shows that the thread lives: to the clients, or to the page while it opens or closes. */
function beat(): void {
  if (relay !== null && !isClosing) return relay.beat();
  const now = performance.now();
  if (now - saidAt < LIFE_MS) return;
  saidAt = now;
  scope.postMessage(standing);
}

async function openDevice(
  place: VolumePlace,
  settings: RelaySettings,
): Promise<StorageHandle> {
  const { create = true, readOnly = false } = engineOf(settings);
  if (place.kind === "host") {
    return fileHandle(place.path, { create: create && !readOnly, readOnly });
  }
  const deadlineMs = settings.busyTimeoutMs;
  return await openOpfsHandle(place.path, { create: create && !readOnly, deadlineMs });
}

/** Mounts over a device that shows the clients a sign of life behind each of its calls. */
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

function refuse(error: unknown): void {
  releaseLock();
  announce({ type: "unavailable", ...describeError(error) });
}

/** A relay that cannot go on has no client any more; they learn of it at once. */
function fail(error: unknown): void {
  if (!isClosing) announce({ type: "closed", ...describeError(error) });
}

function hello(channel: SharedArrayBuffer): void {
  try {
    if (relay === null) {
      throw new ErrnoError("EIO", "attach a channel", { why: "no volume is open here" });
    }
    relay.expect(channel);
  } catch (error) {
    scope.postMessage({ type: "refused", channel, reason: reasonOf(describeError(error)) });
  }
}

/** A page that may not share memory calls by messages. */
function takeCalls(port: MessagePort): void {
  if (volume === null || isClosing) port.close();
  else serveCalls(port, volume, stats);
}

function sendImage(port: MessagePort): void {
  try {
    if (volume === null) throw new ErrnoError("EBADF", "export the image of no volume");
    sendPieces(port, volume.exportImage());
  } catch (error) {
    sendError(port, error);
  }
}

/** A step for each wish of the page; in between clients are served. */
function compact(port: MessagePort): void {
  serveSteps(port, () => {
    if (volume === null) throw new ErrnoError("EBADF", "compact no volume");
    return volume.compact();
  });
}

/** One worker, one volume, here too. */
function importOnce({ place, settings, port }: Import): void {
  if (isInitialized) return;
  isInitialized = true;
  bringImage(receivePieces(port).stream, place, settings).then(
    (report) => announce({ type: "imported", report }),
    refuse,
  );
}

/** As an import: that is all this worker does. */
function upgradeOnce({ place, settings }: Upgrade): void {
  if (isInitialized) return;
  isInitialized = true;
  const onProgress = (progress: { doneBytes: number; totalBytes: number }): void =>
    scope.postMessage({ type: "progress", progress });
  upgradeImage(place, { ...settings, onProgress }).then(
    (report) => announce({ type: "upgraded", report }),
    refuse,
  );
}

/** Serves what has been asked, closes the volume, then lets its lock go. */
async function close(): Promise<void> {
  stopTimer();
  isClosing = true;
  let failure: Partial<DescribedError> = {};
  try {
    await relay?.stop();
    volume?.close();
  } catch (error) {
    failure = describeError(error);
  }
  releaseLock();
  announce({ type: "closed", ...failure });
}

/** Figures under names that tell whose they are. */
function prefixed(prefix: string, figures: object): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [prefix + name, value as Value]),
  );
}
