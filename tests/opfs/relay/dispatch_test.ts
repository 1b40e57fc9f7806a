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
    "CREATE_RETAIN",
    "STORE",
  ]);
});
