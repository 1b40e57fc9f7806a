/**
 * Random operations on two volumes at once, each answer compared.
 *
 * Inode numbers and cursors are each volume's own: the walker keeps pairs. What is compared: every
 * result, every errno, and after each round the whole tree with contents. Seeds are printed by the
 * tests that use this.
 */
import { assertEquals } from "@std/assert";
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  RENAME_EXCHANGE,
  RENAME_NOREPLACE,
  SEEK_DATA,
  SEEK_HOLE,
} from "../../abi/flags.ts";
import { S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG } from "../../abi/mode.ts";
import type { DirEntry } from "../../abi/attr.ts";
import type { Ino, VolumeOps } from "../../opfs/volume_ops.ts";

/** One inode on both sides. */
interface Pair {
  a: Ino;
  b: Ino;
}

/** A seeded generator of numbers below `bound`. */
export function seeded(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * bound);
  };
}

const NAMES = ["a", "b", "c", "long name with spaces", "ü文𝄞", "__proto__", "x".repeat(255)];
const ALLOCATIONS = [
  0,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_ZERO_RANGE,
  FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
];
const BAD_NAMES = ["", ".", "..", "a/b", "y".repeat(256), "\ud800"];

/** Runs `rounds` random operations on both volumes and compares. */
export class RandomOps {
  readonly #a: VolumeOps;
  readonly #b: VolumeOps;
  readonly #random: (bound: number) => number;
  readonly #maxBytes: number;
  #known: Pair[];
  #retained: Pair[] = [];
  #isBadName = false;

  /** Compares `a` with `b`; writes are up to `maxBytes` long. */
  constructor(a: VolumeOps, b: VolumeOps, options: { seed: number; maxBytes?: number }) {
    this.#a = a;
    this.#b = b;
    this.#random = seeded(options.seed);
    this.#maxBytes = options.maxBytes ?? 20_000;
    this.#known = [{ a: a.root, b: b.root }];
  }

  /** One operation on both sides. */
  step(): void {
    this.#isBadName = false;
    const { a, b } = this.#pick(this.#known);
    const other = this.#pick(this.#known);
    const name = this.#name();
    const random = this.#random;
    const at = random(4) === 0 ? random(200_000) : random(9000);
    switch (random(21)) {
      case 0:
      case 1:
        return this.#create({ a, b }, name);
      case 2:
        return this.#lookup({ a, b }, name);
      case 3:
        return this.#both((v, pick) => v.link(pick(other), pick({ a, b }), name));
      case 4:
        return this.#both((v, pick) => v.unlink(pick({ a, b }), name));
      case 5:
        return this.#both((v, pick) => v.rmdir(pick({ a, b }), name));
      case 6:
      case 7:
        return this.#rename({ a, b }, name, other);
      case 8:
        return this.#both((v, pick) => v.readlink(pick({ a, b })));
      case 9:
        return this.#setattr({ a, b });
      case 10:
        return this.#read({ a, b }, at);
      case 11:
      case 12:
        return this.#write({ a, b }, at);
      case 13:
        return this.#append({ a, b });
      case 14:
        return this.#allocate({ a, b }, at);
      case 15:
        return this.#seek({ a, b }, at);
      case 16:
      case 17:
        return this.#attribute({ a, b });
      case 18:
        return this.#tmpfile({ a, b });
      case 19:
        return this.#copyRange({ a, b }, at, other);
      default:
        return this.#hold({ a, b });
    }
  }

