/**
 * A client of the torture: it makes random calls, writes down every answer, and checks at once those
 * that only it can have caused.
 *
 * Imports no builtin: it runs in a page too.
 */
import { RENAME_EXCHANGE, RENAME_NOREPLACE } from "../../abi/flags.ts";
import { CachedVolume } from "../../opfs/cache.ts";
import type { RelayClient } from "../../opfs/relay/client.ts";
import { Word } from "../../opfs/relay/protocol.ts";
import type { Ino } from "../../opfs/volume_ops.ts";
import { Random } from "../support/random.ts";
import { type Answer, type Call, perform, tryVolumeLock } from "./calls.ts";
import { type Record, Replay } from "./replay.ts";

/** A client's job. */
export interface ClientJob {
  /** Its number, from 1. */
  client: number;
  /** How many clients there are. */
  clients: number;
  /** How many calls it makes. */
  calls: number;
  seed: number;
  /** One word for each client: how far it has come with the names that others look at. */
  batons: SharedArrayBuffer;
}

/** What a client reports. */
export interface ClientReport {
  records: Record[];
  /** What was wrong at the call. */
  wrong: string[];
}

const OPS = [
  "lookup",
  "lookupAttr",
  "lookupRetain",
  "lookupRetain",
  "create",
  "createRetain",
  "mkdir",
  "store",
  "link",
  "unlink",
  "unlink",
  "rmdir",
  "rename",
  "rename",
  "getattr",
  "getattr",
  "chmod",
  "truncate",
  "read",
  "read",
  "write",
  "write",
  "append",
  "readdir",
  "release",
  "release",
  "lock",
  "unlock",
] as const;

const SHARED_NAMES = ["a", "b", "c", "d", "ü"];
const PRIVATE_NAMES = ["p", "q", "r", "s", "t u"];
/** How often the other clients' names are looked at. */
const BATON_EVERY = 16;
const KNOWN_MAX = 24;

/** One half of a client's calls: on names that all share, or on its own. */
interface Side {
  names: readonly string[];
  /** Inodes to call; the first is the directory in which everything happens. */
  known: Ino[];
  retained: Ino[];
  locked: Ino[];
  /** Bytes of payload at most. */
  lengthMax: number;
  /** Where a read in order goes on. */
  next: { ino: Ino; number: number } | null;
}

/** Runs all calls of a client. */
export class TortureClient {
  readonly #volume: RelayClient;
  readonly #cached: CachedVolume;
  readonly #job: ClientJob;
  readonly #random: Random;
  readonly #report: ClientReport = { records: [], wrong: [] };
  readonly #batons: Int32Array;
  readonly #shared: Side;
  #own!: Side;
  #replay!: Replay;

  /** Calls over `volume`, and looks at others through a cache over `second`. */
  constructor(volume: RelayClient, second: RelayClient, job: ClientJob) {
    this.#volume = volume;
    this.#cached = new CachedVolume(second);
    this.#job = job;
    this.#random = new Random(job.seed * 97 + job.client);
    this.#batons = new Int32Array(job.batons);
    this.#shared = side(SHARED_NAMES, volume.root, 3000);
  }

