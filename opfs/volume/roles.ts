/**
 * What the state of a volume knows of the parts that know the state: the journal, exports under way,
 * and what gives blocks room.
 *
 * Layer: opfs/volume, below `state.ts`. Types only.
 *
 * @module
 */
import type { ErrnoError } from "../../abi/errno.ts";
import type { BlockRun } from "./memory/bitmap.ts";

/** What makes things durable; the state knows no more of the journal. */
export interface Committer {
  /** Whether a commit is due before the next step: the group is full, or its time is over. */
  readonly isDue: boolean;
  /** Whether each call is made durable before it returns. */
  readonly isEachCall: boolean;
  /** The longest record, in bytes. */
  readonly recordBytesMax: number;
  /** Whether a step that takes space must not begin. */
  readonly isStuck: boolean;
  /** Whether, when stuck, a step that gives space back may begin. */
  readonly hasRoomToFree: boolean;
  /** Makes everything that has been kept durable. */
  commit(): void;
  /** Makes durable what has been written to its place. */
  flush(): void;
  /** Sets free every block that waits in quarantine. */
  reclaim(): void;
  /** Ends the logged state of every block. */
  unlog(): void;
}

/** A listener that wants to know of blocks before they are written over: an export under way. */
export interface BlockWatch {
  /** Blocks are about to be written over. Must not throw. */
  beforeWrite(block: number, count: number): void;
  /** Whether a block, as it is on the device, must stay. */
  wants(block: number): boolean;
  /** The volume is closed: there is nothing to look at any more. */
  end(reason: ErrnoError | null): void;
}

/** Which blocks have room on a sparse device: `backing.ts`. */
export interface BackedBlocks {
  /** Whether the disk was full the last time: then what has room already is given out first. */
  isTight: boolean;
  /** The device has been made longer by blocks: they have no room yet. */
  appeared(first: number, end: number): void;
  /** Blocks have been written: they have room. */
  wrote(block: number, count: number): void;
  /** Reserves disk space for blocks that hold no bytes of a file; whether there was any. */
  ensure(block: number, count: number): boolean;
  /** Takes free blocks that have room, up to `want` that follow each other; the first one, or -1. */
  takeBacked(want: number): BlockRun | null;
}