  /** Both trees, with attributes and contents. */
  compareTrees(): void {
    const left = treeOf(this.#a, this.#a.root);
    const right = treeOf(this.#b, this.#b.root);
    assertEquals(left, right);
  }

  /** Gives back what is retained, so that both volumes can be checked. */
  finish(): void {
    this.#isBadName = false;
    for (const pair of this.#retained.splice(0)) {
      this.#both((v, pick) => v.release(pick(pair)));
    }
    this.compareTrees();
  }

  #pick<T>(list: T[]): T {
    return list[this.#random(list.length)]!;
  }

  #name(): string {
    const isBad = this.#random(40) === 0;
    this.#isBadName ||= isBad;
    return this.#pick(isBad ? BAD_NAMES : NAMES);
  }

  /** The same call on both; the same result or the same error. */
  #both<T>(call: (volume: VolumeOps, pick: (pair: Pair) => Ino) => T): void {
    const left = attempt(() => call(this.#a, (pair) => pair.a));
    const right = attempt(() => call(this.#b, (pair) => pair.b));
    const text = `${call}: "${left.text}" against "${right.text}"`;
    // Which of two mistakes is named does not matter, as long as both sides refuse.
    const mayDiffer = this.#isBadName && left.code !== undefined && right.code !== undefined;
    if (!mayDiffer) assertEquals(left.code, right.code, text);
    if (left.code === undefined) assertEquals(left.value, right.value, text);
  }

  #create(parent: Pair, name: string): void {
    const kind = [S_IFREG, S_IFREG, S_IFDIR, S_IFDIR, S_IFLNK, S_IFIFO][this.#random(6)]!;
    const target = kind === S_IFLNK ? `to ${this.#pick(NAMES)}` : undefined;
    const options = { mode: kind | 0o644, uid: this.#random(3), gid: this.#random(70_000) };
    const with_ = target === undefined ? options : { ...options, target };
    const made: Pair = { a: 0, b: 0 };
    this.#both((v, pick) => {
      const ino = v.create(pick(parent), name, with_);
      if (v === this.#a) made.a = ino;
      else made.b = ino;
    });
    if (made.a !== 0 && made.b !== 0) this.#remember(made);
  }

  #lookup(parent: Pair, name: string): void {
    const found: Pair = { a: 0, b: 0 };
    this.#both((v, pick) => {
      const ino = v.lookup(pick(parent), name);
      if (v === this.#a) found.a = ino;
      else found.b = ino;
      return ino !== 0;
    });
    if (found.a !== 0) this.#remember(found);
  }

  #remember(pair: Pair): void {
    if (this.#known.length < 40) this.#known.push(pair);
    else this.#known[1 + this.#random(39)] = pair;
  }

  #rename(parent: Pair, name: string, newParent: Pair): void {
    const flags = [0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE][this.#random(5)]!;
    const newName = this.#name();
    this.#both((v, pick) => v.rename(pick(parent), name, pick(newParent), newName, flags));
  }

  #setattr(node: Pair): void {
    const random = this.#random;
    const change = [
      { mode: random(0o10000) },
      { uid: random(5), gid: random(5) },
      { size: random(60_000) },
      { size: random(3) },
      { atime: random(1000) + 0.5, mtime: random(1000) },
    ][random(5)]!;
    this.#both((v, pick) => v.setattr(pick(node), change));
  }

  #read(node: Pair, at: number): void {
    const length = this.#random(this.#maxBytes * 2);
    this.#both((v, pick) => {
      const into = new Uint8Array(length);
      return into.slice(0, v.read(pick(node), into, at));
    });
  }

  #write(node: Pair, at: number): void {
    const bytes = this.#bytes();
    this.#both((v, pick) => v.write(pick(node), bytes, at));
  }

  #append(node: Pair): void {
    const bytes = this.#bytes();
    this.#both((v, pick) => v.append(pick(node), bytes));
  }

  #allocate(node: Pair, at: number): void {
    const mode = ALLOCATIONS[this.#random(ALLOCATIONS.length)]!;
    const length = this.#random(this.#random(2) === 0 ? 300 : 50_000);
    this.#both((v, pick) => {
      v.allocate(pick(node), mode, at, length);
      return v.getattr(pick(node)).blocks;
    });
  }

  #copyRange(source: Pair, at: number, target: Pair): void {
    const to = this.#random(2) === 0 ? this.#random(9000) : this.#random(30) * 4096;
    const length = this.#random(this.#random(2) === 0 ? 300 : 100_000);
    this.#both((v, pick) => {
      const count = v.copyRange(pick(source), at, pick(target), to, length);
      return [count, v.getattr(pick(target)).blocks];
    });
  }

  #seek(node: Pair, at: number): void {
    const whence = this.#random(2) === 0 ? SEEK_DATA : SEEK_HOLE;
    this.#both((v, pick) => v.seek(pick(node), at, whence));
  }

  #attribute(node: Pair): void {
    const name = this.#random(30) === 0 ? "" : `user.${this.#pick(NAMES).slice(0, 250)}`;
    const flags = this.#random(4);
    const value = new Uint8Array(this.#random(3) === 0 ? this.#random(66_000) : this.#random(400));
    value.fill(this.#random(256));
    this.#isBadName ||= value.length > 65_536 || name === "";
    switch (this.#random(5)) {
      case 0:
      case 1:
        return this.#both((v, pick) =>
          v.setxattr(pick(node), name, value, flags === 3 ? 0 : flags)
        );
      case 2:
        return this.#both((v, pick) => v.removexattr(pick(node), name));
      case 3:
        return this.#both((v, pick) => v.listxattr(pick(node)).sort());
      default:
        return this.#both((v, pick) => v.getxattr(pick(node), name));
    }
  }

  /** It comes retained. */
  #tmpfile(parent: Pair): void {
    const isLinkable = this.#random(4) > 0;
    const options = { mode: 0o600, uid: this.#random(3), gid: 0, isLinkable };
    const made: Pair = { a: 0, b: 0 };
    this.#both((v, pick) => {
      const ino = v.tmpfile(pick(parent), options);
      if (v === this.#a) made.a = ino;
      else made.b = ino;
    });
    if (made.a === 0 || made.b === 0) return;
    this.#retained.push(made);
    this.#remember(made);
  }

  #bytes(): Uint8Array {
    const first = this.#random(256);
    const length = this.#random(3) === 0 ? this.#random(this.#maxBytes) : this.#random(200);
    return Uint8Array.from({ length }, (_, index) => first + index * 13);
  }

  #hold(node: Pair): void {
    const mayRelease = this.#retained.length > 4 || this.#random(2) === 0;
    const pair = mayRelease ? this.#retained.pop() : undefined;
    if (pair !== undefined) return this.#both((v, pick) => v.release(pick(pair)));
    let held = false;
    this.#both((v, pick) => {
      v.retain(pick(node));
      held = true;
    });
    if (held) this.#retained.push(node);
  }
}

