/** No call throws anything but ErrnoError, whatever it is handed. */
import { assert, assertEquals } from "@std/assert";
import { isErrnoError } from "../../abi/errno.ts";
import { createFS } from "../../fs/create_fs.ts";
import type { FS } from "../../fs/fs.ts";
import { prng } from "../support/prng.ts";

const LONG = Deno.env.get("CAIRN_LONG") === "1";
const ROUNDS = LONG ? 400_000 : 20_000;

/** Calls that run code of the caller, wait, or end the instance. */
const PASSED_OVER = new Set([
  "constructor",
  "quit",
  "init",
  "createPreloadedFile",
  "preloadFile",
  "syncfs",
  "createStandardStreams",
]);

/** Calls that may pull the rug from under later ones, by taking a name out of the table. */
const TRUSTS_NODES = new Set([
  "hashRemoveNode",
  "destroyNode",
  "standIn",
  "registerDevice",
]);

function callsOf(fs: FS): string[] {
  const names = new Set<string>();
  for (
    let at = Object.getPrototypeOf(fs);
    at !== Object.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    for (const [name, member] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (typeof member.value === "function") names.add(name);
    }
  }
  return [...names].filter((name) => !PASSED_OVER.has(name) && !TRUSTS_NODES.has(name)).sort();
}

function detached(): Uint8Array {
  const bytes = new Uint8Array(8);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

function values(fs: FS): unknown[] {
  const stream = fs.open("/tmp/file", "a+");
  const closed = fs.open("/tmp/file", "r");
  fs.close(closed);
  return [
    undefined,
    null,
    NaN,
    Infinity,
    -Infinity,
    -1,
    0,
    0.5,
    1,
    2 ** 31,
    2 ** 53,
    -(2 ** 53),
    7n,
    true,
    Symbol("hostile"),
    "",
    "/",
    ".",
    "..",
    "/tmp/file",
    "/tmp/dir",
    "/tmp/link/x",
    "/tmp/loop",
    "/dev/null",
    "a\0b",
    "\ud800",
    "/tmp/\udc00",
    "x".repeat(300),
    "/x".repeat(3000),
    "ü".repeat(200),
    "user.name",
    "r+",
    {},
    [],
    [1, 2],
    [NaN, 5],
    ["a", {}],
    () => 1,
    new Map(),
    new Date(NaN),
    new Uint8Array(4),
    new Uint16Array(3),
    new DataView(new ArrayBuffer(5)),
    new Uint8Array(new SharedArrayBuffer(4)),
    new ArrayBuffer(3),
    detached(),
    detached().buffer,
    { encoding: 7 },
    { flags: Symbol("flags") },
    { mode: "rwx" },
    { type: 1, start: -5, len: NaN },
    { uid: "root", groups: 4 },
    [{ fd: "x", events: {} }],
    new Array(5000).fill("a"),
    stream,
    stream.fd,
    closed,
    0o100644,
    0o170000,
  ];
}

function prepare(): FS {
  const fs = createFS({ maxOpenFds: 64 });
  fs.writeFile("/tmp/file", "contents");
  fs.mkdir("/tmp/dir");
  fs.symlink("file", "/tmp/link");
  fs.symlink("loop", "/tmp/loop");
  return fs;
}

function show(arg: unknown): string {
  try {
    return typeof arg === "string" ? JSON.stringify(arg.slice(0, 20)) : String(arg);
  } catch {
    return typeof arg;
  }
}

/** Calls, and notes what is thrown that is no ErrnoError, once for each place that throws it. */
function call(fs: FS, name: string, args: unknown[], found: Map<string, string>): void {
  try {
    (fs as unknown as Record<string, (...args: unknown[]) => unknown>)[name]?.(...args);
  } catch (error) {
    if (isErrnoError(error)) return;
    const place = String((error as Error)?.stack).split("\n").slice(0, 4).join("\n");
    found.set(place, `${name}(${args.map(show).join(", ")})`);
  }
}

Deno.test("FS throws nothing but ErrnoError for any one hostile argument", () => {
  const names = callsOf(prepare());
  assert(names.length > 90, `only ${names.length} calls`);
  const found = new Map<string, string>();
  for (const name of names) {
    const fs = prepare();
    for (const value of values(fs)) {
      for (let place = 0; place < 4; place++) {
        const args: unknown[] = ["/tmp/file", "/tmp/dir", 0, 0].slice(0, place);
        call(fs, name, [...args, value], found);
        call(fs, name, [fs.getStream(0), ...args.slice(1), value], found);
      }
    }
  }
  assertEquals([...found], []);
});

Deno.test("FS throws nothing but ErrnoError for hostile arguments in any mixture", () => {
  const seed = Number(Deno.env.get("CAIRN_SEED") ?? 20261120);
  console.log(`seed ${seed}, ${ROUNDS} calls`);
  const random = prng(seed);
  const names = callsOf(prepare());
  const found = new Map<string, string>();
  let fs = prepare();
  let hostile = values(fs);
  for (let round = 0; round < ROUNDS; round++) {
    if (round % 2000 === 0) {
      fs = prepare();
      hostile = values(fs);
    }
    const args = Array.from({ length: random.below(6) }, () => random.pick(hostile));
    call(fs, random.pick(names), args, found);
  }
  assertEquals([...found], []);
  fs.setCredentials({ uid: 0, gid: 0, umask: 0 });
  fs.chdir("/");
  fs.writeFile("/after", "works");
  assert(fs.readFile("/after").length === 5);
});
