/**
 * Runs a workload on a {@link CrashHandle}, crashes it everywhere, and compares what a mount shows
 * with what the workload had made durable.
 *
 * Layer: tests. The oracle: names, sizes, modes, owners and links are those after one call, at or
 * after the last sync, and each byte is one that its file had there at that call or later. It mounts
 * without anything to correct, also when that mount crashes and the next one does; it goes on working,
 * and is clean after it is closed.
 *
 * @module
 */
import { isErrnoError } from "../../abi/errno.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { HEADER_A_AT, RING_AT, RING_BYTES_MIN } from "../../opfs/volume/format/layout.ts";
import { openVolumeSync, type VolumeOptions } from "../../opfs/volume/load/mount.ts";
import type { Volume } from "../../opfs/volume/volume.ts";
import type { VolumeOps } from "../../opfs/volume_ops.ts";
import { CrashHandle, type CrashImage, type CrashModel } from "./crash_handle.ts";
import { type Beginning, beginnings } from "./crash_beginnings.ts";
import { contentsOf, type ModelNode, modelTree, type Shown, treeOf } from "./model_tree.ts";
import { type Prng, prng } from "./prng.ts";
import { Pair } from "./random_pair.ts";

/** The model after a call. */
interface Snapshot {
  /** Calls of the device until then. */
  point: number;
  /** What a tree shows, contents left out. */
  tree: Map<string, Shown>;
  /** Contents of files by inode, and their paths. */
  bytes: Map<ModelNode, Uint8Array>;
  paths: Map<string, ModelNode>;
  /** Whether everything until then is durable. */
  isSynced: boolean;
}

/** What a run found. */
export interface CrashResult {
  /** Images that were looked at, by model. */
  images: Record<CrashModel, number>;
  /** What was wrong, first ones only. */
  problems: string[];
  /** How many images were bad. */
  bad: number;
  /** Syncs whose flush was refused: after how many the volume went on, and whether it has failed. */
  refusedFlushes: number;
  hasFailed: boolean;
}

/** How a run is made. */
export interface CrashOptions extends VolumeOptions {
  /** Seed of everything. */
  seed: number;
  /** Calls. */
  steps: number;
  /** A sync after each so many calls. */
  syncEvery: number;
  /** Largest offset of a write. */
  sizeMax?: number;
  /** Every how many images the volume is worked on further. */
  goOnEvery?: number;
  /** Done after each call, on the volume; the tree stays as it was. */
  meanwhile?: (volume: Volume, step: number) => void;
  /** Whether the device says that it is sparse. */
  isSparse?: boolean;
  /** What is there before the first call. Default: nothing. */
  begins?: Beginning;
  /** Whether records and headers are refused now and then, and land all the same. */
  refuses?: boolean;
  /** What makes the calls: a relay's client, say. Default: the volume itself. */
  over?: (volume: Volume) => VolumeOps;
  /** Whether flushes are refused now and then; a history ends with the volume's failure. */
  refusesFlush?: boolean;
  /** Every how many images their mount crashes, too. */
  mountEvery?: number;
  /** Done when the volume has been opened: leaves out a rule, for controls. */
  onOpen?: (volume: Volume, handle: CrashHandle) => void;
}

/** Runs and crashes a seeded workload. */
export function crashRun(options: CrashOptions): CrashResult {
  const random = prng(options.seed);
  const handle = new CrashHandle();
  handle.isSparse = options.isSparse ?? false;
  let now = 1_700_000_000_000;
  const mount = { ...options, clock: () => now++, random: random.fill };
  const known = beginnings[options.begins ?? "empty"](handle, mount);
  const volume = openVolumeSync(handle, mount);
  options.onOpen?.(volume, handle);
  const begin = handle.changes.length;
  const pair = new Pair(options.over?.(volume) ?? volume, random, options.sizeMax);
  for (const [name, node] of known) pair.root.entries.set(name, node);
  const log: string[] = [];
  const snapshots = [snapshot(pair.root, begin, true)];
  const made = { handle, volume, random };
  let refusedFlushes = 0;
  const end = (): CrashResult => {
    const result = examine(handle, { snapshots, options: mount, log, random });
    return { ...result, refusedFlushes, hasFailed: volume.stats().state === "failed" };
  };
  const go = (): void => {
    log.push(pair.step());
    snapshots.push(snapshot(pair.root, handle.changes.length, options.durability === "op"));
  };
  for (let step = 1; step <= options.steps; step++) {
    go();
    options.meanwhile?.(volume, step);
    if (step % options.syncEvery !== 0) continue;
    // What comes next makes a record that was refused longer.
    while (options.refuses && isRefused(made)) for (let more = 0; more < 3; more++) go();
    while (options.refusesFlush && isFlushRefused(made, () => pair.volume.sync())) {
      if (volume.stats().state === "failed") return end();
      refusedFlushes++;
      for (let more = random.below(4); more > 0; more--) go();
    }
    pair.volume.sync();
    snapshots.push(snapshot(pair.root, handle.changes.length, true));
    log.push("sync");
  }
  if (!options.refusesFlush) volume.close();
  else if (isFlushRefused(made, () => volume.close())) return end();
  snapshots.push(snapshot(pair.root, handle.changes.length, true));
  return end();
}

