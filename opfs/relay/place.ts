/**
 * Place: from a volume's name to where it is, and what this thread can do there.
 *
 * Layer: relay, used by `open.ts`. Pure questions to the environment; nothing is opened.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";
import type { VolumePlace } from "./messages.ts";

interface Environment {
  process?: { getBuiltinModule?: unknown };
  navigator?: { storage?: { getDirectory?: unknown } };
  FileSystemFileHandle?: { prototype: object };
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
    return { kind: "opfs", path: path.startsWith("/") ? path : `/${path}` };
  }
  const why = here.isSecureContext === false
    ? "a page without https has no origin private file system"
    : "there is no origin private file system here";
  throw new ErrnoError("ENOTSUP", `open volume "${name}": ${why}`);
}

/** Whether this thread can hold the device of a volume itself. */
export function canHoldDevice(place: VolumePlace): boolean {
  if (place.kind === "host") return true;
  const { prototype } = here.FileSystemFileHandle ?? {};
  return prototype !== undefined && "createSyncAccessHandle" in prototype;
}

/** What a page does that is not cross-origin isolated. */
export const ISOLATION_ADVICE: string =
  "without cross-origin isolation there is no SharedArrayBuffer; serve the page with " +
  "Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp, " +
  "or open the volume in a worker, which needs neither";

/** Whether memory can be shared with a relay. */
export function canShare(): boolean {
  return typeof SharedArrayBuffer === "function";
}

/**
 * Makes sure that memory can be shared with a relay.
 *
 * @throws {ErrnoError} ENOTSUP where it cannot, with what to do
 */
export function assertCanShare(name: string): void {
  if (canShare()) return;
  throw new ErrnoError("ENOTSUP", `open volume "${name}" through a relay: ${ISOLATION_ADVICE}`);
}
