/**
 * The language of the suite's command, spoken to an FS object: credentials, chains of calls with
 * descriptor numbers, and the helpers that `lib.sh` turns to the file system under test.
 *
 * Every `*at` call goes to the FS's own; nothing is emulated by path.
 *
 * @module
 */
import {
  makedev,
  OPEN_FLAGS,
  parseNumber,
  parseOpenFlags,
  S_IFDIR,
  S_IFIFO,
  S_IFMT,
  S_IFSOCK,
  showStat,
  type StatLike,
  TYPE_OF_LETTER,
  UTIME_NOW,
  UTIME_OMIT,
} from "./numbers.ts";

/** An open file, as far as the driver looks at it. */
export interface StreamUnderTest {
  /** The descriptor. */
  fd: number | null;
}

/** What the driver asks of the file system. */
export interface FileSystemUnderTest {
  // deno-lint-ignore no-explicit-any
  [call: string]: any;
}

/** What happened so far. */
export interface SessionStats {
  /** Calls made. */
  calls: number;
  /** Errors that were no error of a file system, by text. */
  exceptions: Record<string, number>;
  /** Whether a wild pointer was asked for, which has no meaning here. */
  faulted: boolean;
}

/** What runs command lines on a file system. */
export interface SessionUnderTest {
  /** What happened so far. */
  readonly stats: SessionStats;
  /** Runs one command line in `cwd`, and gives its exit status and output. */
  run(
    cwd: string,
    words: readonly string[],
  ): [status: number, output: string] | Promise<[status: number, output: string]>;
}

/** One command line's process. */
interface Process {
  streams: StreamUnderTest[];
  output: string;
}

type Handler = (process: Process, words: string[]) => string | number;

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_REMOVEDIR = 0x200;
const ROOT = { uid: 0, gid: 0, groups: [0], umask: 0 };
const LIMITS: Readonly<Record<string, number>> = {
  _PC_NAME_MAX: 255,
  _PC_PATH_MAX: 4096,
  _PC_LINK_MAX: 65535,
};

class CallError extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** A usage error of the command: no output at all. */
class UsageError extends Error {}

function fail(code: string): never {
  throw new CallError(code);
}

/** Without empty names and dots, as text: for the shell's own idea of where it is. */
function normalize(path: string): string {
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return `/${names.join("/")}`;
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (unit) => unit.charCodeAt(0));
}

/** One file system and what is said to it. */
export class Session implements SessionUnderTest {
  /** What happened so far. */
  readonly stats: SessionStats = { calls: 0, exceptions: {}, faulted: false };
  readonly #fs: FileSystemUnderTest;
  readonly #advance: (ms: number) => void;

  /** `advance` moves the clock that the file system sees. */
  constructor(fs: FileSystemUnderTest, advance: (ms: number) => void) {
    this.#fs = fs;
    this.#advance = advance;
  }

  /** Runs one command line in `cwd`, and gives its exit status and output. */
  run(cwd: string, words: readonly string[]): [status: number, output: string] {
    if (words[0]?.startsWith("--x-")) return this.#help(cwd, words);
    const [credentials, rest] = parseCredentials(words);
    const process: Process = { streams: [], output: "" };
    try {
      this.#enter(cwd, credentials);
      return [this.#chain(process, rest), process.output];
    } finally {
      for (const stream of process.streams) this.#fs.close(stream);
      this.#fs.setCredentials(ROOT);
    }
  }

  /** Stands in `cwd` as the caller; getting there needs no permission. */
  #enter(cwd: string, credentials: typeof ROOT): void {
    this.#fs.setCredentials(ROOT);
    this.#fs.chdir(cwd);
    this.#fs.setCredentials(credentials);
  }

