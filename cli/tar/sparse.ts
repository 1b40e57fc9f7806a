/**
 * Files with holes in a tar: GNU's sparse format 1.0, and when reading all the others.
 *
 * Layer: cli, bottom. In 1.0 the body begins with a map in decimal lines, padded to 512 bytes: how
 * many pieces of data there are, then offset and length of each; the data follows without the holes.
 * In 0.1 the map is a record of the extended header, in 0.0 many of them. In the oldest, which is what
 * `tar -S` writes unless an option says otherwise, four pieces stand in the header and 21 in each
 * block after it.
 *
 * @module
 */
import { ErrnoError } from "../../mod.ts";
import { BLOCK_BYTES, numberIn } from "./header.ts";
import { type PaxRecords, textOf } from "./pax.ts";

/** A stretch of data in a file. */
export interface Piece {
  /** First byte in the file. */
  at: number;
  /** How many. */
  length: number;
}

/** What the records say of a sparse file. */
export interface SparseHead {
  /** Its name. */
  name: string | null;
  /** Its length with the holes. */
  sizeBytes: number;
  /** Where the data is; null when the body says so. */
  pieces: Piece[] | null;
}

/** A map is no longer than this; a hostile one says it has millions of pieces. */
const MAP_PIECES_MAX = 1 << 20;
/** Lines of a map are no longer than this. */
const LINE_BYTES_MAX = 24;

/**
 * What the records say of a sparse file; null for one that is not.
 *
 * @throws {ErrnoError} ENOTSUP for another format, EIO for damage, EFBIG for one that is too long
 */
export function sparseHead(records: PaxRecords): SparseHead | null {
  if (![...records.keys()].some((key) => key.startsWith("GNU.sparse."))) return null;
  const say = (key: string): string | null => {
    const value = records.get(`GNU.sparse.${key}`);
    return value === undefined ? null : textOf(value).text;
  };
  const size = numberOf(say("realsize") ?? say("size") ?? "");
  const map = say("map");
  if (say("major") === "1") return { name: say("name"), sizeBytes: size, pieces: null };
  if (map !== null) return { name: say("name"), sizeBytes: size, pieces: piecesOf(map.split(",")) };
  // In the first format a file that is all hole has a size and no piece.
  if (say("numblocks") === "0") return { name: say("name"), sizeBytes: size, pieces: [] };
  throw new ErrnoError("ENOTSUP", "read the tar", {
    why: "it has sparse files in a format that is not read",
  });
}

/** Where the pieces of the oldest format are: in the header, and in each further block. */
export const OLD_SPARSE = {
  HEADER: { at: 386, count: 4, hasMoreAt: 482 },
  MORE: { at: 0, count: 21, hasMoreAt: 504 },
} as const;
const OLD_SIZE = [483, 12] as const;
const NUMBER_BYTES = 12;

/** What a header of the oldest format says, and whether blocks with more pieces follow. */
export function oldSparseHead(
  header: Uint8Array,
): { head: SparseHead & { pieces: Piece[] }; hasMore: boolean } {
  const pieces: Piece[] = [];
  const hasMore = oldPieces(header, OLD_SPARSE.HEADER, pieces);
  return { head: { name: null, sizeBytes: numberIn(header, OLD_SIZE), pieces }, hasMore };
}

/** Adds the pieces of a block to those before it; whether another block follows. */
export function oldPieces(
  block: Uint8Array,
  { at, count, hasMoreAt }: { at: number; count: number; hasMoreAt: number },
  pieces: Piece[],
): boolean {
  for (let index = 0; index < count; index++) {
    const start = at + index * 2 * NUMBER_BYTES;
    // A field that is not used has no digits.
    if (block[start + NUMBER_BYTES] === 0) break;
    const piece = {
      at: numberIn(block, [start, NUMBER_BYTES]),
      length: numberIn(block, [start + NUMBER_BYTES, NUMBER_BYTES]),
    };
    if (!Number.isSafeInteger(piece.length) || !(piece.at >= 0 && piece.length >= 0)) {
      throw damaged("its map");
    }
    pieces.push(piece);
  }
  if (pieces.length > MAP_PIECES_MAX) throw damaged(`${pieces.length} pieces`);
  return block[hasMoreAt] !== 0;
}

/** Reads the map at the beginning of a body, as its bytes come. */
export class SparseMapReader {
  #line = "";
  #lineCount = 0;
  #bytes = 0;
  readonly #numbers: string[] = [];
  #wanted = 1;

  /** The pieces, once the whole map is there. */
  pieces: Piece[] | null = null;

  /** Takes bytes; returns how many of them belong to the map. */
  push(chunk: Uint8Array): number {
    let at = 0;
    for (; at < chunk.length && this.pieces === null; at++) {
      this.#bytes++;
      if (this.#lineCount < this.#wanted) this.#letter(chunk[at]!);
      const isPadded = this.#bytes % BLOCK_BYTES === 0;
      if (this.#lineCount === this.#wanted && isPadded) this.pieces = piecesOf(this.#numbers);
    }
    return at;
  }

  #letter(byte: number): void {
    if (byte !== 0x0a) {
      this.#line += String.fromCharCode(byte);
      if (this.#line.length > LINE_BYTES_MAX) numberOf(this.#line);
      return;
    }
    if (this.#lineCount === 0) {
      const count = numberOf(this.#line);
      if (count > MAP_PIECES_MAX) throw damaged(`${count} pieces`);
      this.#wanted = 1 + 2 * count;
    } else {
      this.#numbers.push(this.#line);
    }
    this.#lineCount++;
    this.#line = "";
  }
}

function piecesOf(numbers: readonly string[]): Piece[] {
  if (numbers.length % 2 !== 0 || numbers.length > 2 * MAP_PIECES_MAX) throw damaged("its map");
  const pieces: Piece[] = [];
  for (let index = 0; index < numbers.length; index += 2) {
    pieces.push({ at: numberOf(numbers[index]!), length: numberOf(numbers[index + 1]!) });
  }
  return pieces;
}

function numberOf(text: string): number {
  const number = Number(text);
  if (!/^\d{1,24}$/.test(text)) throw damaged(`"${text}"`);
  if (!Number.isSafeInteger(number)) throw new ErrnoError("EFBIG", `read a file of ${text} bytes`);
  return number;
}

/** What is thrown for a sparse file that contradicts itself. */
export function damaged(what: string): ErrnoError {
  return new ErrnoError("EIO", "read the tar", { why: `a sparse file is damaged: ${what}` });
}

/** The map of a file, as the beginning of its body. */
export function encodeMap(pieces: readonly Piece[]): Uint8Array<ArrayBuffer> {
  const lines = [pieces.length, ...pieces.flatMap(({ at, length }) => [at, length])];
  const text = new TextEncoder().encode(`${lines.join("\n")}\n`);
  const map = new Uint8Array(Math.ceil(text.length / BLOCK_BYTES) * BLOCK_BYTES);
  map.set(text);
  return map;
}
