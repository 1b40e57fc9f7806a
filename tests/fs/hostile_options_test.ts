/** Options of the wrong kind are EINVAL, or another ErrnoError: never a TypeError, never ignored. */
import { assertEquals } from "@std/assert";
import { isErrnoError } from "../../abi/errno.ts";
import type { Backend } from "../../abi/node.ts";
import { createFS } from "../../fs/create_fs.ts";
import { DEVFS } from "../../node_ops/devfs.ts";
import { HOSTFS } from "../../node_ops/hostfs.ts";
import { MEMFS } from "../../node_ops/memfs.ts";
import { PROCFS } from "../../node_ops/procfs.ts";
import { PROXYFS } from "../../node_ops/proxyfs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import { assertErrno } from "../support/errno.ts";
import { everyBackend } from "../support/every_backend.ts";

const HOSTILE = [
  ...[null, NaN, Infinity, -1, 0.5, 2 ** 53, 7n, true, Symbol("x"), "", "bogus", "\ud800"],
  ...[{}, [], new Map(), new Uint8Array(3), new Date(NaN), { uid: "x" }, { groups: 5 }, [1, [2]]],
];

/** What is thrown, by option, that is no ErrnoError. */
function strays(option: string, use: (value: unknown) => void): string[] {
  const found: string[] = [];
  for (const value of HOSTILE) {
    try {
      use(value);
    } catch (error) {
      if (!isErrnoError(error)) found.push(`${option}: ${String(error)}`);
    }
  }
  return found;
}

Deno.test("createFS() throws nothing but ErrnoError for hostile options", () => {
  const names = ["permissions", "credentials", "clock", "maxOpenFds", "maxNodes", "allocate"];
  const others = ["root", "standardDirectories", "terminal"];
  const found = [...names, ...others].flatMap((name) =>
    strays(name, (value) => {
      const fs = createFS({ [name]: value });
      fs.writeFile("/tmp/f", "x");
      fs.close(fs.open("/tmp/f", "r"));
      fs.stat("/tmp/f");
    })
  );
  assertEquals([...found, ...strays("all", (value) => createFS(value as never))], []);
});

Deno.test("createFS() refuses options that make no sense", () => {
  const wrong: [string, unknown][] = [
    ["permissions", "bogus"],
    ["credentials", { uid: 0.5 }],
    ["clock", 5],
    ["maxOpenFds", -1],
    ["maxNodes", NaN],
    ["allocate", "yes"],
    ["root", null],
    ["terminal", 7],
  ];
  for (const [name, value] of wrong) assertErrno("EINVAL", () => createFS({ [name]: value }));
});

Deno.test("FS.mount() throws nothing but ErrnoError for hostile options of any type", async () => {
  const theirs = createFS();
  const types: [Backend<never>, string[], object][] = [
    [MEMFS as never, ["maxBytes", "maxInodes", "mode", "uid", "gid", "atime", "clock"], {}],
    [VOLUMEFS as never, ["volume"], {}],
    [PROXYFS as never, ["fs", "path"], { fs: theirs }],
    [HOSTFS as never, ["directory"], {}],
    [DEVFS as never, ["clock"], {}],
    [PROCFS as never, ["streams", "clock"], { streams: [] }],
  ];
  const names = types.map(([type]) => type.name).sort();
  assertEquals(names, (await everyBackend()).map(({ name }) => name));
  const use = (type: Backend<never>, options: unknown, mount?: unknown): void => {
    const fs = createFS();
    fs.mkdir("/m");
    fs.mount(type, options as never, "/m", mount as never);
    fs.readdir("/m");
    fs.statfs("/m");
    fs.unmount("/m", mount as never);
  };
  const found = types.flatMap(([type, names, base]) => [
    ...strays(type.name, (value) => use(type, value)),
    ...strays(`${type.name} mounted`, (value) => use(type, base, value)),
    ...names.flatMap((name) =>
      strays(`${type.name}.${name}`, (value) => use(type, { ...base, [name]: value }))
    ),
  ]);
  assertEquals(found, []);
});

Deno.test("FS.mount() refuses options of MEMFS that make no sense, and a type without a root", () => {
  const fs = createFS();
  fs.mkdir("/m");
  const wrong = [{ maxBytes: -1 }, { maxInodes: 0 }, { mode: 0.5 }, { uid: -1 }, { atime: "x" }];
  for (const options of [...wrong, { clock: 1 }, null]) {
    assertErrno("EINVAL", () => fs.mount(MEMFS, options as never, "/m"));
  }
  assertErrno("EINVAL", () => fs.mount({ name: "X", mount: () => null as never }, {}, "/m"));
  fs.mount(MEMFS, {}, "/m");
});
