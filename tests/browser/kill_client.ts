/** A client in a thread of its own, which does what each message says: one message, one answer. */
import { type OpenedVolume, openVolume, type VolumeTicket } from "../../opfs/compose/open.ts";
import { LockKind, type LockRequest } from "../../opfs/volume_ops.ts";

declare const navigator: {
  locks: { request(name: string, held: () => unknown): Promise<unknown> };
};

interface WorkerScope {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown): void;
}

const scope = self as unknown as WorkerScope;
const LOCK: LockRequest = { kind: LockKind.FLOCK, owner: 1, type: 1, start: 0, end: 0, wait: true };
let volume: OpenedVolume | null = null;
let log = 0;
let held = 0;

const jobs: Record<string, (volume: OpenedVolume) => unknown> = {
  /** Something to give back at death: a lock, and a file that no other client can reach. */
  hold(volume) {
    const { ino } = volume.createRetain!(volume.root, "orphan", {
      mode: 0o100644,
      uid: 0,
      gid: 0,
    });
    volume.unlink(volume.root, "orphan");
    volume.lock!(held, LOCK);
    return ino;
  },
  append: (volume) => volume.append(log, new Uint8Array(100)).count,
  appendMuch: (volume) => volume.append(log, new Uint8Array(50_000)).count,
  lock: (volume) => volume.lock!(held, LOCK),
  unlock: (volume) => volume.unlock!(held, 1, LockKind.FLOCK),
  size: (volume) => volume.getattr(log).size,
  leave: (volume) => volume.close(),
};

/** The lock named `life` is held as long as the thread lives. */
async function attach(ticket: VolumeTicket, life: string): Promise<void> {
  await new Promise<void>((resolve) => {
    navigator.locks.request(life, () => {
      resolve();
      return new Promise(() => {});
    });
  });
  volume = await openVolume({ ticket, cacheBytes: 0 });
  log = volume.lookup(volume.root, "log");
  held = volume.lookup(volume.root, "held");
}

scope.onmessage = async ({ data }) => {
  try {
    const value = data.ticket
      ? await attach(data.ticket, data.life)
      : await jobs[data.job]!(volume!);
    scope.postMessage({ value });
  } catch (error) {
    scope.postMessage({ code: (error as { code?: string }).code ?? String(error) });
  }
};
