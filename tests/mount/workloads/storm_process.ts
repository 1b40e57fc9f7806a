/**
 * One process of a storm: `ROOT COUNT SEED`. Random calls on few names, so that others are in the
 * way; what POSIX lets fail then may fail, anything else ends it. Prints how many calls succeeded.
 */
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { numbers } from "./workload.ts";

const [root = "", count = "", seed = ""] = Deno.args;
const random = numbers(Number(seed));
const FOLDERS = 4;
const NAMES = 12;
/** What may come of a name that another process changes at the same time. */
const MAY_FAIL = new Set([
  ...["ENOENT", "EEXIST", "ENOTEMPTY", "ENOTDIR", "EISDIR", "EINVAL", "ELOOP", "EPERM"],
]);

function below(limit: number): number {
  return random.next().value % limit;
}

/** A name in the root, in a folder, or in a folder's folder. */
function path(): string {
  const depth = below(3);
  const folders = Array.from({ length: depth }, () => `/d${below(FOLDERS)}`).join("");
  const isFolder = below(4) === 0;
  return `${root}${folders}/${isFolder ? `d${below(FOLDERS)}` : `n${below(NAMES)}`}`;
}

const calls: (() => unknown)[] = [
  () => mkdirSync(path()),
  () => mkdirSync(path()),
  () => rmdirSync(path()),
  () => writeFileSync(path(), "x".repeat(below(9000))),
  () => writeFileSync(path(), "y", { flag: "wx" }),
  () => writeFileSync(path(), "z", { flag: "a" }),
  () => unlinkSync(path()),
  () => renameSync(path(), path()),
  () => renameSync(path(), path()),
  () => linkSync(path(), path()),
  () => symlinkSync(`n${below(NAMES)}`, path()),
  () => readlinkSync(path()),
  () => lstatSync(path()),
  () => readdirSync(`${root}/d${below(FOLDERS)}`),
  () => truncateSync(path(), below(20_000)),
];

let succeeded = 0;
for (let index = 0; index < Number(count); index++) {
  try {
    calls[below(calls.length)]!();
    succeeded++;
  } catch (error) {
    if (!MAY_FAIL.has((error as { code?: string }).code ?? "")) throw error;
  }
}
console.log(succeeded);