/** A volume under way. */
interface Made {
  handle: CrashHandle;
  volume: Volume;
  random: Prng;
}

/** Makes a call of which a flush may be refused, as by a full disk; whether it has failed. */
function isFlushRefused({ handle, random }: Made, call: () => void): boolean {
  let left = random.below(5);
  handle.refusesFlush = () => left-- === 0;
  try {
    call();
    return false;
  } catch (error) {
    if (!isErrnoError(error) || error.code !== "ENOSPC") throw error;
    return true;
  } finally {
    handle.refusesFlush = () => false;
  }
}

/** Bytes of the ring's end: what is refused there goes elsewhere when it is longer. */
const RING_END_BYTES = 4096;

/** Syncs on a device that refuses a record or a header, and has written it; whether the sync failed. */
function isRefused({ volume, handle, random }: Made): boolean {
  const isHeader = random.below(3) === 0;
  const isAnywhere = random.below(4) === 0;
  const ringEnd = RING_AT + RING_BYTES_MIN;
  let isOver = false;
  handle.refuses = (at, length) => {
    if (isOver || (at < RING_AT) !== isHeader || at >= ringEnd || at < HEADER_A_AT) return false;
    isOver = isHeader || isAnywhere || at + length > ringEnd - RING_END_BYTES;
    return isOver;
  };
  try {
    volume.sync();
    return false;
  } catch (error) {
    if (!isErrnoError(error) || error.code !== "ENOSPC") throw error;
    return true;
  } finally {
    handle.refuses = () => false;
  }
}

function snapshot(root: ModelNode, point: number, isSynced: boolean): Snapshot {
  const bytes = new Map<ModelNode, Uint8Array>();
  const paths = new Map<string, ModelNode>();
  const visit = (path: string, node: ModelNode): void => {
    paths.set(path, node);
    bytes.set(node, node.bytes);
    for (const [name, child] of node.entries) visit(`${path}/${name}`, child);
  };
  visit("", root);
  return { point, tree: modelTree(root), bytes, paths, isSynced };
}

interface Examined {
  snapshots: readonly Snapshot[];
  options: CrashOptions;
  log: readonly string[];
  random: Prng;
}

function examine(
  handle: CrashHandle,
  run: Examined,
): Pick<CrashResult, "images" | "problems" | "bad"> {
  const result: ReturnType<typeof examine> = {
    images: { killed: 0, torn: 0, lost: 0, subset: 0 },
    problems: [],
    bad: 0,
  };
  let count = 0;
  for (const image of handle.crashes(prng(run.options.seed + 1), run.snapshots[0]!.point)) {
    result.images[image.model]++;
    count++;
    const isLongLook = count % (run.options.goOnEvery ?? 7) === 0;
    const isMountLook = count % (run.options.mountEvery ?? MOUNT_EVERY) === 0;
    const problem = look(image, run, isLongLook) || (isMountLook ? lookAtMounts(image, run) : "");
    if (problem === "") continue;
    result.bad++;
    if (result.problems.length < 5) {
      const { model, point } = image;
      result.problems.push(`seed ${run.options.seed}, ${model} at call ${point}: ${problem}`);
    }
  }
  return result;
}

const IS_LONG = Deno.env.get("CAIRN_LONG") === "1";
const MOUNT_EVERY = IS_LONG ? 7 : 60;
/** Crashes of a mount that are looked at; of one of them the next mount crashes as well. */
const MOUNT_IMAGES = IS_LONG ? 40 : 9;

/** Crashes while the image is mounted, and while one of these is. */
function lookAtMounts(image: CrashImage, run: Examined, depth = 2): string {
  const handle = new CrashHandle(image.bytes);
  openVolumeSync(handle, { ...run.options, create: false });
  const images: Uint8Array[] = [];
  for (const { bytes } of handle.crashes(prng(run.options.seed + depth))) images.push(bytes);
  const stride = Math.max(1, Math.floor(images.length / MOUNT_IMAGES));
  for (let index = run.random.below(stride); index < images.length; index += stride) {
    const crashed = { ...image, bytes: images[index]! };
    const problem = look(crashed, run, false);
    if (problem !== "") return `crash ${index} of its mount: ${problem}`;
  }
  if (depth === 1 || images.length === 0) return "";
  return lookAtMounts({ ...image, bytes: run.random.pick(images) }, run, depth - 1);
}

