/**
 * The process's own output: results to descriptor 1, messages to descriptor 2.
 *
 * Layer: cli. Lines are gathered and written in large pieces; bytes go out as they are. A reader that
 * has gone away (`cairn tree IMAGE | head`) ends the program quietly.
 *
 * @module
 */
import { writeSync } from "node:fs";
import process from "node:process";
import { wantsColours } from "./colours.ts";
import { type Terminal, UnplacedError } from "./verb.ts";
import { visible } from "./words.ts";

const STDOUT = 1;
const STDERR = 2;
const BUFFERED_CHARS = 64 * 1024;
/** Erases the line under the cursor. */
const ERASE = "\r\x1b[K";
const RETRY_MS = 5;

/** The reader of the output has gone away. */
export class ReaderGone extends UnplacedError {
  /** Always `"ReaderGone"`. */
  override readonly name = "ReaderGone";
}

/** The terminal, or the pipes, of this process. */
export function processTerminal(): Terminal {
  return new ProcessTerminal();
}

class ProcessTerminal implements Terminal {
  #buffered = "";
  #isShowing = false;
  readonly isColoured: boolean = process.stdout.isTTY === true && wantsColours(process.env);
  readonly #encoder = new TextEncoder();

  print(text: string): void {
    this.#buffered += text;
    if (this.#buffered.length >= BUFFERED_CHARS) this.flush();
  }

  write(bytes: Uint8Array): void {
    this.flush();
    writeAll(STDOUT, bytes);
  }

  say(line: string): void {
    this.show("");
    this.flush();
    this.#writeMessage(`${visible(line)}\n`);
  }

  show(line: string): void {
    if (process.stderr.isTTY !== true) return;
    if (line === "" && !this.#isShowing) return;
    this.#writeMessage(ERASE + visible(line));
    this.#isShowing = line !== "";
  }

  /** Messages that cannot be written stop no work: the exit status counts. */
  #writeMessage(text: string): void {
    try {
      writeAll(STDERR, this.#encoder.encode(text));
    } catch {
      // They are not read, or the file for them is on a full disk.
    }
  }

  flush(): void {
    if (this.#buffered === "") return;
    const bytes = this.#encoder.encode(this.#buffered);
    this.#buffered = "";
    writeAll(STDOUT, bytes);
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(fd, bytes, done, bytes.length - done);
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      if (code === "EPIPE") throw new ReaderGone("the output is not read any more");
      if (code !== "EAGAIN") throw error;
      // A pipe that does not block is full: give its reader a moment.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}
