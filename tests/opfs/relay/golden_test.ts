/**
 * Golden bytes: for every operation by inode, what a client sends and what it is answered. They are
 * those of docs/PROTOCOL.md, and a change to one of them is another version of the wire. The bytes of
 * operations by path are in `path_ops_test.ts`.
 */
import { assertEquals } from "@std/assert";
import { S_IFREG } from "../../../abi/mode.ts";
import { Channel, wholeMessage } from "../../../opfs/relay/channel.ts";
import { RelayClient } from "../../../opfs/relay/client.ts";
import { createChannelMemory, Op, type OpName, Word } from "../../../opfs/relay/protocol.ts";
import { RelayPromises } from "../../../opfs/relay/promises.ts";
import { Relay } from "../../../opfs/relay/server.ts";
import { LockKind } from "../../../opfs/volume_ops.ts";
import { ModelVolume } from "../../support/model_volume.ts";
import { VECTORS } from "./golden_vectors.ts";

const FILE = { mode: S_IFREG | 0o644, uid: 1, gid: 2 };
const LOCK = { kind: LockKind.RANGE, owner: 7, type: 1, start: 2, end: 6, wait: false };

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text.replaceAll(" ", "").match(/../g) ?? [], (two) => parseInt(two, 16));
}

/** Writes down what goes over a channel. */
class Watched extends Channel {
  readonly seen: [request: string, answer: string][] = [];
  turn: () => void = () => {};

  #look(): string {
    const { area, words } = this.memory;
    return hex(area.slice(0, words[Word.CHUNK_LEN]));
  }

  #turnOnce(): void {
    const request = this.#look();
    this.turn();
    this.seen.push([request, this.#look()]);
  }

  override wait(action: string): void {
    this.#turnOnce();
    super.wait(action);
  }

  override async waitAsync(action: string): Promise<void> {
    this.#turnOnce();
    await super.waitAsync(action);
  }
}

/** Inode 2 is the file "f" of three bytes, 3 the directory "d", 4 the link "l", 5 the file "x". */
function stage() {
  const volume = new ModelVolume({ now: () => 2 });
  volume.write(volume.create(1, "f", FILE), bytesOf("616263"), 0);
  volume.create(1, "d", { ...FILE, mode: 0o040755 });
  volume.create(1, "l", { ...FILE, mode: 0o120777, target: "d/ü" });
  volume.create(1, "x", FILE);
  volume.setxattr(2, "user.a", bytesOf("0102"), 0);
  volume.retain(5);
  const relay = new Relay(volume, {
    stats: () => ({ state: "open", names: 4, "engine.on": true }),
  });
  const memory = createChannelMemory(16_384);
  relay.attach(memory.buffer);
  const channel = new Watched(memory, relay.doorbell);
  channel.turn = () => void relay.turn();
  return { volume, relay, channel, client: new RelayClient(channel, { root: 1 }) };
}

/** One call for each operation. */
const CALLS: Record<OpName, (client: RelayClient, channel: Channel) => unknown> = {
  LOOKUP: (c) => c.lookup(1, "f"),
  CREATE: (c) => c.create(3, "ü", { ...FILE, mode: 0o120777, target: "to" }),
  LINK: (c) => c.link(2, 3, "g"),
  UNLINK: (c) => c.unlink(1, "x"),
  RMDIR: (c) => c.rmdir(1, "d"),
  RENAME: (c) => c.rename(1, "f", 3, "g", 1),
  READDIR: (c) => c.readdir(1, 0),
  READLINK: (c) => c.readlink(4),
  GETATTR: (c) => c.getattr(2),
  SETATTR: (c) => c.setattr(2, { mode: 0o600, size: 5, mtime: -1.5 }),
  READ: (c) => c.read(2, new Uint8Array(9), 1),
  WRITE: (c) => c.write(2, bytesOf("0102"), 8),
  APPEND: (c) => c.append(2, bytesOf("0304")),
  RETAIN: (c) => c.retain(2),
  RELEASE(c, channel) {
    c.retain(2);
    c.retain(2);
    // The word of the release before has not been looked at: this one is sent.
    channel.postRelease(2, 0);
    c.release(2);
  },
  FSYNC: (c) => c.fsync(2),
  SYNC: (c) => c.sync(),
  STATFS: (c) => c.statfs(),
  TMPFILE: (c) => c.tmpfile(1, { ...FILE, isLinkable: false }),
  SEEK: (c) => c.seek(2, 1, 4),
  ALLOCATE: (c) => c.allocate(2, 1, 0, 9000),
  GETXATTR: (c) => c.getxattr(2, "user.a"),
  SETXATTR: (c) => c.setxattr(2, "user.b", bytesOf("0a"), 1),
  LISTXATTR: (c) => c.listxattr(2),
  REMOVEXATTR: (c) => c.removexattr(2, "user.a"),
  LOOKUP_ATTR: (c) => c.lookupAttr(1, "f")?.ino,
  LOOKUP_RETAIN: (c) => c.lookupRetain(1, "none"),
  CREATE_RETAIN: (c) => c.createRetain(3, "n", FILE).ino,
  READDIR_ATTR: (c) => c.readdirAttr(1, 3).length,
  GETATTRS: (c) => c.getattrs([5, 99]).length,
  STORE: (c) => c.store(3, "s", FILE, bytesOf("0708")),
  LOCK: (c) => c.lock(2, LOCK),
  TESTLOCK(c) {
    c.lock(2, LOCK);
    return c.testLock(2, { ...LOCK, owner: 8 });
  },
  UNLOCK: (c) => c.unlock(2, 7, LockKind.RANGE),
  METRICS: (_, channel) => void new RelayPromises(channel).metrics(),
  STATS: (_, channel) => void new RelayPromises(channel).stats(),
};

for (const name of Object.keys(Op) as OpName[]) {
  Deno.test(`${name} has the bytes that it has always had`, async () => {
    const { client, channel } = stage();
    CALLS[name](client, channel);
    // The promises send theirs from the event loop.
    await new Promise((resolve) => setTimeout(resolve, 0));
    const [request, answer] = channel.seen.at(-1)!;
    const want = VECTORS[name].map((text) => text.replaceAll(" ", ""));
    assertEquals([request, answer], want);
  });

  Deno.test(`${name} is answered so, whoever has made the bytes`, () => {
    const { relay, client, channel } = stage();
    if (name === "RELEASE") client.retain(2);
    if (name === "TESTLOCK") client.lock(2, LOCK);
    const [request, answer] = VECTORS[name];
    const bytes = bytesOf(request);
    channel.memory.area.set(bytes);
    channel.publish(wholeMessage(bytes.length));
    relay.turn();
    const { area, words } = channel.memory;
    assertEquals(hex(area.slice(0, words[Word.CHUNK_LEN])), answer.replaceAll(" ", ""));
  });
}
