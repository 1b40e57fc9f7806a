/**
 * `cairn import`: a tar, a host folder or an image of `@componentor/fs` becomes a volume.
 *
 * Layer: cli. What SOURCE is, its first bytes say. The volume is made beside its place, checked, and
 * takes the name last.
 *
 * @module
 */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { ErrnoError } from "../../mod.ts";
import {
  checkVolume,
  fileHandle,
  Findings,
  openVolumeSync,
  TransferClock,
  type TransferReport,
} from "../../opfs/mod.ts";
import type { ImportSource } from "../exchange/ends.ts";
import { openFolder } from "../exchange/import_folder.ts";
import { openTar } from "../exchange/import_tar.ts";
import { packerOf } from "../tar/unpack.ts";
import { openVersion1 } from "../exchange/import_version1.ts";
import { type NewFile, newFile } from "../shared/new_file.ts";
import { interruptible, type Interrupts, takeSteps } from "../shared/steps.ts";
import { at, atLength, type Call, type Terminal, UsageError, type Verb } from "../shared/verb.ts";
import { printReport } from "../shared/words.ts";

/** The verb. */
export const importVerb: Verb = {
  name: "import",
  usage: "import [--repair] [--force] [--json] SOURCE IMAGE",
  summary: "Makes a volume of a tar, a folder, or a version-1 image (@componentor/fs)",
  help: `SOURCE is a tar, also one compressed by gzip, "-" for one that comes through a pipe, a
folder of the host, or a version-1 image. It is only read.
Contents, modes, owners, times, links, devices and holes arrive as they were, from a tar
extended attributes too. What is to be known is said line by line: note (nothing is
missing), changed, lost. Names that lead out of the volume are left out.

  --repair  also read a version-1 image whose damage would mix files up, and keep what
            has lost its name in /lost+found
  --force   replace IMAGE if it exists
  --json    print the report as JSON

Ends with 0 when everything is there as it was, 1 when something was changed or left
out, 2 when there is no volume.

Examples:
  cairn import backup.tar.gz notes.cairn
  cairn import ~/projects projects.cairn
  xz -dc data.tar.xz | cairn import - data.cairn
  cairn import --repair damaged.vfs.bin saved.cairn
`,
  options: {
    repair: { type: "boolean" },
    force: { type: "boolean" },
    json: { type: "boolean" },
  },
  words: [2, 2],
  run: (call) => interruptible((interrupts) => run(call, interrupts)),
};

async function run(call: Call, interrupts: Interrupts): Promise<number> {
  const [name, target] = call.words as [string, string];
  const { terminal, options } = call;
  const file = at(target, () => newFile(target, { force: options.force === true }));
  let source: ImportSource | null = null;
  try {
    source = at(name, () => openSource(name, { file, target, call, interrupts }));
    const report = await fill(file.path, source, { target, terminal, interrupts });
    at(target, () => {
      checkWhole(file.path);
      file.keep();
    });
    return printReport(terminal, report, options.json === true);
  } finally {
    file.discard();
    source?.close();
  }
}

interface Opening {
  file: NewFile;
  target: string;
  call: Call;
  interrupts: Interrupts;
}

function openSource(
  name: string,
  { file, target, call, interrupts }: Opening,
): ImportSource {
  const { terminal, options } = call;
  const repair = options.repair === true;
  const kind = kindOf(name);
  if (repair && kind !== "version 1") throw new UsageError("--repair is for version-1 images");
  if (kind === "folder") return openFolder(name, { except: [file.path, target] });
  if (kind === "version 1") return openVersion1(name, { repair, terminal });
  return openTar(name, interrupts);
}

type Kind = "folder" | "tar" | "version 1";

/** What the first bytes say; whatever else there is may be a damaged version-1 image. */
function kindOf(name: string): Kind {
  if (name === "-") return "tar";
  const stat = statSync(name);
  if (stat.isDirectory()) return "folder";
  // Of a pipe nothing can be read twice.
  if (!stat.isFile()) return "tar";
  const start = startOf(name);
  const isEmpty = /\.tar$/i.test(name) && start.length > 0 && start.every((byte) => byte === 0);
  return isEmpty || packerOf(start) !== null || isTar(start) ? "tar" : "version 1";
}

const START_BYTES = 512;
const CHECKSUM_AT = 148;
const CHECKSUM_BYTES = 8;

function startOf(name: string): Uint8Array {
  const fd = openSync(name, "r");
  try {
    const start = new Uint8Array(START_BYTES);
    return start.subarray(0, readSync(fd, start, 0, start.length, 0));
  } finally {
    closeSync(fd);
  }
}

/** The magic that nearly all have, or the checksum of those from before it. */
function isTar(start: Uint8Array): boolean {
  if (start.length < START_BYTES) return false;
  const text = new TextDecoder("latin1").decode(start);
  if (text.slice(257, 262) === "ustar") return true;
  const digits = /^ *([0-7]+)/.exec(text.slice(CHECKSUM_AT, CHECKSUM_AT + CHECKSUM_BYTES));
  if (digits === null) return false;
  const sum = start.reduce((total, byte, index) => {
    const isOwn = index >= CHECKSUM_AT && index < CHECKSUM_AT + CHECKSUM_BYTES;
    return total + (isOwn ? 0x20 : byte);
  }, 0);
  return parseInt(digits[1]!, 8) === sum;
}

interface FillOptions {
  target: string;
  terminal: Terminal;
  interrupts: Interrupts;
}

/** Makes the volume at `path` and carries everything over. */
async function fill(
  path: string,
  source: ImportSource,
  { target, terminal, interrupts }: FillOptions,
): Promise<TransferReport> {
  const clock = new TransferClock();
  const handle = at(target, () => fileHandle(path));
  try {
    const volume = at(target, () => openVolumeSync(handle, { clock: clock.read }));
    const steps = source.steps({ volume, clock, nowMs: Date.now(), findings: new Findings() });
    const stepOptions = { terminal, label: "importing", interrupts };
    const report = await atLength(target, () => takeSteps(steps, stepOptions));
    at(target, () => volume.close());
    return report;
  } finally {
    handle.close();
  }
}

/** A volume that is not clean does not get the name. */
function checkWhole(path: string): void {
  const handle = fileHandle(path, { create: false, readOnly: true });
  try {
    const [first] = checkVolume(handle).violations;
    if (first !== undefined) {
      throw new ErrnoError("EIO", "keep the volume", { why: `${first.rule}: ${first.message}` });
    }
  } finally {
    handle.close();
  }
}
