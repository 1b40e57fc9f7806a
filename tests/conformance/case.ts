/**
 * What a conformance case is: plain data, one rule each.
 *
 * The files beside this one hold the cases, one file per call; `all.ts` lists them. They import no
 * builtin, so one suite runs in two places: `conformance_test.ts` in Deno and a page in a browser.
 * A case gets a file system whose root is the backend under test, as root with umask 0o022, at a
 * time that stands still until `t.tick()`.
 *
 * @module
 */
import type { Credentials } from "../../abi/credentials.ts";
import type { FS } from "../../fs/fs.ts";
import type { FSStream } from "../../abi/node.ts";
import { eq, fails, ok } from "../support/assert.ts";
import type { Capability } from "./capabilities.ts";

/** What a case may use besides the file system. */
export interface Tools {
  /** Fails unless two values are the same. */
  eq: typeof eq;
  /** Fails unless something holds. */
  ok: (condition: boolean, message?: string) => void;
  /** Fails unless the call throws this error. */
  fails: typeof fails;
  /** Moves the clock, by default by 1,000 ms, and returns it. */
  tick(ms?: number): number;
  /** The clock, in ms. */
  now(): number;
}

/** One rule. */
export interface Case {
  /** `call() does this`: unique, for it is the test's name. */
  name: string;
  /** Does and checks. */
  run(fs: FS, t: Tools): void;
  /** Checks what is to be seen afterwards: at once, and again after a remount. */
  check?(fs: FS, t: Tools): void;
  /** Whether backends that persist are closed and opened between `run` and `check`. */
  remount?: true;
  /** Needs a file system of about 1 MiB, which is one with limits of ours. */
  isSmall?: true;
  /** What it asks for that not every backend has: `capabilities.ts`. */
  needs?: readonly Capability[];
  /** Takes seconds: the backends that run it in the short form too. The long form leaves none out. */
  shortFormOn?: readonly string[];
}

/** A clock that a case moves. */
export interface CaseClock {
  /** The time, in ms. */
  now: number;
  /** Called after each move. */
  moved?: () => void;
  /** Whether the backend has another one: a case that asks fails. */
  isForeign?: boolean;
}

/** The tools over a clock. */
export function toolsOf(clock: CaseClock): Tools {
  return {
    eq,
    ok: (condition, message) => ok(condition, message),
    fails,
    tick(ms = 1000) {
      ok(!clock.isForeign, 'the clock can be moved: say needs: ["clock"]');
      clock.now += ms;
      clock.moved?.();
      return clock.now;
    },
    now() {
      ok(!clock.isForeign, 'the clock can be seen: say needs: ["clock"]');
      return clock.now;
    },
  };
}

/** Runs a case on a file system; `remount` gives the one that is seen after a remount. */
export async function runCase(
  test: Case,
  fs: FS,
  clock: CaseClock,
  remount?: () => FS | Promise<FS>,
): Promise<FS> {
  const tools = toolsOf(clock);
  test.run(fs, tools);
  if (test.check === undefined) return fs;
  test.check(fs, tools);
  if (test.remount !== true || remount === undefined) return fs;
  fs.quit();
  const again = await remount();
  test.check(again, tools);
  return again;
}

/** An unprivileged caller. */
export const ALICE: Credentials = { uid: 1000, gid: 1000, groups: [], umask: 0o022 };
/** Another one. */
export const BOB: Credentials = { uid: 1001, gid: 1001, groups: [], umask: 0o022 };

/** Does something as another user. */
export function as<R>(fs: FS, caller: Partial<Credentials>, work: () => R): R {
  const before = fs.credentials;
  fs.setCredentials({ groups: [], umask: before.umask, ...caller });
  try {
    return work();
  } finally {
    fs.setCredentials(before);
  }
}

/** The text of a file. */
export function textOf(fs: FS, path: string): string {
  return fs.readFile(path, { encoding: "utf8" });
}

/** Permission bits of a path, not followed. */
export function modeOf(fs: FS, path: string): number {
  return fs.lstat(path).mode & 0o7777;
}

/** Names without "." and "..". */
export function namesIn(fs: FS, path: string): string[] {
  return fs.readdir(path).filter((name) => name !== "." && name !== "..");
}

/** Opens, works, closes. */
export function within<R>(
  fs: FS,
  path: string,
  flags: number | string,
  work: (stream: FSStream) => R,
): R {
  const stream = fs.open(path, flags);
  try {
    return work(stream);
  } finally {
    fs.close(stream);
  }
}

/** Text as UTF-8. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Writes text through a stream, at a position if one is given. */
export function say(fs: FS, stream: FSStream, text: string, position?: number): number {
  const bytes = bytesOf(text);
  return fs.write(stream, bytes, 0, bytes.length, position);
}

/** Up to `length` bytes of a stream as text, from a position if one is given. */
export function hear(fs: FS, stream: FSStream, length = 100, position?: number): string {
  const bytes = new Uint8Array(length);
  const count = fs.read(stream, bytes, 0, length, position);
  return new TextDecoder().decode(bytes.slice(0, count));
}
