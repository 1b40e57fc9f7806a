/**
 * A node of an Emscripten module that stands for an inode of a volume.
 *
 * Layer: adapters, below `nodes.ts` and `streams.ts`.
 *
 * @module
 */
import type { Ino } from "../../mod.ts";
import type { EmscriptenNode } from "./host.ts";

/** A node of ours. */
export interface VolumeNode extends EmscriptenNode {
  parent: VolumeNode;
  /** What we know of it besides what the module does. */
  entry: Entry;
}

/** Our part of a node. */
export interface Entry {
  readonly ino: Ino;
  /** Whether the inode may have other names. */
  isLinked: boolean;
  /** Whether the node is in the module's table; there twice would tie a knot into a bucket. */
  isHashed: boolean;
  /** The mount's epoch in which `names` were true. */
  epoch: number;
  /** Names that the module has seen in this directory. */
  readonly names: Map<string, VolumeNode>;
}
