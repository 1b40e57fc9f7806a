/**
 * Counts copies and allocations of this thread from outside: wraps `set`, `slice`, `copyWithin`,
 * `fill` and the constructors of buffers until `stop`.
 *
 * A view of an existing buffer is no allocation; a typed array made from a length is one.
 */

/** What was counted. */
export interface MemoryCount {
  /** Bytes moved by set, slice and copyWithin. */
  copiedBytes: number;
  /** Bytes written by fill. */
  filledBytes: number;
  /** Bytes of new buffers. */
  allocatedBytes: number;
}

type Bytes = Uint8Array<ArrayBuffer>;

const typed = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array;
const global = globalThis as unknown as Record<string, new (...args: unknown[]) => object>;
const VIEWS = ["Uint8Array", "Int32Array", "Uint32Array", "Float64Array", "DataView"];
const BUFFERS = ["ArrayBuffer", "SharedArrayBuffer"];

/** Begins counting. */
export function countMemory(): { stop: () => MemoryCount } {
  const count: MemoryCount = { copiedBytes: 0, filledBytes: 0, allocatedBytes: 0 };
  const { set, slice, copyWithin, fill } = typed;
  const { slice: sliceBuffer } = ArrayBuffer.prototype;
  typed.set = function (this: Bytes, source: Bytes, offset?: number): void {
    count.copiedBytes += source.byteLength ?? source.length;
    return set.call(this, source, offset);
  } as typeof typed.set;
  typed.slice = function (this: Bytes, from?: number, to?: number): Bytes {
    const result = slice.call(this, from, to) as Bytes;
    count.copiedBytes += result.byteLength;
    count.allocatedBytes += result.byteLength;
    return result;
  } as typeof typed.slice;
  typed.copyWithin = function (this: Bytes, target: number, start: number, end?: number): Bytes {
    count.copiedBytes += (end ?? this.length) - start;
    return copyWithin.call(this, target, start, end) as Bytes;
  } as typeof typed.copyWithin;
  typed.fill = function (this: Bytes, value: number, from?: number, to?: number): Bytes {
    count.filledBytes += (to ?? this.length) - (from ?? 0);
    return fill.call(this, value, from, to) as Bytes;
  } as typeof typed.fill;
  ArrayBuffer.prototype.slice = function (from?: number, to?: number): ArrayBuffer {
    const result = sliceBuffer.call(this, from, to);
    count.copiedBytes += result.byteLength;
    count.allocatedBytes += result.byteLength;
    return result;
  };
  const restore = [...VIEWS, ...BUFFERS].map((name) => wrapConstructor(name, count));
  return {
    stop: () => {
      Object.assign(typed, { set, slice, copyWithin, fill });
      ArrayBuffer.prototype.slice = sliceBuffer;
      for (const putBack of restore) putBack();
      return count;
    },
  };
}

function wrapConstructor(name: string, count: MemoryCount): () => void {
  const original = global[name]!;
  global[name] = new Proxy(original, {
    construct(target, args, newTarget): object {
      const made = Reflect.construct(target, args, newTarget) as { byteLength: number };
      const isView = VIEWS.includes(name) && typeof args[0] === "object" &&
        ("byteLength" in (args[0] as object)) && !ArrayBuffer.isView(args[0]);
      if (!isView) count.allocatedBytes += made.byteLength;
      return made;
    },
  });
  return () => {
    global[name] = original;
  };
}
