/**
 * What a program has mapped of a file, and where the bytes of an msync belong.
 *
 * Layer: adapters, under `streams.ts`. Releases such as 3.1.6 leave the position of a map out and send 0
 * and a copy of the bytes. The module's memory decides: the map is the one that holds just these
 * bytes now. Where that is not clear, msync is EINVAL, and nothing is written at a guessed place.
 *
 * @module
 */
import { ErrnoError } from "../../mod.ts";

/** A shared map. */
export interface SharedMap {
  /** Where it is in the module's memory. */
  readonly ptr: number;
  /** Its bytes. */
  readonly length: number;
  /** Where it is in the file. */
  readonly position: number;
  /** Whether the program may store into it. */
  readonly isWritable: boolean;
}

/** What the module says, and what can be looked at. */
export interface MapQuestion {
  /** The bytes that were sent. */
  readonly bytes: Uint8Array;
  /** The position that was sent, 0 if none. */
  readonly position: number;
  /** The module's memory, or null if it does not show it. */
  readonly heap: Uint8Array | null;
  /** Whether the file has these bytes at a position. */
  isInFile(position: number): boolean;
}

/** The shared maps that were made through one open description. */
export class SharedMaps {
  #maps: SharedMap[] = [];
  /** The module is one of those that send no position with an msync, only with an munmap. */
  readonly #sendsNone: boolean;

  /** `sendsNone`: the module's mmap took an address, as it did while its msync left the position out. */
  constructor(sendsNone: boolean) {
    this.#sendsNone = sendsNone;
  }

  /** Takes a new map. What lay where it lies has been unmapped. */
  add(map: SharedMap): void {
    const isApart = (old: SharedMap): boolean =>
      old.ptr >= map.ptr + map.length || map.ptr >= old.ptr + old.length;
    this.#maps = [...this.#maps.filter(isApart), map];
  }

  /**
   * Where the bytes belong; nowhere, if the file has them or the map is not to be written.
   *
   * @throws {ErrnoError} EINVAL if that is not clear
   */
  positionsOf(question: MapQuestion): readonly number[] {
    const { position } = question;
    if (position !== 0) {
      // Those that send none with an msync send one when a map goes.
      if (this.#sendsNone) this.#maps = this.#maps.filter((map) => map.position !== position);
      return [position];
    }
    if (question.heap !== null) return this.#byBytes(question, question.heap);
    return this.#sendsNone ? refuse() : [this.#byLength(question.bytes.length)];
  }

  /** Of the maps that hold these bytes. */
  #byBytes(question: MapQuestion, heap: Uint8Array): readonly number[] {
    const { bytes } = question;
    const found = this.#maps.filter((map) => map.length >= bytes.length && holds(heap, map, bytes));
    if (found.length === 0) return refuse();
    const written = found.filter((map) => map.isWritable).map((map) => map.position);
    if (written.length <= 1) return written;
    if (!this.#sendsNone && written.includes(0)) return [0];
    const changed = [...new Set(written)].filter((position) => !question.isInFile(position));
    // Each is a live map whose stores belong into the file: only one at 0 may have gone unheard.
    return changed.length > 1 && changed.includes(0) ? refuse() : changed;
  }

  /** The module sends positions, so 0 is meant if there is such a map, else the only one. */
  #byLength(length: number): number {
    const fitting = this.#maps.filter((map) => map.length >= length);
    if (fitting.some((map) => map.position === 0)) return 0;
    return fitting.length === 1 ? fitting[0]!.position : refuse();
  }
}

function holds(heap: Uint8Array, { ptr }: SharedMap, bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index++) {
    if (heap[ptr + index] !== bytes[index]) return false;
  }
  return true;
}

function refuse(): never {
  throw new ErrnoError("EINVAL", "msync one of several maps", {
    why: "the module does not say which",
  });
}
