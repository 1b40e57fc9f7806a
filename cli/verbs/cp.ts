/**
 * `cairn cp`: files and trees between the host and images, and between images.
 *
 * Layer: cli, over `copy_tree.ts`. An image that gets something is opened for writing, one that only
 * gives for reading; one that does both is opened once.
 *
 * @module
 */
import { realpathSync, statSync } from "node:fs";
import { ErrnoError, type FS, isDir } from "../../mod.ts";
import type { Volume } from "../../opfs/mod.ts";
import { writeOut } from "./cat.ts";
import { type CopyJob, TreeCopy } from "../trees/copy_tree.ts";
import { HostTree } from "../trees/host_tree.ts";
import { filesOf, inoOf, withVolume, withVolumeAtLength } from "../shared/image.ts";
import { lastName, parentPath, type Place, placeOf, placeText } from "../shared/place.ts";
import { copyIn, INPUT, openInput } from "./put.ts";
import { interruptible, type Interrupts, takeSteps } from "../shared/steps.ts";
import type { Entry, Tree } from "../trees/tree_ops.ts";
import {
  at,
  atLength,
  Attempts,
  type Call,
  EXIT_FOUND,
  EXIT_GOOD,
  PlaceError,
  UsageError,
  type Verb,
} from "../shared/verb.ts";
import { VolumeTree } from "../trees/volume_tree.ts";
import { printFindings } from "../shared/words.ts";

/** The verb. */
export const cpVerb: Verb = {
  name: "cp",
  usage: "cp [-r] [-n] SOURCE... TARGET",
  summary: "Copies files and trees between the host and images",
  help: `A path in an image is written IMAGE:/path; anything else is a path of the host. At least
one side is in an image. TARGET is the new name, or a directory that gets the copies.

  -r, --recursive   copy directories with all that is in them; links stay links, whereas
                    without -r what a SOURCE link leads to is copied
  -n, --no-clobber  keep what is there already

Everything goes along that both sides can hold: modes, owners (to the host: for root),
times, hard links within a tree, holes, extended attributes, FIFOs, sockets and devices.
A file is replaced in one step, once its replacement is complete; directories are merged.
A SOURCE that ends with "/.", or is a whole image, gives what is in it.
A path of the host that has ":/" in it cannot be named: cd there first.

"-" is the input as a SOURCE, which then needs a file as TARGET, and the output as TARGET.
A FIFO without -r, such as <(cmd), is read like the input.

What could not be read or made is said line by line, and left out.
Ends with 0 when everything is there as it was, 1 when something was changed or left
out, 2 when it failed.

Examples:
  cairn cp -r photos notes.cairn:/
  cairn cp -r notes.cairn:/photos/2024 .
  cairn cp -r old.cairn:/ new.cairn:/
  cairn cp notes.cairn:/a.txt notes.cairn:/b.txt
  cairn cp notes.cairn:/src.tar - | tar x
  cairn cp -- -name notes.cairn:/
`,
  options: {
    recursive: { type: "boolean", short: "r" },
    "no-clobber": { type: "boolean", short: "n" },
  },
  words: [2, Infinity],
  run: (call) =>
    interruptible((interrupts) => run(call, interrupts), { clearsUp: call.words.at(-1) !== "-" }),
};

async function run(call: Call, interrupts: Interrupts): Promise<number> {
  const places = call.words.map(placeOf);
  const target = places.pop()!;
  if (target.image === null && places.some(({ image }) => image === null)) {
    throw new UsageError("no side is in an image: write IMAGE:/path");
  }
  if (isPipe(target)) return toOutput(call, places);
  if (places.some(isPipe)) return await fromInput({ call, interrupts, places, target });
  if (isFifo(places, call.options.recursive === true)) {
    return await fromInput({ call, interrupts, places, target });
  }
  const attempts = new Attempts(call);
  const sources = places.filter(({ image }) =>
    image === null || attempts.allows(image, () => void realpathSync(image))
  );
  if (sources.length === 0) return attempts.status;
  return await withSides([target, ...sources], async (sides) => {
    const session = new Session({ call, interrupts, sides });
    if (places.length > 1) session.requireDirectory(target);
    let isComplete = true;
    for (const source of sources) {
      await attempts.atLength(placeText(source), async () => {
        isComplete = await session.copy(source, target) && isComplete;
      });
    }
    return attempts.status !== EXIT_GOOD || isComplete ? attempts.status : EXIT_FOUND;
  });
}

