import { assert, assertEquals } from "@std/assert";
import { Channel, wholeMessage } from "../../../opfs/relay/channel.ts";
import { RelayClient } from "../../../opfs/relay/client.ts";
import { Doorbell } from "../../../opfs/relay/doorbell.ts";
import { Op } from "../../../opfs/relay/operations.ts";
import { PathOp } from "../../../opfs/relay/path_operations.ts";
import { createChannelMemory, Word } from "../../../opfs/relay/protocol.ts";
import { Relay } from "../../../opfs/relay/server.ts";
import { ModelVolume } from "../../support/model_volume.ts";

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The request that a call publishes; it is not answered. */
function requestOf(call: (client: RelayClient) => void): { header: string; area: string } {
  const memory = createChannelMemory(16_384);
  const channel = new Channel(memory, new Doorbell(), { deadlineMs: 1 });
  try {
    call(new RelayClient(channel, { root: 1 }));
  } catch { /* The deadline. */ }
  const length = memory.words[Word.CHUNK_LEN]!;
  return {
    header: hex(new Uint8Array(memory.buffers.words, 0, 28)),
    area: hex(memory.area.slice(0, length)),
  };
}

Deno.test("the header stands where other users of this framing have it", () => {
  const { header } = requestOf((client) => client.lookup(1, "é"));
  assertEquals(
    header,
    "01000000" + "40000000" + "00000000" + "1a000000" + "1a00000000000000" + "00000000",
  );
  const { buffers } = createChannelMemory(16_384);
  const fixed = "4e524343".match(/../g)!.reverse().join("");
  assertEquals(
    hex(new Uint8Array(buffers.words, 32, 16)),
    hex(Uint8Array.of(0x43, 0x52, 0x4e, 0x43)) +
      "01000000" + "00400000" + "00000000",
    fixed,
  );
});

Deno.test("requests have the bytes that docs/PROTOCOL.md shows", () => {
  const ino = 7 + 3 * 2 ** 32;
  const rows: [string, (client: RelayClient) => void][] = [
    ["40000000 00000000 02000000 08000000 c3a9 07000000 03000000", (c) => c.lookup(ino, "é")],
    [
      "41000000 00000000 01000000 18000000 61 01000000 00000000 a4810000 01000000 02000000 00000000",
      (c) => c.create(1, "a", { mode: 0o100644, uid: 1, gid: 2 }),
    ],
    [
      "42000000 00000000 01000000 10000000 62 07000000 03000000 01000000 00000000",
      (c) => c.link(ino, 1, "b"),
    ],
    [
      "45000000 00000000 01000000 15000000 61 01000000 00000000 07000000 03000000 01000000 62",
      (c) => c.rename(1, "a", ino, "b", 1),
    ],
    [
      "46000000 00000000 00000000 10000000 07000000 03000000 0000000000001040",
      (c) => c.readdir(ino, 4),
    ],
    [
      "49000000 00000000 00000000 30000000 07000000 03000000 09000000 80010000 00000000 00000000" +
      "0000000000001440 0000000000000000 0000000000000000",
      (c) => c.setattr(ino, { mode: 0o600, size: 5 }),
    ],
    [
      "4a000000 00000000 00000000 14000000 07000000 03000000 0000000000002040 09000000",
      (c) => c.read(ino, new Uint8Array(9), 8),
    ],
    [
      "4b000000 00000000 00000000 13000000 07000000 03000000 0000000000002040 010203",
      (c) => c.write(ino, Uint8Array.of(1, 2, 3), 8),
    ],
    [
      "4c000000 00000000 00000000 0a000000 07000000 03000000 0102",
      (c) => c.append(ino, Uint8Array.of(1, 2)),
    ],
    ["50000000 00000000 00000000 00000000", (c) => c.sync()],
    [
      "52000000 00000000 00000000 18000000 01000000 00000000 80010000 01000000 02000000 01000000",
      (c) => c.tmpfile(1, { mode: 0o600, uid: 1, gid: 2, isLinkable: false }),
    ],
    [
      "53000000 00000000 00000000 14000000 07000000 03000000 0000000000002040 03000000",
      (c) => c.seek(ino, 8, 3),
    ],
    [
      "54000000 00000000 00000000 1c000000 07000000 03000000 10000000 0000000000002040" +
      "0000000000001440",
      (c) => c.allocate(ino, 16, 8, 5),
    ],
    ["55000000 00000000 01000000 08000000 61 07000000 03000000", (c) => c.getxattr(ino, "a")],
    [
      "56000000 00000000 01000000 0e000000 61 07000000 03000000 01000000 0102",
      (c) => c.setxattr(ino, "a", Uint8Array.of(1, 2), 1),
    ],
    ["57000000 00000000 00000000 08000000 07000000 03000000", (c) => c.listxattr(ino)],
    ["58000000 00000000 01000000 08000000 61 07000000 03000000", (c) => c.removexattr(ino, "a")],
  ];
  for (const [want, call] of rows) assertEquals(requestOf(call).area, want.replaceAll(" ", ""));
});

