/**
 * `cairn rm`: removes files and trees from a volume.
 *
 * Layer: cli. A tree goes from its leaves, name by name: a command that is interrupted leaves the rest of it.
 *
 * @module
 */
import { ErrnoError, type FS, isDir, isErrnoError } from "../../mod.ts";
import type { Volume } from "../../opfs/mod.ts";
import { filesOf, inoOf, walk, withVolumeAtLength } from "../shared/image.ts";
import { lastName } from "../shared/place.ts";
import { interruptible, type Interrupts, takeSteps, type Tally } from "../shared/steps.ts";
import { at, Attempts, type Call, type Verb } from "../shared/verb.ts";

/** The verb. */
export const rmVerb: Verb = {
  name: "rm",
  usage: "rm [-r] [-f] IMAGE PATH...",
  summary: "Removes files and trees from a volume",
  help: `A link itself is removed, not what it leads to. "/" is not removed.

  -r, --recursive  directories with all that is in them
  -f, --force      what is not there is no error

Space comes free for new files at once; \`cairn compact\` gives it back to the host.

Examples:
  cairn rm notes.cairn /a.txt
  cairn rm -rf notes.cairn /album/2019
  cairn rm notes.cairn -- -name
`,
  options: {
    recursive: { type: "boolean", short: "r" },
    force: { type: "boolean", short: "f" },
  },
  words: [2, Infinity],
  run: (call) => interruptible((interrupts) => run(call, interrupts)),
};

async function run(call: Call, interrupts: Interrupts): Promise<number> {
  const { words, options, terminal } = call;
  const attempts = new Attempts(call);
  const [image, ...paths] = words as [string, ...string[]];
  await withVolumeAtLength(image, async (volume) => {
    const steps = removeAll(volume, { image, paths, options, attempts });
    const stateLeft = "what was removed before is gone, the rest is there";
    await takeSteps(steps, { terminal, label: "removing", interrupts, stateLeft });
  }, { readOnly: false });
  return attempts.status;
}

interface Removal {
  image: string;
  paths: readonly string[];
  options: Call["options"];
  attempts: Attempts;
}

function* removeAll(
  volume: Volume,
  { image, paths, options, attempts }: Removal,
): Generator<Tally, void, void> {
  const files = filesOf(volume, { readOnly: false });
  const tally: Tally = { doneEntries: 0, doneBytes: 0 };
  for (const path of paths) {
    const target = (): Target | null =>
      at(`${image}:${path}`, () => targetOf(files, path, options));
    yield* attempts.steps(() => remove(volume, target(), { image, path, tally }));
  }
}

function* remove(
  volume: Volume,
  target: Target | null,
  { image, path, tally }: { image: string; path: string; tally: Tally },
): Generator<Tally, void, void> {
  if (target === null) return;
  for (const found of walk(volume, { from: { path, ino: target.ino }, isContentFirst: true })) {
    const { parent, name } = found.parent === 0 ? target : found;
    at(`${image}:${found.path}`, () => {
      if (isDir(found.attr.mode)) volume.rmdir(parent, name);
      else volume.unlink(parent, name);
    });
    tally.doneEntries++;
    yield tally;
  }
}

interface Target {
  ino: number;
  parent: number;
  name: string;
}

/** What the path names; null if nothing, and that is no error. */
function targetOf(files: FS, path: string, options: Call["options"]): Target | null {
  const name = lastName(path);
  if (name === "") throw new ErrnoError("EINVAL", "remove what has no name of its own");
  try {
    // A slash at the end would lead over a link, and what the link leads to would be removed.
    const bare = path.replace(/\/+$/, "");
    const { node } = files.lookupPath(bare, { noent_okay: true });
    if (node === null) throw new ErrnoError("ENOENT", "remove it");
    if (bare !== path && !isDir(node.data.mode)) {
      throw new ErrnoError("ENOTDIR", "remove it as a directory");
    }
    if (isDir(node.data.mode) && options.recursive !== true) {
      throw new ErrnoError("EISDIR", "remove it", { why: "a directory takes -r" });
    }
    const parent = files.lookupPath(bare, { parent: true }).node!;
    return { ino: inoOf(node), parent: inoOf(parent), name };
  } catch (error) {
    const isMissing = isErrnoError(error) && (error.code === "ENOENT" || error.code === "ENOTDIR");
    if (isMissing && options.force === true) return null;
    throw error;
  }
}