  /** Makes the calls. */
  run(): ClientReport {
    const { client, calls } = this.#job;
    const made = this.#do({
      op: "mkdir",
      ino: this.#volume.root,
      name: `own ${client}`,
      number: 0o755,
    });
    this.#own = side(PRIVATE_NAMES, made.ino!, 100_000);
    this.#replay = new Replay(made.ino!, { uid: 1, gid: 2 });
    for (let left = calls; left > 0 && this.#report.wrong.length < 10; left--) {
      if (left % BATON_EVERY === 0) this.#passBaton();
      else this.#step(this.#random.oneIn(2) ? this.#own : this.#shared);
    }
    this.#finish();
    return this.#report;
  }

  #step(side: Side): void {
    const call = this.#pick(side);
    if (call === null) return;
    // A client that reads in order does nothing else for a while.
    for (let left = call.op === "read" ? 3 : 1; left > 0; left--) {
      this.#make(side, { ...call, ...(left < 3 && call.op === "read" ? side.next : null) });
    }
  }

  #make(side: Side, call: Call): void {
    const answer = this.#do(call);
    this.#remember(side, call, answer);
    if (side !== this.#own) return;
    const problem = this.#replay.check(this.#job.client, call, answer);
    if (problem !== null) this.#report.wrong.push(`at the call: ${problem}`);
  }

  #do(call: Call): Answer {
    const { words } = this.#volume.memory;
    const released = words[Word.RELEASES]!;
    const answer = perform(this.#volume, call, (ino) => ino, tryVolumeLock);
    const wasPosted = words[Word.RELEASES] !== released;
    const sequence = wasPosted ? -words[Word.RELEASES]! : words[Word.REQUEST]!;
    this.#report.records.push({ sequence, call, answer });
    return answer;
  }

  /** A random call on one side, or null if there is nothing to call. */
  #pick(side: Side): Call | null {
    const random = this.#random;
    const op = random.pick(OPS);
    const ino = random.pick(side.known);
    const parent = random.oneIn(3) ? ino : side.known[0]!;
    const call = { op, ino: parent, name: random.pick(side.names) };
    const length = random.oneIn(8) ? random.below(side.lengthMax) : random.below(200);
    switch (op) {
      case "link":
        return { ...call, ino, to: parent };
      case "rename": {
        const flags = random.pick([0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE]);
        const newName = random.pick(side.names);
        return { ...call, to: random.pick(side.known), newName, number: flags };
      }
      case "getattr":
      case "readdir":
        return { op, ino };
      case "chmod":
        return { op, ino, number: random.below(0o1000) };
      case "truncate":
        return { op, ino, number: random.below(4000) };
      case "read": {
        const place = random.oneIn(4) ? null : side.next;
        return { op, ino, number: random.below(3000), ...place, length };
      }
      case "write":
        return { op, ino, number: random.below(3000), length, seed: random.below(256) };
      case "append":
        return { op, ino, length: length % 300, seed: random.below(256) };
      case "store":
        return { ...call, number: 0o644, length, seed: random.below(256) };
      case "create":
      case "createRetain":
      case "mkdir":
        return { ...call, number: 0o700 };
      case "release":
        return side.retained.length === 0 ? null : { op, ino: side.retained.pop()! };
      case "lock":
        return { op, ino };
      case "unlock":
        return side.locked.length === 0 ? null : { op, ino: side.locked.pop()! };
      default:
        return call;
    }
  }

  #remember(side: Side, { op, ino, number = 0 }: Call, answer: Answer): void {
    if (answer.code !== undefined) return;
    if (op === "read") side.next = { ino, number: number + parseInt(answer.text!) };
    if (op === "lookupRetain" || op === "createRetain") {
      if (answer.ino !== 0) side.retained.push(answer.ino!);
    }
    if (op === "lock" && answer.text === "true") side.locked.push(ino);
    if (!answer.ino || side.known.includes(answer.ino)) return;
    if (side.known.length < KNOWN_MAX) side.known.push(answer.ino);
    else side.known[1 + this.#random.below(KNOWN_MAX - 1)] = answer.ino;
  }

  /**
   * Changes a name, then says so in shared memory; and looks, through a cache, whether what another
   * client has said is true. So a cache that has missed a change is found out.
   */
  #passBaton(): void {
    const { client, clients } = this.#job;
    const { root } = this.#volume;
    const next = Atomics.load(this.#batons, client) + 1;
    this.#do({ op: "create", ino: root, name: batonName(client, next), number: 0o600 });
    if (next > 1) this.#do({ op: "unlink", ino: root, name: batonName(client, next - 1) });
    Atomics.store(this.#batons, client, next);
    const other = 1 + this.#random.below(clients);
    const said = Atomics.load(this.#batons, other);
    if (said === 0) return;
    const isThere = this.#cached.lookup(root, batonName(other, said)) !== 0;
    const isGone = said === 1 || this.#cached.lookup(root, batonName(other, said - 1)) === 0;
    // The other may have begun its next step, and have removed the name again.
    if (isGone && (isThere || this.#isNext(other, said))) return;
    if (Atomics.load(this.#batons, other) !== said) return;
    this.#report.wrong.push(
      `client ${client} sees an old "${batonName(other, said)}" in its cache`,
    );
  }

  /** Whether a client that has said `said` has made the next name. */
  #isNext(other: number, said: number): boolean {
    return this.#volume.lookup(this.#volume.root, batonName(other, said + 1)) !== 0;
  }

  /** Gives back what is held, so that the volume can be checked. */
  #finish(): void {
    for (const side of [this.#own, this.#shared]) {
      for (const ino of side.retained.splice(0)) this.#do({ op: "release", ino });
      for (const ino of side.locked.splice(0)) this.#do({ op: "unlock", ino });
    }
  }
}

function batonName(client: number, count: number): string {
  return `baton ${client} ${count}`;
}

function side(names: readonly string[], root: Ino, lengthMax: number): Side {
  return { names, known: [root], retained: [], locked: [], lengthMax, next: null };
}
