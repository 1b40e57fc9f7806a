/** Several calls in one round trip: what they answer, what nothing comes between, what they cost. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { S_IFDIR, S_IFREG } from "../../../abi/mode.ts";
import { createFS } from "../../../fs/create_fs.ts";
import { VOLUMEFS } from "../../../node_ops/volume.ts";
import { attrsThatFit } from "../../../opfs/relay/compound.ts";
import type { RelayClient } from "../../../opfs/relay/client.ts";
import { Word } from "../../../opfs/relay/protocol.ts";
import { rigTest } from "../../support/relay_rig.ts";

const file = { mode: S_IFREG | 0o640, uid: 3, gid: 4 };

/** Requests sent while `work` runs. */
function requests(client: RelayClient, work: () => void): number {
  const sent = () => client.memory.words[Word.REQUEST]!;
  const before = sent();
  work();
  return sent() - before;
}

rigTest(
  "lookupAttr(), lookupRetain(), createRetain() answer like the calls they are",
  async (rig) => {
    const client = await rig.client();
    const { root } = client;
    assertEquals([client.lookupAttr(root, "a"), client.lookupRetain(root, "a")], [null, null]);
    const made = client.createRetain(root, "a", file);
    assertEquals([made.ino, made.attr.mode, made.attr.uid], [
      client.lookup(root, "a"),
      file.mode,
      3,
    ]);
    assertThrows(() => client.createRetain(root, "a", file), Error, "EEXIST");
    assertEquals(client.lookupAttr(root, "a"), { ino: made.ino, attr: client.getattr(made.ino) });
    assertEquals(client.lookupRetain(root, "a")?.ino, made.ino);
    client.unlink(root, "a");
    client.release(made.ino);
    assertEquals(client.getattr(made.ino).nlink, 0);
    client.release(made.ino);
    assertThrows(() => client.getattr(made.ino), Error, "ESTALE");
    assertThrows(() => client.release(made.ino), Error, "ESTALE");
    assertThrows(() => client.release(root), Error, "EINVAL");
    assertThrows(() => client.lookupRetain(made.ino, "x"), Error, "ESTALE");
  },
);

rigTest("readdirAttr() and getattrs() answer like the calls they are", async (rig) => {
  const client = await rig.client({ areaBytes: 16_384 });
  const { root } = client;
  const inos = Array.from({ length: 500 }, (_, index) => client.create(root, `n${index}`, file));
  const seen: unknown[] = [];
  for (let after = 0;;) {
    const page = client.readdirAttr(root, after);
    if (page.length === 0) break;
    seen.push(...page.map(({ name, ino, attr, mode }) => [name, ino, attr.ino, attr.mode, mode]));
    after = page.at(-1)!.cursor;
  }
  const { mode } = file;
  assertEquals(seen, inos.map((ino, index) => [`n${index}`, ino, ino, mode, mode]));
  client.unlink(root, "n7");
  let attrs: unknown[] = [];
  const count = requests(client, () => attrs = client.getattrs(inos));
  assertEquals(count, Math.ceil(500 / attrsThatFit(16_384)));
  assertEquals(attrs, inos.map((ino, index) => index === 7 ? null : client.getattr(ino)));
});

rigTest("store() makes or cuts a file and writes it, in one request", async (rig) => {
  const client = await rig.client({ areaBytes: 16_384 });
  const { root } = client;
  const small = Uint8Array.of(1, 2, 3);
  let ino = 0;
  assertEquals(requests(client, () => ino = client.store(root, "f", file, small).ino), 1);
  assertEquals([client.lookup(root, "f"), client.getattr(ino).size], [ino, 3]);
  const large = Uint8Array.from({ length: 100_000 }, (_, index) => index * 7);
  assertEquals(client.store(root, "f", file, large), { ino, count: 100_000 });
  const into = new Uint8Array(100_001);
  assertEquals([client.read(ino, into, 0), into.subarray(0, 100_000)], [100_000, large]);
  assertEquals(client.store(root, "f", file, new Uint8Array(0)), { ino, count: 0 });
  assertEquals(client.getattr(ino).size, 0);
  client.create(root, "d", { ...file, mode: S_IFDIR | 0o755 });
  assertThrows(() => client.store(root, "d", file, small), Error, "EISDIR");
});

rigTest("RelayClient.release() does not wait, and is carried out", async (rig) => {
  const client = await rig.client();
  const { ino } = client.createRetain(client.root, "f", file);
  assertEquals(requests(client, () => client.release(ino)), 0);
  client.unlink(client.root, "f");
  assertThrows(() => client.getattr(ino), Error, "ESTALE");
  const inos = ["a", "b", "c"].map((name) => client.createRetain(client.root, name, file).ino);
  for (const ino of inos) client.release(ino);
  for (const name of ["a", "b", "c"]) client.unlink(client.root, name);
  assertEquals((await rig.state()).inodes, 1);
});

rigTest("a posted release wakes a relay that sleeps", async (rig) => {
  const client = await rig.client();
  const { ino } = client.createRetain(client.root, "f", file);
  client.unlink(client.root, "f");
  await new Promise((resolve) => setTimeout(resolve, 150));
  client.release(ino);
  const { words } = client.memory;
  const before = performance.now();
  while (Atomics.load(words, Word.RELEASED) !== Atomics.load(words, Word.RELEASES)) {
    assert(performance.now() - before < 500, "it is not looked at");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
});

rigTest("FS over a relay makes, writes and closes a file in three round trips", async (rig) => {
  const client = await rig.client();
  const FS = createFS({ root: { type: VOLUMEFS, options: { volume: client } } });
  FS.writeFile("/first", "");
  const bytes = new Uint8Array(1024).fill(7);
  const count = requests(client, () => {
    for (let index = 0; index < 100; index++) FS.writeFile(`/f${index}`, bytes);
  });
  assertEquals(count, 300);
  assertEquals(FS.readFile("/f99"), bytes);
});

rigTest(
  "FS.open() of a name that others replace all the time finds one of the files",
  async (rig) => {
    const client = await rig.client();
    const other = await rig.client();
    const FS = createFS({ root: { type: VOLUMEFS, options: { volume: client } } });
    const { root } = client;
    client.create(root, "name", file);
    // Just before the client opens what its walk has found, the other puts a new file there.
    const retain = client.lookupRetain.bind(client);
    let left = 3;
    client.lookupRetain = (parent, name) => {
      if (left-- > 0) {
        other.create(root, "new", file);
        other.rename(root, "new", root, "name", 0);
      }
      return retain(parent, name);
    };
    const stream = FS.open("/name", "r+");
    assertEquals(FS.fstat(stream.fd!).ino, client.getattr(client.lookup(root, "name")).ino);
    FS.close(stream);
    left = 1;
    const { createRetain } = client;
    client.createRetain = (...args) => {
      if (left-- > 0) other.create(root, args[1], file);
      return createRetain.apply(client, args);
    };
    FS.writeFile("/both", "mine");
    assertEquals(FS.stat("/both").size, 4);
    left = 1;
    assertThrows(() => FS.open("/taken", "wx"), Error, "taken");
  },
);
