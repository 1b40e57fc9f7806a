/** No call throws anything but ErrnoError, whatever it is handed. */
import { assert, assertEquals } from "@std/assert";
import { isErrnoError } from "../../abi/errno.ts";
import type { Backend, NodeRecord } from "../../abi/node.ts";
import { createFS } from "../../fs/create_fs.ts";
import type { FS } from "../../fs/fs.ts";
import { HOSTFS } from "../../node_ops/hostfs.ts";
import { PROXYFS } from "../../node_ops/proxyfs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { checkVolume } from "../../opfs/volume/tools/check.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import { prng } from "../support/prng.ts";

const LONG = Deno.env.get("CAIRN_LONG") === "1";
const ROUNDS = LONG ? 400_000 : 20_000;
/** Calls on one instance before the next one. */
const ROUNDS_EACH = 500;

/** It calls back, and what the caller's own function throws is the caller's. */
const PASSED_OVER = new Set(["constructor", "syncfs"]);

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
  return [...names].filter((name) => !PASSED_OVER.has(name)).sort();
}

function detached(): Uint8Array {
  const bytes = new Uint8Array(8);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

/** A view of memory that has shrunk below it. */
function outOfBounds(): Uint8Array {
  const buffer = new ArrayBuffer(8, { maxByteLength: 8 });
  const view = new Uint8Array(buffer, 4, 4);
  buffer.resize(2);
  return view;
}

/** Numbers and text that no call wants. */
function scalars(): unknown[] {
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
    "/dev/zero",
    "/proc/self/fd/0",
    0o100644,
    0o170000,
  ];
}

/** Objects, views and lists that no call wants. */
function objects(): unknown[] {
  return [
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
    outOfBounds(),
    new BigInt64Array(2),
    new SharedArrayBuffer(4),
    new Array(2 ** 32 - 1),
    { groups: new Array(2 ** 32 - 1) },
    Object.create(null),
    { name: "EMPTY", mount: () => null },
    { parent: true },
    { noent_okay: true },
    { encoding: 7 },
    { flags: Symbol("flags") },
    { mode: "rwx" },
    { type: 1, start: -5, len: NaN },
    { uid: "root", groups: 4 },
    [{ fd: "x", events: {} }],
    new Array(5000).fill("a"),
  ];
}

function values(fs: FS): unknown[] {
  const stream = fs.open("/tmp/file", "a+");
  const closed = fs.open("/tmp/file", "r");
  fs.close(closed);
  const nameless = fs.open("/tmp/gone", "w+");
  fs.unlink("/tmp/gone");
  return [
    ...scalars(),
    ...objects(),
    fs.createNode(null, "unattached", 0o100644),
    { node: nameless.node },
    stream,
    stream.fd,
    stream.node,
    nameless,
    nameless.fd,
    closed,
  ];
}

function prepare(mount: () => FS = () => createFS({ maxOpenFds: 64 })): FS {
  const fs = mount();
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
    const answer = (fs as unknown as Record<string, Call>)[name]?.(...args);
    if (answer instanceof Promise) answer.catch((error) => note(error, name, args, found));
  } catch (error) {
    note(error, name, args, found);
  }
}

function note(error: unknown, name: string, args: unknown[], found: Map<string, string>): void {
  if (!isErrnoError(error)) {
    const place = String((error as Error)?.stack).split("\n").slice(0, 4).join("\n");
    found.set(place, `${name}(${args.map(show).join(", ")})`);
  }
}

type Call = (...args: unknown[]) => unknown;

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

/** What an instance can stand on; `end` lets go of it. */
const ROOTS: Record<string, () => { fs: FS; end?: () => void }> = {
  MEMFS: () => ({ fs: createFS({ maxOpenFds: 64 }) }),
  VOLUMEFS() {
    const handle = memoryHandle();
    const volume = openVolumeSync(handle);
    const fs = rootOn(VOLUMEFS, { volume });
    const end = (): void => {
      fs.quit();
      volume.close();
      assertEquals(checkVolume(handle).violations, []);
    };
    return { fs, end };
  },
  PROXYFS: () => ({ fs: rootOn(PROXYFS, { fs: createFS() }) }),
  HOSTFS() {
    const directory = Deno.makeTempDirSync({ prefix: "cairn-" });
    const fs = rootOn(HOSTFS, { directory });
    const end = (): void => {
      fs.quit();
      Deno.removeSync(directory, { recursive: true });
    };
    return { fs, end };
  },
};

function rootOn<O, D extends NodeRecord>(type: Backend<O, D>, options: O): FS {
  return createFS({ maxOpenFds: 64, root: { type, options }, standardDirectories: true });
}

for (const [name, make] of Object.entries(ROOTS)) {
  Deno.test(`FS on ${name} throws nothing but ErrnoError for hostile arguments`, async () => {
    const seed = Number(Deno.env.get("CAIRN_SEED") ?? 20261120);
    const rounds = ROUNDS;
    console.log(`seed ${seed}, ${rounds} calls`);
    const random = prng(seed);
    const found = new Map<string, string>();
    for (let left = rounds; left > 0; left -= ROUNDS_EACH) {
      const { fs, end } = make();
      prepare(() => fs);
      const hostile = values(fs);
      const names = callsOf(fs);
      for (let round = 0; round < ROUNDS_EACH; round++) {
        const args = Array.from({ length: random.below(6) }, () => random.pick(hostile));
        await call(fs, random.pick(names), args, found);
      }
      assertWorks(fs);
      end?.();
    }
    assertEquals([...found], []);
  });
}

function assertWorks(fs: FS): void {
  fs.ignorePermissions = true;
  fs.permissions = "none";
  for (const stream of [...fs.streams]) if (stream) fs.close(stream);
  fs.chdir("/");
  fs.rmTree("/after");
  fs.writeFile("/after", "works");
  assertEquals(fs.readFile("/after").length, 5);
}
