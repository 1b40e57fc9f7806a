/**
 * What is public of `fs/`, but `createFS`: the class, the groups of its calls, and their types.
 *
 * Layer: fs, a list that `mod.ts` hands on.
 *
 * @module
 */
export type { AtCalls, DirFd } from "./at_calls.ts";
export type { AttrCalls } from "./attr_calls.ts";
export type { FSStat, TimeSpec } from "./attributes.ts";
export type { DescriptorCalls, PollEntry } from "./descriptor_calls.ts";
export type { DeviceCalls, DeviceInput, DeviceOutput } from "./devices.ts";
export type { ForeignMount, ForeignNode, ForeignOp, ForeignType } from "./foreign.ts";
export { type Calls, type CallsClass, FS, type StateWithCalls } from "./fs.ts";
export type { FoundPath, Legacy, LookupOptions, PathAnalysis } from "./legacy.ts";
export type { LegacyNodes, StreamFields } from "./legacy_nodes.ts";
export type { Flock, LockCalls } from "./lock_calls.ts";
export type { FileData, Makers } from "./makers.ts";
export type { FileMap, FileMaps, HeapAllocator, MapRequest } from "./mmap.ts";
export type { FSStatFs, MountCalls, SyncDone } from "./mount_calls.ts";
export type { MountOptions } from "./mounts.ts";
export type { NameTable } from "./name_table.ts";
export type { NodeCalls } from "./node_calls.ts";
export { PATH, type PathFromHere, type PathText } from "./path.ts";
export type { Pipes } from "./pipes.ts";
export type { RangeCalls } from "./range_calls.ts";
export type { StartCalls } from "./start_calls.ts";
export type { State, StateOptions, TrackingDelegate } from "./state.ts";
export type { StreamCalls } from "./stream_calls.ts";
export type { StreamTable } from "./streams.ts";
export type { Watch, Watchers, WatchEvent } from "./watch.ts";
export type { ReadFileOptions, WholeFile, WriteFileOptions } from "./whole_file.ts";
export type { XattrCalls } from "./xattr_calls.ts";