function look(image: CrashImage, run: Examined, isLongLook: boolean): string {
  const handle = memoryHandle(image.bytes);
  try {
    const volume = openVolumeSync(handle, { ...run.options, create: false });
    if (volume.report.corrected.length > 0) {
      return `corrected: ${volume.report.corrected[0]!.message}`;
    }
    const problem = compare(volume, candidates(run.snapshots, image.point));
    if (problem !== "") return problem;
    if (isLongLook) goOn(volume, run.random);
    volume.close();
    const { violations } = checkVolume(handle);
    return violations.length > 0 ? `check: ${violations[0]!.rule} ${violations[0]!.message}` : "";
  } catch (error) {
    if (isErrnoError(error)) return error.message;
    throw error;
  }
}

/** The states that a crash at a point may show: from the last sync on, to the call under way. */
function candidates(snapshots: readonly Snapshot[], point: number): Snapshot[] {
  let first = 0;
  let last = 0;
  for (let index = 0; index < snapshots.length; index++) {
    const { isSynced, point: at } = snapshots[index]!;
    if (isSynced && at <= point) first = index;
    if (at <= point) last = index;
  }
  return snapshots.slice(first, last + 2);
}

function compare(volume: VolumeOps, states: readonly Snapshot[]): string {
  const tree = treeOf(volume);
  let nearest = "";
  for (let index = states.length - 1; index >= 0; index--) {
    const state = states[index]!;
    const difference = treeDifference(tree, state.tree, states[index + 1]?.tree);
    if (difference !== "") {
      nearest ||= difference;
      continue;
    }
    const wrong = contentsDifference(volume, tree, states.slice(index));
    if (wrong === "") return "";
    nearest = wrong;
  }
  return `like none of ${states.length} states: ${nearest}`;
}

/** A write of several blocks may have been committed between two of them. */
function treeDifference(
  is: Map<string, Shown>,
  state: Map<string, Shown>,
  next: Map<string, Shown> | undefined,
): string {
  if (is.size !== state.size) return `${is.size} names instead of ${state.size}`;
  for (const [path, shouldBe] of state) {
    const shown = is.get(path);
    if (shown === undefined) return `no ${path.slice(-30)}`;
    const isFile = (shouldBe.mode & 0o170000) === 0o100000;
    const after = next?.get(path) ?? shouldBe;
    const isBetween = isFile && shown.size >= Math.min(shouldBe.size, after.size) &&
      shown.size <= Math.max(shouldBe.size, after.size);
    const isAlike = shown.mode === shouldBe.mode && shown.nlink === shouldBe.nlink &&
      shown.uid === shouldBe.uid && (shown.size === shouldBe.size || isBetween) &&
      (isFile || shown.contents === shouldBe.contents);
    if (!isAlike) {
      return `${path.slice(-30)} is ${JSON.stringify(shown)}, not ${JSON.stringify(shouldBe)}`;
    }
  }
  return "";
}

function contentsDifference(
  volume: VolumeOps,
  tree: Map<string, Shown>,
  states: readonly Snapshot[],
): string {
  for (const [path, shown] of tree) {
    if ((shown.mode & 0o170000) !== 0o100000) continue;
    const node = states[0]!.paths.get(path)!;
    if (shown.contents === states[0]!.tree.get(path)!.contents) continue;
    const versions = states.map((state) => state.bytes.get(node)).filter((b) => b !== undefined);
    const bytes = contentsOf(volume, lookupPath(volume, path));
    for (let at = 0; at < bytes.length; at++) {
      if (versions.some((version) => version[at] === bytes[at])) continue;
      const had = [...new Set(versions.map((version) => version[at]))].join(", ");
      return `byte ${at} of ${path.slice(-30)} is ${bytes[at]} and never was (${had})`;
    }
  }
  return "";
}

function lookupPath(volume: VolumeOps, path: string): number {
  let ino = volume.root;
  for (const name of path.split("/").slice(1)) ino = volume.lookup(ino, name);
  return ino;
}

/** Works on with what was found: it must carry on as if nothing had been. */
function goOn(volume: VolumeOps, random: Prng): void {
  const name = `later ${random.below(1000)}`;
  if (volume.lookup(volume.root, name) !== 0) return;
  const ino = volume.create(volume.root, name, { mode: 0o100644, uid: 0, gid: 0 });
  const bytes = new Uint8Array(1 + random.below(100_000));
  random.fill(bytes);
  volume.write(ino, bytes, 0);
  volume.sync();
  volume.setattr(ino, { size: 10 });
  volume.unlink(volume.root, name);
}
