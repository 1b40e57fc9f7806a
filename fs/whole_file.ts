/**
 * Calls on whole files: readFile and writeFile.
 *
 * Layer: fs, a group of calls. They are made of open, read, write and close, and add nothing
 * but loops and text.
 *
 * @module
 */
import type { FSStream } from "../abi/node.ts";
import { bytesOf, refuse, saidBy } from "./arguments.ts";
import type { DescriptorCalls } from "./descriptor_calls.ts";
import type { State } from "./state.ts";
import type { StreamCalls } from "./stream_calls.ts";

/** How a file is read. */
export interface ReadFileOptions {
  /** `"utf8"` gives a string. Default `"binary"`: bytes. */
  encoding?: "utf8" | "binary";
  /** Open flags. Default `"r"`. */
  flags?: number | string;
}

/** How a file is written. */
export interface WriteFileOptions {
  /** Open flags. Default `"w"`. */
  flags?: number | string;
  /** Permission bits of a file that is made. Default 0o666. */
  mode?: number;
  /** A hint that the caller gives the bytes away. */
  canOwn?: boolean;
}

/** What a file begins with belongs to it, a byte order mark too. */
const TEXT = new TextDecoder("utf-8", { ignoreBOM: true });

/** Bytes asked for at the end of a file that may go on. */
const EXTRA_BYTES = 4096;
/** As much is read of what has no size: a device may never end. */
const ENDLESS_BYTES = 2 ** 26;

/** Calls on whole files. */
export interface WholeFile {
  /**
   * The bytes of a file, or its text with `{ encoding: "utf8" }`. A device is read to its end; EFBIG if
   * that does not come within 64 MiB.
   */
  readFile(path: string, options: ReadFileOptions & { encoding: "utf8" }): string;

  /** The bytes of a file. */
  readFile(
    path: string,
    options?: ReadFileOptions & { encoding?: "binary" },
  ): Uint8Array<ArrayBuffer>;

  /** Writes a file as a whole; text as UTF-8. Any view gives its own bytes. */
  writeFile(
    path: string,
    data: string | ArrayBufferView | ArrayBuffer,
    options?: WriteFileOptions,
  ): void;
}

/** The calls; `this` is the instance. */
export const WHOLE_FILE: WholeFile & ThisType<Instance> = {
  readFile,

  writeFile(path, data, options = {}) {
    const bytes = typeof data === "string"
      ? new TextEncoder().encode(data)
      : bytesOf(data, "writeFile");
    const { flags, mode } = saidBy("writeFile", () => ({
      flags: options?.flags ?? "w",
      mode: options?.mode ?? 0o666,
    }));
    const stream = this.open(path, flags, mode);
    try {
      for (let done = 0; done < bytes.length;) {
        const written = this.write(stream, bytes, done, bytes.length - done);
        if (written === 0) refuse("ENOSPC", "writeFile", path);
        done += written;
      }
    } finally {
      this.close(stream);
    }
  },
};

type Instance = State & StreamCalls & DescriptorCalls;

function readFile(
  this: Instance,
  path: string,
  options: ReadFileOptions & { encoding: "utf8" },
): string;
function readFile(
  this: Instance,
  path: string,
  options?: ReadFileOptions & { encoding?: "binary" },
): Uint8Array<ArrayBuffer>;
function readFile(
  this: Instance,
  path: string,
  options: ReadFileOptions = {},
): string | Uint8Array<ArrayBuffer> {
  const { encoding, flags } = saidBy("readFile", () => ({
    encoding: options?.encoding ?? "binary",
    flags: options?.flags ?? "r",
  }));
  if (encoding !== "utf8" && encoding !== "binary") refuse("EINVAL", "readFile", path);
  const stream = this.open(path, flags);
  try {
    const { size } = this.fstat(stream);
    const bytes = readAll(this, stream, size);
    return encoding === "utf8" ? TEXT.decode(bytes) : bytes;
  } finally {
    this.close(stream);
  }
}

/** Everything from the start: `size` bytes, and more if the file goes on, as devices do. */
function readAll(state: StreamCalls, stream: FSStream, size: number): Uint8Array<ArrayBuffer> {
  let bytes = allocated(size > 0 ? size : EXTRA_BYTES);
  let count = 0;
  for (;;) {
    if (count === bytes.length) {
      if (size > 0 && count >= size) return bytes;
      if (count >= ENDLESS_BYTES) refuse("EFBIG", "readFile", stream.path);
      const larger = allocated(bytes.length * 2);
      larger.set(bytes);
      bytes = larger;
    }
    const read = state.read(stream, bytes, count, bytes.length - count);
    if (read === 0) return count === bytes.length ? bytes : bytes.slice(0, count);
    count += read;
  }
}

function allocated(size: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(size);
  } catch {
    refuse("ENOMEM", "read a whole file", size);
  }
}
