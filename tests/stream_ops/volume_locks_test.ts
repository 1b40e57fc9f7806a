import { assertEquals } from "@std/assert";
import { F_UNLCK, F_WRLCK, LOCK_EX } from "../../abi/flags.ts";
import { createFS } from "../../fs/create_fs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import { VolumeLocks } from "../../opfs/locks.ts";
import { LockKind, type VolumeOps } from "../../opfs/volume_ops.ts";
import { volumeLockOps } from "../../stream_ops/volume_locks.ts";
import { ModelVolume } from "../support/model_volume.ts";

/** A volume with locks, and what it was asked. */
function locking() {
  const volume: VolumeOps = new ModelVolume();
  const locks = new VolumeLocks();
  const asked: unknown[] = [];
  volume.lock = (ino, request) => {
    asked.push(["lock", request.kind, request.owner, request.type]);
    locks.take(1, ino, request);
  };
  volume.testLock = (ino, request) => locks.test(1, ino, request);
  volume.unlock = (ino, owner, kind) => {
    asked.push(["unlock", kind, owner]);
    locks.release(1, ino, { owner, kind });
  };
  const FS = createFS({ root: { type: VOLUMEFS, options: { volume } } });
  return { FS, asked, locks };
}

Deno.test("volumeLockOps() has nothing for a volume without locks", () => {
  assertEquals(volumeLockOps(new ModelVolume()), {});
});

Deno.test("a close gives back what was locked, and asks for nothing that was not", () => {
  const { FS, asked, locks } = locking();
  FS.writeFile("/f", "");
  assertEquals(asked, []);
  const stream = FS.open("/f", "r+");
  FS.flock(stream, LOCK_EX);
  FS.fcntl(stream, 13, { type: F_WRLCK, start: 0, len: 1 });
  const { RANGE, FLOCK } = LockKind;
  const [[, , description], [, , process]] = asked as [unknown[], unknown[]];
  assertEquals(asked, [["lock", FLOCK, description, F_WRLCK], ["lock", RANGE, process, F_WRLCK]]);
  FS.close(stream);
  assertEquals(asked.slice(2), [["unlock", RANGE, process], ["unlock", FLOCK, description]]);
  assertEquals(locks.size, 0);
});

Deno.test("F_GETLK distinguishes an instance's own description from others", () => {
  const { FS } = locking();
  FS.writeFile("/f", "");
  const [a, b] = [FS.open("/f", "r+"), FS.open("/f", "r+")];
  FS.fcntl(a, 37, { type: F_WRLCK, start: 0, len: 1 });
  const flock = { type: F_WRLCK, start: 0, len: 9, pid: 7 };
  FS.fcntl(b, 36, flock);
  assertEquals([flock.type, flock.len, flock.pid], [F_WRLCK, 1, -1]);
  const own = { type: F_WRLCK, start: 0, len: 9 };
  FS.fcntl(a, 36, own);
  assertEquals(own.type, F_UNLCK);
});
