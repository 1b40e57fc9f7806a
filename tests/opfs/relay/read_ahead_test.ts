/** ReadAhead: fewer requests for a client that reads in order, and never an old byte. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { S_IFREG } from "../../../abi/mode.ts";
import { RelayClient } from "../../../opfs/relay/client.ts";
import { Closed, Word } from "../../../opfs/relay/protocol.ts";
import { Random } from "../../support/random.ts";
import { turnedRelay } from "../../support/turned_relay.ts";

const file = { mode: S_IFREG | 0o644, uid: 0, gid: 0 };
const BYTES = 300_000;

/** A file of known bytes, a client that reads ahead, and another one. */
function rig() {
  const { volume, channel, client } = turnedRelay();
  const ends = channel(65_536);
  const reader = new RelayClient(ends, { root: volume.root, readsAhead: true });
  const other = client();
  const ino = volume.create(volume.root, "f", file);
  const bytes = Uint8Array.from({ length: BYTES }, (_, index) => index * 7 % 251);
  volume.write(ino, bytes, 0);
  return { volume, ends, reader, other, ino, bytes };
}

/** What a read gives, without what was not read. */
function read(client: RelayClient, ino: number, at: number, size: number): Uint8Array {
  const into = new Uint8Array(size);
  return into.subarray(0, client.read(ino, into, at));
}

function requests(client: RelayClient): number {
  return Atomics.load(client.memory.words, Word.REQUEST);
}

Deno.test("a file that is read in order takes a fraction of the requests", () => {
  const { reader, ino, bytes } = rig();
  const before = requests(reader);
  for (let at = 0; at < BYTES + 4096; at += 4096) {
    assertEquals(read(reader, ino, at, 4096), bytes.subarray(at, at + 4096));
  }
  const count = requests(reader) - before;
  assert(count <= 14, `${count} requests for 75 reads`);
});

Deno.test("reads here and there, and reads between other calls, ask for what they need only", () => {
  const { volume, reader, ino } = rig();
  const asked: number[] = [];
  const real = volume.read.bind(volume);
  volume.read = (ino, into, at) => (asked.push(into.length), real(ino, into, at));
  for (const at of [0, 8192, 4096, 0]) read(reader, ino, at, 4096);
  for (let at = 20_480; at < 60_000; at += 4096) {
    read(reader, ino, at, 4096);
    reader.write(ino, new Uint8Array(1), 0);
  }
  assertEquals(new Set(asked), new Set([4096]));
});

Deno.test("what any client has changed is read anew", () => {
  const { reader, other, ino } = rig();
  const writers = [other, reader];
  for (let round = 0; round < 40; round++) {
    for (let at = 0; at < 30_000; at += 1000) read(reader, ino, at, 1000);
    const at = 30_000;
    writers[round % 2]!.write(ino, new Uint8Array(1000).fill(round), at);
    assertEquals(read(reader, ino, at, 1000), new Uint8Array(1000).fill(round));
  }
});

Deno.test("nothing is answered out of a closed channel, or for an inode that is let go", () => {
  const { volume, ends, reader, ino } = rig();
  reader.retain(ino);
  const inOrder = () => {
    for (let at = 0; at < 12_000; at += 1000) read(reader, ino, at, 1000);
  };
  inOrder();
  volume.unlink(volume.root, "f");
  reader.release(ino);
  assertThrows(() => read(reader, ino, 12_000, 1000), Error, "ESTALE");
  const again = rig();
  for (let at = 0; at < 12_000; at += 1000) read(again.reader, again.ino, at, 1000);
  again.ends.close(Closed.RELAY_GONE);
  assertThrows(() => read(again.reader, again.ino, 12_000, 1000), Error, "EIO");
  assertThrows(() => read(reader, ino, NaN, 1000), Error);
  ends.close();
});

Deno.test("a quiet read asks for itself, and answers no other read", () => {
  const { reader, ino, bytes } = rig();
  const into = new Uint8Array(1000);
  const countOf = (isQuiet: boolean) => {
    const before = requests(reader);
    for (let at = 0; at < 20_000; at += 1000) {
      assertEquals(reader.read(ino, into, at, isQuiet), 1000);
      assertEquals(into, bytes.subarray(at, at + 1000));
    }
    return requests(reader) - before;
  };
  assertEquals(countOf(true), 20);
  assert(countOf(false) < 8);
  const before = requests(reader);
  reader.read(ino, into, 19_000, true);
  reader.read(ino, into, 20_000);
  assertEquals(requests(reader) - before, 2);
});

Deno.test("reads in all orders give what the file has", () => {
  const seed = Number(Deno.env.get("CAIRN_SEED") ?? Date.now() % 1e9);
  console.log(`seed ${seed}`);
  const random = new Random(seed);
  const { reader, other, ino, bytes } = rig();
  let at = 0;
  for (let round = 0; round < 5000; round++) {
    if (random.oneIn(6)) at = random.below(BYTES + 1000);
    const size = random.below(random.oneIn(20) ? 150_000 : 5000);
    assertEquals(read(reader, ino, at, size), bytes.subarray(at, at + size));
    at += size;
    if (!random.oneIn(9)) continue;
    const place = random.below(BYTES - 100);
    bytes.fill(round, place, place + 100);
    random.pick([reader, other]).write(ino, bytes.subarray(place, place + 100), place);
  }
});

Deno.test("what came along of a file goes with its release", () => {
  const { reader, ino, volume } = rig();
  reader.retain(ino);
  reader.unlink(volume.root, "f");
  for (let at = 0; at < 12_288; at += 4096) read(reader, ino, at, 4096);
  reader.release(ino);
  assertThrows(() => read(reader, ino, 12_288, 100), Error, "ESTALE");
});