/** "-" is the input as a SOURCE, and the output as the TARGET. */
function isPipe({ image, path }: Place): boolean {
  return image === null && path === "-";
}

/** What a FIFO gives is copied, as from `<(cmd)`; with -r it is copied itself. */
function isFifo(places: readonly Place[], isRecursive: boolean): boolean {
  const [{ image, path }] = places as [Place];
  if (isRecursive || places.length > 1 || image !== null) return false;
  return statSync(path, { throwIfNoEntry: false })?.isFIFO() === true;
}

/** The bytes of files, one after the other; all are in images. */
function toOutput(call: Call, sources: readonly Place[]): number {
  const attempts = new Attempts(call);
  for (const { image, path } of sources) {
    attempts.at(placeText({ image, path }), () => {
      withVolume(image!, (volume) => writeOut(filesOf(volume), path, call.terminal));
    });
  }
  return attempts.status;
}

interface Input {
  call: Call;
  interrupts: Interrupts;
  places: readonly Place[];
  target: Place;
}

/** The input becomes one file, which needs a name. */
async function fromInput({ call, interrupts, places, target }: Input): Promise<number> {
  const { terminal, options } = call;
  if (places.length > 1) throw new UsageError('"-" is copied alone: it has no name of its own');
  const image = target.image!;
  await withVolumeAtLength(image, async (volume) => {
    const files = filesOf(volume, { readOnly: false });
    const found = at(placeText(target), () => files.findObject(target.path));
    if (target.path.endsWith("/") || found?.isFolder === true) {
      throw new PlaceError(
        placeText(target),
        new ErrnoError("EISDIR", "write it", { why: "name the file" }),
      );
    }
    if (found !== null && options["no-clobber"] === true) return;
    const source = places[0]!.path;
    const input = source === "-"
      ? INPUT
      : await atLength(source, () => openInput(source, interrupts));
    try {
      const job = { input, interrupts, target: target.path, image, source };
      const steps = copyIn(volume, files, job);
      await takeSteps(steps, { terminal, label: "copying", interrupts });
    } finally {
      input.close();
    }
  }, { readOnly: false });
  return EXIT_GOOD;
}

/** One side of a copy: the host, or an open image. */
interface Side {
  tree: Tree<unknown>;
  /** The path without links and dots; null if nothing is there. */
  realPath(path: string): string | null;
  /** What is at a path; null if nothing is. */
  at(path: string, follows: boolean): Entry<unknown> | null;
}

/** Opens every image that is named, the target's for writing, and closes them all. */
async function withSides<T>(
  [target, ...sources]: readonly Place[],
  work: (sides: ReadonlyMap<string | null, Side>) => Promise<T>,
): Promise<T> {
  const sides = new Map<string | null, Side>([[null, hostSide()]]);
  const opened = new Map<string, Side>();
  const waiting = [target!, ...sources].map(({ image }) => image);
  async function openNext(isFirst: boolean): Promise<T> {
    if (waiting.length === 0) return await work(sides);
    const image = waiting.shift()!;
    if (image === null || sides.has(image)) return await openNext(false);
    const path = at(image, () => realpathSync(image));
    const known = opened.get(path);
    if (known !== undefined) {
      sides.set(image, known);
      return await openNext(false);
    }
    return await withVolumeAtLength(image, (volume) => {
      const side = volumeSide(volume, !isFirst);
      opened.set(path, side);
      sides.set(image, side);
      return openNext(false);
    }, { readOnly: !isFirst });
  }
  return await openNext(true);
}

function hostSide(): Side {
  const tree = new HostTree();
  return {
    tree,
    realPath: (path) => tree.at(path) === null ? null : realpathSync(path),
    at: (path, follows) => {
      const found = tree.at(path);
      return found === null || !follows ? found : tree.at(realpathSync(path));
    },
  };
}

function volumeSide(volume: Volume, readOnly: boolean): Side {
  const tree = new VolumeTree(volume);
  const files: FS = filesOf(volume, { readOnly });
  const find = (path: string, follow: boolean) =>
    files.lookupPath(path, { follow, noent_okay: true });
  return {
    tree,
    realPath: (path) => {
      const { node, path: real } = find(path, true);
      return node === null ? null : real;
    },
    at: (path, follows) => {
      const { node } = find(path, follows);
      return node === null ? null : tree.at(inoOf(node));
    },
  };
}

/** Where one source goes. */
interface Destination {
  directory: Entry<unknown>;
  /** The path of that directory. */
  path: string;
  /** The new name; null: what is in the source goes into the directory. */
  name: string | null;
}

