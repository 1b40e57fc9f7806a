/**
 * What the browser says of the data's future: whether it is kept, and how much there may be.
 *
 * Layer: relay, used by `open.ts`. Where there is no such browser everything is null.
 *
 * @module
 */

/** What the browser says of the data's future. */
export interface StorageReport {
  /** Whether the browser will keep the data when space gets scarce; null where that is not known. */
  persisted: boolean | null;
  /** Bytes that this origin may use; null where that is not known. */
  quotaBytes: number | null;
  /** Bytes that this origin uses; null where that is not known. */
  usageBytes: number | null;
}

interface StorageManager {
  persist?(): Promise<boolean>;
  persisted?(): Promise<boolean>;
  estimate?(): Promise<{ quota?: number; usage?: number }>;
}

/** Some browsers ask the user; the answer counts whenever it comes, but it is waited for no longer. */
const LONGEST_WAIT_MS = 1000;

/** Asks the browser to keep the data if `persist` says so, and what it says of it. */
export async function storageReport({ persist }: { persist?: boolean }): Promise<StorageReport> {
  const { storage } = (globalThis as { navigator?: { storage?: StorageManager } }).navigator ?? {};
  const asked = persist ? await soon(storage?.persist?.()) : undefined;
  const persisted = asked ?? await soon(storage?.persisted?.()) ?? null;
  const estimate = await soon(storage?.estimate?.());
  return { persisted, quotaBytes: estimate?.quota ?? null, usageBytes: estimate?.usage ?? null };
}

async function soon<T>(asked?: Promise<T>): Promise<T | undefined> {
  if (asked === undefined) return undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), LONGEST_WAIT_MS);
  });
  const answer = await Promise.race([asked.catch(() => undefined), late]);
  clearTimeout(timer);
  return answer;
}