/** CREATE answered with inode 2; UNLINK of a name "b" that is not there. */
const EXAMPLE_ANSWERS = [
  "00000000" + "08000000" + "0200000000000000",
  "d4ffffff" + "13000000" + "020404" + "08000000" +
  hex(new TextEncoder().encode('find "b"')) + "00000000",
];

Deno.test("answers have the bytes that docs/PROTOCOL.md shows", () => {
  const model = new ModelVolume({ now: () => 2 });
  const relay = new Relay(model);
  const memory = createChannelMemory(16_384);
  relay.attach(memory.buffers);
  const channel = new Channel(memory, relay.doorbell);
  const answerOf = (fill: () => number) => {
    channel.publish(wholeMessage(fill()));
    relay.turn();
    return hex(memory.area.slice(0, memory.words[Word.CHUNK_LEN]));
  };
  const { writer } = channel;
  const create = () =>
    writer.begin(Op.CREATE).path("a").ino(1).u32(0o100644).u32(1).u32(2).u32(0).end();
  assertEquals(answerOf(create), EXAMPLE_ANSWERS[0]);
  assertEquals(
    answerOf(() => writer.begin(Op.READDIR).ino(1).f64(0).end()),
    "01000000" + "13000000" + "02000000" + "a4810000" + "000000000000f03f" + "0100" + "61",
  );
  assertEquals(
    answerOf(() => writer.begin(Op.GETATTR).ino(2).end()),
    "00000000" + "40000000" + "02000000" + "a4810000" + "01000000" + "01000000" + "02000000" +
      "00000000" + "0000000000000000".repeat(2) + "0000000000000040".repeat(3),
  );
  assertEquals(
    answerOf(() => writer.begin(Op.UNLINK).path("b").ino(1).end()),
    EXAMPLE_ANSWERS[1],
  );
});

Deno.test("numbers of operations are never given twice", () => {
  const paths = Object.values(PathOp);
  assertEquals(paths, Array.from({ length: 34 }, (_, index) => index + 1));
  const inodes = Object.values(Op);
  assertEquals(new Set<number>(inodes).size, inodes.length);
  assertEquals(Math.min(...inodes), 64);
});

Deno.test("docs/PROTOCOL.md has every message between a page and its worker", async () => {
  const read = (path: string) => Deno.readTextFile(new URL(`../../../${path}`, import.meta.url));
  const code = await read("opfs/relay/messages.ts");
  const [toWorker, fromWorker] = ["ToWorker", "FromWorker"].map((name) =>
    code.slice(code.indexOf(`export type ${name} =`)).split(";\n\n")[0]!
  );
  const text = await read("docs/PROTOCOL.md");
  for (const [sender, types] of [["page", toWorker!], ["worker", fromWorker!]] as const) {
    const names = [...types.matchAll(/type: "(\w+)"/g)].map(([, name]) => name!);
    assert(names.length >= 9, `${names.length} messages of the ${sender}`);
    for (const name of names) {
      const row = `| ${sender} | \`{ type: "${name}"`;
      assert(text.includes(row), `docs/PROTOCOL.md has no row ${row}`);
    }
  }
});

Deno.test("docs/PROTOCOL.md has every number that the code has", async () => {
  const text = await Deno.readTextFile(new URL("../../../docs/PROTOCOL.md", import.meta.url));
  for (const [name, op] of Object.entries(Op)) {
    assert(text.includes(`| ${op} | ${name} |`), `docs/PROTOCOL.md has no row for ${op}, ${name}`);
  }
  for (const [name, op] of Object.entries(PathOp)) {
    assert(text.includes(`| ${op} | ${name} |`), `docs/PROTOCOL.md has no row for ${op}, ${name}`);
  }
  const words = Object.values(Word).filter((word) => word !== Word.TOTAL_HIGH);
  for (const word of words) {
    const row = new RegExp(`^\\| ${word * 4} \\| ${word}(, 5)? \\|`, "m");
    assertEquals(row.test(text), true, `word ${word}`);
  }
  const bytes = text.replaceAll(" ", "");
  const ino = 6 + 3 * 2 ** 32;
  const calls: ((client: RelayClient) => void)[] = [
    (c) => c.lookup(ino, "é"),
    (c) => c.write(ino, Uint8Array.of(1, 2, 3), 8),
    (c) => c.create(1, "a", { mode: 0o100644, uid: 1, gid: 2 }),
  ];
  for (const call of calls) {
    assertEquals(bytes.includes(`area${requestOf(call).area}`), true, requestOf(call).area);
  }
  assertEquals(bytes.includes(`header${requestOf(calls[0]!).header}`), true);
  for (const answer of EXAMPLE_ANSWERS) assertEquals(bytes.includes(`answer${answer}`), true);
});
