/**
 * The names of a tar, which may be any bytes, as the names of a volume, which are UTF-8.
 *
 * Layer: cli, bottom. A byte that is no UTF-8 is written as `%FF`. Two members can then want one name,
 * `a%FF` and `a` with that byte: the one that comes second gets another, `a%FF~2`, and neither is lost.
 *
 * @module
 */

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** Half a surrogate, which no UTF-8 stands for, for each byte that is no UTF-8. */
const HALF = 0xdc00;

/** Bytes as a text that no other bytes have. */
export function nameFrom(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return pieceByPiece(bytes);
  }
}

/** A name as messages and volumes have it. */
export function shownName(name: string): string {
  return name.replace(/[\udc80-\udcff]/gu, (half) => {
    return `%${(half.charCodeAt(0) - HALF).toString(16).toUpperCase()}`;
  });
}

function pieceByPiece(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const length = lengthAt(bytes, at);
    text += length === 0
      ? String.fromCharCode(HALF + bytes[at]!)
      : strict.decode(bytes.subarray(at, at + length));
    at += Math.max(1, length);
  }
  return text;
}

/** How long the character at a place is; 0 if no character is there. */
function lengthAt(bytes: Uint8Array, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    try {
      strict.decode(bytes.subarray(at, at + length));
      return length;
    } catch {
      // Longer, or none.
    }
  }
  return 0;
}

/** A directory in which a name is not what the archive has, or below which one is. */
class Folder {
  /** What was given for the names that are changed. */
  readonly given = new Map<string, string>();
  /** All that were given. */
  readonly taken = new Set<string>();
  /** Those below, by the archive's names. */
  readonly folders = new Map<string, Folder>();
}

/** What became of a path. */
export interface GivenPath {
  /** The path in the volume. */
  path: string;
  /** Whether a name in it is said for the first time and is another one than its bytes make: that was taken. */
  isOther: boolean;
}

/** Which names the members of one archive got. */
export class GivenNames {
  readonly #isTaken: (path: string) => boolean;
  #root: Folder | null = null;

  /** Asks the volume by `isTaken` whether a path leads to something already. */
  constructor(isTaken: (path: string) => boolean) {
    this.#isTaken = isTaken;
  }

  /** The path of a member in the volume; the same for the same member. */
  pathOf(parts: readonly string[]): GivenPath {
    if (this.#root === null && parts.every((part) => part.isWellFormed())) {
      return { path: `/${parts.join("/")}`, isOther: false };
    }
    let folder: Folder | undefined = this.#root ??= new Folder();
    const path: string[] = [];
    let isOther = false;
    const last = parts.findLastIndex((part) => !part.isWellFormed());
    parts.forEach((part, index) => {
      const isKnown = folder?.given.has(part) === true;
      const name = this.#nameOf(part, folder, path);
      isOther ||= !isKnown && name !== shownName(part);
      path.push(name);
      folder = below(folder, part, index < last);
    });
    return { path: `/${path.join("/")}`, isOther };
  }

  #nameOf(part: string, folder: Folder | undefined, above: readonly string[]): string {
    const known = folder?.given.get(part);
    if (known !== undefined) return known;
    const wanted = shownName(part);
    const isTaken = folder?.taken.has(wanted) === true;
    if (folder === undefined || (part.isWellFormed() && !isTaken)) return wanted;
    const name = this.#freeName(wanted, folder, above);
    folder.given.set(part, name);
    folder.taken.add(name);
    return name;
  }

  #freeName(wanted: string, folder: Folder, above: readonly string[]): string {
    for (let number = 1;; number++) {
      const name = number === 1 ? wanted : `${wanted}~${number}`;
      if (folder.taken.has(name)) continue;
      if (!this.#isTaken(`/${[...above, name].join("/")}`)) return name;
    }
  }
}

function below(folder: Folder | undefined, part: string, isMade: boolean): Folder | undefined {
  let found = folder?.folders.get(part);
  if (found === undefined && isMade && folder !== undefined) {
    found = new Folder();
    folder.folders.set(part, found);
  }
  return found;
}
