/**
 * What a cache is told, and what it tells.
 *
 * Layer: opfs/cache, bottom (types only).
 *
 * @module
 */

/** How much a cache keeps. */
export interface CacheOptions {
  /** Bytes of file data. Default 16 MiB; 0 keeps none. */
  pageBytes?: number;
  /** Inodes and names. Default 65,536. */
  entries?: number;
  /** The time in ms; it tells when a read moves atime. Default `Date.now`. */
  clock?: () => number;
}

/** What a cache was asked, and what it could answer itself. */
export interface CacheMetrics {
  /** Attributes, names and link targets that it had. */
  hits: number;
  /** Those that it had to ask for. */
  misses: number;
  /** Reads that it answered itself. */
  readHits: number;
  /** Times that it forgot everything because somebody else had changed something. */
  resets: number;
}
