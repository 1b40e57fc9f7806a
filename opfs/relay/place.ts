/**
 * Place: from a volume's name to where it is, and what this thread can do there.
 *
 * Layer: relay, used by `open.ts`. Only asks the environment; nothing is opened.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";
import type { VolumePlace } from "./messages.ts";
import { Feature, hasFeature } from "./preflight.ts";

interface Environment {
  process?: { getBuiltinModule?: unknown };
  navigator?: { storage?: { getDirectory?: unknown } };
  isSecureContext?: boolean;
}

const here = globalThis as Environment;

/** Whether volumes are files of a host here: Deno and Node. */
export function hasHostFiles(): boolean {
  return typeof here.process?.getBuiltinModule === "function";
}

/**
 * Where the volume of this name is: `./<name>.cairn` under Deno, where a name with a slash or that
 * ending is a path; `/<name>.cairn` in the origin private file system elsewhere.
 *
 * @throws {ErrnoError} EINVAL for an empty name, ENOTSUP where there is neither
 */
export function placeOf(name: string): VolumePlace {
  if (name === "" || name.includes("\0")) throw new ErrnoError("EINVAL", `open volume "${name}"`);
  const path = name.endsWith(".cairn") ? name : `${name}.cairn`;
  if (hasHostFiles()) return { kind: "host", path: name.includes("/") ? name : path };
  if (typeof here.navigator?.storage?.getDirectory === "function") {
    // One volume has one path, and with it one lock and one relay.
    return { kind: "opfs", path: `/${path}`.replace(/\/+/g, "/") };
  }
  const why = here.isSecureContext === false
    ? "a page without https has no origin private file system"
    : "there is no origin private file system here";
  throw new ErrnoError("ENOTSUP", `open volume "${name}"`, { why });
}

/** Whether this thread can hold the device of a volume itself. */
export function canHoldDevice(place: VolumePlace): boolean {
  return place.kind === "host" || hasFeature(Feature.SYNC_HANDLE);
}

/** Whether memory can be shared with a relay. */
export function canShare(): boolean {
  return hasFeature(Feature.SHARED_MEMORY);
}
