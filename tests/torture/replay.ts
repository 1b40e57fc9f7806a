/**
 * What the torture's calls should have answered: they are made again on the model, in the order in
 * which the relay has applied them.
 *
 * Imports no builtin: it runs in a page too.
 */
import type { AttrChange } from "../../abi/attr.ts";
import type { Ino } from "../../opfs/volume_ops.ts";
import { ModelVolume } from "../support/model_volume.ts";
import { type Answer, type Call, perform } from "./calls.ts";

/** A call that a client has made, and what it was answered. */
export interface Record {
  /** The request's sequence; less than 0 is the number of a release, negated. */
  sequence: number;
  call: Call;
  answer: Answer;
}

/** A model that is led through the calls of a volume whose inodes have other numbers. */
export class Replay {
  readonly #model = new ModelVolume({ now: () => 0 });
  readonly #toModel = new Map<Ino, Ino>();
  readonly #toReal = new Map<Ino, Ino>();
  /** Who holds the lock on an inode of the model. */
  readonly #locks = new Map<Ino, number>();

  /** `root` is the volume's directory that the model's root stands for; `change` makes it like it. */
  constructor(root: Ino, change: AttrChange = {}) {
    this.#model.setattr(this.#model.root, change);
    this.#know(root, this.#model.root);
  }

  /** Makes the call of a client on the model. Null, or how its answer was wrong. */
  check(client: number, call: Call, answer: Answer): string | null {
    const pick = (ino: Ino) => this.#toModel.get(ino) ?? -1;
    const expected = perform(this.#model, call, pick, (_, ino, isTaken) => {
      // The model is asked whether the inode is still there, as locks do not.
      const holder = this.#locks.get(ino);
      if (isTaken && holder !== undefined && holder !== client) return false;
      if (isTaken) this.#locks.set(ino, client);
      else if (holder === client) this.#locks.delete(ino);
      return true;
    });
    if (expected.code === answer.code && expected.text === answer.text) {
      if (this.#know(answer.ino ?? 0, expected.ino ?? 0)) return null;
    }
    const answered = `${JSON.stringify(answer)} instead of ${JSON.stringify(expected)}`;
    return `client ${client}: ${JSON.stringify(call)} answered ${answered}`;
  }

  /** Whether two inodes stand for each other, as far as is known so far. */
  #know(real: Ino, model: Ino): boolean {
    if (real === 0 || model === 0) return real === model;
    if (!this.#toModel.has(real) && !this.#toReal.has(model)) {
      this.#toModel.set(real, model);
      this.#toReal.set(model, real);
    }
    return this.#toModel.get(real) === model && this.#toReal.get(model) === real;
  }
}

/**
 * Replays the records of all clients in the order of `trace`: pairs of client and sequence. Returns
 * what was wrong.
 */
export function replayAll(
  trace: ArrayLike<number>,
  records: ReadonlyMap<number, readonly Record[]>,
  root: Ino,
): string[] {
  const replay = new Replay(root);
  const bySequence = new Map([...records].map(([client, list]) => {
    return [client, Map.groupBy(list, (record) => record.sequence)];
  }));
  const wrong: string[] = [];
  for (let at = 0; at + 1 < trace.length; at += 2) {
    const [client, sequence] = [trace[at]!, trace[at + 1]!];
    // What a client has read without asking belongs to the answer before it.
    const applied = bySequence.get(client)?.get(sequence) ?? [];
    bySequence.get(client)?.delete(sequence);
    for (const { call, answer } of applied) {
      const problem = replay.check(client, call, answer);
      if (problem !== null) wrong.push(problem);
    }
    if (wrong.length >= 10) return wrong;
  }
  for (const [client, left] of bySequence) {
    for (const { call } of [...left.values()].flat()) {
      wrong.push(`client ${client}: ${JSON.stringify(call)} was answered and never applied`);
    }
  }
  return wrong;
}
