/**
 * `cairn stat`: everything that a volume knows of a file.
 *
 * Layer: cli. The volume is only read; a link itself is shown, not what it points to.
 *
 * @module
 */
import { formatMode, isLink } from "../../mod.ts";
import { deviceText } from "../shared/devices.ts";
import { filesOf, inoAt, withVolume } from "../shared/image.ts";
import { Attempts, type Call, type Verb } from "../shared/verb.ts";
import { jsonText, printable, timeText, typeName } from "../shared/words.ts";

/** The verb. */
export const statVerb: Verb = {
  name: "stat",
  usage: "stat [--json] IMAGE PATH...",
  summary: "Shows the attributes of files in a volume",
  help: `  --json  print one JSON object for each file

Examples:
  cairn stat notes.cairn /a.txt
`,
  options: { json: { type: "boolean" } },
  words: [2, Infinity],
  run,
};

function run(call: Call): number {
  const { words, options, terminal } = call;
  const attempts = new Attempts(call);
  const [image, ...paths] = words as [string, ...string[]];
  withVolume(image, (volume) => {
    const files = filesOf(volume);
    for (const path of paths) {
      attempts.at(`${image}:${path}`, () => {
        const { ino, mode, nlink, uid, gid, rdev, size, blocks, ...rest } = files.lstat(path);
        const { atimeMs, mtimeMs, ctimeMs } = rest;
        const target = isLink(mode) ? files.readlink(path) : undefined;
        const xattrs = volume.listxattr(inoAt(files, path, { follow: false })).sort();
        if (options.json === true) {
          const type = typeName(mode);
          const times = { atimeMs, mtimeMs, ctimeMs };
          const numbers = { mode: mode.toString(8), size, blocks, uid, gid, nlink, ino, rdev };
          terminal.print(
            `${jsonText({ path, type, ...numbers, ...times, xattrs, target })}\n`,
          );
          return;
        }
        const name = printable(path) + (target === undefined ? "" : ` -> ${printable(target)}`);
        terminal.print(
          `${name}\n` +
            `  ${typeName(mode)}, ${formatMode(mode)} (${
              mode.toString(8)
            }), owner ${uid}:${gid}\n` +
            `  ${size} bytes in ${blocks} blocks of 512, inode ${ino}, ${nlink} links` +
            `${rdev === 0 ? "" : `, device ${deviceText(rdev)}`}\n` +
            `  read    ${timeText(atimeMs)}\n` +
            `  written ${timeText(mtimeMs)}\n` +
            `  changed ${timeText(ctimeMs)}\n` +
            xattrs.map((xattr) => `  attribute ${printable(xattr)}\n`).join(""),
        );
      });
    }
  });
  return attempts.status;
}
