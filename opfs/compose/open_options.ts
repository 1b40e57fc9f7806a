/**
 * What openVolume takes, and what it refuses before anything is opened.
 *
 * Layer: composer, below `open.ts`. Use: `openOptions(what)`.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";
import { choiceOption, countOption, optionsOf, textOption } from "../../abi/options.ts";
import type { StorageHandle } from "../device/handle.ts";
import type { WorkerGiven } from "../relay/delivery.ts";
import type { RelayAddress } from "../relay/messages.ts";
import { type ChannelBuffers, MIN_AREA_BYTES } from "../relay/protocol.ts";
import { INTERVAL_MS_DEFAULT } from "../volume/journal/journal.ts";
import {
  type EngineSettings,
  POOL_BYTES_DEFAULT,
  type VolumeOptions,
} from "../volume/load/mount.ts";

/** How `openVolume` opens. */
export interface OpenOptions extends VolumeOptions {
  /** The volume's name. In a browser `/<name>.cairn`, under Deno `./<name>.cairn` or a path. */
  name?: string;
  /** A device instead of a name: opened directly. */
  handle?: StorageHandle;
  /** What another thread's `share()` gave, instead of a name. */
  ticket?: VolumeTicket;
  /**
   * Who runs the engine: this thread ("direct"), a worker ("relay"), or, by default ("auto"), this
   * thread if it can hold the device.
   */
  access?: "auto" | "direct" | "relay";
  /** The relay's worker, where its script is, or how to make one. Default: our own. */
  worker?: WorkerGiven;
  /** "spin": synchronous calls on a page's main thread keep it busy until the answer comes. */
  blocking?: "spin";
  /** Whether to ask the browser to keep the data when space gets scarce. Default false. */
  persist?: boolean;
  /** How long the relay may show no sign of life, in ms. Default 30,000. */
  deadlineMs?: number;
  /**
   * How long to wait for another holder to let go, in ms. Default 2,000. In a browser 100 at least: there
   * what was let go of is free a moment later.
   */
  busyTimeoutMs?: number;
  /** Size of a channel's request area in bytes. Default 1 MiB, at least 16 KiB. */
  areaBytes?: number;
  /**
   * Bytes of file data that a client of a relay keeps; attributes and names come on top. Default
   * 16 MiB; 0 keeps nothing at all, so that every call asks the relay.
   */
  cacheBytes?: number;
  /** Whether the device is tried out before a client is served. Default false. */
  sanityCheck?: boolean;
}

/** Lets one more thread in: send it there with postMessage and open it, once. */
export interface VolumeTicket {
  /** Distinguishes a ticket from everything else. */
  readonly kind: "cairn ticket";
  /** The volume's name. */
  readonly name: string;
  /** Where its relay listens. */
  readonly address: RelayAddress;
  /** The channel of synchronous calls, and that of promises. */
  readonly channels: readonly [ChannelBuffers, ChannelBuffers];
  /** How the volume is open there: a client that asks for something else is refused. */
  readonly opened: OpenedWith;
}

/** What all clients of a relay have in common: how its volume was opened first. */
export interface OpenedWith {
  /** The engine's options. */
  readonly engine: EngineSettings;
  /** Whether the device was tried out. */
  readonly sanityCheck: boolean;
}

/**
 * The options that were meant: a name, a device and a ticket stand for themselves.
 *
 * @throws {ErrnoError} EINVAL for an invalid name, or for an option of the wrong kind
 */
export function openOptions(
  what: string | StorageHandle | VolumeTicket | OpenOptions,
): OpenOptions {
  if (typeof what === "string") return { name: what };
  if (what === undefined) throw new ErrnoError("EINVAL", "open a volume", { why: "say which" });
  const given = optionsOf<object>(what, "volume");
  if ("kind" in given && given.kind === "cairn ticket") return { ticket: what as VolumeTicket };
  if ("getSize" in given) return { handle: what as StorageHandle };
  check(given);
  return given;
}

/** What the engine does not look at itself. */
function check(options: OpenOptions): void {
  textOption(options.name, "", "name");
  choiceOption(options.access, ["auto", "direct", "relay"], "access");
  choiceOption(options.blocking, ["spin"], "blocking");
  countOption(options.deadlineMs, 1, "deadlineMs", 1);
  countOption(options.busyTimeoutMs, 0, "busyTimeoutMs");
  countOption(options.areaBytes, MIN_AREA_BYTES, "areaBytes", MIN_AREA_BYTES);
  countOption(options.cacheBytes, 0, "cacheBytes");
}

/** An option that only a new volume has: a second opener finds the volume there. */
const OF_NEW = Symbol("of a new volume");

/**
 * Every option of the engine, with its default; the compiler finds one that is missing. What the
 * engine takes goes to it whole, wherever it runs.
 */
const ENGINE: Readonly<Record<keyof EngineSettings, unknown>> = {
  create: OF_NEW,
  blockSize: OF_NEW,
  ringBytes: OF_NEW,
  label: OF_NEW,
  slots: OF_NEW,
  limitBytes: OF_NEW,
  readOnly: false,
  poolBytes: POOL_BYTES_DEFAULT,
  maxBytes: undefined,
  quotaBytes: undefined,
  durability: "periodic",
  commitIntervalMs: INTERVAL_MS_DEFAULT,
};

/**
 * What a relay is opened with.
 *
 * @throws {ErrnoError} EINVAL for a function, which cannot be sent to another thread
 */
export function openedWith(options: OpenOptions): OpenedWith {
  for (const key of ["clock", "random"] as const) {
    if (options[key] === undefined) continue;
    throw new ErrnoError("EINVAL", `send the option "${key}" to a relay`, {
      why: "it is a function",
    });
  }
  const given = options as Readonly<Record<string, unknown>>;
  const engine = Object.fromEntries(
    Object.keys(ENGINE).filter((key) => given[key] !== undefined).map((key) => [key, given[key]]),
  );
  return { engine, sanityCheck: options.sanityCheck ?? false };
}

/**
 * Makes sure that a volume which is open already is open as a further caller wants it. What a caller
 * does not ask for may be anything.
 *
 * @throws {ErrnoError} EBUSY that names the option
 */
export function assertOpenedWith(path: string, is: OpenedWith, wanted: OpenedWith): void {
  const [has, asks] = [is.engine, wanted.engine] as Readonly<Record<string, unknown>>[];
  for (const [key, fallback] of Object.entries(ENGINE)) {
    if (fallback === OF_NEW || asks![key] === undefined) continue;
    const value = has![key] ?? fallback;
    if (asks![key] !== value) throw contradiction(path, key, { value, asked: asks![key] });
  }
  if (wanted.sanityCheck && !is.sanityCheck) {
    throw contradiction(path, "sanityCheck", { value: false, asked: true });
  }
}

function contradiction(
  path: string,
  key: string,
  { value, asked }: { value: unknown; asked: unknown },
): ErrnoError {
  const has = value === undefined ? `without "${key}"` : `with ${key} ${JSON.stringify(value)}`;
  const why = `it is open here already ${has}, which all who use it share`;
  return new ErrnoError("EBUSY", `open "${path}" with ${key} ${JSON.stringify(asked)}`, { why });
}
