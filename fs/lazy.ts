/**
 * Files whose bytes are fetched when they are read, synchronously.
 *
 * Layer: fs, under `makers.ts`. Browsers allow a synchronous request with bytes in workers only; where
 * it is not allowed, or fails, reading is EIO. A file that is written is loaded as a whole first.
 *
 * @module
 */
import { SEEK_END } from "../abi/flags.ts";
import type { FSNode, FSStream, NodeOps, StreamOps } from "../abi/node.ts";
import { ErrnoError } from "../abi/errno.ts";

/** Bytes fetched at once. */
const CHUNK_BYTES = 2 ** 20;

/** What is used of the browser's XMLHttpRequest. */
interface Request {
  open(method: string, url: string, isAsync: boolean): void;
  setRequestHeader(name: string, value: string): void;
  getResponseHeader(name: string): string | null;
  send(body: null): void;
  responseType: string;
  readonly status: number;
  readonly response: unknown;
}

/** The bytes of a URL. */
export class LazyContents {
  readonly #url: string;
  readonly #chunks = new Map<number, Uint8Array>();
  #size = -1;
  #chunkBytes = CHUNK_BYTES;

  /** Nothing is fetched yet. */
  constructor(url: string) {
    this.#url = url;
  }

  /** How long it is, in bytes: asks for the headers the first time. EIO. */
  get size(): number {
    if (this.#size < 0) this.#measure();
    return this.#size;
  }

  /** Copies bytes out; 0 at the end. EIO. */
  read(into: Uint8Array, offset: number, length: number, position: number): number {
    const count = Math.max(0, Math.min(length, this.size - position));
    for (let done = 0; done < count;) {
      const index = Math.floor((position + done) / this.#chunkBytes);
      const from = position + done - index * this.#chunkBytes;
      const chunk = this.#chunk(index).subarray(from, from + count - done);
      into.set(chunk, offset + done);
      done += chunk.length;
    }
    return count;
  }

  /** Fetches whatever is missing. EIO. */
  loadAll(): void {
    const last = Math.ceil(this.size / this.#chunkBytes);
    for (let index = 0; index < last; index++) this.#chunk(index);
  }

  #measure(): void {
    const request = this.#send("HEAD");
    const size = Number(request.getResponseHeader("Content-Length") ?? NaN);
    const isWhole = request.getResponseHeader("Content-Encoding") === null;
    const allowsRanges = request.getResponseHeader("Accept-Ranges") === "bytes";
    if (allowsRanges && isWhole && Number.isSafeInteger(size)) {
      this.#size = size;
      return;
    }
    const bytes = bytesOf(this.#send("GET"), this.#url);
    this.#size = bytes.length;
    this.#chunkBytes = Math.max(1, bytes.length);
    this.#chunks.set(0, bytes);
  }

  #chunk(index: number): Uint8Array {
    const known = this.#chunks.get(index);
    if (known !== undefined) return known;
    const from = index * this.#chunkBytes;
    const to = Math.min(this.size, from + this.#chunkBytes);
    const bytes = bytesOf(this.#send("GET", `bytes=${from}-${to - 1}`), this.#url);
    if (bytes.length !== to - from) throw new ErrnoError("EIO", `fetch "${this.#url}"`);
    this.#chunks.set(index, bytes);
    return bytes;
  }

  #send(method: string, range?: string): Request {
    const action = `fetch "${this.#url}"`;
    try {
      const make = (globalThis as { XMLHttpRequest?: new () => Request }).XMLHttpRequest;
      if (make === undefined) throw new Error("no synchronous requests here");
      const request = new make();
      request.open(method, this.#url, false);
      if (method === "GET") request.responseType = "arraybuffer";
      if (range !== undefined) request.setRequestHeader("Range", range);
      request.send(null);
      if (request.status < 200 || request.status > 299) throw new Error(`status ${request.status}`);
      return request;
    } catch (cause) {
      throw new ErrnoError("EIO", action, { cause });
    }
  }
}

function bytesOf(request: Request, url: string): Uint8Array {
  if (request.response instanceof ArrayBuffer) return new Uint8Array(request.response);
  throw new ErrnoError("EIO", `fetch "${url}"`);
}

/** Ops for a file of a backend whose contents are still elsewhere. */
export function lazyOps(
  node: FSNode,
  contents: LazyContents,
): { node_ops: NodeOps; stream_ops: StreamOps } {
  const { node_ops, stream_ops } = node;
  /** Makes it an ordinary file. */
  function settle(): void {
    const bytes = new Uint8Array(contents.size);
    contents.read(bytes, 0, bytes.length, 0);
    node.node_ops = node_ops;
    node.stream_ops = stream_ops;
    writeAll(node, bytes);
  }
  const settled = (): StreamOps => {
    if (node.stream_ops !== stream_ops) settle();
    return stream_ops;
  };
  return {
    node_ops: {
      ...node_ops,
      getattr: (named) => {
        const attr = node_ops.getattr(named);
        return node.stream_ops === stream_ops ? attr : { ...attr, size: contents.size };
      },
      setattr: (named, change) => {
        if (change.size !== undefined && node.stream_ops !== stream_ops) settle();
        node_ops.setattr?.(named, change);
      },
    },
    stream_ops: {
      ...stream_ops,
      read: (stream, buffer, offset, length, position) =>
        node.stream_ops === stream_ops
          ? stream_ops.read?.(stream, buffer, offset, length, position) ?? 0
          : contents.read(buffer, offset, length, position),
      write: (stream, buffer, offset, length, position) =>
        settled().write?.(stream, buffer, offset, length, position) ?? 0,
      append: (stream, buffer, offset, length) => settled().append!(stream, buffer, offset, length),
      allocate: (stream, mode, offset, length) =>
        settled().allocate?.(stream, mode, offset, length),
      llseek: (stream, offset, whence) =>
        whence === SEEK_END && node.stream_ops !== stream_ops
          ? contents.size + offset
          : stream_ops.llseek?.(stream, offset, whence) ?? offset,
    },
  };
}

function writeAll(node: FSNode, bytes: Uint8Array): void {
  const stream = { node, position: 0, flags: 0 } as unknown as FSStream;
  for (let done = 0; done < bytes.length;) {
    const length = bytes.length - done;
    done += node.stream_ops.write?.(stream, bytes, done, length, done) ?? length;
  }
}

/** The bytes of a URL, without blocking. EIO. */
export async function fetchBytes(url: string): Promise<Uint8Array> {
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`status ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw new ErrnoError("EIO", `fetch "${url}"`, { cause });
  }
}
