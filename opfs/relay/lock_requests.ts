/**
 * Lock requests: advisory locks over the wire, on both sides of the channel.
 *
 * Layer: relay, beside `requests.ts` and `dispatch.ts`. The relay adds the channel to each owner. A
 * request that has to wait is a state of its channel: it is begun again when its ticket says that
 * the lock is held, and the relay has waited for nobody.
 *
 * @module
 */
import { invariant } from "../../abi/invariant.ts";
import type { VolumeLocks } from "../locks.ts";
import type { BlockingLock, Ino, LockRequest } from "../volume_ops.ts";
import type { Reader, Writer } from "./cursor.ts";
import { Op } from "./protocol.ts";
import type { ServedChannel } from "./served_channel.ts";

/** LOCK and TESTLOCK. */
export function askLock(writer: Writer, op: number, ino: Ino, request: LockRequest): void {
  const { kind, owner, type, start, end, wait } = request;
  writer.begin(op).ino(ino).u32(kind).u32(owner).u32(type).u32(wait ? 1 : 0).f64(start).f64(end);
}

/** UNLOCK. */
export function askUnlock(writer: Writer, ino: Ino, owner: number, kind: number): void {
  writer.begin(Op.UNLOCK).ino(ino).u32(kind).u32(owner);
}

/** What TESTLOCK answers: nothing, or the lock in the way. */
export function readBlocking(reader: Reader): BlockingLock | null {
  if (reader.dataBytes === 0) return null;
  const [type, start, end] = [reader.u32(), reader.f64(), reader.f64()];
  return { type, start, end, owner: reader.f64() };
}

/** Whether a number is one of these. */
export function isLockOp(op: number): boolean {
  return op === Op.LOCK || op === Op.TESTLOCK || op === Op.UNLOCK;
}

/** Does a lock request, and leaves its answer in the writer. False if the channel has to wait. */
export function serveLock(locks: VolumeLocks, channel: ServedChannel): boolean {
  const { reader, writer, id } = channel;
  // A request that was begun again has its lock.
  const isHeld = channel.ticket !== null;
  invariant(channel.ticket?.isHeld ?? true, "R5: a request goes on without its lock");
  channel.ticket = null;
  const ino = reader.ino();
  if (reader.op === Op.UNLOCK) {
    const kind = reader.u32();
    locks.release(id, ino, { kind, owner: reader.u32() });
  } else if (reader.op === Op.LOCK && !isHeld) {
    channel.ticket = locks.take(id, ino, readRequest(reader));
  }
  if (channel.ticket !== null) return false;
  const blocking = reader.op === Op.TESTLOCK ? locks.test(id, ino, readRequest(reader)) : null;
  writer.beginResponse();
  if (blocking === null) return true;
  writer.u32(blocking.type).f64(blocking.start).f64(blocking.end).f64(blocking.owner);
  return true;
}

function readRequest(reader: Reader): LockRequest {
  const [kind, owner, type, wait] = [reader.u32(), reader.u32(), reader.u32(), reader.u32()];
  return { kind, owner, type, wait: wait !== 0, start: reader.f64(), end: reader.f64() };
}
