/**
 * What a backend does not do yet, and what will make it do so.
 *
 * A pending case must fail while it stands here: the runner says so when one passes, and then its
 * row goes.
 *
 * @module
 */

/** Cases that a backend fails for one reason. */
export interface Pending {
  /** Names of rows in `tests/support/backends.ts`. */
  backends: readonly string[];
  /** Names of conformance cases. */
  cases: readonly string[];
  /** What is missing, and what will bring it. */
  why: string;
}

const ALL = ["MEMFS", "volume in memory", "volume in a host file", "volume relayed"];
const VOLUMES = ["volume in memory", "volume in a host file", "volume relayed"];

/** Everything that is pending. */
export const PENDING: readonly Pending[] = [
  {
    backends: ALL,
    cases: ["mkdir() keeps the sticky bit and setgid", "mkdir 02755 keeps setgid"],
    why: "fs/ masks setgid away from the mode of mkdir",
  },
  {
    backends: VOLUMES,
    cases: ["open() with O_TMPFILE makes a file without a name, which link gives one"],
    why: "VolumeOps has no way to make an inode without a name",
  },
  {
    backends: VOLUMES,
    cases: ["llseek() tells holes of a sparse file by the page"],
    why: "VolumeOps has no map of holes",
  },
  {
    backends: VOLUMES,
    cases: [
      "setxattr() keeps values on files and directories",
      "setxattr() heeds XATTR_CREATE and XATTR_REPLACE",
      "getxattr() and removexattr() of what is not there are ENODATA",
    ],
    why: "the format keeps no extended attributes yet",
  },
  {
    backends: VOLUMES,
    cases: ["mkdir() is EMLINK at 65,533 subdirectories"],
    why: "defect: the volume's rename does not look at the new parent's link count",
  },
];

/** Why a case is pending on a backend, or null. */
export function pendingReason(backend: string, test: string): string | null {
  const row = PENDING.find((row) => row.backends.includes(backend) && row.cases.includes(test));
  return row?.why ?? null;
}
