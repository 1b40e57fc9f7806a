/**
 * FS: what an instance knows and all that it can be asked, in one class.
 *
 * Layer: fs, at the top. The class is a State with the groups of calls as methods: each group is a
 * table of functions whose `this` is the instance, so that a call is one frame, and what a program
 * replaces on an instance is what the other calls use. Use: `createFS()` in `create_fs.ts` makes one
 * that has a root and devices; `new FS()` makes one that has none yet.
 *
 * @module
 */
import type { StreamOps } from "../abi/node.ts";
import { AT_CALLS, type AtCalls } from "./at_calls.ts";
import { ATTR_CALLS, type AttrCalls } from "./attr_calls.ts";
import { DESCRIPTOR_CALLS, type DescriptorCalls } from "./descriptor_calls.ts";
import { CHRDEV_STREAM_OPS, DEVICE_CALLS, type DeviceCalls } from "./devices.ts";
import { LEGACY, type Legacy } from "./legacy.ts";
import { LEGACY_NODES, type LegacyNodes } from "./legacy_nodes.ts";
import { LOCK_CALLS, type LockCalls } from "./lock_calls.ts";
import { MAKERS, type Makers } from "./makers.ts";
import { MOUNT_CALLS, type MountCalls } from "./mount_calls.ts";
import { NODE_CALLS, type NodeCalls } from "./node_calls.ts";
import { RANGE_CALLS, type RangeCalls } from "./range_calls.ts";
import { START_CALLS, type StartCalls } from "./start_calls.ts";
import { State, type StateOptions } from "./state.ts";
import { STREAM_CALLS, type StreamCalls } from "./stream_calls.ts";
import { WHOLE_FILE, type WholeFile } from "./whole_file.ts";
import { XATTR_CALLS, type XattrCalls } from "./xattr_calls.ts";

/** All calls. */
export interface Calls
  extends
    NodeCalls,
    AttrCalls,
    XattrCalls,
    StreamCalls,
    DescriptorCalls,
    LockCalls,
    RangeCalls,
    AtCalls,
    WholeFile,
    MountCalls,
    DeviceCalls,
    Legacy,
    LegacyNodes,
    Makers,
    StartCalls {}

/** A State that has them. */
export interface CallsClass {
  /** An instance without any mount. */
  new (options?: StateOptions): State & Calls;
}

/** Tables of functions as methods of a class: like its own, they are not listed with the fields. */
function withMethods(...tables: readonly object[]): CallsClass {
  class WithMethods extends State {}
  for (const [name, value] of Object.entries(Object.assign({}, ...tables))) {
    const method = { value, writable: true, configurable: true };
    Object.defineProperty(WithMethods.prototype, name, method);
  }
  return WithMethods as unknown as CallsClass;
}

/** What FS is made of. Pure, so that a bundle without FS does not have the calls. */
export const StateWithCalls: CallsClass = /* @__PURE__ */ withMethods(
  NODE_CALLS,
  ATTR_CALLS,
  XATTR_CALLS,
  STREAM_CALLS,
  DESCRIPTOR_CALLS,
  LOCK_CALLS,
  RANGE_CALLS,
  AT_CALLS,
  WHOLE_FILE,
  MOUNT_CALLS,
  DEVICE_CALLS,
  LEGACY,
  LEGACY_NODES,
  MAKERS,
  START_CALLS,
);

/**
 * A POSIX file system with Emscripten's names.
 *
 * @example
 * ```ts
 * import { createFS } from "@cairn/fs";
 * import { assertEquals } from "@std/assert";
 *
 * const FS = createFS();
 * FS.mkdir("/notes");
 * FS.writeFile("/notes/a.txt", "kept");
 * FS.rename("/notes/a.txt", "/notes/b.txt");
 * assertEquals(FS.readdir("/notes"), [".", "..", "b.txt"]);
 * ```
 */
export class FS extends StateWithCalls {
  /** The ops of a device before its driver is found. */
  readonly chrdev_stream_ops: StreamOps = CHRDEV_STREAM_OPS;
}
