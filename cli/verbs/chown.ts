/**
 * `cairn chown`: owners in a volume.
 *
 * Layer: cli. Numbers only: an image knows no names.
 *
 * @module
 */
import { modeWithoutPrivileges, type VolumeOps } from "../../mod.ts";
import { filesOf, type Found, inoAt, walk, withVolume } from "../shared/image.ts";
import { Attempts, type Call, UsageError, type Verb } from "../shared/verb.ts";

/** The verb. */
export const chownVerb: Verb = {
  name: "chown",
  usage: "chown [-R] [-h] IMAGE UID[:GID] PATH...",
  summary: "Changes owner and group in a volume",
  help: `Owner and group are numbers; ":GID" changes the group alone. A link that is named is
followed, those found by -R are changed themselves. Files lose setuid and setgid.

  -R, --recursive       directories with all that is in them
  -h, --no-dereference  change a link that is named itself

Examples:
  cairn chown notes.cairn 1000:1000 /a.txt
  cairn chown -R notes.cairn :100 /album
`,
  options: {
    recursive: { type: "boolean", short: "R" },
    "no-dereference": { type: "boolean", short: "h" },
  },
  words: [3, Infinity],
  run,
};

/** What is not said stays. */
interface NewOwner {
  uid?: number;
  gid?: number;
}

function run(call: Call): number {
  const { words, options } = call;
  const attempts = new Attempts(call);
  const [image, text, ...paths] = words as [string, string, ...string[]];
  const owner = ownerOf(text);
  const follow = options["no-dereference"] !== true;
  withVolume(image, (volume) => {
    const files = filesOf(volume, { readOnly: false });
    for (const path of paths) {
      attempts.at(`${image}:${path}`, () => {
        const ino = inoAt(files, path, { follow });
        const maxDepth = options.recursive === true ? Infinity : 0;
        for (const found of walk(volume, { from: { path, ino }, maxDepth })) {
          change(volume, found, owner);
        }
      });
    }
  }, { readOnly: false });
  return attempts.status;
}

function ownerOf(text: string): NewOwner {
  const match = /^(\d*)(?::(\d+))?$/.exec(text);
  const [uid, gid] = [match?.[1] ?? "", match?.[2] ?? ""];
  if (match === null || (uid === "" && gid === "")) {
    throw new UsageError(`"${text}" is no owner: write UID, UID:GID or :GID, as numbers`);
  }
  for (const id of [uid, gid]) {
    if (Number(id) >= 0xffff_ffff) throw new UsageError(`"${id}" is too large for an owner`);
  }
  return {
    ...(uid === "" ? {} : { uid: Number(uid) }),
    ...(gid === "" ? {} : { gid: Number(gid) }),
  };
}

function change(volume: VolumeOps, { ino, attr }: Found, owner: NewOwner): void {
  volume.setattr(ino, { ...owner, mode: modeWithoutPrivileges(attr.mode) });
}