/** One call of the verb. */
class Session {
  readonly #call: Call;
  readonly #interrupts: Interrupts;
  readonly #sides: ReadonlyMap<string | null, Side>;

  constructor(
    { call, interrupts, sides }: {
      call: Call;
      interrupts: Interrupts;
      sides: ReadonlyMap<string | null, Side>;
    },
  ) {
    this.#call = call;
    this.#interrupts = interrupts;
    this.#sides = sides;
  }

  /** Several go into a directory that is there. */
  requireDirectory(target: Place): void {
    const found = at(
      placeText(target),
      () => this.#sides.get(target.image)!.at(target.path, true),
    );
    if (found !== null && isDir(found.attr.mode)) return;
    const code = found === null ? "ENOENT" : "ENOTDIR";
    throw new PlaceError(placeText(target), new ErrnoError(code, "copy several there"));
  }

  /** Copies one source; whether everything is there as it was. */
  async copy(source: Place, target: Place): Promise<boolean> {
    const { options, terminal } = this.#call;
    const from = this.#sides.get(source.image)!;
    const to = this.#sides.get(target.image)!;
    const entry = at(placeText(source), () => this.#sourceAt(from, source));
    const leaveOut = source.image === null ? imageFiles(target.image!, BEING_WRITTEN) : undefined;
    if (leaveOut?.(entry.key)) refuseItself(source, "an image");
    const destination = at(placeText(target), () => destinationOf(to, { source, target }));
    if (from === to && isDir(entry.attr.mode)) refuseInside(from, source, destination);
    const copy = new TreeCopy({
      from: from.tree,
      to: to.tree,
      keepsExisting: options["no-clobber"] === true,
      leaveOut,
      spares: target.image === null ? imageFiles(source.image!, BEING_READ) : undefined,
    });
    const job: CopyJob<unknown, unknown> = {
      entry,
      directory: destination.directory.node,
      name: destination.name,
      fromText: placeText(source),
      toText: placeText({ image: target.image, path: joined(destination) }),
    };
    const stepOptions = {
      terminal,
      label: "copying",
      interrupts: this.#interrupts,
      stateLeft: "what was copied before is there and whole",
    };
    await takeSteps(copy.run(job), stepOptions);
    const report = copy.report();
    printFindings(terminal, report);
    return report.isComplete;
  }

  #sourceAt(side: Side, { path }: Place): Entry<unknown> {
    const isRecursive = this.#call.options.recursive === true;
    const entry = side.at(path, !isRecursive || path.endsWith("/"));
    if (entry === null) throw new ErrnoError("ENOENT", "copy it");
    if (!isRecursive && isDir(entry.attr.mode)) {
      throw new ErrnoError("EISDIR", "copy it", { why: "a directory takes -r" });
    }
    return entry;
  }
}

function destinationOf(
  to: Side,
  { source, target }: { source: Place; target: Place },
): Destination {
  const { path } = target;
  const found = to.at(path, true);
  if (found !== null && isDir(found.attr.mode)) {
    return { directory: found, path, name: lastName(source.path) || null };
  }
  const above = to.at(parentPath(path), true);
  const name = lastName(path);
  if (above === null || name === "") throw new ErrnoError("ENOENT", "copy there");
  if (!isDir(above.attr.mode)) throw new ErrnoError("ENOTDIR", "copy there");
  return { directory: above, path: parentPath(path), name };
}

function joined({ path, name }: Destination): string {
  if (name === null) return path;
  if (path === ".") return name;
  return path.endsWith("/") ? path + name : `${path}/${name}`;
}

/** A directory copied into itself would never end. */
function refuseInside(side: Side, source: Place, { path }: Destination): void {
  const from = side.realPath(source.path) ?? source.path;
  const to = side.realPath(path) ?? path;
  if (from === "/" || to === from || to.startsWith(`${from}/`)) refuseItself(source, "a directory");
}

function refuseItself(source: Place, what: string): never {
  throw new PlaceError(placeText(source), new ErrnoError("EINVAL", `copy ${what} into itself`));
}

const BEING_WRITTEN = "left out: it is the image that is being written";
const BEING_READ = "it is the image that is being read";

/** What is said of the image's own files on the host; null for all others. */
function imageFiles(image: string, words: string): (key: string) => string | null {
  const host = new HostTree();
  const path = realpathSync(image);
  const keys = new Set([path, `${path}.lock`].map((file) => host.at(file)?.key));
  return (key) => keys.has(key) ? words : null;
}
