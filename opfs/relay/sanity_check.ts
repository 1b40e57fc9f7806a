/**
 * The optional check before a volume is served: does the real device do what a file needs?
 *
 * Layer: relay. It makes one file under an unused name, tries its steps on it in order, and removes it.
 * The first step with a wrong answer ends it with EIO and the step's name.
 *
 * @module
 */
import { ErrnoError, isErrnoError } from "../../abi/errno.ts";
import { S_IFREG } from "../../abi/mode.ts";
import { messageOf } from "../../abi/thrown.ts";
import type { VolumeOps } from "../volume_ops.ts";
import { readValues, writeValues } from "./s11n.ts";

const NAME = ".sanity-check";
const WORD = "sanity";
const TEXT = "sanity ünd Prüfung";

/**
 * Runs the steps on `volume`, and closes it if one fails.
 *
 * @throws {ErrnoError} EIO naming the first step that failed
 */
export function sanityCheck(volume: VolumeOps): void {
  try {
    runSteps(volume);
  } catch (error) {
    closeQuietly(volume);
    throw error;
  }
}

function runSteps(volume: VolumeOps): void {
  const { root } = volume;
  step("serialization", () => roundTrip() === TEXT);
  step("access before", () => volume.lookup(root, NAME) === 0);
  const ino = valueOf(
    "open",
    () => volume.create(root, NAME, { mode: S_IFREG | 0o600, uid: 0, gid: 0 }),
  );
  step("access after", () => volume.lookup(root, NAME) === ino);
  step("sync", () => volume.fsync(ino) === undefined);
  step("truncate", () => volume.setattr(ino, { size: 1024 }) === undefined);
  step("file size", () => volume.getattr(ino).size === 1024);
  step("write", () => volume.write(ino, ascii(`xx${WORD}xx`), 1) === WORD.length + 4);
  step("read", () => readBack(volume, ino) === WORD);
  step("delete", () => volume.unlink(root, NAME) === undefined);
  step("access at the end", () => volume.lookup(root, NAME) === 0);
}

/** What the step has found is what matters, not that such a device cannot be closed either. */
function closeQuietly(volume: VolumeOps): void {
  try {
    volume.close();
  } catch (error) {
    if (!isErrnoError(error)) throw error;
  }
}

function roundTrip(): unknown {
  const bytes = new Uint8Array(64);
  const end = writeValues([TEXT], bytes, { at: 0, end: bytes.length });
  return readValues(bytes, { at: 0, end })[0];
}

function readBack(volume: VolumeOps, ino: number): string {
  const into = new Uint8Array(WORD.length);
  const count = volume.read(ino, into, 3);
  return Array.from(into.subarray(0, count), (code) => String.fromCharCode(code)).join("");
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function step(name: string, work: () => boolean): void {
  if (!valueOf(name, work)) throw failed(name);
}

function valueOf<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw failed(name, cause);
  }
}

function failed(name: string, cause?: unknown): ErrnoError {
  const why = cause === undefined ? "" : `: ${messageOf(cause)}`;
  return new ErrnoError("EIO", "trust this device", {
    why: `sanity check "${name}" failed${why}`,
    cause,
  });
}
