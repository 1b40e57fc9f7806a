/**
 * Every conformance case by file. Imports no builtin: the Deno runner and the browser page share it.
 *
 * @module
 */
import { cases as allocate } from "./allocate.ts";
import { cases as atCalls } from "./at_calls.ts";
import type { Case } from "./case.ts";
import { cases as chmod } from "./chmod.ts";
import { cases as copyRange } from "./copy_range.ts";
import { cases as descriptors } from "./descriptors.ts";
import { cases as getdents } from "./getdents.ts";
import { cases as limits } from "./limits.ts";
import { cases as link } from "./link.ts";
import { cases as llseek } from "./llseek.ts";
import { cases as locks } from "./locks.ts";
import { cases as mkdir } from "./mkdir.ts";
import { cases as mknod } from "./mknod.ts";
import { cases as mmap } from "./mmap.ts";
import { cases as mount } from "./mount.ts";
import { cases as names } from "./names.ts";
import { cases as open } from "./open.ts";
import { cases as pipe } from "./pipe.ts";
import { cases as readWrite } from "./read_write.ts";
import { cases as readdir } from "./readdir.ts";
import { cases as rename } from "./rename.ts";
import { cases as seedTable } from "./seed_table.ts";
import { cases as stat } from "./stat.ts";
import { cases as symlink } from "./symlink.ts";
import { cases as truncate } from "./truncate.ts";
import { cases as unlink } from "./unlink.ts";
import { cases as utime } from "./utime.ts";
import { cases as watch } from "./watch.ts";
import { cases as wholeFile } from "./whole_file.ts";
import { cases as xattr } from "./xattr.ts";

/** The cases, in the order in which they run. */
export const ALL_CASES: readonly Case[] = [
  open,
  readWrite,
  llseek,
  stat,
  mkdir,
  unlink,
  rename,
  readdir,
  symlink,
  link,
  chmod,
  truncate,
  utime,
  mknod,
  wholeFile,
  names,
  descriptors,
  atCalls,
  mount,
  limits,
  xattr,
  getdents,
  allocate,
  copyRange,
  locks,
  pipe,
  mmap,
  watch,
  seedTable,
].flat();

/** The cases for a backend: in the short form without those that take seconds everywhere. */
export function casesFor(backend: string, isLong: boolean): readonly Case[] {
  return ALL_CASES.filter((test) => isLong || (test.shortFormOn?.includes(backend) ?? true));
}
