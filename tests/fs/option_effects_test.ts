/** No option does nothing: each one changes something that a caller sees. */
import { assertEquals, assertNotEquals } from "@std/assert";
import type { Backend } from "../../abi/node.ts";
import { createFS, type FSOptions } from "../../fs/create_fs.ts";
import type { FS } from "../../fs/fs.ts";
import { DEVFS } from "../../node_ops/devfs.ts";
import { HOSTFS } from "../../node_ops/hostfs.ts";
import { MEMFS } from "../../node_ops/memfs.ts";
import { PROCFS } from "../../node_ops/procfs.ts";
import { PROXYFS } from "../../node_ops/proxyfs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";

/** The members of an interface, read from its source. */
function optionsIn(source: string, name: string): string[] {
  const text = Deno.readTextFileSync(new URL(`../../${source}`, import.meta.url));
  const body = text.split(`export interface ${name}`)[1]!.split(/\n}/)[0]!;
  return [...body.matchAll(/^ {2}(\w+)\??:/gm)].map((match) => match[1]!).sort();
}

/** The code of what a call throws, or what it returns. */
function outcome(call: () => unknown): unknown {
  try {
    return call() ?? "ok";
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

/** Two values of an option, and what of an instance differs. */
interface Effect {
  values: readonly [unknown, unknown];
  see(fs: FS): unknown;
}

/** Says something on the terminal, and what was heard. */
function said(path: string, heard: number[]): (fs: FS) => unknown {
  return (fs) => {
    heard.length = 0;
    fs.writeFile(path, "hi", { flags: "r+" });
    return heard.join();
  };
}

const HEARD: number[] = [];
const hear = (byte: number | null): void => void HEARD.push(byte ?? -1);
const silent = (): void => {};

const INSTANCE: Record<string, Effect> = {
  permissions: {
    values: ["posix", "none"],
    see(fs) {
      fs.writeFile("/f", "", { mode: 0o600 });
      fs.setCredentials({ uid: 7, gid: 7 });
      return outcome(() => fs.chmod("/f", 0o777));
    },
  },
  credentials: { values: [{}, { uid: 7 }], see: (fs) => outcome(() => fs.mkdir("/d")) },
  clock: {
    values: [() => 1000, () => 2000],
    see: (fs) => fs.stat(fs.mkdir("/d")).mtimeMs,
  },
  maxOpenFds: { values: [9, 1], see: (fs) => outcome(() => [fs.pipe()].length) },
  maxNodes: {
    values: [1 << 20, 2],
    see(fs) {
      for (let count = 0; count < 20; count++) fs.writeFile(`/tmp/${count}`, "");
      fs.stat("/tmp");
      return fs.nameTable.filter((node) => node !== null).length > 8;
    },
  },
  allocate: {
    values: [undefined, (length: number) => ({ ptr: 8, heap: new Uint8Array(length + 8) })],
    see(fs) {
      fs.writeFile("/f", "abc");
      return fs.mmap(fs.open("/f", "r"), 3, 0, 1, 2).ptr;
    },
  },
  root: {
    values: [undefined, { type: MEMFS, options: { mode: 0o700 } }],
    see: (fs) => fs.stat("/").mode,
  },
  standardDirectories: { values: [true, false], see: (fs) => fs.readdir("/").length },
  terminal: { values: [{ stdout: silent }, { stdout: hear }], see: said("/dev/tty", HEARD) },
};

const ROOT: Record<string, Effect> = {
  type: { values: [MEMFS, DEVFS], see: (fs) => fs.readdir("/").length > 5 },
  options: { values: [{ uid: 1 }, { uid: 2 }], see: (fs) => fs.stat("/").uid },
  readOnly: { values: [false, true], see: (fs) => outcome(() => fs.chmod("/", 0o700)) },
};

const TERMINAL: Record<string, Effect> = {
  stdin: {
    values: [() => null, () => 65],
    see: (fs) => fs.read(fs.open("/dev/tty", "r"), new Uint8Array(3), 0, 3),
  },
  stdout: { values: [silent, hear], see: said("/dev/tty", HEARD) },
  stderr: { values: [silent, hear], see: said("/dev/tty1", HEARD) },
};

function read(fs: FS): unknown {
  fs.utime("/m", 5, 10);
  fs.writeFile("/m/f", "x");
  fs.utime("/m/f", 5000, 5);
  fs.chmod("/m/f", 0o600);
  fs.readFile("/m/f");
  const early = fs.stat("/m/f").atimeMs !== 5000;
  fs.readFile("/m/f");
  fs.utime("/m/f", 4e12, 5);
  fs.readFile("/m/f");
  return [early, fs.stat("/m/f").atimeMs !== 4e12];
}

const IN_MEMORY: Record<string, Effect> = {
  maxBytes: {
    values: [1e6, 4096],
    see: (fs) => outcome(() => fs.writeFile("/m/f", new Uint8Array(9000))),
  },
  maxInodes: { values: [9, 1], see: (fs) => outcome(() => fs.writeFile("/m/f", "")) },
  mode: { values: [0o755, 0o700], see: (fs) => fs.stat("/m").mode },
  uid: { values: [0, 3], see: (fs) => fs.stat("/m").uid },
  gid: { values: [0, 3], see: (fs) => fs.stat("/m").gid },
  atime: { values: ["relatime", "noatime"], see: read },
  clock: { values: [() => 1000, () => 2000], see: (fs) => fs.stat("/m").mtimeMs },
};

/** How a value of an option makes an instance. */
type Make = (name: string, value: unknown) => FS;

function mounted<O>(type: Backend<O, never>, base: object = {}): Make {
  return (name, value) => {
    const fs = createFS();
    fs.mkdir("/m");
    fs.mount(type as never, { ...base, [name]: value }, "/m");
    return fs;
  };
}

function shows(make: Make, effects: Record<string, Effect>, known: readonly string[]): void {
  assertEquals(Object.keys(effects).sort(), known);
  for (const [name, { values, see }] of Object.entries(effects)) {
    const [one, other] = values.map((value) => see(make(name, value)));
    assertNotEquals(one, other, `${name} changes nothing`);
  }
}

Deno.test("createFS(): each option changes something that is seen", () => {
  const known = [
    ...optionsIn("fs/state.ts", "StateOptions"),
    ...optionsIn("fs/create_fs.ts", "FSOptions"),
  ].sort();
  shows((name, value) => createFS({ [name]: value } as FSOptions), INSTANCE, known);
});

Deno.test("createFS({ root }): each option changes something that is seen", () => {
  const base = { type: MEMFS, options: {} };
  const make: Make = (name, value) => createFS({ root: { ...base, [name]: value } } as FSOptions);
  shows(make, ROOT, optionsIn("fs/create_fs.ts", "RootOptions"));
});

Deno.test("createFS({ terminal }): each option changes something that is seen", () => {
  const quiet = { stdout: silent, stderr: silent };
  const make: Make = (name, value) => createFS({ terminal: { ...quiet, [name]: value } });
  shows(make, TERMINAL, optionsIn("stream_ops/devfs.ts", "TerminalOptions"));
});

Deno.test("createFS({ permissions }): the three differ from each other", () => {
  const see = (permissions: "posix" | "emscripten" | "none"): unknown => {
    const fs = createFS({ permissions });
    fs.writeFile("/f", "");
    fs.chmod("/f", 0);
    fs.writeFile("/g", "", { mode: 0o004 });
    fs.setCredentials({ uid: 7, gid: 7 });
    return [
      outcome(() => fs.close(fs.open("/f", "r"))),
      outcome(() => fs.close(fs.open("/g", "r"))),
      outcome(() => fs.chown("/g", 1, 1)),
    ];
  };
  assertEquals(see("posix"), ["EACCES", "ok", "EPERM"]);
  assertEquals(see("emscripten"), ["EACCES", "ok", "ok"]);
  assertEquals(see("none"), ["ok", "ok", "ok"]);
});

Deno.test("FS.mount(MEMFS): each option changes something that is seen", () => {
  shows(mounted(MEMFS as never), IN_MEMORY, optionsIn("node_ops/memfs.ts", "MemfsOptions"));
  const policies = ["relatime", "strictatime", "noatime"].map((atime) => {
    let now = 1e12;
    const clock = (): number => ++now;
    const fs = createFS({
      clock,
      root: { type: MEMFS, options: { atime: atime as never, clock } },
    });
    fs.writeFile("/f", "x");
    const seen = [0, 1].map(() => {
      const { atimeMs } = fs.stat("/f");
      fs.readFile("/f");
      return fs.stat("/f").atimeMs > atimeMs;
    });
    return seen.join();
  });
  assertEquals(policies, ["true,false", "true,true", "false,false"]);
});

Deno.test("FS.mount(): the options of the other types change something that is seen", () => {
  const [one, two] = [createFS(), createFS()];
  one.writeFile("/tmp/f", "");
  const entries = (fs: FS): number => fs.readdir("/m").length;
  const volumes = [openVolumeSync(memoryHandle()), openVolumeSync(memoryHandle())] as const;
  const hosts = [Deno.makeTempDirSync(), Deno.makeTempDirSync()] as const;
  Deno.writeTextFileSync(`${hosts[0]}/f`, "");
  createFS({ root: { type: VOLUMEFS, options: { volume: volumes[0] } } }).mkdir("/d");
  const theirs = optionsIn("node_ops/proxyfs.ts", "ProxyFsOptions");
  const proxies = { fs: { values: [one, two] as const, see: (fs: FS) => entries(fs) } };
  shows(mounted(PROXYFS as never, { fs: one, path: "/tmp" }), {
    ...proxies,
    path: { values: ["/", "/tmp"], see: entries },
  }, theirs);
  shows(mounted(VOLUMEFS as never), { volume: { values: volumes, see: entries } }, ["volume"]);
  shows(mounted(HOSTFS as never), { directory: { values: hosts, see: entries } }, ["directory"]);
  const clock: Effect = { values: [() => 1, () => 2], see: (fs) => fs.stat("/m").mtimeMs };
  shows(mounted(DEVFS as never), { clock }, ["clock"]);
  one.open("/tmp/f", "r");
  const streams: Effect = {
    values: [one.streams, []],
    see: (fs) => fs.readdir("/m/self/fd").length,
  };
  const known = optionsIn("node_ops/procfs.ts", "ProcfsOptions");
  shows(mounted(PROCFS as never, { streams: [] }), { streams, clock }, known);
  for (const volume of volumes) volume.close();
  for (const host of hosts) Deno.removeSync(host, { recursive: true });
});

Deno.test("FS.mount() with readOnly and unmount() with force differ from without", () => {
  const make = (readOnly: boolean): unknown => {
    const fs = createFS();
    fs.mkdir("/m");
    fs.mount(MEMFS, {}, "/m", { readOnly });
    return outcome(() => fs.writeFile("/m/f", ""));
  };
  assertEquals([make(false), make(true)], ["ok", "EROFS"]);
  assertEquals(optionsIn("fs/mounts.ts", "MountOptions"), ["readOnly"]);
  const fs = createFS();
  fs.mkdir("/m");
  fs.mount(MEMFS, {}, "/m");
  fs.open("/m/f", "w");
  assertEquals(outcome(() => fs.unmount("/m")), "EBUSY");
  assertEquals(outcome(() => fs.unmount("/m", { force: true })), "ok");
});
