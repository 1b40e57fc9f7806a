/**
 * Transfers: reads, writes, appends, whole files and the values of attributes, in one chunk or many.
 *
 * Layer: relay. The volume reads into the area and writes out of it. A chunk is one step of the
 * relay's loop, so a long transfer never keeps others waiting. A write that fails after its first
 * piece answers the short count of what is done (R3), an append too. It fixes its place with the first
 * chunk and holds the file's append turn to the last. An attribute's value comes and goes as a whole:
 * its chunks are put together, or cut off, in memory.
 *
 * @module
 */
import { ErrnoError, isErrnoError } from "../../abi/errno.ts";
import { invariant } from "../../abi/invariant.ts";
import { shownIno } from "../../abi/words.ts";
import type { Ino, VolumeOps } from "../volume_ops.ts";
import { Op } from "./operations.ts";
import type { TransferOp } from "./rows.ts";
import { isPathOp, PathOp, type PathOpCode } from "./path_operations.ts";
import type { PathOps } from "./path_ops.ts";
import {
  FLAG_QUIET,
  MAX_TRANSFER_BYTES,
  RESPONSE_BYTES,
  Signal,
  VALUE_BYTES_MAX,
} from "./protocol.ts";
import { packNames } from "./records.ts";
import type { ServedChannel } from "./served_channel.ts";
import type { FileWrite, Incoming, Outgoing, StreamWrite, Transfer } from "./transfer.ts";

/** What came of one step: so many bytes have moved and all is done, or more chunks follow, or it has to wait. */
export type Step = number | "more" | "locked";

/** Reads, writes and appends of all channels on one volume. */
export class Transfers {
  readonly #volume: VolumeOps;
  readonly #paths: PathOps | null;
  /** Who is in the middle of an append, by slot: operations by path know no generation. */
  readonly #turns = new Map<number, ServedChannel>();

  /** Transfers to and from `volume`, and to and from the files of `paths`. */
  constructor(volume: VolumeOps, paths: PathOps | null = null) {
    this.#volume = volume;
    this.#paths = paths;
  }

  /** Whether no client is in the middle of an append to `ino`. */
  isTurnFree(ino: Ino): boolean {
    return !this.#turns.has(shownIno(ino));
  }

  /** Begins what the channel's reader has open. */
  begin(channel: ServedChannel): Step {
    const { reader } = channel;
    invariant(channel.state === "IDLE", "R2: a payload begins inside of another");
    if (isPathOp(reader.op)) return this.#beginPath(channel, reader.op);
    const op = reader.op as TransferOp;
    if (op === Op.STORE) return this.#beginStore(channel);
    const ino = reader.ino();
    switch (op) {
      case Op.READ:
        return this.#beginRead(channel, ino);
      case Op.WRITE:
        return this.#beginIn(channel, { kind: "write", ino, at: reader.f64() });
      case Op.APPEND:
        return this.#beginAppend(channel, ino);
      case Op.SETXATTR:
        return this.#beginValue(channel, ino);
      case Op.GETXATTR:
        return this.#sendValue(channel, this.#volume.getxattr(ino, reader.path()));
      case Op.LISTXATTR:
        return this.#sendValue(channel, packNames(this.#volume.listxattr(ino)));
      default:
        return unserved(op);
    }
  }

  /** Takes in the next chunk of a request. */
  continueIn(channel: ServedChannel): Step {
    const { transfer, progress, header, memory } = channel;
    const isBegun = channel.state === "CHUNK_IN" && transfer !== null && isIncoming(transfer);
    invariant(isBegun, "R2: a payload goes on that was not begun");
    const isNext = header.chunkIndex === progress.chunkIndex + 1;
    const left = progress.total - progress.done;
    const count = header.chunkBytes;
    if (!isNext || count === 0 || count > memory.area.length || count > left) {
      this.forget(channel);
      throw new ErrnoError("EPROTO", `take chunk ${header.chunkIndex} of ${count} bytes`);
    }
    progress.chunkIndex += 1;
    progress.movedAt = performance.now();
    return this.#takePiece(channel, transfer, { from: 0, to: count });
  }