interface Outcome<T> {
  value?: T;
  code?: string;
  text?: string;
}

function attempt<T>(call: () => T): Outcome<T> {
  try {
    return { value: call() };
  } catch (error) {
    const { name, code, message } = error as { name: string; code?: string; message: string };
    if (name !== "ErrnoError") throw error;
    return { code, text: message };
  }
}

/** Everything under a directory that can be compared between volumes. */
export function treeOf(volume: VolumeOps, ino: Ino): unknown {
  const entries: DirEntry[] = [];
  for (let after = 0;;) {
    const page = volume.readdir(ino, after);
    if (page.length === 0) break;
    entries.push(...page);
    after = page.at(-1)!.cursor;
  }
  entries.sort((x, y) => x.name < y.name ? -1 : 1);
  return entries.map(({ name }) => [name, describe(volume, volume.lookup(ino, name))]);
}

function describe(volume: VolumeOps, ino: Ino): unknown {
  const { mode, nlink, uid, gid, rdev, size } = volume.getattr(ino);
  const xattrs = volume.listxattr(ino).sort().map((name) => [name, volume.getxattr(ino, name)]);
  const attr = { mode, nlink, uid, gid, rdev, size, xattrs };
  if ((mode & 0o170000) === S_IFDIR) {
    return { ...attr, size: 0, entries: treeOf(volume, ino) };
  }
  if ((mode & 0o170000) === S_IFLNK) return { ...attr, target: volume.readlink(ino) };
  if ((mode & 0o170000) !== S_IFREG) return attr;
  const into = new Uint8Array(size + 1);
  return { ...attr, contents: into.slice(0, volume.read(ino, into, 0)) };
}
