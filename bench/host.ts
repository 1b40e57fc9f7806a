/**
 * What a volume in a host file, and a mounted host directory, cost beside the host's own calls.
 *
 * All three run in turns in one process, and the median of the rounds counts. A volume syncs at the
 * end of each workload, and so does the host's large file. Use: `deno run -A bench/host.ts [rounds]`.
 *
 * @module
 */
import * as host from "node:fs";
import { tmpdir } from "node:os";
import { createFS, type FS, type OpenedVolume, openVolume, VOLUMEFS } from "../mod.ts";
import { HOSTFS } from "../node_ops/hostfs.ts";

const FILES = 2000;
const SMALL_CALLS = 20_000;
const LARGE_CALLS = 800;
const LARGE_BYTES = 131_072;

const KIB = new Uint8Array(1024).fill(7);
const SMALL = new Uint8Array(64).fill(5);
const PAGE = new Uint8Array(4096).fill(3);
const LARGE = new Uint8Array(LARGE_BYTES).fill(9);

/** The calls that are compared. */
interface Subject {
  open(name: string, flags: "r" | "r+" | "w+"): unknown;
  close(stream: unknown): void;
  read(stream: unknown, into: Uint8Array, at: number): void;
  write(stream: unknown, bytes: Uint8Array, at: number): void;
  stat(name: string): void;
  rename(from: string, to: string): void;
  unlink(name: string): void;
  sync(stream: unknown): void;
}

function ofHost(folder: string): Subject {
  return {
    open: (name, flags) => host.openSync(`${folder}/${name}`, flags),
    close: (fd) => host.closeSync(fd as number),
    read: (fd, into, at) => void host.readSync(fd as number, into, 0, into.length, at),
    write: (fd, bytes, at) => void host.writeSync(fd as number, bytes, 0, bytes.length, at),
    stat: (name) => void host.statSync(`${folder}/${name}`),
    rename: (from, to) => host.renameSync(`${folder}/${from}`, `${folder}/${to}`),
    unlink: (name) => host.unlinkSync(`${folder}/${name}`),
    sync: (fd) => host.fsyncSync(fd as number),
  };
}

function ofFS(fs: FS, folder: string): Subject {
  type Stream = ReturnType<FS["open"]>;
  return {
    open: (name, flags) => fs.open(`${folder}/${name}`, flags),
    close: (stream) => fs.close(stream as Stream),
    read: (stream, into, at) => void fs.read(stream as Stream, into, 0, into.length, at),
    write: (stream, bytes, at) => void fs.write(stream as Stream, bytes, 0, bytes.length, at),
    stat: (name) => void fs.stat(`${folder}/${name}`),
    rename: (from, to) => fs.rename(`${folder}/${from}`, `${folder}/${to}`),
    unlink: (name) => fs.unlink(`${folder}/${name}`),
    sync: (stream) => fs.fsync(stream as Stream),
  };
}

function perCall(count: number, act: (index: number) => void): number {
  const began = performance.now();
  for (let index = 0; index < count; index++) act(index);
  return (performance.now() - began) * 1000 / count;
}

/** Everything on one subject: µs a call. */
function measure(subject: Subject): Record<string, number> {
  const figures: Record<string, number> = {};
  const create = (index: number): void => {
    const stream = subject.open(`f${index}`, "w+");
    subject.write(stream, KIB, 0);
    subject.close(stream);
  };
  figures["create+write+close 1 KiB"] = perCall(FILES, create);
  figures["stat"] = perCall(FILES, (index) => subject.stat(`f${index}`));
  const into = new Uint8Array(1024);
  figures["open+read+close 1 KiB"] = perCall(FILES, (index) => {
    const stream = subject.open(`f${index}`, "r");
    subject.read(stream, into, 0);
    subject.close(stream);
  });
  figures["rename"] = perCall(FILES, (index) => subject.rename(`f${index}`, `g${index}`));
  figures["unlink"] = perCall(FILES, (index) => subject.unlink(`g${index}`));
  const stream = subject.open("large", "w+");
  figures["sequential 128 KiB write"] = perCall(LARGE_CALLS, (index) => {
    subject.write(stream, LARGE, index * LARGE_BYTES);
    if (index === LARGE_CALLS - 1) subject.sync(stream);
  });
  figures["sequential 128 KiB read"] = perCall(LARGE_CALLS, (index) => {
    subject.read(stream, LARGE, index * LARGE_BYTES);
  });
  const place = (index: number): number => index * 7919 % 4096 * 4096;
  const page = new Uint8Array(4096);
  const small = new Uint8Array(64);
  for (
    const [name, act] of [
      ["64 B write", (index: number) => subject.write(stream, SMALL, index * 64)],
      ["64 B read", (index: number) => subject.read(stream, small, index * 64)],
      ["random 4 KiB write", (index: number) => subject.write(stream, PAGE, place(index))],
      ["random 4 KiB read", (index: number) => subject.read(stream, page, place(index))],
    ] as const
  ) figures[name] = perCall(SMALL_CALLS, act);
  subject.close(stream);
  subject.unlink("large");
  return figures;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** How a figure stands to the host's own: a share where bytes count, else what is added. */
function verdict(name: string, raw: number, own: number): string {
  if (name.startsWith("sequential")) {
    return `${(raw / own).toFixed(2)} of the host's (>= 0.70) ${
      raw / own >= 0.7 ? "met" : "MISSED"
    }`;
  }
  const added = own - raw;
  return `${added.toFixed(1)} us added (<= 3) ${added <= 3 ? "met" : "MISSED"}`;
}

async function main(): Promise<void> {
  const rounds = Number(Deno.args[0] ?? 5);
  const folder = host.mkdtempSync(`${tmpdir()}/cairn-bench-`);
  const raw = `${folder}/raw`;
  const tree = `${folder}/tree`;
  for (const path of [raw, tree]) host.mkdirSync(path);
  const volume: OpenedVolume = await openVolume(`${folder}/volume.cairn`);
  const fs = createFS();
  for (const path of ["/volume", "/host"]) fs.mkdir(path);
  fs.mount(VOLUMEFS, { volume }, "/volume");
  fs.mount(HOSTFS, { directory: tree }, "/host");
  const subjects = [ofHost(raw), ofFS(fs, "/volume"), ofFS(fs, "/host")];
  const results: Record<string, number>[][] = subjects.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, subject] of subjects.entries()) {
      results[index]!.push(measure(subject));
      volume.sync();
    }
  }
  await volume.close();
  host.rmSync(folder, { recursive: true });
  console.log(
    "us a call".padEnd(28),
    ["host", "volume", "HOSTFS"].map((n) => n.padStart(9)).join(""),
  );
  for (const name of Object.keys(results[0]![0]!)) {
    const [own, ...others] = results.map((list) => median(list.map((figures) => figures[name]!)));
    const cells = [own!, ...others].map((value) => value.toPrecision(3).padStart(9)).join("");
    const verdicts = others.map((value) => verdict(name, own!, value)).join("; ");
    console.log(name.padEnd(28), cells, "  ", verdicts);
  }
}

if (import.meta.main) await main();
