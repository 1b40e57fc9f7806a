/**
 * BrowserHandle: a browser's sync access handle as a device must be.
 *
 * Layer: device, around what `createSyncAccessHandle` gives; made by `opfs.ts`. Browsers differ from
 * what the engine relies on, in ways that only a full disk shows:
 *
 * - Chromium reserves nothing when a file is made longer: a write inside of it may be refused. So the
 *   handle says that it is sparse, and a volume sees to room before it accepts a small write.
 * - A write to a full disk throws QuotaExceededError, or is short, or answers 4294967288, which is
 *   -8 (NO_SPACE) as 32 bits without a sign. All of them mean full. Another number that cannot be says
 *   that nothing is known of what has landed: EIO.
 * - A truncate over quota may change nothing and say nothing (Chromium, off the record).
 *
 * The browser only estimates how much there may be, and answers later: it is asked at open and
 * after each refusal. Chromium's estimate says ten gigabytes on a full origin too, so a length that
 * was refused is remembered beside it, until the file has got it or the origin uses less. Both are
 * for `statfs`; nothing is refused for them.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";
import { answerOf, type StorageHandle } from "./handle.ts";

/** What a browser hands out, as far as it is used here. */
export type SyncAccessHandle = Pick<
  StorageHandle,
  "read" | "write" | "getSize" | "truncate" | "flush" | "close"
>;

/** What the browser says of an origin's room. */
export interface StorageEstimate {
  /** Bytes that it may use. */
  quota?: number;
  /** Bytes that it uses. */
  usage?: number;
}

/** An estimate is waited for no longer when a volume is opened. */
const LONGEST_WAIT_MS = 1000;

/** Asks the browser; nothing where it cannot be asked, or does not know. */
async function askBrowser(): Promise<StorageEstimate> {
  const { storage } = (globalThis as {
    navigator?: { storage?: { estimate?(): Promise<StorageEstimate> } };
  }).navigator ?? {};
  return await storage?.estimate?.() ?? {};
}

/** What a browser throws that says that it is full. */
function full(action: string): DOMException {
  return new DOMException(`there is no room to ${action}`, "QuotaExceededError");
}

/** A file of the browser as a device. */
export class BrowserHandle implements StorageHandle {
  /** Making it longer takes no room yet. */
  readonly isSparse = true;
  readonly #handle: SyncAccessHandle;
  readonly #ask: () => Promise<StorageEstimate>;
  #quotaBytes = Infinity;
  /** The least length that was refused, and what the origin used then, if that is known. */
  #refusedBytes = Infinity;
  #refusedUsage = NaN;
  #isAsking = false;

  /** Wraps `handle`; `ask` estimates how much room there is. */
  constructor(handle: SyncAccessHandle, ask: () => Promise<StorageEstimate> = askBrowser) {
    this.#handle = handle;
    this.#ask = ask;
  }

  /** Asks how much room there is, and waits a little for the answer. */
  async estimate(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, LONGEST_WAIT_MS));
    await Promise.race([this.#refresh(), late]);
    clearTimeout(timer);
  }

  async #refresh(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      const { quota, usage } = await this.#ask();
      if (!Number.isFinite(quota) || !Number.isFinite(usage)) this.#quotaBytes = Infinity;
      else this.#quotaBytes = this.#handle.getSize() + Math.max(0, quota! - usage!);
      this.#noteUsage(usage ?? NaN);
    } catch {
      // A browser that does not answer, or a handle that is closed by now: what was known stays.
    } finally {
      this.#isAsking = false;
    }
  }

  /** When the origin uses less than at the refusal, that says nothing any more. */
  #noteUsage(usage: number): void {
    if (this.#refusedBytes === Infinity) return;
    if (usage < this.#refusedUsage) this.#refusedBytes = Infinity;
    else if (Number.isNaN(this.#refusedUsage)) this.#refusedUsage = usage;
  }

  /** The file did not become as long as that; how much there is now will be known soon. */
  #noteRefusal(endBytes: number): void {
    const least = Math.max(endBytes, this.#handle.getSize() + 1);
    if (least < this.#refusedBytes) this.#refusedBytes = least;
    this.#refusedUsage = NaN;
    void this.#refresh();
  }

  #noteLength(endBytes: number): void {
    if (endBytes >= this.#refusedBytes) this.#refusedBytes = Infinity;
  }

  /** Bytes that the file may come to have, as far as it is known; Infinity if it is not. */
  getQuotaBytes(): number {
    if (this.#refusedBytes < Infinity) void this.#refresh();
    return Math.min(this.#quotaBytes, this.#refusedBytes - 1);
  }

  /** Reads; fewer bytes only at the end of the file. */
  read(into: Uint8Array, options: { at: number }): number {
    const count = this.#handle.read(into, options);
    if (count >= 0 && count <= into.length) return count;
    throw new ErrnoError("EIO", `read at ${options.at}`, {
      why: `the browser says ${count} bytes`,
    });
  }

  /** Writes. A short count is passed on: those bytes are there. */
  write(from: Uint8Array, options: { at: number }): number {
    const end = options.at + from.length;
    let count: number;
    try {
      count = this.#handle.write(from, options);
    } catch (error) {
      this.#noteRefusal(end);
      throw error;
    }
    if (count === from.length) {
      this.#noteLength(end);
      return count;
    }
    if (answerOf(count, from.length) === "unknown") {
      throw new ErrnoError("EIO", `write at ${options.at}`, {
        why: `the browser says ${count} bytes`,
      });
    }
    this.#noteRefusal(end);
    if (count > 0 && count < from.length) return count;
    throw full(`write ${from.length} bytes`);
  }

  /** Length in bytes. */
  getSize(): number {
    return this.#handle.getSize();
  }

  /** Cuts, or extends with zeros: then it is as long afterwards, or full. */
  truncate(sizeBytes: number): void {
    try {
      this.#handle.truncate(sizeBytes);
    } catch (error) {
      this.#noteRefusal(sizeBytes);
      throw error;
    }
    if (this.#handle.getSize() >= sizeBytes) return this.#noteLength(sizeBytes);
    this.#noteRefusal(sizeBytes);
    throw full(`have ${sizeBytes} bytes`);
  }

  /** Makes everything written so far durable. */
  flush(): void {
    this.#handle.flush();
  }

  /** Lets go. */
  close(): void {
    this.#handle.close();
  }
}
