/**
 * Whole-path operations: numbers and meaning of section 5 of docs/PROTOCOL.md, served through PathCalls.
 *
 * Layer: relay, a table beside `operations.ts`. What each does is in `path_ops.ts`, and what has a
 * payload of any length goes on in `transfers.ts`.
 *
 * @module
 */

/** Every operation by path, by name. `changes`: something that other clients may have cached. */
export const PATH_OPERATIONS = {
  READ: { number: 1, kind: "fetches", changes: false },
  WRITE: { number: 2, kind: "sends", changes: true },
  UNLINK: { number: 3, kind: "answers", changes: true },
  STAT: { number: 4, kind: "answers", changes: false },
  LSTAT: { number: 5, kind: "answers", changes: false },
  MKDIR: { number: 6, kind: "answers", changes: true },
  RMDIR: { number: 7, kind: "answers", changes: true },
  READDIR: { number: 8, kind: "fetches", changes: false },
  RENAME: { number: 9, kind: "answers", changes: true },
  EXISTS: { number: 10, kind: "answers", changes: false },
  TRUNCATE: { number: 11, kind: "answers", changes: true },
  APPEND: { number: 12, kind: "sends", changes: true },
  COPY: { number: 13, kind: "answers", changes: true },
  ACCESS: { number: 14, kind: "answers", changes: false },
  REALPATH: { number: 15, kind: "answers", changes: false },
  CHMOD: { number: 16, kind: "answers", changes: true },
  CHOWN: { number: 17, kind: "answers", changes: true },
  UTIMES: { number: 18, kind: "answers", changes: true },
  SYMLINK: { number: 19, kind: "answers", changes: true },
  READLINK: { number: 20, kind: "answers", changes: false },
  LINK: { number: 21, kind: "answers", changes: true },
  OPEN: { number: 22, kind: "answers", changes: true },
  CLOSE: { number: 23, kind: "answers", changes: false },
  FREAD: { number: 24, kind: "fetches", changes: false },
  FWRITE: { number: 25, kind: "sends", changes: true },
  FSTAT: { number: 26, kind: "answers", changes: false },
  FTRUNCATE: { number: 27, kind: "answers", changes: true },
  FSYNC: { number: 28, kind: "commits", changes: false },
  OPENDIR: { number: 29, kind: "answers", changes: false },
  MKDTEMP: { number: 30, kind: "answers", changes: true },
  FCHMOD: { number: 31, kind: "answers", changes: true },
  FCHOWN: { number: 32, kind: "answers", changes: true },
  FUTIMES: { number: 33, kind: "answers", changes: true },
  STATFS: { number: 34, kind: "answers", changes: false },
} as const;

/** The name of an operation by path. */
export type PathOpName = keyof typeof PATH_OPERATIONS;
/** The number of each. */
export const PathOp: { readonly [K in PathOpName]: (typeof PATH_OPERATIONS)[K]["number"] } = Object
  .fromEntries(
    Object.entries(PATH_OPERATIONS).map(([name, { number }]) => [name, number]),
  ) as { readonly [K in PathOpName]: (typeof PATH_OPERATIONS)[K]["number"] };
/** The number of an operation by path. */
export type PathOpCode = (typeof PathOp)[PathOpName];

/** Whether a number is that of an operation by path. */
export function isPathOp(op: number): op is PathOpCode {
  return op >= PathOp.READ && op <= PathOp.STATFS;
}
