/**
 * Two processes that make, move, link and remove names in the same few folders as fast as they can.
 * Afterwards every name leads somewhere, and link counts are the names that there are.
 */
import { existsSync } from "node:fs";
import { must, type Workload } from "./workload.ts";

const PROCESSES = 2;
/** Runs in processes of its own. */
const SCRIPT = new URL("./storm_process.ts", import.meta.url).pathname;

/** Storms of metadata in one tree. */
export const stormWorkload: Workload = {
  name: "storm",
  programs: [],
  isVictim: true,
  async run({ directory, scale }) {
    const root = `${directory}/storm`;
    Deno.mkdirSync(root);
    const count = String(20_000 * scale);
    const runs = Array.from({ length: PROCESSES }, (_, index) => {
      const args = ["run", "-A", "--quiet", "--no-check", SCRIPT, root, count, String(index + 1)];
      return must([Deno.execPath(), ...args], { limitMs: 3_600_000 });
    });
    const done = (await Promise.all(runs)).map((line) => Number(line));
    const names = verifyTree(root);
    const calls = done.reduce((all, each) => all + each, 0);
    return `${PROCESSES} processes, ${count} calls each, ${calls} of them succeeded; ${names} names left`;
  },
  verifyKilled(directory) {
    const root = `${directory}/storm`;
    if (existsSync(root)) verifyTree(root);
    return Promise.resolve();
  },
};

/** Looks at every name of a tree; returns how many there are. */
function verifyTree(root: string): number {
  const names = new Map<number, { found: number; nlink: number }>();
  const folders = [root];
  let count = 0;
  for (const folder of folders) {
    let subfolders = 0;
    for (const { name, isDirectory } of Deno.readDirSync(folder)) {
      count++;
      const path = `${folder}/${name}`;
      const { ino, nlink } = Deno.lstatSync(path);
      if (isDirectory) {
        folders.push(path);
        subfolders++;
        continue;
      }
      const known = names.get(ino!) ?? { found: 0, nlink: nlink! };
      known.found++;
      names.set(ino!, known);
    }
    const { nlink } = Deno.lstatSync(folder);
    if (nlink !== subfolders + 2) throw new Error(`"${folder}" has ${nlink} links`);
  }
  for (const [ino, { found, nlink }] of names) {
    if (found !== nlink) throw new Error(`inode ${ino} has ${nlink} links and ${found} names`);
  }
  return count;
}
