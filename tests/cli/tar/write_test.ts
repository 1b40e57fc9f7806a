/** A tar on its way out, read again. */
import { assertEquals, assertRejects } from "@std/assert";
import { readTar, type TarEntry } from "../../../cli/tar/read.ts";
import { type TarItem, TarWriter } from "../../../cli/tar/write.ts";
import { xattrsIn } from "../../../cli/tar/pax.ts";
import type { Attr } from "../../../mod.ts";

const ATTR: Attr = {
  ...{ ino: 1, nlink: 1, rdev: 0, size: 0, blocks: 0 },
  ...{ mode: 0o100644, uid: 0, gid: 0, atime: 5000, mtime: 5000, ctime: 5000 },
};

function itemOf(name: string, attr: Partial<Attr> = {}, more: Partial<TarItem> = {}): TarItem {
  const plain = { target: null, linkTo: null, xattrs: new Map(), sparse: null, sizeBytes: 0 };
  return { name, attr: { ...ATTR, ...attr }, ...plain, ...more };
}

async function roundTrip(items: readonly TarItem[]): Promise<TarEntry[]> {
  const pieces: Uint8Array[] = [];
  const writer = await TarWriter.begin((bytes) => void pieces.push(bytes.slice()), {
    isCompressed: false,
  });
  for (const item of items) assertEquals(await writer.add(item), []);
  await writer.end();
  const found: TarEntry[] = [];
  for await (const entry of readTar(ReadableStream.from(pieces))) found.push(entry);
  return found;
}

Deno.test("TarWriter writes extended headers only where they are needed", async () => {
  const plain = await roundTrip([itemOf("./a"), itemOf(`./${"n".repeat(98)}`)]);
  assertEquals(plain.map(({ pax }) => pax.size), [0, 0]);
  const long = `./${"ä".repeat(300)}`;
  const [named, timed, owned, before] = await roundTrip([
    itemOf(long, { mode: 0o120777 }, { target: "t".repeat(500) }),
    itemOf("./t", { mtime: 1700000000123.4568, atime: 1.5, ctime: -7 }),
    itemOf("./o", { uid: 0xffffffff, gid: 2097152 }),
    itemOf("./b", { mtime: -1500, atime: -1500, ctime: -1500 }),
  ]);
  assertEquals([named!.name, named!.linkName], [long, "t".repeat(500)]);
  assertEquals([timed!.mtimeMs, timed!.atimeMs, timed!.ctimeMs], [1700000000123.4568, 1.5, -7]);
  assertEquals([owned!.uid, owned!.gid], [0xffffffff, 2097152]);
  assertEquals([before!.mtimeMs, before!.atimeMs], [-1500, null]);
});

Deno.test("TarWriter writes devices with their numbers, and attributes of any bytes", async () => {
  const binary = new Uint8Array([0, 255, 10, 61]);
  const [device, tty, fifo, capable] = await roundTrip([
    itemOf("./b", { mode: 0o060600, rdev: (8 << 8) | 1 }),
    itemOf("./c", { mode: 0o020600, rdev: 0x501 }),
    itemOf("./p", { mode: 0o010600 }),
    itemOf(`./${"x".repeat(200)}`, {}, { xattrs: new Map([["security.capability", binary]]) }),
  ]);
  assertEquals([device!.type, device!.major, device!.minor], ["4", 8, 1]);
  assertEquals([tty!.type, tty!.major, tty!.minor], ["3", 5, 1]);
  assertEquals(fifo!.type, "6");
  assertEquals(capable!.name, `./${"x".repeat(200)}`);
  assertEquals(xattrsIn(capable!.pax).get("security.capability"), binary);
});

Deno.test("TarWriter passes on why its bytes could not be written", async () => {
  const write = (): void => {
    throw new Error("the disk is full");
  };
  const writer = await TarWriter.begin(write, { isCompressed: false });
  await assertRejects(
    async () => {
      await writer.add(itemOf("./a"));
      await writer.end();
    },
    Error,
    "the disk is full",
  );
  await writer.stop();
});

Deno.test("TarWriter passes the reason on, whatever is called when it comes", async () => {
  for (const pause of ["before the body", "before the end of the body", "before the end"]) {
    let isFull = false;
    const write = (): void => {
      if (isFull) throw new Error("the disk is full");
    };
    const fill = async (now: string): Promise<void> => {
      if (now === pause) isFull = true;
      await new Promise((resolve) => setTimeout(resolve, 1));
    };
    const writer = await TarWriter.begin(write, { isCompressed: false });
    await assertRejects(
      async () => {
        const { body } = await writer.addFile(itemOf("./a", {}, { sizeBytes: 2 }));
        await fill("before the body");
        await body.write(new Uint8Array(1));
        await fill("before the end of the body");
        await body.write(new Uint8Array(1));
        await fill("");
        await body.close();
        await fill("before the end");
        await writer.end();
      },
      Error,
      "the disk is full",
      pause,
    );
    await writer.stop();
  }
});
