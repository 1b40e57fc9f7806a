/** The door of the Emscripten adapter: mounting, syncing, and two mounts in one module. */
import { assertEquals, assertThrows } from "@std/assert";
import { type EmscriptenModule, emscriptenType, mountVolume } from "../../adapters/emscripten.ts";
import { ErrnoError } from "../../mod.ts";
import { CountedVolume } from "./emscripten/counted_volume.ts";
import { codeFrom, get, type HostFS, HOSTS, put, STOCK, testOn } from "./emscripten/hosts.ts";
import { asHost } from "./emscripten/newest_host.ts";

testOn(HOSTS, "mountVolume() makes the directory and shows the volume in it", ({ FS, volume }) => {
  put(FS, "/data/a.txt", "kept");
  const ino = volume.lookup(volume.root, "a.txt");
  assertEquals(volume.getattr(ino).size, 4);
  assertEquals(get(FS, "/data/a.txt"), "kept");
});

testOn(
  [STOCK],
  "mountVolume() is EBUSY where something is mounted, and at the root",
  ({ FS, volume }) => {
    const module = { FS: asHost(FS) };
    for (const directory of ["/data", "/"]) {
      assertEquals(codeFrom(FS, () => mountVolume(module, volume, directory)), "EBUSY");
    }
  },
);

Deno.test("mountVolume() says what is missing when FS was not exported", () => {
  const module = {} as EmscriptenModule;
  const error = assertThrows(() => mountVolume(module, new CountedVolume(), "/data"), TypeError);
  assertEquals(error.message, "cannot mount: link the program with -sEXPORTED_RUNTIME_METHODS=FS");
});

testOn(HOSTS, "mountVolume() names each member that FS lacks, and touches nothing", ({ FS }) => {
  const members = Object.keys(asHost(FS)).concat("ErrnoError", "FSNode", "mkdirTree", "root");
  const used = [
    "ErrnoError",
    "FSNode",
    "chrdev_stream_ops",
    "closeStream",
    "getDevice",
    "hashAddNode",
    "hashRemoveNode",
    "lookupPath",
    "mkdirTree",
    "mount",
    "root",
    "streams",
    "utime",
  ];
  for (const name of new Set([...members, ...used])) {
    let calls = 0;
    const poor = new Proxy(asHost(FS), {
      get: (target, key) => {
        if (key === name) return undefined;
        const value = Reflect.get(target, key);
        return key === "mkdirTree" || key === "mount" ? () => calls++ : value;
      },
    });
    const volume = new CountedVolume();
    const mount = () => mountVolume({ FS: poor }, volume, "/poor");
    if (!used.includes(name)) continue;
    const error = assertThrows(mount, TypeError, `has no FS.${name}`);
    assertEquals([error.message.includes("minified"), calls], [true, 0], name);
  }
});

Deno.test("mountVolume() says of a minified FS that it is one", () => {
  const FS = { root: {}, Ua: () => {}, streams: [] };
  const module = { FS } as unknown as EmscriptenModule;
  const error = assertThrows(() => mountVolume(module, new CountedVolume(), "/data"), TypeError);
  assertEquals(/no FS\.ErrnoError, .*FS\.utime; it may be minified/.test(error.message), true);
});

testOn(
  HOSTS,
  "emscriptenType() reports a root that cannot be read as the module's error",
  ({ FS, volume }) => {
    const type = emscriptenType(asHost(FS), { volume });
    FS.mkdir("/other");
    volume.getattr = () => {
      throw new ErrnoError("EIO", "read the root");
    };
    assertEquals(codeFrom(FS, () => FS.mount(type, {}, "/other")), "EIO");
  },
);

testOn(HOSTS, "what one module wrote another one finds", async ({ FS, another }) => {
  put(FS, "/data/a.txt", "from the first");
  assertEquals(get(await another(), "/data/a.txt"), "from the first");
});

testOn(HOSTS, "two volumes in one module keep their names apart", ({ FS }) => {
  const second = new CountedVolume();
  mountVolume({ FS: asHost(FS) }, second, "/other");
  put(FS, "/data/same", "one");
  put(FS, "/other/same", "two");
  assertEquals([get(FS, "/data/same"), get(FS, "/other/same")], ["one", "two"]);
  const [one, two] = [FS.stat("/data/same"), FS.stat("/other/same")];
  assertEquals([one.ino === two.ino, one.dev === two.dev], [false, false]);
  second.check();
});

testOn(HOSTS, "a name in the module's own root is not one of the volume's", ({ FS }) => {
  FS.mkdir("/plain");
  // The volume's own inode numbers are small, as are those of the module's nodes.
  for (let index = 0; index < 40; index++) {
    FS.mkdir(`/data/dir-${index}`);
    put(FS, `/data/dir-${index}/name`, "volume");
  }
  assertEquals(codeFrom(FS, () => FS.stat("/plain/name")), "ENOENT");
});

/** What the module does in FS.syncfs for one mount. */
function syncfs(FS: HostFS, populate: boolean): unknown[] {
  const { mount } = FS.lookupPath("/data").node;
  const answers: unknown[] = [];
  mount.type.syncfs(mount, populate, (error: unknown) => answers.push(error));
  return answers;
}

testOn(HOSTS, "syncfs() syncs the volume, and has nothing to populate", ({ FS, volume }) => {
  assertEquals([syncfs(FS, true), volume.calls.get("sync")], [[null], undefined]);
  assertEquals([syncfs(FS, false), volume.calls.get("sync")], [[null], 1]);
});

testOn(HOSTS, "syncfs() hands a failure to the callback, once", ({ FS, volume }) => {
  volume.sync = () => {
    throw new ErrnoError("EIO", "sync");
  };
  const answers = syncfs(FS, false);
  assertEquals(answers.length, 1);
  assertEquals(
    codeFrom(FS, () => {
      throw answers[0];
    }),
    "EIO",
  );
});
