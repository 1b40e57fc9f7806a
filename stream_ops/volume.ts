/**
 * VOLUMEFS, the bytes: open files of a volume.
 *
 * Layer: stream_ops, over `VolumeOps`. The names are in `node_ops/volume.ts`, which builds one table
 * per mount with `volumeStreamOps(volume)`. It adds nothing to what the volume does: a write goes
 * from the caller's buffer to the volume in one call, and the frames below FS.write are
 * `write` here, the volume's `write`, the device's `write`.
 *
 * @module
 */
import { ErrnoError } from "../abi/errno.ts";
import { O_NOATIME, SEEK_CUR, SEEK_DATA, SEEK_END, SEEK_HOLE, SEEK_SET } from "../abi/flags.ts";
import type { Appended, FSStream, StreamOps } from "../abi/node.ts";
import type { VolumeOps } from "../opfs/volume_ops.ts";
import { volumeLockOps } from "./volume_locks.ts";
import type { VolumeRecord } from "./volume_record.ts";

/** The part of `buffer` that a call is about, without a new view where it is all of it. */
function view(buffer: Uint8Array, offset: number, length: number): Uint8Array {
  return offset === 0 && length === buffer.length
    ? buffer
    : buffer.subarray(offset, offset + length);
}

function seek(
  volume: VolumeOps,
  stream: FSStream<VolumeRecord>,
  offset: number,
  whence: number,
): number {
  if (whence === SEEK_SET) return offset;
  if (whence === SEEK_CUR) return stream.position + offset;
  const { handle } = stream.node.data;
  if (whence === SEEK_END) return volume.getattr(handle).size + offset;
  if (whence === SEEK_DATA || whence === SEEK_HOLE) return volume.seek(handle, offset, whence);
  throw new ErrnoError("EINVAL", `seek with whence ${whence}`);
}

/** Whether reading leaves the time of the last read alone. */
function isQuiet({ shared, node }: FSStream<VolumeRecord>): boolean {
  return (shared.flags & O_NOATIME) !== 0 || node.mount.readOnly;
}

/**
 * The op table of a volume's files, directories and links; one per mount. `open` keeps the inode
 * alive: the mount knows whether that is one call or none.
 */
export function volumeStreamOps(
  volume: VolumeOps,
  open: (stream: FSStream<VolumeRecord>) => void = (stream) =>
    volume.retain(stream.node.data.handle),
): StreamOps<VolumeRecord> {
  return {
    open,
    close(stream): void {
      volume.release(stream.node.data.handle);
    },
    read(stream, buffer, offset, length, position): number {
      const { handle } = stream.node.data;
      return volume.read(handle, view(buffer, offset, length), position, isQuiet(stream));
    },
    write(stream, buffer, offset, length, position): number {
      return volume.write(stream.node.data.handle, view(buffer, offset, length), position);
    },
    append(stream, buffer, offset, length): Appended {
      return volume.append(stream.node.data.handle, view(buffer, offset, length));
    },
    llseek(stream, offset, whence): number {
      const position = seek(volume, stream, offset, whence);
      if (position < 0) throw new ErrnoError("EINVAL", `seek to ${position}`);
      return position;
    },
    allocate(stream, mode, offset, length): void {
      volume.allocate(stream.node.data.handle, mode, offset, length);
    },
    copyRange(source, at, target, to, length): number {
      const { handle } = source.node.data;
      return volume.copyRange(handle, at, target.node.data.handle, to, length);
    },
    fsync(stream): void {
      volume.fsync(stream.node.data.handle);
    },
    ...volumeLockOps(volume),
  };
}