  /** Sends the next chunk of an answer. */
  continueOut(channel: ServedChannel): Step {
    const { transfer, progress } = channel;
    const isBegun = channel.state === "CHUNK_OUT" && transfer !== null && !isIncoming(transfer);
    invariant(isBegun, "R2: a payload goes on that was not begun");
    progress.movedAt = performance.now();
    return this.#sendPiece(channel, transfer, 0);
  }

  /** Abandons the transfer in progress, for any reason. */
  forget(channel: ServedChannel): void {
    const { transfer } = channel;
    channel.transfer = null;
    if (channel.state !== "CLOSED") channel.state = "IDLE";
    if (transfer === null) return;
    const slot = turnOf(transfer);
    if (slot !== 0 && this.#turns.get(slot) === channel) this.#turns.delete(slot);
    if ("stream" in transfer && transfer.ends) this.#paths?.close(channel, transfer.stream);
  }

  #beginPath(channel: ServedChannel, op: PathOpCode): Step {
    const { reader } = channel;
    const paths = this.#needPaths();
    if (op === PathOp.READDIR) {
      const bytes = paths.list(reader.path(), (reader.flags & 1) !== 0);
      return this.#beginOut(channel, { kind: "answer", status: 0, bytes }, bytes.length);
    }
    const { stream, at, length, ends } = paths.begin(channel);
    if (op === PathOp.READ || op === PathOp.FREAD) {
      return this.#beginOut(channel, { kind: "streamRead", stream, at, ends }, length);
    }
    const turn = op === PathOp.APPEND ? shownIno(paths.inodeOf(stream)) : 0;
    const transfer: StreamWrite = { kind: "streamWrite", op, stream, at, ends, turn };
    // What goes wrong from here on closes the stream.
    channel.transfer = transfer;
    if (turn !== 0 && !this.isTurnFree(turn)) return this.#awaitTurn(channel, turn);
    if (turn !== 0) this.#turns.set(turn, channel);
    return this.#beginIn(channel, transfer);
  }

  #needPaths(): PathOps {
    invariant(this.#paths !== null, "R2: an operation by path is begun that is not served");
    return this.#paths;
  }

