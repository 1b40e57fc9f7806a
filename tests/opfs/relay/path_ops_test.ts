/** Opcodes 1 to 34: what they do, byte by byte as docs/PROTOCOL.md has them. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { createFS } from "../../../fs/create_fs.ts";
import { VOLUMEFS } from "../../../node_ops/volume.ts";
import { Channel, claimChannel, wholeMessage } from "../../../opfs/relay/channel.ts";
import { Doorbell } from "../../../opfs/relay/doorbell.ts";
import { Exchange } from "../../../opfs/relay/exchange.ts";
import { RelayHost } from "../../../opfs/relay/host.ts";
import { PathOp } from "../../../opfs/relay/path_operations.ts";
import { createChannelMemory } from "../../../opfs/relay/protocol.ts";
import { Relay } from "../../../opfs/relay/server.ts";
import { ModelVolume } from "../../support/model_volume.ts";

const NOW = 1_700_000_000_000;

function rig() {
  const volume = new ModelVolume({ now: () => NOW });
  const options = { volume };
  const FS = createFS({ clock: () => NOW, root: { type: VOLUMEFS, options } });
  FS.umask(0);
  const relay = new Relay(volume, { paths: () => FS });
  const open = () => {
    const memory = createChannelMemory(16_384);
    relay.attach(memory.buffers);
    return new Client(relay, new Channel(memory, relay.doorbell));
  };
  return { volume, FS, relay, open, client: open() };
}

interface Asked {
  flags?: number;
  path?: string;
  /** Bytes of data as hex. */
  data?: string;
  payload?: Uint8Array;
}

/** Asks in hex, is answered in hex. */
class Client {
  readonly channel: Channel;
  readonly #relay: Relay;
  readonly #exchange: Exchange;
  received = new Uint8Array(0);

  constructor(relay: Relay, channel: Channel) {
    this.#relay = relay;
    this.channel = channel;
    this.#exchange = new Exchange(channel);
  }

