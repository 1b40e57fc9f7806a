/**
 * What a mount of VOLUMEFS keeps of an inode.
 *
 * Layer: stream_ops, shared by `volume.ts`, `volume_locks.ts` and the node operations.
 *
 * @module
 */
import type { FSNode, NodeRecord } from "../abi/node.ts";
import type { Ino } from "../opfs/volume_ops.ts";

/** One inode of a volume, as a mount caches it. */
export interface VolumeRecord extends NodeRecord {
  /** The volume's own name for the inode, generation included; `ino` is its low part. */
  readonly handle: Ino;
  /** The mount's epoch in which mode, uid and gid were true. */
  epoch: number;
  /**
   * Of an inode with several names: the epoch in which each was last found to lead here. The record
   * is true as soon as one name has been asked for; the others may have moved since.
   */
  names: WeakMap<FSNode<VolumeRecord>, number> | null;
}
