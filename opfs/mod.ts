/**
 * Volumes: bytes that persist, as inodes and names.
 *
 * `openVolume()` is the way in; `openVolumeSync()` mounts on any device of StorageHandle's shape, and
 * the devices themselves are here too.
 *
 * @module
 */
export type { CacheMetrics } from "./cache.ts";
export { fileHandle, type FileHandleOptions, type HostFileHandle } from "./device/file.ts";
export { answerOf, requireWhole, type StorageHandle } from "./device/handle.ts";
export {
  BrowserHandle,
  type StorageEstimate,
  type SyncAccessHandle,
} from "./device/browser_handle.ts";
export { type MemoryHandle, memoryHandle } from "./device/memory.ts";
export { openOpfsHandle, type OpfsHandleOptions } from "./device/opfs.ts";
export {
  type OpenedVolume,
  type OpenedWith,
  type OpenOptions,
  type OpenReport,
  openVolume,
  type VolumeMetrics,
  type VolumeTicket,
} from "./compose/open.ts";
export { importVolume, type ImportVolumeOptions } from "./compose/import_volume.ts";
export { upgradeVolume, type UpgradeVolumeOptions } from "./compose/upgrade_volume.ts";
export type { WorkerGiven } from "./relay/delivery.ts";
export type { RelayAddress } from "./relay/messages.ts";
export type { ChannelBuffers } from "./relay/protocol.ts";
export type { Metric } from "./relay/metrics.ts";
export type { VolumePromises } from "./relay/promises.ts";
export type { Value } from "./relay/s11n.ts";
export type { StepOptions, StepProgress } from "./relay/steps.ts";
export type { StorageReport } from "./relay/storage.ts";
export type { PoolMetrics } from "./volume/memory/pool_types.ts";
export { type CheckOptions, checkVolume } from "./volume/tools/check.ts";
export type { CompactReport, CompactSteps } from "./volume/upkeep/compact.ts";
export {
  type BlockDump,
  type HeaderDump,
  ImageDump,
  type NameDump,
  type RecordDump,
  type RunDump,
  type SegmentDump,
  type SlotDump,
} from "./volume/tools/dump.ts";
export { type FormatOptions, formatVolume } from "./volume/load/format.ts";
export { type ImageOptions, importImage } from "./volume/tools/image_import.ts";
export type { JournalMetrics, JournalOptions } from "./volume/journal/journal.ts";
export { type EngineSettings, openVolumeSync, type VolumeOptions } from "./volume/load/mount.ts";
export { mendVolume, type RepairOptions, repairSteps } from "./volume/tools/repair.ts";
export type { MountReport, Report, Violation } from "./volume/format/report.ts";
export {
  type Finding,
  Findings,
  type Progress,
  runToEnd,
  type Severity,
  TransferClock,
  type TransferCounts,
  type TransferReport,
  type TransferSteps,
} from "./volume/upkeep/transfer.ts";
export { type ImportOptions, importSteps } from "./volume/version1/import.ts";
export {
  type ReadOptions,
  readVersion1,
  type Version1Entry,
  Version1Image,
} from "./volume/version1/read.ts";
export { type ExportOptions, exportSteps } from "./volume/version1/write.ts";
export { isOlderFormat, upgradeSteps } from "./volume/tools/upgrade.ts";
export type { Header } from "./volume/format/header.ts";
export type { Superblock } from "./volume/format/superblock.ts";
export { Volume } from "./volume/volume.ts";
export type { EngineMetrics, VolumeStats } from "./volume/volume_stats.ts";
export { LockKind, SqliteLevel } from "./volume_ops.ts";
export type {
  BlockingLock,
  ChangeOps,
  CompoundOps,
  CreateOptions,
  Found,
  FoundEntry,
  Ino,
  LockOps,
  LockRequest,
  Stored,
  TmpfileOptions,
  VolumeOps,
} from "./volume_ops.ts";