  /** Takes the first piece of a payload. */
  begin(op: number, path: string): void {
    this.channel.writer.begin(op, 0).path(path);
    this.#exchange.start({ into: new Uint8Array(200_000) });
    this.#relay.turn();
    this.channel.wait("test");
    assert(!this.#exchange.step(), "it is done with one piece");
  }

  /** Takes the others. */
  finish(): void {
    do {
      this.#relay.turn();
      this.channel.wait("test");
    } while (!this.#exchange.step());
  }

  ask(op: number, { flags = 0, path = "", data = "", payload }: Asked = {}): string {
    const { channel } = this;
    const { writer, memory } = channel;
    writer.begin(op, flags).path(path);
    for (const byte of bytesOf(data)) memory.area[writer.at++] = byte;
    const into = new Uint8Array(200_000);
    this.#exchange.start({ from: payload, into });
    for (;;) {
      this.#relay.turn();
      assert(channel.isAnswered(), `operation ${op} is not answered`);
      channel.wait("test");
      if (this.#exchange.step()) break;
    }
    this.received = into.slice(0, this.#exchange.received);
    const { status, at, dataBytes } = channel.reader;
    if (status < 0) return String(status);
    return this.received.length > 1000
      ? `${dataBytes} bytes`
      : hex(memory.area.slice(at, at + dataBytes));
  }
}

function bytesOf(text: string): Uint8Array {
  const digits = text.replaceAll(" ", "");
  return Uint8Array.from({ length: digits.length / 2 }, (_, index) => {
    return parseInt(digits.slice(index * 2, index * 2 + 2), 16);
  });
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function ascii(text: string): string {
  return hex(new TextEncoder().encode(text));
}

/** A text after its length, as RENAME, COPY and LINK have it. */
function long(text: string): string {
  return hex(Uint8Array.of(text.length, 0, 0, 0)) + ascii(text);
}

const f64 = (value: number) => hex(new Uint8Array(new Float64Array([value]).buffer));
const u32 = (value: number) => hex(new Uint8Array(new Uint32Array([value]).buffer));

Deno.test("opcodes 1 to 34 have the bytes of docs/PROTOCOL.md", () => {
  const { client, FS } = rig();
  const { UNLINK, STAT, LSTAT, MKDIR, RMDIR, READDIR, RENAME, EXISTS } = PathOp;
  const ask = client.ask.bind(client);
  assertEquals(ask(PathOp.WRITE, { path: "/f", flags: 1, data: ascii("hello") }), "");
  assertEquals(ask(PathOp.READ, { path: "/f" }), ascii("hello"));
  assertEquals(ask(PathOp.APPEND, { path: "/f", data: ascii("!") }), "");
  const time = f64(NOW);
  const stat = `01 b6810000 ${f64(6)} ${time} ${time} ${time} 00000000 00000000 02000000 01000000`;
  assertEquals(ask(STAT, { path: "/f" }), stat.replaceAll(" ", ""));
  assertEquals(ask(LSTAT, { path: "/f" }), ask(STAT, { path: "/f" }));
  assertEquals([ask(EXISTS, { path: "/f" }), ask(EXISTS, { path: "/g" })], ["01", "00"]);
  assertEquals(ask(PathOp.TRUNCATE, { path: "/f", data: f64(2) }), "");
  assertEquals(ask(PathOp.READ, { path: "/f" }), ascii("he"));
  assertEquals(ask(MKDIR, { path: "/d", data: u32(0o700) }), "");
  assertEquals(ask(MKDIR, { path: "/d/x/y", flags: 1 }), ascii("/d/x"));
  assertEquals(FS.stat("/d/x/y").mode & 0o7777, 0o777);
  assertEquals(ask(PathOp.SYMLINK, { path: "/l", data: ascii("f") }), "");
  assertEquals(ask(PathOp.READLINK, { path: "/l" }), ascii("f"));
  assertEquals(ask(PathOp.REALPATH, { path: "/d/../l" }), ascii("/f"));
  assertEquals(
    ask(READDIR, { path: "/" }),
    `03000000${["d", "f", "l"].map((n) => `0100${ascii(n)}`).join("")}`,
  );
  assertEquals(
    ask(READDIR, { path: "/", flags: 1 }),
    `03000000 0100${ascii("d")}02 0100${ascii("f")}01 0100${ascii("l")}03`.replaceAll(" ", ""),
  );
  assertEquals(ask(PathOp.LINK, { path: "/f", data: long("/h") }), "");
  assertEquals(ask(RENAME, { path: "/h", data: long("/i") }), "");
  assertEquals(ask(PathOp.COPY, { path: "/i", data: long("/c") }), "");
  assertEquals(ask(PathOp.COPY, { path: "/i", flags: 1, data: long("/c") }), "-20");
  assertEquals(ask(PathOp.COPY, { path: "/i", data: long("/f") }), "-28");
  assertEquals(ask(PathOp.READ, { path: "/c" }), ascii("he"));
  assertEquals(ask(PathOp.ACCESS, { path: "/f", flags: 4 }), "");
  assertEquals(ask(PathOp.ACCESS, { path: "/nobody", flags: 0 }), "-44");
  assertEquals(ask(PathOp.CHMOD, { path: "/f", data: u32(0o600) }), "");
  assertEquals(ask(PathOp.CHMOD, { path: "/l", flags: 1, data: u32(0o600) }), "-138");
  assertEquals(ask(PathOp.CHOWN, { path: "/f", data: u32(7) + u32(8) }), "");
  assertEquals(ask(PathOp.CHOWN, { path: "/l", flags: 1, data: u32(9) + u32(9) }), "");
  assertEquals(ask(PathOp.UTIMES, { path: "/f", data: f64(1000) + f64(2000.5) }), "");
  const { mode, uid, gid, atimeMs, mtimeMs } = FS.stat("/f");
  assertEquals([mode & 0o7777, uid, gid, atimeMs, mtimeMs], [0o600, 7, 8, 1000, 2000.5]);
  assertEquals(FS.lstat("/l").uid, 9);
  const made = ask(PathOp.MKDTEMP, { path: "/tmp-" });
  assertEquals(made.length, ascii("/tmp-abcdef").length);
  assertEquals(ask(PathOp.STATFS, { path: "/" }).slice(0, 16), u32(0x56465321) + u32(4096));
  assertEquals(ask(UNLINK, { path: "/c" }), "");
  assertEquals(ask(UNLINK, { path: "/c" }), "-44");
  assertEquals([ask(RMDIR, { path: "/d" }), ask(RMDIR, { path: "/d", flags: 1 })], ["-55", ""]);
  assertEquals(FS.findObject("/d"), null);
});

Deno.test("descriptors of opcodes 22 to 33 are the client's own", () => {
  const { client, open, FS, volume, relay } = rig();
  const ask = client.ask.bind(client);
  assertEquals(ask(PathOp.OPEN, { path: "/f", flags: 0o102, data: u32(0o640) }), u32(3));
  assertEquals(ask(PathOp.OPENDIR, { path: "/" }), u32(4));
  assertEquals(ask(PathOp.FWRITE, { data: u32(3) + f64(-1) + ascii("abc") }), u32(3));
  assertEquals(ask(PathOp.FWRITE, { data: u32(3) + f64(-1) + ascii("def") }), u32(3));
  assertEquals(ask(PathOp.FWRITE, { data: u32(3) + f64(1) + ascii("X") }), u32(1));
  assertEquals(ask(PathOp.FREAD, { data: u32(3) + u32(9) + f64(0) }), ascii("aXcdef"));
  assertEquals(ask(PathOp.FREAD, { data: u32(3) + u32(9) + f64(-1) }), "");
  assertEquals(ask(PathOp.FSTAT, { data: u32(3) }), ask(PathOp.STAT, { path: "/f" }));
  assertEquals(ask(PathOp.FTRUNCATE, { data: u32(3) + f64(2) }), "");
  assertEquals(ask(PathOp.FSYNC, { data: u32(3) }), "");
  assertEquals([ask(PathOp.FSYNC), volume.calls.get("sync")], ["", 2]);
  assertEquals(ask(PathOp.FCHMOD, { data: u32(3) + u32(0o604) }), "");
  assertEquals(ask(PathOp.FCHOWN, { data: u32(3) + u32(1) + u32(2) }), "");
  assertEquals(ask(PathOp.FUTIMES, { data: u32(3) + u32(0) + f64(5) + f64(7.5) }), "");
  const { mode, uid, gid, atimeMs, mtimeMs, size } = FS.stat("/f");
  assertEquals([mode & 0o7777, uid, gid, atimeMs, mtimeMs, size], [0o604, 1, 2, 5, 7.5, 2]);
  const other = open();
  assertEquals(other.ask(PathOp.FSTAT, { data: u32(3) }), "-8");
  assertEquals(other.ask(PathOp.FSYNC, { data: u32(3) }), "-8");
  assertEquals([ask(PathOp.CLOSE, { data: u32(4) }), ask(PathOp.CLOSE, { data: u32(4) })], [
    "",
    "-8",
  ]);
  assertEquals(ask(PathOp.UNLINK, { path: "/f" }), "");
  assertEquals(volume.inodeCount, 2);
  client.channel.close();
  relay.turn();
  assertEquals(volume.inodeCount, 1);
});

Deno.test("payloads by path go in chunks both ways", () => {
  const { client, FS } = rig();
  const large = Uint8Array.from({ length: 100_000 }, (_, index) => index * 7 + (index >> 8));
  client.ask(PathOp.WRITE, { path: "/f", payload: large });
  assertEquals(FS.readFile("/f"), large);
  client.ask(PathOp.READ, { path: "/f" });
  assertEquals(client.received, large);
  client.ask(PathOp.APPEND, { path: "/f", payload: large });
  assertEquals(FS.stat("/f").size, 200_000);
  assertEquals(client.ask(PathOp.OPEN, { path: "/f", flags: 2 }), u32(3));
  assertEquals(
    client.ask(PathOp.FWRITE, { data: u32(3) + f64(-1), payload: large.subarray(5) }),
    u32(99_995),
  );
  client.ask(PathOp.FREAD, { data: u32(3) + u32(150_000) + f64(-1) });
  assertEquals(client.received, FS.readFile("/f").subarray(99_995));
  for (let index = 0; index < 300; index++) FS.writeFile(`/${"n".repeat(100)}${index}`, "");
  client.ask(PathOp.READDIR, { path: "/" });
  assertEquals(new DataView(client.received.buffer).getUint32(0, true), 301);
  assertEquals(client.received.length, 4 + 300 * 102 + 10 + 2 * 90 + 3 * 200 + 3);
});

Deno.test("others learn of what an operation by path has changed", () => {
  const { client, open } = rig();
  const other = open();
  const before = other.channel.generation;
  client.ask(PathOp.EXISTS, { path: "/f" });
  assertEquals(other.channel.generation, before);
  client.ask(PathOp.MKDIR, { path: "/d/e", flags: 1 });
  assert(other.channel.generation > before);
});

Deno.test("an operation by path sees what operations by inode have changed", () => {
  const { client, volume } = rig();
  assertEquals(client.ask(PathOp.EXISTS, { path: "/f" }), "00");
  volume.create(volume.root, "f", { mode: 0o100644, uid: 0, gid: 0 });
  assertEquals(client.ask(PathOp.EXISTS, { path: "/f" }), "01");
});

Deno.test("a relay without a file system answers ENOSYS to operations by path", () => {
  const relay = new Relay(new ModelVolume());
  const memory = createChannelMemory(16_384);
  relay.attach(memory.buffers);
  const channel = new Channel(memory, relay.doorbell);
  for (const op of Object.values(PathOp)) {
    channel.publish(wholeMessage(channel.writer.begin(op).end()));
    relay.turn();
    channel.wait("test");
    channel.reader.openResponse(channel.header);
    assertEquals(channel.reader.status, -52);
  }
});

Deno.test("the relay's worker serves operations by path, on nothing but the volume", async () => {
  const directory = Deno.makeTempDirSync();
  const settings = { busyTimeoutMs: 100, deadlineMs: 5000, sanityCheck: false, engine: {} };
  const place = { kind: "host", path: `${directory}/a.cairn` } as const;
  const host = await RelayHost.start({ place, settings, startTimeoutMs: 20_000 });
  try {
    const [memory, doorbell] = [host.connect(16_384), new Doorbell(host.address.doorbell!)];
    claimChannel(memory);
    doorbell.claim();
    const channel = new Channel(memory, doorbell);
    await channel.admitted("attach");
    const ask = (op: number, path: string, data = "") => {
      const { writer, memory } = channel;
      writer.begin(op).path(path);
      for (const byte of bytesOf(data)) memory.area[writer.at++] = byte;
      channel.publish(wholeMessage(writer.end()));
      channel.wait("test");
      channel.reader.openResponse(channel.header);
      return channel.reader.status;
    };
    // A directory of this name is no place for devices here.
    assertEquals(ask(PathOp.MKDIR, "/dev"), 0);
    assertEquals([ask(PathOp.WRITE, "/dev/zero", ascii("kept")), ask(PathOp.STAT, "/dev/null")], [
      0,
      -44,
    ]);
  } finally {
    await host.close();
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("others learn that a file without names goes with its last descriptor by path", () => {
  for (const way of ["closed", "dead", "read", "dead while it reads"]) {
    const { client, open, volume, relay } = rig();
    const other = open().channel;
    assertEquals(client.ask(PathOp.WRITE, { path: "/f", payload: new Uint8Array(40_000) }), "");
    const ino = volume.lookup(volume.root, "f");
    if (way === "closed" || way === "dead") client.ask(PathOp.OPEN, { path: "/f" });
    else client.begin(PathOp.READ, "/f");
    volume.unlink(volume.root, "f");
    assertEquals(volume.getattr(ino).nlink, 0, way);
    const before = other.generation;
    if (way === "closed") client.ask(PathOp.CLOSE, { data: u32(3) });
    else if (way === "read") client.finish();
    else client.channel.close();
    relay.turn();
    assertThrows(() => volume.getattr(ino), Error, "ESTALE");
    assertEquals(other.generation, before + 1, way);
  }
});
