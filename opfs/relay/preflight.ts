/**
 * Preflight: what a way of opening needs of its platform, checked before anything is made.
 *
 * Layer: relay, used by `open.ts` for the caller's thread and by `worker.ts` for its own. Without
 * it a missing feature shows as a TypeError in the middle, or as the death of a worker. Each way
 * checks only for what it uses; the error names all that is missing, and what to do.
 *
 * Use: `preflight('open volume "notes"', [Feature.WORKER, Feature.WAIT_ASYNC])`.
 *
 * @module
 */
import { ErrnoError } from "../../abi/errno.ts";

/** What a platform may lack. */
export const Feature = {
  WORKER: "WORKER",
  WAIT_ASYNC: "WAIT_ASYNC",
  SHARED_MEMORY: "SHARED_MEMORY",
  SYNC_HANDLE: "SYNC_HANDLE",
} as const;

/** One of them. */
export type Feature = typeof Feature[keyof typeof Feature];

/** The part of a global scope that is checked. */
export interface Platform {
  /** Starts threads; missing in some shared and service workers. */
  Worker?: unknown;
  /** Memory that threads share. */
  SharedArrayBuffer?: unknown;
  /** Waits for it. */
  Atomics?: { waitAsync?: unknown };
  /** Files of the origin private file system. */
  FileSystemFileHandle?: { prototype: object };
}

/** What a page has to do that is not cross-origin isolated. */
export const ISOLATION_ADVICE: string =
  "without cross-origin isolation there is no SharedArrayBuffer; serve the page with " +
  "Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp, " +
  "or open the volume in a worker, which needs neither";

const CHECKS: Readonly<
  Record<Feature, { isThere: (platform: Platform) => boolean; advice: string }>
> = {
  WORKER: {
    isThere: ({ Worker }) => typeof Worker === "function",
    advice: "no Worker can be started here, as in a shared or service worker; open the volume in " +
      "a page or in a dedicated worker",
  },
  WAIT_ASYNC: {
    isThere: ({ Atomics }) => typeof Atomics?.waitAsync === "function",
    advice: "Atomics.waitAsync is missing, without which threads cannot share a volume; update " +
      "the browser (Firefox has it since version 145), or open the volume in one dedicated worker",
  },
  SHARED_MEMORY: {
    isThere: ({ SharedArrayBuffer }) => typeof SharedArrayBuffer === "function",
    advice: ISOLATION_ADVICE,
  },
  SYNC_HANDLE: {
    isThere: ({ FileSystemFileHandle }) =>
      FileSystemFileHandle !== undefined &&
      "createSyncAccessHandle" in FileSystemFileHandle.prototype,
    advice: "createSyncAccessHandle is missing, which browsers have in dedicated workers only; " +
      'open the volume in one, or leave the choice to access: "auto"',
  },
};

/** Whether a platform has a feature. */
export function hasFeature(feature: Feature, platform: Platform = globalThis): boolean {
  return CHECKS[feature].isThere(platform);
}

/**
 * Throws unless all features are there.
 *
 * @throws {ErrnoError} ENOTSUP that names each missing feature, and what to do
 */
export function preflight(
  action: string,
  needs: readonly Feature[],
  platform: Platform = globalThis,
): void {
  const missing = needs.filter((feature) => !hasFeature(feature, platform));
  if (missing.length === 0) return;
  const advice = missing.map((feature) => CHECKS[feature].advice).join("; and ");
  throw new ErrnoError("ENOTSUP", action, { why: advice });
}
