import { assertEquals, assertThrows } from "@std/assert";
import { Channel, wholeMessage } from "../../../opfs/relay/channel.ts";
import { changesSomething, dispatch } from "../../../opfs/relay/dispatch.ts";
import { Doorbell } from "../../../opfs/relay/doorbell.ts";
import { createChannelMemory, Op } from "../../../opfs/relay/protocol.ts";
import { ServedChannel } from "../../../opfs/relay/served_channel.ts";
import { ModelVolume } from "../../support/model_volume.ts";

function rig() {
  const volume = new ModelVolume();
  const memory = createChannelMemory(16_384);
  const served = new ServedChannel(memory.buffer);
  const { writer } = new Channel(memory, new Doorbell());
  const run = (fill: () => number) => {
    served.reader.openRequest(wholeMessage(fill()));
    return dispatch(volume, served);
  };
  return { volume, served, writer, run };
}

Deno.test("dispatch() keeps what a client has retained, and gives back no more", () => {
  const { volume, served, writer, run } = rig();
  const retain = () => writer.begin(Op.RETAIN).ino(volume.root).end();
  const release = () => writer.begin(Op.RELEASE).ino(volume.root).end();
  assertThrows(() => run(release), Error, "EINVAL");
  run(retain);
  run(retain);
  assertEquals([...served.retained], [[volume.root, 2]]);
  run(release);
  run(release);
  assertEquals([...served.retained], []);
  assertThrows(() => run(release), Error, "EINVAL");
});

Deno.test("dispatch() retains a file without a name for the client that made it", () => {
  const { volume, served, writer, run } = rig();
  const make = () =>
    writer.begin(Op.TMPFILE).ino(volume.root).u32(0o600).u32(0).u32(0).u32(0).end();
  assertEquals(run(make), 0);
  const [[ino, count]] = [...served.retained] as [[number, number]];
  assertEquals([count, volume.getattr(ino).nlink], [1, 0]);
  run(() => writer.begin(Op.RELEASE).ino(ino).end());
  assertThrows(() => volume.getattr(ino), Error, "ESTALE");
});

Deno.test("dispatch() answers unknown numbers with ENOSYS", () => {
  const { writer, run } = rig();
  for (const op of [0, 1, 34, 63, 127, 4_000_000_000]) {
    assertThrows(() => run(() => writer.begin(op).end()), Error, "ENOSYS");
  }
});

Deno.test("changesSomething() knows what others must hear of", () => {
  const changing = Object.entries(Op).filter(([, op]) => changesSomething(op));
  assertEquals(changing.map(([name]) => name), [
    "CREATE",
    "LINK",
    "UNLINK",
    "RMDIR",
    "RENAME",
    "SETATTR",
    "WRITE",
    "APPEND",
    "ALLOCATE",
    "SETXATTR",
    "REMOVEXATTR",
    "CREATE_RETAIN",
    "STORE",
  ]);
});
