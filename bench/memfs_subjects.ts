/**
 * The file systems in memory that are compared: ours, Emscripten's MEMFS, memfs and ZenFS.
 *
 * Each is wrapped in the same few calls, as thin as they can be, and lives in a process of its own:
 * call sites that have seen only one subject are as fast as in a program that uses it.
 *
 * @module
 */
import { createRequire } from "node:module";
import { createFS } from "../mod.ts";
import { hostCommand } from "../tools/programs.ts";

/** The calls that the workloads are made of. */
export interface Subject {
  /** Makes a file with contents. */
  create(path: string, bytes: Uint8Array): void;
  /** Looks at a file. */
  stat(path: string): number;
  /** Opens, reads up to `into.length` bytes, closes. */
  load(path: string, into: Uint8Array): number;
  /** Lists a directory. */
  readdir(path: string): number;
  /** Makes a directory. */
  mkdir(path: string): void;
  /** Moves a name. */
  rename(from: string, to: string): void;
  /** Removes a name. */
  unlink(path: string): void;
  /** Opens a file for reading and writing, and makes it. */
  open(path: string): unknown;
  /** Opens a file for appending, and makes it. */
  openAppend(path: string): unknown;
  /** Writes all of `bytes`; at the stream's own position without one. */
  write(stream: unknown, bytes: Uint8Array, position?: number): number;
  /** Fills `into` from a position. */
  read(stream: unknown, into: Uint8Array, position: number): number;
  /** Closes. */
  close(stream: unknown): void;
}

/** The part of Emscripten's API that is measured; ours is the same. */
interface EmscriptenFS {
  writeFile(path: string, bytes: Uint8Array): void;
  stat(path: string): { size: number };
  open(path: string, flags: string): unknown;
  close(stream: unknown): void;
  read(stream: unknown, into: Uint8Array, offset: number, length: number, at?: number): number;
  write(stream: unknown, from: Uint8Array, offset: number, length: number, at?: number): number;
  readdir(path: string): string[];
  mkdir(path: string): void;
  rename(from: string, to: string): void;
  unlink(path: string): void;
}

function emscriptenLike(fs: EmscriptenFS): Subject {
  return {
    create(path, bytes) {
      const stream = fs.open(path, "w");
      fs.write(stream, bytes, 0, bytes.length);
      fs.close(stream);
    },
    stat: (path) => fs.stat(path).size,
    load(path, into) {
      const stream = fs.open(path, "r");
      const count = fs.read(stream, into, 0, into.length, 0);
      fs.close(stream);
      return count;
    },
    readdir: (path) => fs.readdir(path).length,
    mkdir: (path) => fs.mkdir(path),
    rename: (from, to) => fs.rename(from, to),
    unlink: (path) => fs.unlink(path),
    open: (path) => fs.open(path, "w+"),
    openAppend: (path) => fs.open(path, "a"),
    write: (stream, bytes, position) => fs.write(stream, bytes, 0, bytes.length, position),
    read: (stream, into, position) => fs.read(stream, into, 0, into.length, position),
    close: (stream) => fs.close(stream),
  };
}

/** The part of `node:fs` that is measured. */
interface NodeLike {
  statSync(path: string): { size: number };
  openSync(path: string, flags: string): number;
  closeSync(fd: number): void;
  readSync(fd: number, into: Uint8Array, offset: number, length: number, at: number): number;
  writeSync(fd: number, from: Uint8Array, offset: number, length: number, at?: number): number;
  readdirSync(path: string): unknown[];
  mkdirSync(path: string): void;
  renameSync(from: string, to: string): void;
  unlinkSync(path: string): void;
}

function nodeLike(fs: NodeLike): Subject {
  return {
    create(path, bytes) {
      const fd = fs.openSync(path, "w");
      fs.writeSync(fd, bytes, 0, bytes.length);
      fs.closeSync(fd);
    },
    stat: (path) => fs.statSync(path).size,
    load(path, into) {
      const fd = fs.openSync(path, "r");
      const count = fs.readSync(fd, into, 0, into.length, 0);
      fs.closeSync(fd);
      return count;
    },
    readdir: (path) => fs.readdirSync(path).length,
    mkdir: (path) => fs.mkdirSync(path),
    rename: (from, to) => fs.renameSync(from, to),
    unlink: (path) => fs.unlinkSync(path),
    open: (path) => fs.openSync(path, "w+"),
    openAppend: (path) => fs.openSync(path, "a"),
    write: (fd, bytes, position) => fs.writeSync(fd as number, bytes, 0, bytes.length, position),
    read: (fd, into, position) => fs.readSync(fd as number, into, 0, into.length, position),
    close: (fd) => fs.closeSync(fd as number),
  };
}

/** Emscripten's MEMFS by its own API, out of a program that does nothing. */
async function emscripten(): Promise<Subject> {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/main.c`, "int main(void) { return 0; }\n");
  const options = ["-sMODULARIZE", "-sSINGLE_FILE", "-sFORCE_FILESYSTEM"];
  const exported = "-sEXPORTED_RUNTIME_METHODS=FS";
  const command = hostCommand("emcc", {
    args: ["-O1", "main.c", "-o", "main.js", ...options, exported],
    cwd: folder,
  });
  const { success, stderr } = await command.output();
  if (!success) throw new Error(`emcc failed: ${new TextDecoder().decode(stderr)}`);
  await Deno.rename(`${folder}/main.js`, `${folder}/main.cjs`);
  const load = createRequire(`file://${folder}/`);
  const program = await load("./main.cjs")({ noInitialRun: true });
  await Deno.remove(folder, { recursive: true });
  return emscriptenLike(program.FS as EmscriptenFS);
}

/**
 * Peers come from npm when the bench runs. Their names are computed, so that neither the lock file
 * nor a check of the sources has to have them.
 */
const PEERS = { memfs: "npm:memfs@4.80.1", zenfs: "npm:@zenfs/core@2.7.6" } as const;

async function memfs(): Promise<Subject> {
  const name: string = PEERS.memfs;
  const { fs } = await import(name);
  return nodeLike(fs as unknown as NodeLike);
}

async function zenfs(): Promise<Subject> {
  const name: string = PEERS.zenfs;
  const { configureSingle, fs, InMemory } = await import(name);
  await configureSingle({ backend: InMemory });
  return nodeLike(fs as unknown as NodeLike);
}

/** How each subject is made, by name. */
export const SUBJECTS: Readonly<Record<string, () => Subject | Promise<Subject>>> = {
  cairn: () => emscriptenLike(createFS() as unknown as EmscriptenFS),
  emscripten,
  memfs,
  zenfs,
};
