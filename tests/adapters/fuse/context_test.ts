import { assertEquals, assertThrows } from "@std/assert";
import { ErrnoError, newMode } from "../../../mod.ts";
import { Context, requirePosition } from "../../../adapters/fuse/context.ts";
import { Request } from "../../../adapters/fuse/request.ts";
import { ModelVolume } from "../../support/model_volume.ts";
import { packRequest } from "./fake_kernel.ts";

function requestOf(call: { uid: number; gid: number; pid: number }): Request {
  const request = new Request(4096);
  const bytes = packRequest({ opcode: 1, ...call });
  request.bytes.set(bytes);
  return request.load(bytes.length);
}

Deno.test("Context.callerOf() is who asks, and reads groups only for a rule that needs them", () => {
  const asked: number[] = [];
  const groupsOf = (pid: number) => {
    asked.push(pid);
    return [7, 8];
  };
  const context = new Context(new ModelVolume(), { groupsOf });
  const caller = context.callerOf(requestOf({ uid: 5, gid: 6, pid: 1234 }), 0o027);
  assertEquals([caller.uid, caller.gid, caller.umask], [5, 6, 0o027]);
  assertEquals(newMode(0o100666, { mode: 0o040755, gid: 8 }, caller), 0o100640);
  assertEquals(asked, []);
  assertEquals(newMode(0o102775, { mode: 0o042755, gid: 8 }, caller), 0o102750);
  assertEquals(asked, [1234]);
  assertEquals(newMode(0o102775, { mode: 0o042755, gid: 9 }, caller), 0o100750);
});

Deno.test("Context.registerEntry() counts an answer and gives the whole inode number", () => {
  const volume = new ModelVolume();
  const ino = volume.create(volume.root, "a", { mode: 0o100644, uid: 3, gid: 4 });
  const context = new Context(volume, { attrTimeoutMs: 250 });
  const entry = context.registerEntry(ino, volume.root);
  assertEquals([entry.nodeId, entry.attr.uid, entry.validMs, entry.blockSize], [ino, 3, 250, 4096]);
  assertEquals(context.inodes.count, 1);
});

Deno.test("requirePosition() answers EFBIG for what a double cannot hold", () => {
  requirePosition(2 ** 53 - 1, "write");
  assertThrows(() => requirePosition(2 ** 53, "write"), ErrnoError, "EFBIG");
});
