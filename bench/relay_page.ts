/**
 * The program of the relay's bench in a browser: the page that fetches jobs and sends figures back,
 * the thread that calls (the page itself or a worker of it), and its helper threads.
 *
 * Layer: bench, entry point of the bundle that `relay.ts` serves.
 *
 * @module
 */
import { openVolume } from "../opfs/mod.ts";
import { type Ask, endPing, help, ping, type RawFigures } from "./relay_floor.ts";
import { Cairn, Peer, type Subject } from "./relay_subjects.ts";
import { prepare, Row, SLICES, workloads } from "./relay_workloads.ts";

/** One run: everything once, in one thread. */
export interface Job {
  /** Which thread calls. */
  where: "worker" | "page";
  /** Which round: names of its own, and in odd ones the peer goes first. */
  round: number;
  /** Calls of each row are multiplied by it. */
  scale: number;
  /** Where the peer's module is; null to go without. */
  peer: string | null;
  /** Rows to run, by a part of their name; empty for all. */
  only: string;
  /** Files of the volume that is mounted; 0 to leave that out. */
  mounted: number;
}

/** Figures by subject and row. Microseconds a call, or milliseconds where the row says so. */
export type Figures = Record<string, Record<string, number>>;

const PING_ROW = "bare ping";
const ROUNDS_OF_CLIENTS = 9;
const SLICE_CALLS = 500;
const isPage = "document" in globalThis;
const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<Ask | { job: Job }>) => void) | null;
  postMessage(message: unknown): void;
};

/** A worker with this same program. */
class Helper {
  readonly #worker = new Worker("/program.js", { type: "module" });

  ask<T>(what: Ask | { job: Job }): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#worker.onerror = (event) => reject(new Error(event.message));
      this.#worker.onmessage = ({ data }) =>
        data.error === undefined ? resolve(data.value) : reject(new Error(data.error));
      this.#worker.postMessage(what);
    });
  }

  end(): void {
    this.#worker.terminate();
  }
}

/** Microseconds of a bare round trip, in the middle slice. */
async function measurePing(): Promise<number> {
  const words = new Int32Array(new SharedArrayBuffer(64));
  const helper = new Helper();
  // A thread that is blocked cannot start another one: the other side has to be there first.
  await helper.ask({ what: "ready" });
  const ends = helper.ask({ what: "pong", words });
  const micros = slices(() => ping(words, SLICE_CALLS, !isPage));
  endPing(words);
  await ends;
  helper.end();
  return micros;
}

/** What the middle one of some slices takes. */
function slices(slice: () => number): number {
  return middle(Array.from({ length: SLICES }, slice));
}

/** One request that is answered from memory, by a client that keeps nothing itself. */
async function roundTrip({ volume }: Cairn): Promise<number> {
  const client = await openVolume({ ticket: volume.share(), cacheBytes: 0, blocking: "spin" });
  const micros = slices(() => {
    const began = performance.now();
    for (let index = 0; index < SLICE_CALLS; index++) client.getattr(client.root);
    return (performance.now() - began) * 1000 / SLICE_CALLS;
  });
  await client.close();
  return micros;
}

/** Durable operations a second of one client and of four, in turns. */
async function clients({ volume }: Cairn, figures: Figures): Promise<void> {
  const helpers = Array.from({ length: 4 }, () => new Helper());
  for (const [index, helper] of helpers.entries()) {
    await helper.ask({ what: "client", ticket: volume.share(), name: `client ${index}` });
  }
  const calls = 100;
  const micros = async (count: number): Promise<number> => {
    const began = performance.now();
    const asked = helpers.slice(0, count);
    await Promise.all(asked.map((helper) => helper.ask({ what: "go", calls })));
    return (performance.now() - began) * 1000 / (calls * count);
  };
  const one: number[] = [];
  const four: number[] = [];
  for (let round = 0; round < ROUNDS_OF_CLIENTS; round++) {
    one.push(await micros(1));
    four.push(await micros(4));
  }
  put(figures, "cairn", "durable op, 1 client", middle(one));
  put(figures, "cairn", "durable op, 4 clients", middle(four));
  for (const helper of helpers) helper.end();
}

/** Milliseconds to open a volume of many files, its worker's start included. */
async function opening({ where, round, mounted }: Job): Promise<number> {
  const name = `mounted-${where}-${round}`;
  const filled = await Cairn.open(name);
  const nothing = new Uint8Array(0);
  filled.mkdir("/m");
  for (let index = 0; index < mounted; index++) filled.writeFile(`/m/file ${index}`, nothing);
  await filled.end();
  const times: number[] = [];
  for (let round = 0; round < 3; round++) {
    const began = performance.now();
    const subject = await Cairn.open(name);
    subject.stat("/m/file 1");
    times.push(performance.now() - began);
    await subject.end();
  }
  return middle(times);
}