  #awaitTurn(channel: ServedChannel, ino: Ino): Step {
    this.forget(channel);
    channel.awaited = ino;
    channel.state = "LOCKED";
    return "locked";
  }

  #beginRead(channel: ServedChannel, ino: Ino): Step {
    const { reader, memory } = channel;
    const at = reader.f64();
    const wanted = Math.min(reader.u32(), MAX_TRANSFER_BYTES);
    const isQuiet = (reader.flags & FLAG_QUIET) !== 0;
    if (wanted <= memory.area.length - RESPONSE_BYTES) {
      const into = memory.area.subarray(RESPONSE_BYTES, RESPONSE_BYTES + wanted);
      const count = counted(this.#volume.read(ino, into, at, isQuiet), into.length);
      channel.writer.beginResponse();
      channel.answer(0, count);
      return count;
    }
    const { size } = this.#volume.getattr(ino);
    const total = Math.max(0, Math.min(wanted, size - at));
    return this.#beginOut(channel, { kind: "read", ino, at, isQuiet }, total);
  }

  /** Answers status 1 and a value, or status 0 for none. */
  #sendValue(channel: ServedChannel, value: Uint8Array | null): Step {
    if (value === null) {
      channel.writer.beginResponse();
      channel.answer(0);
      return 0;
    }
    const bytes = new Uint8Array(value);
    return this.#beginOut(channel, { kind: "answer", status: 1, bytes }, bytes.length);
  }

  /** Takes in a value, to be set with its last piece. */
  #beginValue(channel: ServedChannel, ino: Ino): Step {
    const { reader } = channel;
    const flags = reader.u32();
    const name = reader.path();
    const total = payloadBytes(channel);
    if (total > VALUE_BYTES_MAX) {
      throw new ErrnoError("E2BIG", `set an attribute of ${total} bytes`);
    }
    const bytes = new Uint8Array(total);
    return this.#beginIn(channel, { kind: "value", ino, name, flags, bytes });
  }

  /** Makes the file, or cuts it to nothing, and writes it. */
  #beginStore(channel: ServedChannel): Step {
    const { reader } = channel;
    const parent = reader.ino();
    const name = reader.path();
    const options = { mode: reader.u32(), uid: reader.u32(), gid: reader.u32() };
    payloadBytes(channel);
    const known = this.#volume.lookup(parent, name);
    if (known !== 0) this.#volume.setattr(known, { size: 0 });
    const ino = known !== 0 ? known : this.#volume.create(parent, name, options);
    return this.#beginIn(channel, { kind: "store", ino, at: 0 });
  }

  #beginAppend(channel: ServedChannel, ino: Ino): Step {
    const { reader, memory, progress } = channel;
    if (!this.isTurnFree(ino)) return this.#awaitTurn(channel, ino);
    const total = payloadBytes(channel);
    const piece = memory.area.subarray(reader.at, reader.end);
    const { at, count } = this.#volume.append(ino, piece);
    const transfer: FileWrite = { kind: "append", ino, at };
    start(channel, transfer, total);
    progress.done = counted(count, piece.length);
    if (count < piece.length || count === total) return this.#finish(channel, transfer);
    this.#turns.set(shownIno(ino), channel);
    return this.#acknowledge(channel);
  }

  #beginIn(channel: ServedChannel, transfer: Incoming): Step {
    const { reader } = channel;
    start(channel, transfer, payloadBytes(channel));
    return this.#takePiece(channel, transfer, { from: reader.at, to: reader.end });
  }

  #beginOut(channel: ServedChannel, transfer: Outgoing, total: number): Step {
    start(channel, transfer, total);
    return this.#sendPiece(channel, transfer, RESPONSE_BYTES);
  }

  /** Reads the next piece after byte `from` of the area and hands it over. */
  #sendPiece(channel: ServedChannel, transfer: Outgoing, from: number): Step {
    const { progress, memory, writer } = channel;
    const isFirst = from > 0;
    const room = Math.min(memory.area.length - from, progress.total - progress.done);
    const piece = memory.area.subarray(from, from + room);
    const count = this.#tryRead(transfer, piece, progress.done);
    progress.done += count;
    const isLast = count < room || progress.done >= progress.total;
    // What ends with its first piece says its true length; later it can only end short.
    const total = isFirst && isLast ? count : progress.total;
    const status = transfer.kind === "answer" ? transfer.status : 0;
    if (isFirst) writer.beginResponse().endResponse(status, total);
    const chunkIndex = isFirst ? 0 : ++progress.chunkIndex;
    if (isLast) this.forget(channel);
    else channel.state = "CHUNK_OUT";
    const totalBytes = RESPONSE_BYTES + total;
    const signal = isLast ? Signal.RESPONSE : Signal.CHUNK;
    channel.publish(signal, { chunkBytes: from + count, totalBytes, chunkIndex });
    return isLast ? progress.done : "more";
  }

  /** After the first piece a failure is a short read; the caller's next call meets it again. */
  #tryRead(transfer: Outgoing, piece: Uint8Array, done: number): number {
    if (transfer.kind === "answer") {
      piece.set(transfer.bytes.subarray(done, done + piece.length));
      return piece.length;
    }
    try {
      const at = transfer.at < 0 ? -1 : transfer.at + done;
      const count = transfer.kind === "read"
        ? this.#volume.read(transfer.ino, piece, at, transfer.isQuiet)
        : this.#needPaths().read(transfer.stream, piece, at);
      return counted(count, piece.length);
    } catch (error) {
      if (done === 0) throw error;
      return 0;
    }
  }

  /** Takes in bytes `from` to `to` of the area. */
  #takePiece(
    channel: ServedChannel,
    transfer: Incoming,
    { from, to }: { from: number; to: number },
  ): Step {
    const { progress, memory } = channel;
    const piece = memory.area.subarray(from, to);
    const count = this.#tryTake(channel, transfer, piece);
    progress.done += count;
    const isLast = count < piece.length || progress.done === progress.total;
    return isLast ? this.#finish(channel, transfer) : this.#acknowledge(channel);
  }

  /** After the first piece a failure is a short count; only a whole path's APPEND answers none. */
  #tryTake(channel: ServedChannel, transfer: Incoming, piece: Uint8Array): number {
    const { done } = channel.progress;
    if (transfer.kind === "value") {
      transfer.bytes.set(piece, done);
      return piece.length;
    }
    try {
      return counted(this.#write(transfer, piece, done), piece.length);
    } catch (error) {
      // A file that is stored is there by now: its caller learns how much of it.
      const isPartial = done > 0 || transfer.kind === "store" && isFull(error);
      if (isPartial && !isWholeAppend(transfer)) return 0;
      this.#takeBack(transfer, done);
      this.forget(channel);
      throw error;
    }
  }

  #write(transfer: FileWrite | StreamWrite, piece: Uint8Array, done: number): number {
    const at = transfer.at < 0 ? -1 : transfer.at + done;
    if (transfer.kind !== "streamWrite") return this.#volume.write(transfer.ino, piece, at);
    return this.#needPaths().write(transfer.stream, piece, at);
  }

  /**
   * A whole path's APPEND answers no count, so what it has added is cut off when it cannot go on: if
   * it is still the end of the file. Where that is refused too, a part stays.
   */
  #takeBack(transfer: Incoming, done: number): void {
    if (done === 0 || !isWholeAppend(transfer)) return;
    const { stream, at } = transfer;
    const paths = this.#needPaths();
    try {
      if (paths.sizeOf(stream) === at + done) paths.cut(stream, at);
    } catch (error) {
      if (!isErrnoError(error)) throw error;
    }
  }

  #acknowledge(channel: ServedChannel): Step {
    channel.state = "CHUNK_IN";
    const { chunkIndex, total } = channel.progress;
    channel.publish(Signal.CHUNK_ACK, { chunkBytes: 0, totalBytes: total, chunkIndex });
    return "more";
  }

  /** Leaves the answer in the writer: an append's place and count, a write's count. */
  #finish(channel: ServedChannel, transfer: Incoming): Step {
    const { writer } = channel;
    const { done, total } = channel.progress;
    const isWhole = done === total;
    if (!isWhole) this.#takeBack(transfer, done);
    this.forget(channel);
    if (transfer.kind === "value") {
      this.#volume.setxattr(transfer.ino, transfer.name, transfer.bytes, transfer.flags);
    }
    writer.beginResponse();
    if (transfer.kind === "append") writer.f64(transfer.at).u32(done);
    if (transfer.kind === "store") writer.ino(transfer.ino);
    if (transfer.kind !== "streamWrite") return done;
    if (transfer.op === PathOp.FWRITE) writer.u32(done);
    // The others answer nothing, so a file that was written in part is an error.
    else if (!isWhole) throw new ErrnoError("ENOSPC", "write the file");
    return done;
  }
}

