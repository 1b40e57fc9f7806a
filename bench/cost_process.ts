/**
 * One process of `cost.ts`: it loads the engine of a checkout, and does a row of `cost_rows.ts` for
 * each line that it is given, to answer with the processor time, user's and system's, and the counts.
 *
 * Started by `cost.ts` with the checkout, what kind of image, and the file of the device if there is
 * one. It stays between rows, so that what is compiled by then is not measured again.
 *
 * @module
 */
import { rmSync } from "node:fs";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { createInterface } from "node:readline";
import { crc32 } from "node:zlib";
import type { Backend, FS, StorageHandle, Volume, VolumeFsOptions } from "../mod.ts";
import { CountingHandle, type Counts, type Rig, ROWS } from "./cost_rows.ts";

/** What one line is answered with. */
export interface Measured extends Counts {
  /** Microseconds of processor time for each call. */
  micros: number;
}

/** What is needed of an engine; each checkout has its own. */
interface Engine {
  openVolumeSync(handle: StorageHandle): Volume;
  formatVolume(handle: StorageHandle): unknown;
  memoryHandle(initial?: Uint8Array): StorageHandle & { toBytes(): Uint8Array };
  fileHandle(path: string): StorageHandle;
  createFS(options: { root: { type: Backend<VolumeFsOptions>; options: VolumeFsOptions } }): FS;
  readonly VOLUMEFS: Backend<VolumeFsOptions>;
}

const PAGE_BYTES = 4096;
const HEADER = { BYTES: 256, MAGIC: 0x4a4e5243, CRC: 12, RING_PAGES: 52, INODE_OFFSET: 88 };
const FEATURES_AT = 144;

/** An image as it was before there were sums: the ring has their place, and no header says of them. */
function withoutSums(image: Uint8Array): Uint8Array {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  for (const at of [PAGE_BYTES, 2 * PAGE_BYTES]) {
    if (view.getUint32(at, true) !== HEADER.MAGIC) continue;
    const ringEnd = 3 + view.getUint32(at + HEADER.RING_PAGES, true);
    const end = view.getFloat64(at + HEADER.INODE_OFFSET, true) / PAGE_BYTES;
    image.fill(0, ringEnd * PAGE_BYTES, end * PAGE_BYTES);
    view.setUint32(at + HEADER.RING_PAGES, end - 3, true);
    view.setUint32(at + FEATURES_AT, view.getUint32(at + FEATURES_AT, true) & ~1, true);
    view.setUint32(at + HEADER.CRC, 0, true);
    const header = image.subarray(at, at + HEADER.BYTES);
    view.setUint32(at + HEADER.CRC, crc32(header), true);
  }
  return image;
}

/** A place for volumes, one after the other, and the clock. */
class Bench implements Rig {
  readonly #engine: Engine;
  readonly #image: Uint8Array;
  readonly #path: string | undefined;
  #device: StorageHandle;
  #handle: CountingHandle | null = null;
  #before = process.cpuUsage();
  #countsBefore: Counts = { writes: 0, bytes: 0, flushes: 0, reads: 0 };
  readonly measured: Measured = { micros: 0, writes: 0, bytes: 0, flushes: 0, reads: 0 };

  constructor(engine: Engine, isPlain: boolean, path?: string) {
    const formatted = engine.memoryHandle();
    engine.formatVolume(formatted);
    this.#engine = engine;
    this.#image = isPlain ? withoutSums(formatted.toBytes()) : formatted.toBytes();
    this.#path = path;
    this.#device = formatted;
  }

  fresh(): Volume {
    const engine = this.#engine;
    if (this.#path === undefined) this.#device = engine.memoryHandle(this.#image);
    else {
      rmSync(this.#path, { force: true });
      this.#device = engine.fileHandle(this.#path);
      this.#device.write(this.#image, { at: 0 });
      this.#device.flush();
    }
    return this.#open();
  }

  again(): Volume {
    if (this.#path !== undefined) this.#device = this.#engine.fileHandle(this.#path);
    return this.#open();
  }

  over(volume: Volume): FS {
    const { createFS, VOLUMEFS } = this.#engine;
    return createFS({ root: { type: VOLUMEFS, options: { volume } } });
  }

  #open(): Volume {
    const before = this.#handle;
    this.#handle = new CountingHandle(this.#device);
    // What was counted from `begin` on goes on with the next device.
    if (before === null) this.#countsBefore = this.#handle;
    else Object.assign(this.#handle, countsOf(before));
    return this.#engine.openVolumeSync(this.#handle);
  }

  begin(): void {
    (globalThis as { gc?: () => void }).gc?.();
    this.#countsBefore = countsOf(this.#handle!);
    this.#before = process.cpuUsage();
  }

  end(): void {
    const { user, system } = process.cpuUsage(this.#before);
    const now = countsOf(this.#handle!);
    this.measured.micros = user + system;
    for (const name of ["writes", "bytes", "flushes", "reads"] as const) {
      this.measured[name] = now[name] - this.#countsBefore[name];
    }
  }
}

function countsOf({ writes, bytes, flushes, reads }: Counts): Counts {
  return { writes, bytes, flushes, reads };
}

/** A flush of a host file takes as long as so many calls in memory. */
const FLUSH_CALLS = 25;

/** Does a row by its name. */
function measure(bench: Bench, name: string, isFile: boolean): Measured {
  const row = ROWS.find((candidate) => candidate.name === name)!;
  const calls = isFile && row.isDurable ? row.calls / FLUSH_CALLS : row.calls;
  row.run(bench, calls);
  const perCall = Object.entries(bench.measured).map(([what, sum]) => [what, sum / calls]);
  return Object.fromEntries(perCall);
}

/** How often a row is done in memory before it is done on a host file. */
const WARM_RUNS = 4;

/**
 * Does a row in memory, for its compiling: on a host file it makes too few calls to be compiled in the
 * rounds that are not measured.
 */
function warmUp(engine: Engine, name: string, isPlain: boolean): void {
  const bench = new Bench(engine, isPlain);
  for (let run = 0; run < WARM_RUNS; run++) measure(bench, name, false);
}

async function main(): Promise<void> {
  const [checkout = ".", kind = "sums", path] = Deno.args;
  const engine: Engine = await import(pathToFileURL(`${checkout}/mod.ts`).href);
  const isPlain = kind === "plain";
  const isFile = path !== undefined;
  const bench = new Bench(engine, isPlain, path);
  const warm = new Set<string>();
  for await (const name of createInterface({ input: process.stdin })) {
    if (isFile && !warm.has(name)) warmUp(engine, name, isPlain);
    warm.add(name);
    console.log(JSON.stringify(measure(bench, name, isFile)));
  }
  if (isFile) rmSync(path, { force: true });
}

if (import.meta.main) await main();
