/**
 * Messages: what a page and its relay worker say before, beside and after the channels.
 *
 * Layer: relay (types only; their version is in `protocol.ts`). The worker says `loaded` when its program
 * runs, or `unavailable`; the page answers `init`; the worker opens the volume and says `ready` or
 * `unavailable`. From then on each `hello` brings a channel, each `calls` a port for calls by message
 * (`call_port.ts`), each `export` a port for an image (`pieces.ts`), and each `compact` one for the steps of
 * compacting (`steps.ts`). `close` ends it, `closed` is the last, and the page ends the thread. Asked to
 * `announce`, the worker says again where it stands. Instead of `init` the page may say `import`:
 * then the worker makes a volume from the image at the port, says `imported` or `unavailable`, and
 * that is all it does. Or it may say `upgrade`: then the worker gives a volume today's format, says
 * `progress` on the way, and `upgraded` or `unavailable` at the end.
 *
 * @module
 */
import type { DescribedError } from "../../abi/described.ts";
import type { Ino } from "../volume_ops.ts";
import type { ChannelBuffers } from "./protocol.ts";

/** Where the bytes of a volume are. */
export interface VolumePlace {
  /** A file in the origin private file system, or a file of the host. */
  kind: "opfs" | "host";
  /** The path there. */
  path: string;
}

/** How the worker opens the volume. Everything in it can be cloned. */
export interface RelaySettings {
  /** How long to wait for another holder to release it, in ms. */
  busyTimeoutMs: number;
  /** How long a client may pause in the middle of a transfer, in ms. */
  deadlineMs: number;
  /** Whether `sanity_check.ts` tries the device out before a client is served. */
  sanityCheck: boolean;
  /** What `openVolumeSync` is given: `EngineSettings` of `opfs/volume/load/mount.ts`, whole. */
  engine: object;
}

/** How the worker makes a volume from an image. */
export interface ImportSettings {
  /** Whether a volume that has the name already is replaced. */
  replace: boolean;
  /** How long to wait for another holder to release it, in ms. */
  busyTimeoutMs: number;
}

/** How the worker upgrades a volume. */
export interface UpgradeSettings {
  /** How long to wait for another holder to release it, in ms. */
  busyTimeoutMs: number;
}

/** From the page to its worker. */
export type ToWorker =
  | { type: "announce" }
  | { type: "init"; version: number; place: VolumePlace; settings: RelaySettings }
  | { type: "hello"; channel: ChannelBuffers }
  | { type: "calls"; port: MessagePort }
  | { type: "export"; port: MessagePort }
  | { type: "compact"; port: MessagePort }
  | { type: "import"; place: VolumePlace; settings: ImportSettings; port: MessagePort }
  | { type: "upgrade"; place: VolumePlace; settings: UpgradeSettings }
  | { type: "abort" }
  | { type: "close" };

/** What a client must know of a relay to attach to it. */
export interface RelayAddress {
  /** The doorbell's word; null where no memory can be shared, and `calls` are all there is. */
  doorbell: SharedArrayBuffer | null;
  /** The volume's root directory. */
  root: Ino;
  /** What mounting found. */
  report: object;
}

/** From the worker to its page. */
export type FromWorker =
  | { type: "unavailable" } & DescribedError
  | { type: "loaded"; version: number }
  | { type: "ready"; version: number; address: RelayAddress }
  | { type: "refused"; channel: ChannelBuffers; reason: string }
  | { type: "left"; channel: string }
  | { type: "imported"; report: object }
  | { type: "progress"; progress: { doneBytes: number; totalBytes: number } }
  | { type: "upgraded"; report: object | null }
  | { type: "closed" } & Partial<DescribedError>;