/** A row of `operations.ts` that sends or fetches has a case above: the compiler asks for it. */
function unserved(op: never): never {
  throw new ErrnoError("ENOSYS", `serve operation ${op}`);
}

function isIncoming(transfer: Transfer): transfer is Incoming {
  const { kind } = transfer;
  return kind !== "read" && kind !== "answer" && kind !== "streamRead";
}

function isWholeAppend(transfer: Incoming): transfer is StreamWrite {
  return transfer.kind === "streamWrite" && transfer.op === PathOp.APPEND;
}

/** The slot whose append turn a transfer may have; 0 for none. */
function turnOf(transfer: Transfer): number {
  if (transfer.kind === "append") return shownIno(transfer.ino);
  return transfer.kind === "streamWrite" ? transfer.turn : 0;
}

/** What a volume says of a piece; it can have moved no more than the piece. */
function counted(count: number, lengthBytes: number): number {
  invariant(count >= 0 && count <= lengthBytes, "R3: more is moved than there is");
  return count;
}

function isFull(error: unknown): boolean {
  return isErrnoError(error) && error.code === "ENOSPC";
}

/** Bytes of payload of the open request, over all its chunks. */
function payloadBytes({ reader }: ServedChannel): number {
  const here = reader.end - reader.at;
  const total = reader.payloadBytes();
  if (here > total || (here === 0 && total > 0) || total > MAX_TRANSFER_BYTES) {
    throw new ErrnoError("EPROTO", `take a payload of ${total} bytes`);
  }
  return total;
}

function start(channel: ServedChannel, transfer: Transfer, total: number): void {
  const { progress } = channel;
  channel.transfer = transfer;
  progress.done = 0;
  progress.total = total;
  progress.chunkIndex = 0;
  progress.movedAt = performance.now();
}
