/**
 * The relay's real worker, which stops at the point that a message names: `{ type: "stop at",
 * point, gate }` arms it, word 0 of the gate becomes 1 when it stands there, and it goes on when
 * word 1 is not 0.
 */
import "../../opfs/compose/worker.ts";
import { ServedChannel } from "../../opfs/relay/served_channel.ts";
import { Transfers } from "../../opfs/relay/transfers.ts";
import type { Point } from "./kill_page.ts";

interface WorkerScope {
  addEventListener(type: "message", listen: (event: MessageEvent) => void): void;
  postMessage(message: unknown): void;
}

const scope = self as unknown as WorkerScope;
let armed: Point | "" = "";
let gate = new Int32Array(2);

scope.addEventListener("message", ({ data }) => {
  if (data.type !== "stop at") return;
  armed = data.point;
  gate = new Int32Array(data.gate);
  scope.postMessage({ type: "armed" });
});

function stopAt(point: Point): void {
  if (point !== armed) return;
  armed = "";
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
  Atomics.wait(gate, 1, 0);
}

const { take, publish, bumpGeneration } = ServedChannel.prototype;
const { continueIn } = Transfers.prototype;

ServedChannel.prototype.take = function (this: ServedChannel) {
  stopAt("before the request is seen");
  take.call(this);
};
ServedChannel.prototype.publish = function (this: ServedChannel, ...args) {
  stopAt("after the change, before its answer");
  publish.apply(this, args);
  stopAt("after the answer");
};
ServedChannel.prototype.bumpGeneration = function (this: ServedChannel) {
  stopAt("while others learn of a change");
  bumpGeneration.call(this);
};
Transfers.prototype.continueIn = function (this: Transfers, channel) {
  stopAt("in the middle of a payload");
  return continueIn.call(this, channel);
};
