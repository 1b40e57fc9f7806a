/**
 * `cairn import`: an image of `@componentor/fs` becomes a volume.
 *
 * Layer: cli. The volume is made beside its place, checked, and takes the name last.
 *
 * @module
 */
import { ErrnoError } from "../mod.ts";
import {
  checkVolume,
  fileHandle,
  Findings,
  importSteps,
  openVolumeSync,
  readVersion1,
  type StorageHandle,
  TransferClock,
  type TransferReport,
  type Version1Image,
} from "../opfs/mod.ts";
import { newFile } from "./new_file.ts";
import { interruptible, type Interrupts, takeSteps } from "./steps.ts";
import { at, atLength, type Call, type Terminal, type Verb } from "./verb.ts";
import { findingLine, tellReport } from "./words.ts";

/** The verb. */
export const importVerb: Verb = {
  name: "import",
  usage: "import [--repair] [--force] [--json] SOURCE IMAGE",
  summary: "Makes a volume of a version-1 image (@componentor/fs)",
  help: `Contents, modes, owners, times and links arrive as they were. SOURCE is only read.
What is to be known is said line by line: note (nothing is missing), changed, lost.

  --repair  also read an image whose damage would mix files up, and keep what has
            lost its name in /lost+found
  --force   replace IMAGE if it exists
  --json    print the report as JSON

Ends with 0 when everything is there as it was, 1 when something was changed or left
out, 2 when there is no volume.

Examples:
  cairn import .vfs.bin notes.cairn
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
  const [source, target] = call.words as [string, string];
  const { terminal, options } = call;
  const repair = options.repair === true;
  const handle = at(source, () => fileHandle(source, { create: false, readOnly: true }));
  const file = at(target, () => newFile(target, { force: options.force === true }));
  try {
    const image = at(source, () => scan(handle, repair, terminal));
    const report = await fill(file.path, image, { repair, target, terminal, interrupts });
    at(target, () => {
      checkWhole(file.path);
      file.keep();
    });
    return tellReport(terminal, report, options.json === true);
  } finally {
    file.discard();
    handle.close();
  }
}

/** Reads the image; when that is refused, what was found up to there is said all the same. */
function scan(handle: StorageHandle, repair: boolean, terminal: Terminal): Version1Image {
  const findings = new Findings();
  try {
    return readVersion1(handle, { repair, findings });
  } catch (error) {
    for (const finding of findings.list) terminal.say(findingLine(finding));
    throw error;
  }
}

interface Filling {
  repair: boolean;
  target: string;
  terminal: Terminal;
  interrupts: Interrupts;
}

/** Makes the volume at `path` and carries everything over. */
async function fill(
  path: string,
  image: Version1Image,
  { repair, target, terminal, interrupts }: Filling,
): Promise<TransferReport> {
  const clock = new TransferClock();
  const nowMs = Date.now();
  const handle = at(target, () => fileHandle(path));
  try {
    const volume = at(target, () => openVolumeSync(handle, { clock: clock.read }));
    const steps = importSteps(image, volume, { clock, nowMs, repair });
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
      throw new ErrnoError("EIO", `keep the volume: ${first.rule}: ${first.message}`);
    }
  } finally {
    handle.close();
  }
}
