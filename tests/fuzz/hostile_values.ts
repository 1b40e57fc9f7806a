/**
 * Values that no caller should hand over: numbers around every limit, names, bytes and objects that
 * do not behave.
 *
 * Layer: tests. Use: `const hostile = new Hostile(prng(seed)); hostile.number()`.
 *
 * @module
 */
import type { Prng } from "../support/prng.ts";

const LIMITS = [0, 1, 255, 256, 4095, 4096, 65_535, 65_536, 2 ** 31, 2 ** 32, 2 ** 43, 2 ** 53];
const ODD = [NaN, -0, Infinity, -Infinity, 0.5, -1, 1e300, -(2 ** 31), -(2 ** 53), 5e-324, 1e21];
const MODES = [0o100644, 0o040755, 0o120777, 0o010600, 0o020600, 0o060600, 0o140600, 0o170000];
const NAMES = ["a", "b", "c", "d/e", "", ".", "..", "a\0b", "\ud800", "__proto__", "constructor"];
const LONG = [
  "x".repeat(255),
  "x".repeat(256),
  "ü".repeat(128),
  "y".repeat(70_000),
  "z/".repeat(3000),
];

/** Hostile values by a seed. */
export class Hostile {
  /** Where they come from. */
  readonly random: Prng;

  constructor(random: Prng) {
    this.random = random;
  }

  /** Whether something with this chance happens. */
  oneIn(count: number): boolean {
    return this.random.below(count) === 0;
  }

  /** A number: mostly near a limit, or plain. */
  number(): number {
    const kind = this.random.below(6);
    if (kind === 0) return this.random.pick(ODD);
    if (kind === 1) return this.random.below(10_000);
    if (kind === 2) return this.random.below(40);
    const near = this.random.pick([-2, -1, 0, 1, 2, -0.5, 4096, -4096]);
    return this.random.pick(LIMITS) * this.random.pick([1, 1, 1, 2, 0.5, 4096]) + near;
  }

  /** A number that is mostly small. */
  small(): number {
    return this.oneIn(5) ? this.number() : this.random.below(70_000);
  }

  /** A mode, or some number. */
  mode(): number {
    return this.oneIn(6) ? this.number() : this.random.pick(MODES);
  }

  /** A name, mostly one that can be. */
  name(): string {
    if (this.oneIn(12)) return this.random.pick(LONG);
    return this.oneIn(4) ? this.random.pick(NAMES) : this.random.pick(["a", "b", "c", "d"]);
  }

  /** Bytes in memory that may be shared, detached, or change its length. */
  bytes(most = 70_000): Uint8Array {
    const length = this.random.pick([0, 1, 7, 4096, this.random.below(most)]);
    switch (this.random.below(6)) {
      case 0: {
        const buffer = new ArrayBuffer(length);
        const bytes = new Uint8Array(buffer);
        structuredClone(buffer, { transfer: [buffer] });
        return bytes;
      }
      case 1:
        return new Uint8Array(new SharedArrayBuffer(length));
      case 2: {
        const buffer = new ArrayBuffer(length, { maxByteLength: length + 1 });
        const bytes = new Uint8Array(buffer, 0, length);
        buffer.resize(length >> 1);
        return bytes;
      }
      default:
        return new Uint8Array(length).fill(1 + this.random.below(255));
    }
  }

  /** Anything at all. */
  anything(): unknown {
    const { random } = this;
    const throwing = (): never => {
      throw new TypeError("a getter throws");
    };
    const kinds: (() => unknown)[] = [
      () => this.number(),
      () => this.name(),
      () => this.bytes(),
      () => `/${this.name()}`,
      () => null,
      () => undefined,
      () => random.pick([true, false, 5n, 2n ** 64n, Symbol("odd")]),
      () => [this.number(), this.number()],
      () => ({}),
      () => () => {},
      () => new Proxy({}, { get: throwing, has: throwing, ownKeys: throwing }),
      () => new Proxy(() => {}, { get: throwing }),
      () => ({ valueOf: throwing, toString: throwing }),
      () => Object.defineProperty({}, "length", { get: throwing }),
      () => Object.create(null),
      () => new Date(NaN),
      () => new Float64Array(8),
      () => new DataView(new ArrayBuffer(16)),
      () => ({
        size: this.number(),
        mode: this.number(),
        uid: this.number(),
        mtime: this.number(),
      }),
    ];
    return random.pick(kinds)();
  }
}
