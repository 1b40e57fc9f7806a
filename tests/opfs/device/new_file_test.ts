/** A host file that takes its name when it is whole. (In browsers: tests/browser/image.spec.ts.) */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ErrnoError } from "../../../abi/errno.ts";
import { fileHandle } from "../../../opfs/device/file.ts";
import { clearUnfinished, newHostFile, newOpfsFile } from "../../../opfs/device/new_file.ts";

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    await work(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

const list = (folder: string): string[] => [...Deno.readDirSync(folder)].map(({ name }) => name);

Deno.test("newHostFile() gives the name to what is whole, and leaves nothing else", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/a`;
    const file = await newHostFile(path);
    file.handle.write(new Uint8Array([1, 2, 3]), { at: 0 });
    assert(!list(folder).includes("a"));
    assertThrows(() => fileHandle(path), ErrnoError, "EBUSY");
    await file.keep();
    await file.discard();
    assertEquals(list(folder), ["a"]);
    assertEquals(Deno.readFileSync(path), new Uint8Array([1, 2, 3]));
    fileHandle(path).close();
  });
});

Deno.test("newHostFile() replaces only when asked to, and nothing that is open", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/a`;
    Deno.writeTextFileSync(path, "old");
    await assertRejects(() => newHostFile(path), ErrnoError, "EEXIST");
    const open = fileHandle(path);
    await assertRejects(() => newHostFile(path, { replace: true }), ErrnoError, "EBUSY");
    open.close();
    const file = await newHostFile(path, { replace: true });
    file.handle.write(new Uint8Array([52]), { at: 0 });
    assertEquals(Deno.readTextFileSync(path), "old");
    await file.keep();
    await file.discard();
    assertEquals([list(folder), Deno.readTextFileSync(path)], [["a"], "4"]);
    Deno.writeTextFileSync(`${folder}/empty`, "");
    const second = await newHostFile(`${folder}/empty`);
    await second.discard();
    assertEquals(list(folder).sort(), ["a", "empty"]);
  });
});

Deno.test("newHostFile() keeps owner and permissions of what it replaces, and is closed before", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/a`;
    Deno.writeTextFileSync(path, "old");
    Deno.chmodSync(path, 0o640);
    if (Deno.uid() === 0) Deno.chownSync(path, 1000, 1001);
    const rights = ({ mode, uid, gid }: Deno.FileInfo) => [mode, uid, gid];
    const before = rights(Deno.statSync(path));
    const file = await newHostFile(path, { replace: true, isReplacement: true });
    const temporary = list(folder).find((name) => /\.new-\d+-\d+$/.test(name));
    assertEquals(Deno.statSync(`${folder}/${temporary}`).mode! & 0o777, 0o600);
    await file.keep();
    await file.discard();
    assertEquals(rights(Deno.statSync(path)), before);
  });
});

Deno.test("newHostFile() makes no replacement for a volume that has a second name", async () => {
  await inFolder(async (folder) => {
    Deno.writeTextFileSync(`${folder}/a`, "old");
    Deno.linkSync(`${folder}/a`, `${folder}/b`);
    const options = { replace: true, isReplacement: true };
    await assertRejects(() => newHostFile(`${folder}/a`, options), ErrnoError, "EMLINK");
    fileHandle(`${folder}/a`).close();
    assertEquals(list(folder).sort(), ["a", "b"]);
  });
});

Deno.test("newHostFile() that is discarded leaves what was there, and what lies about", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/a`;
    Deno.writeTextFileSync(path, "old");
    const others = ["a.new", `a.new-${Deno.pid}-0`];
    for (const name of others) Deno.writeTextFileSync(`${folder}/${name}`, "another's");
    const file = await newHostFile(path, { replace: true });
    assertEquals(file.handle.getSize(), 0);
    file.handle.write(new Uint8Array(100), { at: 0 });
    await file.discard();
    assertEquals([list(folder).sort(), Deno.readTextFileSync(path)], [["a", ...others], "old"]);
    for (const name of others) {
      assertEquals(Deno.readTextFileSync(`${folder}/${name}`), "another's");
    }
    await assertRejects(() => newHostFile(`${folder}/no/a`), ErrnoError, "ENOENT");
  });
});

Deno.test("newOpfsFile() says where there is no origin private file system", async () => {
  await assertRejects(() => newOpfsFile("/a"), ErrnoError, "ENOTSUP");
});

Deno.test("clearUnfinished() removes what was left of a new file, and nothing else", async () => {
  const names = new Set(["a.cairn", "a.cairn.new", "b.cairn.new"]);
  const directory = {
    removeEntry(name: string) {
      if (!names.delete(name)) return Promise.reject(new DOMException("no", "NotFoundError"));
      return Promise.resolve();
    },
  };
  const storage = { getDirectory: () => Promise.resolve(directory) };
  Object.defineProperty(globalThis.navigator, "storage", { value: storage, configurable: true });
  try {
    await clearUnfinished("/a.cairn");
    await clearUnfinished("/a.cairn");
  } finally {
    delete (globalThis.navigator as unknown as Record<string, unknown>).storage;
  }
  assertEquals([...names], ["a.cairn", "b.cairn.new"]);
});
