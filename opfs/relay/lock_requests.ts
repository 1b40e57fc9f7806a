/**
 * Lock requests: advisory locks as the relay serves them.
 *
 * Layer: relay, beside `dispatch.ts`. The relay adds the channel to each owner. A request that has
 * to wait becomes the state of its channel: it is served again when its ticket says that the lock
 * is held. The relay itself never waits.
 *
 * @module
 */
import { invariant } from "../../abi/invariant.ts";
import type { VolumeLocks } from "../locks.ts";
import { Op } from "./operations.ts";
import { readLockRequest, writeBlocking } from "./records.ts";
import type { ServedChannel } from "./served_channel.ts";

/** Serves a lock request, and leaves its answer in the writer. False if the channel has to wait. */
export function serveLock(locks: VolumeLocks, channel: ServedChannel): boolean {
  const { reader, writer, id } = channel;
  // A request that is served again has its lock.
  const isHeld = channel.ticket !== null;
  invariant(channel.ticket?.isHeld ?? true, "R5: a request goes on without its lock");
  channel.ticket = null;
  const ino = reader.ino();
  if (reader.op === Op.UNLOCK) {
    const kind = reader.u32();
    locks.release(id, ino, { kind, owner: reader.u32() });
  } else if (reader.op === Op.LOCK && !isHeld) {
    channel.ticket = locks.take(id, ino, readLockRequest(reader));
  }
  if (channel.ticket !== null) return false;
  const isTest = reader.op === Op.TESTLOCK;
  const blocking = isTest ? locks.test(id, ino, readLockRequest(reader)) : null;
  writer.beginResponse();
  if (blocking !== null) writeBlocking(writer, blocking);
  return true;
}
