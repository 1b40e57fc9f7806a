/**
 * The types that emcc itself ships, taken out of a module and mounted in our FS: NODEFS over a folder
 * of this machine, PROXYFS over the module's own FS, MEMFS, IDBFS and WORKERFS.
 */
import { assertEquals } from "@std/assert";
import { createRequire } from "node:module";
import { join } from "@std/path";
import { createFS, type FS, O_APPEND, O_RDWR } from "../../mod.ts";
import { assertErrno } from "../support/errno.ts";
import { command, withFolder } from "./programs.ts";

/** What is needed of a module: its types, and its own FS. */
interface ModuleFS {
  filesystems: Record<string, never>;
  mkdir(path: string): void;
  writeFile(path: string, text: string): void;
  readFile(path: string, options: { encoding: "utf8" }): string;
}

/** A program that does nothing, with every type that a linker flag brings. */
async function build(folder: string): Promise<ModuleFS> {
  await Deno.writeTextFile(join(folder, "main.c"), "int main(void) { return 0; }\n");
  const types = ["nodefs", "workerfs", "idbfs", "proxyfs"].map((name) => `-l${name}.js`);
  const options = ["-sMODULARIZE", "-sSINGLE_FILE", "-sFORCE_FILESYSTEM", ...types];
  const exported = "-sEXPORTED_RUNTIME_METHODS=FS";
  await command("emcc", ["-O1", "main.c", "-o", "main.js", ...options, exported], folder);
  await Deno.rename(join(folder, "main.js"), join(folder, "main.cjs"));
  const load = createRequire(`file://${folder}/`);
  // WORKERFS wants to be in a worker, which it recognises by this name when the module starts.
  Object.assign(globalThis, { importScripts: () => {} });
  try {
    return (await load("./main.cjs")({ noInitialRun: true })).FS;
  } finally {
    Reflect.deleteProperty(globalThis, "importScripts");
  }
}

function mounted(type: never, options: unknown): FS {
  const fs = createFS();
  fs.mkdir("/m");
  fs.mount(type, options as never, "/m");
  return fs;
}

function text(fs: FS, path: string): string {
  return fs.readFile(path, { encoding: "utf8" });
}

/** What every type must do that can be written. */
function exercise(fs: FS, keepsLinks: boolean): void {
  fs.mkdirTree("/m/d/e");
  fs.writeFile("/m/d/f", "hello");
  assertEquals([text(fs, "/m/d/f"), fs.stat("/m/d/f").size], ["hello", 5]);
  const stream = fs.open("/m/d/f", O_RDWR | O_APPEND);
  fs.write(stream, new TextEncoder().encode(" world"), 0, 6);
  assertEquals(fs.llseek(stream, -5, 2), 6);
  const into = new Uint8Array(5);
  assertEquals([fs.read(stream, into, 0, 5), new TextDecoder().decode(into)], [5, "world"]);
  fs.close(stream);
  fs.truncate("/m/d/f", 4);
  assertEquals(text(fs, "/m/d/f"), "hell");
  fs.chmod("/m/d/f", 0o600);
  assertEquals(fs.stat("/m/d/f").mode & 0o777, 0o600);
  fs.utime("/m/d/f", 1_000_000, 2_000_000);
  assertEquals(fs.stat("/m/d/f").mtimeMs, 2_000_000);
  fs.rename("/m/d/f", "/m/d/e/g");
  assertErrno("ENOENT", () => fs.stat("/m/d/f"));
  assertEquals([fs.readdir("/m/d").sort(), text(fs, "/m/d/e/g")], [[".", "..", "e"], "hell"]);
  fs.symlink("e/g", "/m/d/link");
  assertEquals(fs.isLink(fs.lstat("/m/d/link").mode), true);
  // NODEFS and PROXYFS of 3.1.6 give a path from somewhere else back.
  if (keepsLinks) {
    assertEquals([fs.readlink("/m/d/link"), text(fs, "/m/d/link")], ["e/g", "hell"]);
  }
  assertErrno("ENOTEMPTY", () => fs.rmdir("/m/d/e"));
  assertErrno("EISDIR", () => fs.unlink("/m/d/e"));
  assertErrno("EEXIST", () => fs.mkdir("/m/d"));
  assertErrno("EXDEV", () => fs.rename("/m/d/e/g", "/tmp/g"));
  for (const path of ["/m/d/link", "/m/d/e/g"]) fs.unlink(path);
  fs.rmdir("/m/d/e");
  assertEquals(fs.readdir("/m/d"), [".", ".."]);
}

