import { assertEquals, assertThrows } from "@std/assert";
import { Channel, wholeMessage } from "../../../opfs/relay/channel.ts";
import { dispatch } from "../../../opfs/relay/dispatch.ts";
import { Doorbell } from "../../../opfs/relay/doorbell.ts";
import { Op } from "../../../opfs/relay/operations.ts";
import { createChannelMemory } from "../../../opfs/relay/protocol.ts";
import { ServedChannel } from "../../../opfs/relay/served_channel.ts";
import { ModelVolume } from "../../support/model_volume.ts";

function rig() {
  const volume = new ModelVolume();
  const memory = createChannelMemory(16_384);
  const served = new ServedChannel(memory.buffers);
  const { writer } = new Channel(memory, new Doorbell());
  const run = (fill: () => number) => {
    served.reader.openRequest(wholeMessage(fill()));
    return dispatch(volume, served);
  };
  return { volume, served, writer, run };
}

Deno.test("RETAIN and RELEASE keep what a client has retained, and give back no more", () => {
  const { volume, served, writer, run } = rig();
  const retain = () => writer.begin(Op.RETAIN).ino(volume.root).end();
  const release = () => writer.begin(Op.RELEASE).ino(volume.root).end();
  assertThrows(() => run(release), Error, "EINVAL");
  run(retain);
  run(retain);
  assertEquals([served.retained.size, served.retained.count(volume.root)], [1, 2]);
  run(release);
  run(release);
  assertEquals(served.retained.size, 0);
  assertThrows(() => run(release), Error, "EINVAL");
});

Deno.test("TMPFILE retains a file without a name for the client that made it", () => {
  const { volume, served, writer, run } = rig();
  const make = () =>
    writer.begin(Op.TMPFILE).ino(volume.root).u32(0o600).u32(0).u32(0).u32(0).end();
  assertEquals(run(make), 0);
  const [ino = 0, ...more] = served.retained.takeAll();
  assertEquals([more, volume.getattr(ino).nlink], [[], 0]);
  served.retained.add(ino);
  run(() => writer.begin(Op.RELEASE).ino(ino).end());
  assertThrows(() => volume.getattr(ino), Error, "ESTALE");
});
