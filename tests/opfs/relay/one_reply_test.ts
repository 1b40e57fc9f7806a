/** R2: every request gets one reply, whatever throws while it is served. */
import { assert, assertEquals } from "@std/assert";
import { ErrnoError } from "../../../abi/errno.ts";
import { InvariantError } from "../../../abi/invariant.ts";
import type { PathCalls } from "../../../abi/path_calls.ts";
import { createFS } from "../../../fs/create_fs.ts";
import { VOLUMEFS } from "../../../node_ops/volume.ts";
import type { VolumeOps } from "../../../opfs/volume_ops.ts";
import { Channel, wholeMessage } from "../../../opfs/relay/channel.ts";
import { Op } from "../../../opfs/relay/operations.ts";
import { PathOp } from "../../../opfs/relay/path_operations.ts";
import { createChannelMemory, FLAG_FLUSH } from "../../../opfs/relay/protocol.ts";
import { Relay } from "../../../opfs/relay/server.ts";
import { ModelVolume } from "../../support/model_volume.ts";

/** What a handler may throw: an error of ours, a broken rule, a mistake, something that is no error. */
const THROWN: readonly unknown[] = [
  new ErrnoError("ENOSPC", "go on"),
  new InvariantError("V2: block 7 is owned but free"),
  new TypeError("undefined is not a function"),
  "a string",
  null,
];

/** Which call throws what, and whether all after it do too. */
interface Fault {
  at: number;
  thrown: unknown;
  lasts: boolean;
}

/** The object, but its Nth call throws. */
function failing<T extends object>(inner: T, fault: Fault): T {
  return new Proxy(inner, {
    get(target, key) {
      const value = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        if (fault.at-- === 0 || fault.lasts && fault.at < 0) throw fault.thrown;
        return value.apply(target, args);
      };
    },
  });
}

function rig(volumeFault: Fault, pathFault: Fault) {
  const model = new ModelVolume();
  const file = model.create(model.root, "f", { mode: 0o100644, uid: 0, gid: 0 });
  model.write(file, new Uint8Array(100), 0);
  const volume: VolumeOps = failing(model, volumeFault);
  const FS = createFS({ root: { type: VOLUMEFS, options: { volume: model } } });
  const relay = new Relay(volume, {
    paths: () => failing<PathCalls>(FS, pathFault),
    stats: () => {
      if (volumeFault.at-- === 0) throw volumeFault.thrown;
      return {};
    },
  });
  const memory = createChannelMemory(16_384);
  relay.attach(memory.buffers);
  const channel = new Channel(memory, relay.doorbell);
  const status = (fill: () => number) => {
    channel.publish(wholeMessage(fill()));
    relay.turn();
    assert(channel.isAnswered(), "no reply");
    channel.wait("test");
    channel.reader.openResponse(channel.header);
    return channel.reader.status;
  };
  return { relay, channel, status, file };
}

/** A request that reaches its handler, whatever the operation. */
function request(channel: Channel, op: number, file: number): number {
  const { writer } = channel;
  const isPath = op <= PathOp.STATFS;
  const needsName = isPath || [64, 65, 66, 67, 68, 69, 96, 97, 98, 101].includes(op);
  writer.begin(op, op === Op.STORE ? FLAG_FLUSH : 0);
  if (needsName) writer.path(isPath ? "/f" : op === Op.CREATE ? "new" : "f");
  const isInFile = [72, 73, 74, 75, 76, 77, 78, 79, 100].includes(op);
  writer.ino(isInFile ? file : 1).f64(0).u32(8).u32(0).u32(0).u32(0).f64(0);
  return writer.end();
}

Deno.test("every request gets one reply, whichever call throws, and what", () => {
  const ops = [...Object.values(PathOp), ...Object.values(Op), 0, 50, 200];
  let faults = 0;
  const cases = ops.flatMap((op) => [{ op, lasts: false }, { op, lasts: true }]);
  for (const { op, lasts } of cases) {
    for (const thrown of THROWN) {
      for (let at = 0; at < 6; at++) {
        const volumeFault = { at, thrown, lasts };
        const pathFault = { at, thrown, lasts };
        const { relay, channel, status, file } = rig(volumeFault, pathFault);
        const answer = status(() => request(channel, op, file));
        const hasFailed = volumeFault.at < 0 || pathFault.at < 0;
        if (hasFailed) faults++;
        if (!hasFailed && at > 0) break;
        volumeFault.at = pathFault.at = Infinity;
        const again = status(() => channel.writer.begin(Op.STATFS).end());
        assertEquals(again, 0, `operation ${op}, call ${at}, answered ${answer}`);
        // Whatever it holds goes with it, even if nothing can be given back any more.
        volumeFault.at = pathFault.at = 0;
        channel.close();
        relay.turn();
        assertEquals(relay.clientCount, 0);
      }
    }
  }
  assert(faults > 200, `${faults} faults`);
});
