/**
 * What the relay's bench measures: each row as calls on a subject, with one sync at the end.
 *
 * Layer: bench; part of the bundle that `relay.ts` makes for a page and its workers. A row stops
 * after a while, however many calls are left: a peer that gets slower with each call would not end.
 *
 * @module
 */
import type { Open, Subject } from "./relay_subjects.ts";

/** One row. */
export interface Workload {
  name: string;
  /** Calls at scale 1. */
  calls: number;
  /** Makes or uses each of the small files once, whatever the scale. */
  isWhole?: boolean;
  /** What must be there first; not measured. */
  before?(subject: Subject): void;
  call(subject: Subject, index: number): void;
  after?(subject: Subject): void;
  /** Whether a sync belongs to it, once after the last call. */
  isSynced?: boolean;
  /** A row that is one long call: milliseconds, and only when everything is compiled. */
  isLong?: boolean;
}

const KIB = new Uint8Array(1024).fill(7);
const PAGE = new Uint8Array(4096).fill(8);
const LARGE = new Uint8Array(131_072).fill(9);
const SMALL = new Uint8Array(64).fill(5);
const NOTHING = new Uint8Array(0);
const FILE_BYTES = 16 * 1024 * 1024;
const LOG_BYTES = 4 * 1024 * 1024;
const LONGEST_MS = 700;
/** A row's calls are made in so many slices: what else the machine does hits some of them only. */
export const SLICES = 10;
const DURABLE_CALLS = 100;
const DEEP = "/1/2/3/4/5/6/7/8/9";

const readInto = { kib: new Uint8Array(1024), page: new Uint8Array(4096) };
const readSmall = new Uint8Array(64);
const readLarge = new Uint8Array(131_072);

/** The directory in which the rows of one pass work. */
let base = "";

/** One row for one subject, in slices, so that subjects can take turns. */
export class Row {
  readonly #subject: Subject;
  readonly #workload: Workload;
  readonly #calls: number;
  readonly #slices: number[] = [];
  #done = 0;
  #tookMs = 0;

  constructor(subject: Subject, workload: Workload, scale: number) {
    const { calls, isLong, isWhole } = workload;
    this.#subject = subject;
    this.#workload = workload;
    this.#calls = isLong || isWhole ? calls : Math.max(SLICES, Math.round(calls * scale));
    workload.before?.(subject);
  }