  #chain(process: Process, words: readonly string[]): number {
    for (const call of splitChain(words)) {
      try {
        process.output += `${this.#call(process, call)}\n`;
      } catch (error) {
        if (!(error instanceof UsageError)) process.output += `${this.#nameOf(error)}\n`;
        return 1;
      }
    }
    return 0;
  }

  #nameOf(error: unknown): string {
    const { name, code, message } = error as { name?: string; code?: string; message?: string };
    if (error instanceof CallError) return error.code;
    if (name === "ErrnoError" && typeof code === "string") return code;
    const text = `${name}: ${message}`;
    this.stats.exceptions[text] = (this.stats.exceptions[text] ?? 0) + 1;
    return `EXCEPTION_${name}`;
  }

  #call(process: Process, [name, ...words]: string[]): string | number {
    this.stats.calls++;
    const handler = this.#handlers[name ?? ""];
    if (handler === undefined) throw new UsageError(name);
    return handler(process, words);
  }

  #path(text: string | undefined): string {
    if (text === "NULL" || text === "DEADCODE") {
      this.stats.faulted = true;
      fail("EFAULT");
    }
    return text ?? "";
  }

  #stream(process: Process, text: string | undefined): StreamUnderTest {
    if (text === "BADFD") fail("EBADF");
    return process.streams[parseNumber(text ?? "")] ?? fail("EBADF");
  }

  #directory(process: Process, text: string | undefined): number {
    if (text === "AT_FDCWD") return AT_FDCWD;
    return this.#stream(process, text).fd ?? fail("EBADF");
  }

  /** A handler that prints 0; `work` gets paths that have been looked at. */
  #quiet(work: (words: string[], process: Process) => unknown): Handler {
    return (process, words) => {
      work(words, process);
      return 0;
    };
  }

  readonly #handlers: Readonly<Record<string, Handler>> = {
    ...this.#nameHandlers(),
    ...this.#atHandlers(),
    ...this.#attributeHandlers(),
    ...this.#fileHandlers(),
  };

  #nameHandlers(): Record<string, Handler> {
    const path = (text?: string) => this.#path(text);
    const mode = (text?: string) => parseNumber(text ?? "");
    return {
      unlink: this.#quiet(([a]) => this.#fs.unlink(path(a))),
      mkdir: this.#quiet(([a, m]) => this.#fs.mkdir(path(a), mode(m))),
      rmdir: this.#quiet(([a]) => this.#fs.rmdir(path(a))),
      link: this.#quiet(([a, b]) => this.#fs.link(path(a), path(b))),
      symlink: this.#quiet(([a, b]) => this.#fs.symlink(path(a), path(b))),
      rename: this.#quiet(([a, b]) => this.#fs.rename(path(a), path(b))),
      mkfifo: this.#quiet(([a, m]) => this.#fs.mknod(path(a), S_IFIFO | mode(m), 0)),
      mknod: this.#quiet(([a, letter, m, x, y]) => {
        const type = TYPE_OF_LETTER[letter ?? ""] ?? 0;
        this.#fs.mknod(path(a), type | mode(m), makedev(mode(x), mode(y)));
      }),
      bind: this.#quiet(([a]) => this.#bind(path(a))),
      connect: (_p, [a]) => this.#connect(path(a)),
    };
  }

  /** A socket's name is what a bind leaves. */
  #bind(path: string): void {
    try {
      this.#fs.mknod(path, S_IFSOCK | 0o777, 0);
    } catch (error) {
      if ((error as CallError).code === "EEXIST") fail("EADDRINUSE");
      throw error;
    }
  }

  #connect(path: string): never {
    this.#fs.stat(path);
    fail("ECONNREFUSED");
  }

  #atHandlers(): Record<string, Handler> {
    const path = (text?: string) => this.#path(text);
    const mode = (text?: string) => parseNumber(text ?? "");
    const flags = (text?: string) => text === "AT_SYMLINK_NOFOLLOW" ? AT_SYMLINK_NOFOLLOW : 0;
    return {
      unlinkat: this.#quiet(([d, a, f], p) => {
        const removes = f === "AT_REMOVEDIR" ? AT_REMOVEDIR : 0;
        this.#fs.unlinkat(this.#directory(p, d), path(a), removes);
      }),
      mkdirat: this.#quiet(([d, a, m], p) => {
        this.#fs.mkdirat(this.#directory(p, d), path(a), mode(m));
      }),
      mkfifoat: this.#quiet(([d, a, m], p) => {
        this.#fs.mknodat(this.#directory(p, d), path(a), S_IFIFO | mode(m), 0);
      }),
      mknodat: this.#quiet(([d, a, letter, m, x, y], p) => {
        const type = TYPE_OF_LETTER[letter ?? ""] ?? 0;
        const dev = makedev(mode(x), mode(y));
        this.#fs.mknodat(this.#directory(p, d), path(a), type | mode(m), dev);
      }),
      fchmodat: this.#quiet(([d, a, m, f], p) => {
        this.#fs.fchmodat(this.#directory(p, d), path(a), mode(m), flags(f));
      }),
      fchownat: this.#quiet(([d, a, u, g, f], p) => {
        this.#fs.fchownat(this.#directory(p, d), path(a), mode(u), mode(g), flags(f));
      }),
      utimensat: this.#quiet(([d, a, as, an, ms, mn, f], p) => {
        const times = [[mode(as), parseNs(an)], [mode(ms), parseNs(mn)]];
        this.#fs.utimensat(this.#directory(p, d), path(a), ...times, flags(f));
      }),
    };
  }

  #attributeHandlers(): Record<string, Handler> {
    const path = (text?: string) => this.#path(text);
    const n = (text?: string) => parseNumber(text ?? "");
    const show = (stat: StatLike, what?: string) => showStat(stat, what ?? "");
    const flags = (text?: string) => text === "AT_SYMLINK_NOFOLLOW" ? AT_SYMLINK_NOFOLLOW : 0;
    return {
      chmod: this.#quiet(([a, m]) => this.#fs.chmod(path(a), n(m))),
      fchmod: this.#quiet(([d, m], p) => this.#fs.fchmod(this.#stream(p, d).fd, n(m))),
      chown: this.#quiet(([a, u, g]) => this.#fs.chown(path(a), n(u), n(g))),
      lchown: this.#quiet(([a, u, g]) => this.#fs.lchown(path(a), n(u), n(g))),
      fchown: this.#quiet(([d, u, g], p) => this.#fs.fchown(this.#stream(p, d).fd, n(u), n(g))),
      truncate: this.#quiet(([a, size]) => this.#fs.truncate(path(a), n(size))),
      ftruncate: this.#quiet(([d, size], p) => {
        this.#fs.ftruncate(this.#stream(p, d).fd, n(size));
      }),
      stat: (_p, [a, what]) => show(this.#fs.stat(path(a)), what),
      lstat: (_p, [a, what]) => show(this.#fs.lstat(path(a)), what),
      fstat: (p, [d, what]) => show(this.#fs.fstat(this.#stream(p, d).fd), what),
      fstatat: (p, [d, a, f, what]) =>
        show(this.#fs.fstatat(this.#directory(p, d), path(a), flags(f)), what),
      pathconf: (_p, [a, what]) => {
        this.#fs.stat(path(a));
        return LIMITS[what ?? ""] ?? "unlimited";
      },
      fpathconf: (p, [d, what]) => {
        this.#stream(p, d);
        return LIMITS[what ?? ""] ?? "unlimited";
      },
    };
  }

  #fileHandlers(): Record<string, Handler> {
    const path = (text?: string) => this.#path(text);
    const n = (text?: string) => parseNumber(text ?? "");
    return {
      open: this.#quiet(([a, f, m], p) => {
        const mode = m === undefined ? 0 : n(m);
        p.streams.push(this.#fs.open(path(a), parseOpenFlags(f ?? ""), mode));
      }),
      openat: this.#quiet(([d, a, f, m], p) => {
        const mode = m === undefined ? 0 : n(m);
        const dirfd = this.#directory(p, d);
        p.streams.push(this.#fs.openat(dirfd, path(a), parseOpenFlags(f ?? ""), mode));
      }),
      create: this.#quiet(([a, m]) => {
        const flags = (OPEN_FLAGS.O_CREAT ?? 0) | (OPEN_FLAGS.O_EXCL ?? 0);
        this.#fs.close(this.#fs.open(path(a), flags, n(m)));
      }),
      posix_fallocate: this.#quiet(([d, at, size], p) => {
        this.#fs.allocate(this.#stream(p, d), n(at), n(size));
      }),
      pread: (p, [d, size, at]) => {
        const bytes = new Uint8Array(Math.min(n(size), 1024));
        const count = this.#fs.read(this.#stream(p, d), bytes, 0, bytes.length, n(at));
        const text = String.fromCharCode(...bytes.subarray(0, count));
        return text.split("\0")[0] ?? "";
      },
      pwrite: this.#quiet(([d, text, at], p) => {
        const bytes = latin1(text ?? "");
        this.#fs.write(this.#stream(p, d), bytes, 0, bytes.length, n(at));
      }),
      write: this.#quiet(([d, text], p) => {
        const bytes = latin1(text ?? "");
        this.#fs.write(this.#stream(p, d), bytes, 0, bytes.length);
      }),
    };
  }

  /** What `lib.sh` asks for in place of cd, mkdir -p, rm -rf, dd and sleep. */
  #help(cwd: string, [verb, first = "", ...rest]: readonly string[]): [number, string] {
    try {
      this.#enter(cwd, ROOT);
      switch (verb) {
        case "--x-cd": {
          const to = normalize(first.startsWith("/") ? first : `${cwd}/${first}`);
          this.#fs.stat(to);
          return [0, `${to}\n`];
        }
        case "--x-sleep":
          this.#advance(Number(first) * 1000);
          return [0, ""];
        case "--x-mkdirp":
          this.#makeDirectories(first);
          return [0, ""];
        case "--x-rmrf":
          this.#removeAll(first);
          return [0, ""];
        case "--x-put":
          this.#put(first, Number(rest[0]), rest[1]);
          return [0, ""];
        default:
          return [99, "unknown helper\n"];
      }
    } catch {
      return [1, ""];
    }
  }

  #makeDirectories(path: string): void {
    let at = path.startsWith("/") ? "/" : "";
    for (const name of path.split("/").filter(Boolean)) {
      at += (at !== "" && at !== "/" ? "/" : "") + name;
      try {
        this.#fs.mkdir(at, 0o755);
      } catch (error) {
        if ((error as CallError).code !== "EEXIST") throw error;
      }
    }
  }

  #removeAll(path: string): void {
    let stat: StatLike;
    try {
      stat = this.#fs.lstat(path);
    } catch {
      return;
    }
    if ((stat.mode & S_IFMT) !== S_IFDIR) return this.#fs.unlink(path);
    for (const name of this.#fs.readdir(path)) {
      if (name !== "." && name !== "..") this.#removeAll(`${path}/${name}`);
    }
    this.#fs.rmdir(path);
  }

  #put(path: string, size: number, text?: string): void {
    const bytes = text === undefined ? new Uint8Array(size).fill(0x78) : latin1(`${text}\n`);
    const stream = this.#fs.open(path, "w", 0o644);
    this.#fs.write(stream, bytes, 0, bytes.length);
    this.#fs.close(stream);
  }
}

function parseNs(text: string | undefined): number {
  if (text === "UTIME_NOW") return UTIME_NOW;
  if (text === "UTIME_OMIT") return UTIME_OMIT;
  return parseInt(text ?? "", 10);
}

function parseCredentials(words: readonly string[]): [typeof ROOT, readonly string[]] {
  const credentials = { ...ROOT };
  let index = 0;
  for (; /^-[ugU]$/.test(words[index] ?? ""); index += 2) {
    const value = words[index + 1] ?? "";
    if (words[index] === "-u") credentials.uid = parseNumber(value);
    else if (words[index] === "-U") credentials.umask = parseNumber(value);
    else {
      credentials.groups = value.split(",").map(parseNumber);
      credentials.gid = credentials.groups[0] ?? 0;
    }
  }
  if (words[index] === "--") index++;
  return [credentials, words.slice(index)];
}

/** Calls between colons. */
function splitChain(words: readonly string[]): string[][] {
  const calls: string[][] = [[]];
  for (const word of words) {
    if (word === ":") calls.push([]);
    else calls.at(-1)?.push(word);
  }
  return calls;
}
