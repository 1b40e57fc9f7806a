/**
 * RelayPromises: a volume that another thread owns, called with promises.
 *
 * Layer: relay, beside `client.ts`, over a channel of its own. It never blocks its thread, so it
 * works on a page's main thread too. Calls are sent one after the other, in the order in which
 * they were made. Each is what its row of `operations.ts` says.
 *
 * Use: `const promises = new RelayPromises(new Channel(memory, doorbell))`.
 *
 * @module
 */
import type { ChangeOps, CompoundOps, LockOps, VolumeOps } from "../volume_ops.ts";
import type { Channel } from "./channel.ts";
import type { Reader, Writer } from "./cursor.ts";
import { Exchange, NO_PAYLOAD, type Payload } from "./exchange.ts";
import { type Metric, metricsFrom } from "./metrics.ts";
import { Op, type OpCode } from "./operations.ts";
import { type AnyRow, CALL_ROWS, type CallOf, defineCalls } from "./rows.ts";
import { VALUE_BYTES_MAX } from "./protocol.ts";
import * as ask from "./requests.ts";
import { readValues, type Value } from "./s11n.ts";

/** The calls of a volume, each as a promise. */
export type VolumePromises = {
  readonly [
    K in Exclude<
      keyof VolumeOps,
      "root" | "generation" | keyof CompoundOps | keyof LockOps | keyof ChangeOps
    >
  ]: (
    ...args: Parameters<VolumeOps[K]>
  ) => Promise<ReturnType<VolumeOps[K]>>;
};

const ROWS = CALL_ROWS.filter(({ part }) => part === "volume");

/** The calls that are made from the table. */
const Derived: new () => Pick<VolumePromises, CallOf<"volume">> = class {} as never;

/** A volume that another thread owns, with promises. */
export class RelayPromises extends Derived implements VolumePromises {
  readonly #channel: Channel;
  readonly #exchange: Exchange;
  #last: Promise<unknown> = Promise.resolve();

  static {
    defineCalls(Derived.prototype, ROWS, (row) => {
      return function (this: RelayPromises, ...args: never[]): Promise<unknown> {
        const fill = (writer: Writer) => row.ask(writer, ...args) ?? roomFor(row);
        return this.#call(row.number as OpCode, fill, row.take);
      };
    });
  }

  /** Calls over `channel`. */
  constructor(channel: Channel) {
    super();
    this.#channel = channel;
    this.#exchange = new Exchange(channel);
  }

  /** Counts and times of the relay's own work, over all its clients. */
  async metrics(): Promise<Record<string, Metric>> {
    const metrics: Record<string, Metric> = {};
    for (let after = 0;;) {
      const fill = (w: Writer) => void w.u32(after);
      const values = await this.#call(Op.METRICS, fill, (r) => {
        after = r.status;
        return readValues(this.#channel.memory.area, r);
      });
      Object.assign(metrics, metricsFrom(values));
      if (after === 0) return metrics;
    }
  }

  /** What the relay reports of its volume and device, by name. */
  stats(): Promise<Record<string, Value>> {
    return this.#call(Op.STATS, () => {}, (r) => {
      const values = readValues(this.#channel.memory.area, r);
      const names = values.filter((_, index) => index % 2 === 0);
      return Object.fromEntries(names.map((name, index) => [name, values[index * 2 + 1]!]));
    });
  }

  /** Makes everything durable and leaves the relay. */
  async close(): Promise<void> {
    await this.sync();
    this.leave();
  }

  /** Leaves the relay without syncing. */
  leave(): void {
    this.#channel.close();
  }

  /** Queues one call after those before it, whether these succeed or fail. */
  #call<T>(
    op: OpCode,
    fill: (writer: Writer) => Payload | void,
    take: (reader: Reader, payload: Payload, received: number) => T,
  ): Promise<T> {
    const run = () => this.#run(op, fill, take);
    const result = this.#last.then(run, run);
    this.#last = result;
    return result;
  }

  async #run<T>(
    op: OpCode,
    fill: (writer: Writer) => Payload | void,
    take: (reader: Reader, payload: Payload, received: number) => T,
  ): Promise<T> {
    const action = ask.actionOf(op);
    this.#channel.assertOpen(action);
    const payload = fill(this.#channel.writer.begin(op)) ?? NO_PAYLOAD;
    this.#exchange.start(payload);
    do await this.#channel.waitAsync(action); while (!this.#exchange.step());
    ask.throwAnswered(this.#channel.reader, this.#channel.memory);
    return take(this.#channel.reader, payload, this.#exchange.received);
  }
}

/** Where the answer of a fetch is received if the caller gives no buffer. */
function roomFor({ kind }: AnyRow): Payload | void {
  if (kind === "fetches") return { into: new Uint8Array(VALUE_BYTES_MAX) };
}

/** Every call of a volume. */
export const CALLS: readonly (keyof VolumePromises)[] = [
  ...ROWS.map(({ call }) => call as CallOf<"volume">),
  "close",
];

/** The same calls over a volume of this thread. */
export function promisesOf(volume: VolumeOps): VolumePromises {
  const calls = CALLS.map((name) => {
    const call = volume[name].bind(volume) as (...args: unknown[]) => unknown;
    return [name, (...args: unknown[]) => Promise.resolve().then(() => call(...args))];
  });
  return Object.fromEntries(calls) as VolumePromises;
}
