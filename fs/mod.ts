/**
 * What is public of `fs/`, but `createFS`: the class, the links of its chain, and their types.
 *
 * Layer: fs, a list that `mod.ts` hands on.
 *
 * @module
 */
export type { AtCalls, DirFd } from "./at_calls.ts";
export type { AttrCalls, FSStatFs } from "./attr_calls.ts";
export type { FSStat, TimeSpec } from "./attributes.ts";
export type { DescriptorCalls, Flock, PollEntry } from "./descriptor_calls.ts";
export type { DeviceInput, DeviceOutput } from "./devices.ts";
export type { ForeignMount, ForeignNode, ForeignOp, ForeignType } from "./foreign.ts";
export { FS, type SyncDone } from "./fs.ts";
export type { FoundPath, Legacy, LookupOptions, PathAnalysis, StreamFields } from "./legacy.ts";
export type { FileData, Makers } from "./makers.ts";
export type { FileMap, FileMaps, HeapAllocator, MapRequest } from "./mmap.ts";
export type { MountOptions } from "./mounts.ts";
export type { NameTable } from "./name_table.ts";
export type { NodeCalls } from "./node_calls.ts";
export { PATH, type PathFromHere, type PathText } from "./path.ts";
export type { Pipes } from "./pipes.ts";
export type { State, StateOptions, TrackingDelegate } from "./state.ts";
export type { StreamCalls } from "./stream_calls.ts";
export type { StreamTable } from "./streams.ts";
export type { Watch, Watchers, WatchEvent } from "./watch.ts";
export type { ReadFileOptions, WholeFile, WriteFileOptions } from "./whole_file.ts";
