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
import { isPathOp, PathOp } from "./path_operations.ts";
import type { PathOps } from "./path_ops.ts";
import {
  FLAG_QUIET,
  MAX_TRANSFER_BYTES,
  RESPONSE_BYTES,
  Signal,
  VALUE_BYTES_MAX,
} from "./protocol.ts";
import { packNames } from "./records.ts";
import type { ServedChannel, Transfer } from "./served_channel.ts";

/** An inode without its generation. */

/** What came of one step: a whole request is done, or more chunks follow, or it has to wait. */
export type Step = "done" | "more" | "locked";

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
    if (isPathOp(reader.op)) return this.#beginPath(channel, this.#paths as PathOps);
    const op = reader.op as TransferOp;
    if (op === Op.STORE) return this.#beginStore(channel);
    const ino = reader.ino();
    switch (op) {
      case Op.READ:
        return this.#beginRead(channel, ino);
      case Op.WRITE:
        return this.#beginWrite(channel, { ino, at: reader.f64() });
      case Op.APPEND:
        return this.#beginAppend(channel, ino);
      case Op.SETXATTR:
        return this.#beginValue(channel, ino);
      case Op.GETXATTR:
        return this.#sendValue(channel, ino, this.#volume.getxattr(ino, reader.path()));
      case Op.LISTXATTR:
        return this.#sendValue(channel, ino, packNames(this.#volume.listxattr(ino)));
      default:
        return unserved(op);
    }
  }

  /** Takes in the next chunk of a request. */
  continueIn(channel: ServedChannel): Step {
    const { transfer, header, memory } = channel;
    invariant(channel.state === "CHUNK_IN", "R2: a payload goes on that was not begun");
    const isNext = header.chunkIndex === transfer.chunkIndex + 1;
    const left = transfer.total - transfer.done;
    const count = header.chunkBytes;
    if (!isNext || count === 0 || count > memory.area.length || count > left) {
      this.forget(channel);
      throw new ErrnoError("EPROTO", `take chunk ${header.chunkIndex} of ${count} bytes`);
    }
    transfer.chunkIndex += 1;
    transfer.movedAt = performance.now();
    return this.#writePiece(channel, 0, count);
  }

  /** Sends the next chunk of an answer. */
  continueOut(channel: ServedChannel): Step {
    invariant(channel.state === "CHUNK_OUT", "R2: a payload goes on that was not begun");
    channel.transfer.movedAt = performance.now();
    return this.#sendPiece(channel, 0);
  }

  /** Lets go of a transfer in progress, for whatever reason it ends. */
  forget(channel: ServedChannel): void {
    const { transfer } = channel;
    const slot = shownIno(transfer.ino);
    if (this.#turns.get(slot) === channel) this.#turns.delete(slot);
    transfer.value = null;
    if (channel.state !== "CLOSED") channel.state = "IDLE";
    const { stream, endsStream } = transfer;
    transfer.stream = transfer.bytes = null;
    if (stream !== null && endsStream) this.#paths?.close(stream);
  }

  #beginPath(channel: ServedChannel, paths: PathOps): Step {
    const { reader, transfer } = channel;
    if (reader.op === PathOp.READDIR) {
      const bytes = paths.list(reader.path(), (reader.flags & 1) !== 0);
      begin(channel, { ino: 0, at: 0, total: bytes.length });
      transfer.bytes = bytes;
      return this.#sendPiece(channel, RESPONSE_BYTES);
    }
    const { stream, at, length, ends } = paths.begin(channel);
    const ino = reader.op === PathOp.APPEND ? paths.inodeOf(stream) : 0;
    begin(channel, { ino, at, total: length });
    transfer.stream = stream;
    transfer.endsStream = ends;
    if (reader.op === PathOp.READ || reader.op === PathOp.FREAD) {
      return this.#sendPiece(channel, RESPONSE_BYTES);
    }
    if (ino !== 0 && !this.isTurnFree(ino)) return this.#awaitTurn(channel, ino);
    transfer.total = payloadBytes(channel);
    if (ino !== 0) this.#turns.set(shownIno(ino), channel);
    return this.#writePiece(channel, reader.at, reader.end);
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
    if (wanted <= memory.area.length - RESPONSE_BYTES) {
      const into = memory.area.subarray(RESPONSE_BYTES, RESPONSE_BYTES + wanted);
      const isQuiet = (reader.flags & FLAG_QUIET) !== 0;
      const count = counted(this.#volume.read(ino, into, at, isQuiet), into.length);
      channel.transfer.done = count;
      channel.writer.beginResponse();
      channel.answer(0, count);
      return "done";
    }
    const { size } = this.#volume.getattr(ino);
    begin(channel, { ino, at, total: Math.max(0, Math.min(wanted, size - at)) });
    return this.#sendPiece(channel, RESPONSE_BYTES);
  }

  /** Answers status 1 and a value, or status 0 for none. */
  #sendValue(channel: ServedChannel, ino: Ino, value: Uint8Array | null): Step {
    begin(channel, { ino, at: 0, total: value?.length ?? 0 });
    if (value === null) {
      channel.writer.beginResponse();
      channel.answer(0);
      return "done";
    }
    channel.transfer.value = new Uint8Array(value);
    return this.#sendPiece(channel, RESPONSE_BYTES);
  }

  /** Takes in a value, to be set with its last piece. */
  #beginValue(channel: ServedChannel, ino: Ino): Step {
    const { reader, transfer } = channel;
    const flags = reader.u32();
    const name = reader.path();
    const total = payloadBytes(channel);
    if (total > VALUE_BYTES_MAX) {
      throw new ErrnoError("E2BIG", `set an attribute of ${total} bytes`);
    }
    begin(channel, { ino, at: flags, total });
    transfer.name = name;
    transfer.value = new Uint8Array(total);
    return this.#writePiece(channel, reader.at, reader.end);
  }

  /** Reads the next piece into the area, from byte `start` on, and hands it over. */
  #sendPiece(channel: ServedChannel, start: number): Step {
    const { transfer, memory, writer } = channel;
    const isFirst = start > 0;
    const room = Math.min(memory.area.length - start, transfer.total - transfer.done);
    const piece = memory.area.subarray(start, start + room);
    const count = this.#readPiece(channel, piece);
    transfer.done += count;
    const isLast = count < room || transfer.done >= transfer.total;
    // What ends with its first piece says its true length; later it can only end short.
    const total = isFirst && isLast ? count : transfer.total;
    const status = transfer.value === null ? 0 : 1;
    if (isFirst) writer.beginResponse().endResponse(status, total);
    const chunkIndex = isFirst ? 0 : ++transfer.chunkIndex;
    if (isLast) this.forget(channel);
    else channel.state = "CHUNK_OUT";
    const totalBytes = RESPONSE_BYTES + total;
    const signal = isLast ? Signal.RESPONSE : Signal.CHUNK;
    channel.publish(signal, { chunkBytes: start + count, totalBytes, chunkIndex });
    return isLast ? "done" : "more";
  }

  /** After the first piece a failure is a short read; the caller's next call meets it again. */
  #readPiece({ transfer }: ServedChannel, piece: Uint8Array): number {
    if (transfer.value !== null) {
      piece.set(transfer.value.subarray(transfer.done, transfer.done + piece.length));
      return piece.length;
    }
    try {
      return this.#read(transfer, piece);
    } catch (error) {
      if (transfer.done === 0) throw error;
      return 0;
    }
  }

  #read(transfer: Transfer, piece: Uint8Array): number {
    const { stream, bytes, done } = transfer;
    const at = transfer.at < 0 ? -1 : transfer.at + done;
    if (bytes !== null) {
      piece.set(bytes.subarray(done, done + piece.length));
      return piece.length;
    }
    const count = stream === null
      ? this.#volume.read(transfer.ino, piece, at, (transfer.flags & FLAG_QUIET) !== 0)
      : (this.#paths as PathOps).read(stream, piece, at);
    return counted(count, piece.length);
  }

  #write(transfer: Transfer, piece: Uint8Array): number {
    const at = transfer.at < 0 ? -1 : transfer.at + transfer.done;
    const count = transfer.stream === null
      ? this.#volume.write(transfer.ino, piece, at)
      : (this.#paths as PathOps).write(transfer.stream, piece, at);
    return counted(count, piece.length);
  }

  #beginWrite(channel: ServedChannel, { ino, at }: { ino: Ino; at: number }): Step {
    const total = payloadBytes(channel);
    begin(channel, { ino, at, total });
    return this.#writePiece(channel, channel.reader.at, channel.reader.end);
  }

  /** Makes the file, or cuts it to nothing, and writes it. */
  #beginStore(channel: ServedChannel): Step {
    const { reader } = channel;
    const parent = reader.ino();
    const name = reader.path();
    const options = { mode: reader.u32(), uid: reader.u32(), gid: reader.u32() };
    const total = payloadBytes(channel);
    const known = this.#volume.lookup(parent, name);
    if (known !== 0) this.#volume.setattr(known, { size: 0 });
    const ino = known !== 0 ? known : this.#volume.create(parent, name, options);
    begin(channel, { ino, at: 0, total });
    return this.#writePiece(channel, reader.at, reader.end);
  }

  #beginAppend(channel: ServedChannel, ino: Ino): Step {
    const { reader, memory, transfer } = channel;
    if (!this.isTurnFree(ino)) return this.#awaitTurn(channel, ino);
    const total = payloadBytes(channel);
    const piece = memory.area.subarray(reader.at, reader.end);
    const { at, count } = this.#volume.append(ino, piece);
    begin(channel, { ino, at, total });
    transfer.done = counted(count, piece.length);
    if (count < piece.length || count === total) return this.#finishWrite(channel);
    this.#turns.set(shownIno(ino), channel);
    return this.#acknowledge(channel);
  }

  /** Writes bytes `from` to `to` of the area into the file. */
  #writePiece(channel: ServedChannel, from: number, to: number): Step {
    const { transfer, memory } = channel;
    const piece = memory.area.subarray(from, to);
    const count = this.#tryWrite(channel, piece);
    transfer.done += count;
    const isLast = count < piece.length || transfer.done === transfer.total;
    return isLast ? this.#finishWrite(channel) : this.#acknowledge(channel);
  }

  /** After the first piece a failure is a short count; only a whole path's APPEND answers none. */
  #tryWrite(channel: ServedChannel, piece: Uint8Array): number {
    const { transfer } = channel;
    if (transfer.value !== null) {
      transfer.value.set(piece, transfer.done);
      return piece.length;
    }
    try {
      return this.#write(transfer, piece);
    } catch (error) {
      // A file that is stored is there by now: its caller learns how much of it.
      const isPartial = transfer.done > 0 || transfer.op === Op.STORE && isFull(error);
      if (isPartial && transfer.op !== PathOp.APPEND) return 0;
      this.#takeBack(channel);
      this.forget(channel);
      throw error;
    }
  }

  /**
   * A whole path's APPEND answers no count, so what it has added is cut off when it cannot go on: if
   * it is still the end of the file. Where that is refused too, a part stays.
   */
  #takeBack({ transfer }: ServedChannel): void {
    const { op, at, done, stream } = transfer;
    if (done === 0 || op !== PathOp.APPEND || stream === null) return;
    const paths = this.#paths as PathOps;
    try {
      if (paths.sizeOf(stream) === at + done) paths.cut(stream, at);
    } catch (error) {
      if (!isErrnoError(error)) throw error;
    }
  }

  #acknowledge(channel: ServedChannel): Step {
    const { transfer } = channel;
    channel.state = "CHUNK_IN";
    const { chunkIndex, total } = transfer;
    channel.publish(Signal.CHUNK_ACK, { chunkBytes: 0, totalBytes: total, chunkIndex });
    return "more";
  }

  /** Leaves the answer in the writer: an append's place and count, a write's count. */
  #finishWrite(channel: ServedChannel): Step {
    const { transfer, writer } = channel;
    const isWhole = transfer.done === transfer.total;
    if (!isWhole && transfer.op === PathOp.APPEND) this.#takeBack(channel);
    const { ino, name, value, at: flags } = transfer;
    this.forget(channel);
    if (value !== null) this.#volume.setxattr(ino, name, value, flags);
    writer.beginResponse();
    if (transfer.op === PathOp.FWRITE) writer.u32(transfer.done);
    // These answer nothing, so a file that was written in part is an error.
    else if (!isWhole && isPathOp(transfer.op)) throw new ErrnoError("ENOSPC", "write the file");
    if (transfer.op === Op.APPEND) writer.f64(transfer.at).u32(transfer.done);
    if (transfer.op === Op.STORE) writer.ino(transfer.ino);
    return "done";
  }
}

/** A row of `operations.ts` that sends or fetches has a case above: the compiler asks for it. */
function unserved(op: never): never {
  throw new ErrnoError("ENOSYS", `serve operation ${op}`);
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

function begin(
  channel: ServedChannel,
  { ino, at, total }: { ino: Ino; at: number; total: number },
): void {
  const { transfer, reader } = channel;
  transfer.op = reader.op;
  transfer.flags = reader.flags;
  transfer.ino = ino;
  transfer.at = at;
  transfer.done = 0;
  transfer.total = total;
  transfer.chunkIndex = 0;
  transfer.movedAt = performance.now();
  transfer.stream = transfer.bytes = null;
  transfer.value = null;
}
