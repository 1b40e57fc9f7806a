/**
 * Negative controls: each rule of the relay holds, and the test that says so fails when the rule is
 * left out. The mistake is put into the real code while one scenario runs. Those that need threads
 * are in `channel_test.ts` (no loop around the wait) and in `tests/torture/torture_test.ts` (all).
 */
import { assertEquals, assertThrows } from "@std/assert";
import { S_IFREG } from "../../../abi/mode.ts";
import { CachedVolume } from "../../../opfs/cache.ts";
import { VolumeLocks } from "../../../opfs/locks.ts";
import { wholeMessage } from "../../../opfs/relay/channel.ts";
import { Op } from "../../../opfs/relay/operations.ts";
import { Closed, Word } from "../../../opfs/relay/protocol.ts";
import { ServedChannel } from "../../../opfs/relay/served_channel.ts";
import { Transfers } from "../../../opfs/relay/transfers.ts";
import { LockKind } from "../../../opfs/volume_ops.ts";
import { turnedRelay } from "../../support/turned_relay.ts";

const file = { mode: S_IFREG | 0o644, uid: 0, gid: 0 };
const LOCK = { kind: LockKind.FLOCK, owner: 1, type: 1, start: 0, end: 0, wait: false };

/** A rule: what must hold, and how it is left out. */
interface Rule {
  name: string;
  holds(): void;
  /** Puts the mistake in; the result takes it out. */
  leaveOut(): () => void;
}

/** Replaces a method of a class. */
function patch<T extends object>(target: T, changes: { [K in keyof T]?: T[K] }): () => void {
  const before = Object.fromEntries(
    Object.keys(changes).map((key) => [key, Object.getOwnPropertyDescriptor(target, key)!]),
  );
  for (const [key, value] of Object.entries(changes)) {
    Object.defineProperty(target, key, { value, configurable: true, writable: true });
  }
  return () => Object.defineProperties(target, before);
}

/**
 * The relay has applied a request whose client has given up in the meantime: nothing is written.
 */
function answersNobody(): void {
  const { relay, volume, channel } = turnedRelay();
  const a = channel();
  const total = a.writer.begin(Op.STATFS).end();
  a.publish(wholeMessage(total));
  const { statfs } = volume;
  volume.statfs = () => {
    a.close(Closed.DEADLINE);
    return statfs.call(volume);
  };
  relay.turn();
  const { words } = a.memory;
  assertEquals([words[Word.ANSWER], words[Word.SIGNAL], a.isAnswered()], [0, 1, false]);
}

/** A client whose memory is used for something else by now is not answered with an old answer. */
function answersNothingStale(): void {
  const { relay, volume, channel } = turnedRelay();
  const a = channel();
  a.publish(wholeMessage(a.writer.begin(Op.STATFS).end()));
  const { statfs } = volume;
  volume.statfs = () => {
    Atomics.add(a.memory.words, Word.REQUEST, 1);
    return statfs.call(volume);
  };
  relay.turn();
  assertEquals(a.memory.words[Word.ANSWER], 0, "a sequence without a waiter is answered");
}

function tellsOthers(): void {
  const { client } = turnedRelay();
  const [a, b] = [client(), new CachedVolume(client())];
  const ino = a.create(a.root, "old", file);
  assertEquals([b.lookup(b.root, "new"), b.getattr(ino).mode & 0o777], [0, 0o644]);
  const made = a.create(a.root, "new", file);
  assertEquals(b.lookup(b.root, "new"), made, "a name that is there");
  a.setattr(ino, { mode: 0o600 });
  assertEquals(b.getattr(ino).mode & 0o777, 0o600, "attributes that are true");
}

function freesLocksAtDeath(): void {
  const { relay, client } = turnedRelay();
  const [a, b] = [client(), client()];
  a.lock(1, LOCK);
  assertThrows(() => b.lock(1, LOCK), Error, "EAGAIN");
  a.abandon();
  relay.turn();
  b.lock(1, LOCK);
}

function freesInodesAtDeath(): void {
  const { relay, volume, client } = turnedRelay();
  const [a, b] = [client(), client()];
  a.createRetain(a.root, "f", file);
  b.unlink(b.root, "f");
  assertEquals(volume.inodeCount, 2);
  a.abandon();
  relay.turn();
  assertEquals(volume.inodeCount, 1, "what the dead one held is gone");
}

function freesTurnAtDeath(): void {
  const { relay, channel, client } = turnedRelay();
  const [a, b] = [channel(), client()];
  const ino = b.create(b.root, "log", file);
  const totalBytes = a.writer.begin(Op.APPEND).ino(ino).end(a.memory.area.length * 2);
  a.publish({ signal: 1, chunkBytes: a.memory.area.length, totalBytes, chunkIndex: 0 });
  relay.turn();
  a.close(Closed.CLIENT_GONE);
  const before = b.getattr(ino).size;
  assertEquals(b.append(ino, Uint8Array.of(1)).at, before, "the append's turn is free");
}

/** Between finding a name and keeping its inode no client removes it. */
function findsAndKeeps(makeTwoSteps: boolean): void {
  const { client, channel } = turnedRelay();
  const [a, b] = [client(), client()];
  const ino = a.create(a.root, "f", file);
  a.write(ino, Uint8Array.of(7), 0);
  let left = 1;
  // After the first answer to the one, the other removes the name.
  const between = () => void (left-- > 0 && b.unlink(b.root, "f"));
  const find = makeTwoSteps
    ? () => {
      const found = a.lookupAttr(a.root, "f")!;
      between();
      a.retain(found.ino);
      return found;
    }
    : () => {
      const found = a.lookupRetain(a.root, "f")!;
      between();
      return found;
    };
  assertEquals(a.read(find().ino, new Uint8Array(1), 0), 1);
  channel().close();
}

let isInTwoSteps = false;

const RULES: readonly Rule[] = [
  {
    name: "an answer is written only while the channel is open",
    holds: answersNobody,
    leaveOut: () =>
      patch(ServedChannel.prototype, {
        isClosed: () => false,
      }),
  },
  {
    name: "an answer is written only to the sequence at hand",
    holds: answersNothingStale,
    leaveOut: () =>
      patch(ServedChannel.prototype, {
        publish(this: ServedChannel) {
          const { words } = this.memory;
          Atomics.store(words, Word.ANSWER, Atomics.load(words, Word.REQUEST));
        },
      }),
  },
  {
    name: "others learn of a change before its caller has the answer",
    holds: tellsOthers,
    leaveOut: () => patch(ServedChannel.prototype, { bumpGeneration: () => {} }),
  },
  {
    name: "a death frees locks",
    holds: freesLocksAtDeath,
    leaveOut: () => patch(VolumeLocks.prototype, { releaseClient: () => {} }),
  },
  {
    name: "a death frees inodes",
    holds: freesInodesAtDeath,
    leaveOut: () => patch(ServedChannel.prototype, { noteRetained: () => {} }),
  },
  {
    name: "a death frees an append's turn",
    holds: freesTurnAtDeath,
    leaveOut: () => patch(Transfers.prototype, { forget: () => {} }),
  },
  {
    name: "finding and keeping is one operation",
    holds: () => findsAndKeeps(isInTwoSteps),
    leaveOut() {
      isInTwoSteps = true;
      return () => isInTwoSteps = false;
    },
  },
];

for (const { name, holds, leaveOut } of RULES) {
  Deno.test(`${name}, and without the rule that is noticed`, () => {
    holds();
    const putBack = leaveOut();
    try {
      assertThrows(holds);
    } finally {
      putBack();
    }
    holds();
  });
}