  /** Some of its calls; none if it has taken too long already. */
  slice(): void {
    const { call, isWhole } = this.#workload;
    const until = Math.min(this.#calls, this.#done + Math.ceil(this.#calls / SLICES));
    const begin = this.#done;
    const began = performance.now();
    if (until === begin || !isWhole && this.#tookMs > LONGEST_MS) return;
    while (this.#done < until) {
      call(this.#subject, this.#done++);
      const isLate = this.#done % 16 === 0 && performance.now() - began > LONGEST_MS;
      if (isLate && !isWhole) break;
    }
    const ms = performance.now() - began;
    this.#tookMs += ms;
    this.#slices.push(ms * 1000 / (this.#done - begin));
  }

  /** Microseconds a call in the middle slice, and its share of the sync; or milliseconds of a long one. */
  end(): number {
    const began = performance.now();
    if (this.#workload.isSynced) this.#subject.sync();
    const syncMs = performance.now() - began;
    this.#workload.after?.(this.#subject);
    if (this.#workload.isLong) return this.#tookMs + syncMs;
    const sorted = this.#slices.sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)]! + syncMs * 1000 / this.#done;
  }
}

/** Places all over the file, the same in each run. */
function placeOf(index: number): number {
  return (Math.imul(index, 2_654_435_761) >>> 0) % (FILE_BYTES / 4096) * 4096;
}

/** A row on one file that stays open. */
function onFile(
  name: string,
  calls: number,
  call: (subject: Subject, file: Open, index: number) => void,
  options: { path?: string; sizeBytes?: number; isSynced?: boolean } = {},
): Workload {
  const { path = "/large", sizeBytes = 0, isSynced = false } = options;
  let file: Open;
  return {
    name,
    calls,
    isSynced,
    before(subject) {
      if (path !== "/large") subject.writeFile(base + path, new Uint8Array(sizeBytes));
      subject.sync();
      file = subject.open(base + path, "r+");
    },
    call: (subject, index) => call(subject, file, index),
    after: (subject) => subject.close(file),
  };
}

function smallFiles(): Workload[] {
  return [
    {
      name: "create+write+close 1 KiB",
      calls: 1000,
      isWhole: true,
      isSynced: true,
      before: (subject) => subject.mkdir(`${base}/d`),
      call: (subject, index) => subject.writeFile(`${base}/d/f${index}`, KIB),
    },
    {
      name: "stat",
      calls: 4000,
      call: (subject, index) => subject.stat(`${base}/d/f${index % 1000}`),
    },
    {
      name: "stat, 10 levels",
      calls: 4000,
      before(subject) {
        for (let end = 2; end <= DEEP.length; end += 2) subject.mkdir(base + DEEP.slice(0, end));
        subject.writeFile(`${base}${DEEP}/f`, KIB);
      },
      call: (subject) => subject.stat(`${base}${DEEP}/f`),
    },
    {
      name: "open+read+close 1 KiB",
      calls: 1000,
      call(subject, index) {
        const file = subject.open(`${base}/d/f${index % 1000}`, "r");
        subject.read(file, readInto.kib, 0);
        subject.close(file);
      },
    },
    { name: "readdir of 1,000", calls: 20, call: (subject) => void subject.readdir(`${base}/d`) },
    {
      name: "overwrite 1 KiB",
      calls: 1000,
      isSynced: true,
      call(subject, index) {
        const file = subject.open(`${base}/d/f${index % 1000}`, "r+");
        subject.write(file, KIB, 0);
        subject.close(file);
      },
    },
    {
      name: "rename",
      calls: 1000,
      isWhole: true,
      isSynced: true,
      call: (subject, index) => subject.rename(`${base}/d/f${index}`, `${base}/d/g${index}`),
    },
    {
      name: "unlink",
      calls: 1000,
      isWhole: true,
      isSynced: true,
      call: (subject, index) => subject.unlink(`${base}/d/g${index}`),
    },
  ];
}

function data(): Workload[] {
  return [
    onFile("append 4 KiB", 10_000, (subject, file, index) => {
      subject.write(file, PAGE, index * 4096);
    }, { path: "/grown", isSynced: true }),
    twoFiles(),
    onFile("random 4 KiB write", 2000, (subject, file, index) => {
      subject.write(file, PAGE, placeOf(index));
    }, { isSynced: true }),
    onFile("random 4 KiB read", 2000, (subject, file, index) => {
      subject.read(file, readInto.page, placeOf(index));
    }),
    onFile("64 B write", 4000, (subject, file, index) => {
      subject.write(file, SMALL, index * 64);
    }, { isSynced: true }),
    onFile("64 B read", 4000, (subject, file, index) => {
      subject.read(file, readSmall, index * 64);
    }),
    onFile("sequential 128 KiB write", 400, (subject, file, index) => {
      subject.write(file, LARGE, index * LARGE.length);
    }, { path: "/sequential", isSynced: true }),
    {
      ...onFile("sequential 128 KiB read", 400, () => {}),
      ...reading("/sequential"),
    },
  ];
}

/** A file is read again from its begin when it ends: a slow writer's is shorter. */
function reading(path: string): Pick<Workload, "before" | "call" | "after"> {
  let file: Open;
  let at = 0;
  return {
    before(subject) {
      file = subject.open(base + path, "r");
      at = 0;
    },
    call(subject) {
      const count = subject.read(file, readLarge, at);
      at = count < readLarge.length ? 0 : at + count;
    },
    after: (subject) => subject.close(file),
  };
}

function twoFiles(): Workload {
  let files: Open[] = [];
  return {
    name: "two files grown in turns, 4 KiB",
    calls: 4000,
    isSynced: true,
    before: (subject) =>
      void (files = ["/one", "/two"].map((path) => subject.open(base + path, "w"))),
    call: (subject, index) => subject.write(files[index % 2], PAGE, (index >> 1) * 4096),
    after: (subject) => files.forEach((file) => subject.close(file)),
  };
}

function directory(): Workload {
  return {
    name: "rename a directory of 10,000, ms",
    calls: 1,
    isSynced: true,
    isLong: true,
    before(subject) {
      subject.mkdir(`${base}/many`);
      for (let index = 0; index < 10_000; index++) {
        subject.writeFile(`${base}/many/f${index}`, NOTHING);
      }
      subject.sync();
    },
    call: (subject) => subject.rename(`${base}/many`, `${base}/moved`),
  };
}

function durable(): Workload[] {
  return [
    {
      name: "durable create",
      calls: DURABLE_CALLS,
      isWhole: true,
      before: (subject) => subject.mkdir(`${base}/s`),
      call(subject, index) {
        const file = subject.open(`${base}/s/f${index}`, "w");
        subject.write(file, KIB, 0);
        subject.fsync(file);
        subject.close(file);
      },
    },
    {
      name: "durable overwrite",
      calls: DURABLE_CALLS,
      isWhole: true,
      call(subject, index) {
        const file = subject.open(`${base}/s/f${index}`, "r+");
        subject.write(file, KIB, 0);
        subject.fsync(file);
        subject.close(file);
      },
    },
    {
      name: "durable rename",
      calls: DURABLE_CALLS,
      isWhole: true,
      call(subject, index) {
        subject.rename(`${base}/s/f${index}`, `${base}/s/g${index}`);
        subject.sync();
      },
    },
    {
      name: "durable unlink",
      calls: DURABLE_CALLS,
      isWhole: true,
      call(subject, index) {
        subject.unlink(`${base}/s/g${index}`);
        subject.sync();
      },
    },
    onFile("durable append 4 KiB", DURABLE_CALLS, (subject, file, index) => {
      subject.write(file, PAGE, LOG_BYTES + index * 4096);
      subject.fsync(file);
    }, { path: "/log", sizeBytes: LOG_BYTES }),
    onFile("durable random 4 KiB", DURABLE_CALLS, (subject, file, index) => {
      subject.write(file, PAGE, placeOf(index));
      subject.fsync(file);
    }),
  ];
}

/** All of them, in the order in which they run; for one subject, because they keep open files. */
export function workloads(): Workload[] {
  return [...smallFiles(), ...data(), directory(), ...durable()];
}

/** Begins a pass, in a directory of its own: what the rows on a file expect. */
export function prepare(subject: Subject, pass: number): void {
  base = `/pass ${pass}`;
  subject.mkdir(base);
  subject.writeFile(`${base}/large`, new Uint8Array(FILE_BYTES));
  subject.sync();
}