function put(figures: Figures, subject: string, row: string, value: number): void {
  (figures[subject] ??= {})[row] = value;
}

function middle(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** Who takes part, and how each is opened. */
function openersOf({ peer }: Job): [string, (name: string) => Promise<Subject>][] {
  const ours: [string, (name: string) => Promise<Subject>] = ["cairn", Cairn.open];
  return peer === null ? [ours] : [ours, ["peer", (name) => Peer.open(name, peer)]];
}

/** Everything: all rows when nothing is compiled yet, the same once more, and what is ours alone. */
async function measure(job: Job): Promise<Figures> {
  const figures: Figures = {};
  const subjects: [string, Subject][] = [];
  for (const [who, open] of openersOf(job)) {
    subjects.push([who, await open(`${who}-${job.where}-${job.round}`)]);
  }
  if (job.round % 2 === 1) subjects.reverse();
  put(figures, "floor", PING_ROW, await measurePing());
  await rows(subjects, job, {
    pass: 0,
    put: (who, row, value) => put(figures, `cold ${who}`, row, value),
  });
  await rows(subjects, job, { pass: 1, put: (who, row, value) => put(figures, who, row, value) });
  const cairn = subjects.find(([who]) => who === "cairn")![1] as Cairn;
  put(figures, "cairn", "one round trip, nothing kept", await roundTrip(cairn));
  if (job.where === "worker") await clients(cairn, figures);
  put(figures, "floor", `${PING_ROW}, again`, await measurePing());
  for (const [, subject] of subjects) await subject.end();
  if (job.mounted === 0) return figures;
  // The peer hands out the same instance again in one thread, so it is not mounted anew.
  put(figures, "cairn", `open with ${job.mounted} files, ms`, await opening(job));
  return figures;
}

interface Pass {
  pass: number;
  put(who: string, row: string, value: number): void;
}

/** All rows, a slice for one subject and then for the other. */
async function rows(
  subjects: readonly [string, Subject][],
  job: Job,
  { pass, put }: Pass,
): Promise<void> {
  for (const [, subject] of subjects) prepare(subject, pass);
  const all = subjects.map(([who, subject]) => ({ who, subject, list: workloads() }));
  for (const [index, { name, isLong = false }] of workloads().entries()) {
    if (!name.includes(job.only) || isLong && pass === 0) continue;
    const running = all.map(({ who, subject, list }) => ({
      who,
      row: attempt(() => new Row(subject, list[index]!, job.scale)),
    }));
    for (let slice = 0; slice < SLICES; slice++) {
      for (const one of running) one.row = attempt(() => (one.row?.slice(), one.row));
    }
    for (const { who, row } of running) put(who, name, attempt(() => row?.end()) ?? NaN);
    if (name === "sequential 128 KiB read") await besideRaw(job, put);
  }
}

/** A row that the peer cannot do has no figure; ours has to. */
function attempt<T>(measured: () => T): T | undefined {
  try {
    return measured();
  } catch (error) {
    console.error(error);
  }
}

async function besideRaw(job: Job, put: Pass["put"]): Promise<void> {
  const helper = new Helper();
  const pieces = Math.max(10, Math.round(400 * job.scale));
  const raw = await helper.ask<RawFigures>({ what: "raw", path: "/raw-handle", pieces });
  put("floor", "sequential 128 KiB write", raw.write);
  put("floor", "sequential 128 KiB read", raw.read);
  helper.end();
}

interface Folder {
  entries(): AsyncIterable<[string, unknown]>;
  removeEntry(name: string, options: { recursive: boolean }): Promise<void>;
}

/** What earlier runs have left. */
async function removeFiles(): Promise<void> {
  const { storage } = navigator as unknown as { storage: { getDirectory(): Promise<Folder> } };
  const root = await storage.getDirectory();
  for await (const [name] of root.entries()) {
    await root.removeEntry(name, { recursive: true }).catch(() => {});
  }
}

/** Fetches one job, does it, and begins anew as a fresh page. */
async function obey(): Promise<void> {
  const job = await (await fetch("/job")).json() as Job | null;
  if (job === null) return;
  let said: { figures?: Figures; error?: string };
  try {
    await removeFiles();
    const figures = job.where === "page" ? await measure(job) : await new Helper().ask({ job });
    said = { figures: figures as Figures };
  } catch (error) {
    said = { error: String((error as Error)?.stack ?? error) };
  }
  await fetch("/figures", { method: "POST", body: JSON.stringify(said) });
  (globalThis as unknown as { location: { reload(): void } }).location.reload();
}

if (isPage) obey();
else {
  scope.onmessage = ({ data }) => {
    const answer: Promise<unknown> = "job" in data ? measure(data.job) : help(data);
    answer.then(
      (value) => scope.postMessage({ value }),
      (error) => scope.postMessage({ error: String(error?.stack ?? error) }),
    );
  };
}