function overNodefs(type: never, folder: string): void {
  Deno.mkdirSync(folder);
  const fs = mounted(type, { root: folder });
  exercise(fs, false);
  fs.writeFile("/m/ours", "from FS");
  assertEquals(Deno.readTextFileSync(`${folder}/ours`), "from FS");
  Deno.writeTextFileSync(`${folder}/theirs`, "from the host");
  assertEquals(text(fs, "/m/theirs"), "from the host");
  fs.unmount("/m");
  assertEquals(fs.readdir("/m"), [".", ".."]);
}

function overProxyfs(type: never, module: ModuleFS): void {
  module.mkdir("/inside");
  const fs = mounted(type, { root: "/inside", fs: module });
  exercise(fs, false);
  fs.writeFile("/m/ours", "from FS");
  assertEquals(module.readFile("/inside/ours", { encoding: "utf8" }), "from FS");
  module.writeFile("/inside/theirs", "from the module");
  assertEquals(text(fs, "/m/theirs"), "from the module");
}

/** WORKERFS reads blobs through a class that only workers have: here, arrays. */
function overWorkerfs(type: never): void {
  const blobOf = (bytes: Uint8Array<ArrayBuffer>) => ({
    bytes,
    size: bytes.length,
    slice: (from: number, to: number) => blobOf(bytes.slice(from, to)),
  });
  const data = blobOf(new TextEncoder().encode("hello world"));
  const reader = class {
    readAsArrayBuffer = (blob: typeof data) => blob.bytes.buffer;
  };
  Object.assign(globalThis, { FileReaderSync: reader });
  try {
    const fs = mounted(type, { blobs: [{ name: "d/blob", data }] });
    assertEquals([fs.readdir("/m/d"), text(fs, "/m/d/blob")], [[".", "..", "blob"], "hello world"]);
    const stream = fs.open("/m/d/blob", "r");
    const into = new Uint8Array(20);
    assertEquals(fs.read(stream, into, 0, 20, 6), 5);
    assertEquals(fs.llseek(stream, 0, 2), 11);
    fs.close(stream);
    assertErrno("EPERM", () => fs.writeFile("/m/d/new", "x"));
  } finally {
    Reflect.deleteProperty(globalThis, "FileReaderSync");
  }
}

/** IDBFS is the module's MEMFS with a syncfs, which here finds no database. */
async function overIdbfs(type: never): Promise<void> {
  const fs = mounted(type, {});
  exercise(fs, true);
  const failed = await new Promise((resolve) => fs.syncfs(true, resolve));
  assertEquals(failed !== null && failed !== undefined, true, "without a database it says so");
}

Deno.test("the types that emcc ships work in FS", async (t) => {
  await withFolder(async (folder) => {
    const module = await build(folder);
    const { MEMFS, NODEFS, PROXYFS, WORKERFS, IDBFS } = module.filesystems as Record<string, never>;
    await t.step("MEMFS", () => exercise(mounted(MEMFS!, {}), true));
    await t.step("NODEFS", () => overNodefs(NODEFS!, join(folder, "host")));
    await t.step("PROXYFS", () => overProxyfs(PROXYFS!, module));
    await t.step("WORKERFS", () => overWorkerfs(WORKERFS!));
    await t.step("IDBFS", () => overIdbfs(IDBFS!));
  });
});
