/**
 * `cairn export`: a volume becomes a tar, a host folder or an image that `@componentor/fs` mounts.
 *
 * Layer: cli. The volume is only read; what is made takes its name when it is whole.
 *
 * @module
 */
import { statSync } from "node:fs";
import type { ExportTarget } from "../exchange/ends.ts";
import { toFolder } from "../exchange/export_folder.ts";
import { toTar } from "../exchange/export_tar.ts";
import { toVersion1 } from "../exchange/export_version1.ts";
import { withVolumeAtLength } from "../shared/image.ts";
import { interruptible, type Interrupts, takeSteps } from "../shared/steps.ts";
import {
  at,
  atLength,
  type Call,
  numberOption,
  type Terminal,
  UsageError,
  type Verb,
} from "../shared/verb.ts";
import { printReport } from "../shared/words.ts";

/** The verb. */
export const exportVerb: Verb = {
  name: "export",
  usage: "export [--as KIND] [--inodes N] [--force] [--json] IMAGE TARGET",
  summary: "Makes a tar, a folder, or a version-1 image (@componentor/fs) of a volume",
  help: `What TARGET becomes, its name says: NAME.tar, NAME.tar.gz and NAME.tgz are archives, "-"
is one that goes to the output; NAME/, or an empty folder, becomes a folder; anything
else a version-1 image. IMAGE is only read.
A tar has everything but sockets. A folder has no extended attributes, and owners and
devices only if root makes it. Version 1 has no holes, no FIFOs, sockets and devices.
Each difference is said.

  --as KIND   tar, tar.gz, folder or version1, whatever the name is
  --inodes N  version 1: leave room for N more names (default a quarter, at least 1,024)
  --force     replace TARGET if it exists; never a folder that has something in it
  --json      print the report as JSON

Ends with 0 when everything is there as it was, 1 when something was changed or left
out, 2 when nothing was made.

Examples:
  cairn export notes.cairn notes.tar.gz
  cairn export notes.cairn - | ssh host tar -x
  cairn export notes.cairn notes/
  cairn export --inodes 100k notes.cairn .vfs.bin
`,
  options: {
    as: { type: "string" },
    inodes: { type: "string" },
    force: { type: "boolean" },
    json: { type: "boolean" },
  },
  words: [2, 2],
  run: (call) =>
    interruptible((interrupts) => run(call, interrupts), { clearsUp: call.words[1] !== "-" }),
};

async function run(call: Call, interrupts: Interrupts): Promise<number> {
  const [image, target] = call.words as [string, string];
  const { options, terminal } = call;
  const open = opener(call, target);
  return await withVolumeAtLength(image, async (volume) => {
    const made = open();
    try {
      const stepOptions = { terminal, label: "exporting", interrupts };
      const steps = made.steps(volume);
      const report = await atLength(target, () => takeSteps(steps, stepOptions));
      at(target, () => made.keep());
      // Nothing may follow a tar in the output.
      const out = target === "-" ? new ResultsToStderr(terminal) : terminal;
      return printReport(out, report, options.json === true);
    } finally {
      made.discard();
    }
  });
}

/** A terminal that prints results to stderr, because stdout carries the tar. */
class ResultsToStderr implements Terminal {
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  print(text: string): void {
    this.#terminal.say(text.trimEnd());
  }

  write(bytes: Uint8Array): void {
    this.#terminal.write(bytes);
  }

  say(line: string): void {
    this.#terminal.say(line);
  }

  show(line: string): void {
    this.#terminal.show(line);
  }

  flush(): void {
    this.#terminal.flush();
  }
}

/** What makes the target; words that make no sense are refused before the image is opened. */
function opener(call: Call, target: string): () => ExportTarget {
  const { options, terminal } = call;
  const force = options.force === true;
  const kind = kindOf(target, options.as);
  if (options.inodes !== undefined && kind !== "version1") {
    throw new UsageError("--inodes is for version-1 images");
  }
  if (target === "-" && (kind === "folder" || kind === "version1")) {
    throw new UsageError(`"-" takes a tar, and no ${kind}`);
  }
  if (kind === "folder") return () => toFolder(target);
  if (kind === "version1") {
    const spareSlots = numberOption(call, "inodes");
    return () => toVersion1(target, { force, spareSlots });
  }
  return () => toTar(target, { force, isCompressed: kind === "tar.gz", terminal });
}

const KINDS = ["tar", "tar.gz", "folder", "version1"] as const;
type Kind = typeof KINDS[number];

function kindOf(target: string, said: string | boolean | undefined): Kind {
  if (said !== undefined) {
    const kind = KINDS.find((one) => one === said);
    if (kind === undefined) throw new UsageError(`--as is one of ${KINDS.join(", ")}`);
    return kind;
  }
  if (target === "-" || /\.tar$/i.test(target)) return "tar";
  if (/\.(tar\.gz|tgz)$/i.test(target)) return "tar.gz";
  if (target.endsWith("/")) return "folder";
  const isThere = statSync(target, { throwIfNoEntry: false })?.isDirectory() === true;
  return isThere ? "folder" : "version1";
}
