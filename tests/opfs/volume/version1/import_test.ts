/**
 * Import: everything arrives as it was, and what cannot is reported.
 */
import { assert, assertEquals } from "@std/assert";
import { memoryHandle } from "../../../../opfs/device/memory.ts";
import { runToEnd, TransferClock } from "../../../../opfs/volume/upkeep/transfer.ts";
import { importSteps } from "../../../../opfs/volume/version1/import.ts";
import { readVersion1 } from "../../../../opfs/volume/version1/read.ts";
import { ModelVolume } from "../../../support/model_volume.ts";
import { Version1Builder } from "../../../support/version1_builder.ts";
import { importBytes, NOW_MS, type Shown, treeOf } from "../../../support/version1_rig.ts";

function base(): Version1Builder {
  const builder = new Version1Builder();
  builder.directory("/");
  return builder;
}

function shown(builder: Version1Builder, slot: number, more: Partial<Shown>): Shown {
  const { mode, nlink, uid, gid, atime, mtime, ctime } = builder.slots[slot]!;
  const times: Shown["times"] = [atime, mtime, ctime];
  return { mode, nlink, uid, gid, rdev: 0, times, contents: "", first: "", ...more };
}

/** One of everything, children before their parents, with odd attributes. */
function mixed(): Version1Builder {
  const builder = new Version1Builder();
  builder.file("/d/e/f", "contents ".repeat(400));
  builder.symlink("/d/s", "../nowhere/日本");
  builder.directory("/d/e");
  builder.directory("/");
  builder.directory("/d");
  builder.link("/hard", 0);
  builder.add({ type: 1, path: "/fifo", mode: 0o010600 });
  builder.add({ type: 1, path: "/null", mode: 0o020666, firstBlock: 0x103 });
  builder.file("/empty");
  builder.link("/d/s2", 1);
  Object.assign(builder.slots[0]!, { mode: 0o104751, uid: 7, gid: 8, mtime: -1.5, atime: 0.25 });
  Object.assign(builder.slots[2]!, { mode: 0o041777, uid: 0xffffffff, gid: 1, mtime: 12 });
  Object.assign(builder.slots[3]!, { mode: 0o040700, uid: 501, gid: 20, ctime: 99.5 });
  return builder;
}

function expectMixed(builder: Version1Builder): Record<string, Shown> {
  const file = shown(builder, 0, { contents: "contents ".repeat(400), first: "/d/e/f", nlink: 2 });
  const link = shown(builder, 1, { contents: "../nowhere/日本", first: "/d/s", nlink: 2 });
  return {
    "/": shown(builder, 3, { first: "/", nlink: 3 }),
    "/d": shown(builder, 4, { first: "/d", nlink: 3 }),
    "/d/e": shown(builder, 2, { first: "/d/e", nlink: 2 }),
    "/d/e/f": file,
    "/d/s": link,
    "/d/s2": link,
    "/empty": shown(builder, 8, { first: "/empty" }),
    "/fifo": shown(builder, 6, { first: "/fifo" }),
    "/hard": file,
    "/null": shown(builder, 7, { first: "/null", rdev: 0x103 }),
  };
}

Deno.test("importSteps() carries contents, modes, owners, links and all three times over", () => {
  const builder = mixed();
  const { tree, report, codes } = importBytes(builder.build());
  assertEquals(tree, expectMixed(builder));
  assertEquals(codes, []);
  const { files, directories, symlinks, special, hardLinks, bytes, isComplete } = report;
  assertEquals([files, directories, symlinks, special, hardLinks, bytes], [2, 3, 1, 2, 2, 3600]);
  assert(isComplete);
});

Deno.test("importSteps() fills any VolumeOps", () => {
  const builder = mixed();
  const clock = new TransferClock();
  const model = new ModelVolume({ now: clock.read });
  const image = readVersion1(memoryHandle(builder.build()));
  const seen: number[] = [];
  runToEnd(importSteps(image, model, { clock, nowMs: NOW_MS }), (p) => void seen.push(p.doneBytes));
  assertEquals(treeOf(model), expectMixed(builder));
  assertEquals(seen.at(-1), 3600);
  assertEquals(model.calls.get("sync"), 1);
});

Deno.test("importSteps() takes implicit directories for ordinary ones, made now", () => {
  const builder = base();
  builder.file("/x/y/f", "1");
  const { tree, codes, report } = importBytes(builder.build());
  const times: Shown["times"] = [NOW_MS, NOW_MS, NOW_MS];
  const made = { mode: 0o040755, uid: 0, gid: 0, rdev: 0, times, contents: "" };
  assertEquals(tree["/x"], { ...made, nlink: 3, first: "/x" });
  assertEquals(tree["/x/y"], { ...made, nlink: 2, first: "/x/y" });
  assertEquals(codes, ["note directory-implicit /x", "note directory-implicit /x/y"]);
  assert(report.isComplete);
});

Deno.test("importSteps() shortens names over 255 bytes, the same name always alike", () => {
  const builder = base();
  const long = "ü".repeat(200);
  builder.directory(`/${long}`);
  builder.file(`/${long}/a`, "1");
  builder.file(`/${long}/${long}`, "2");
  builder.file(`/${long}b`, "3");
  const { tree, codes } = importBytes(builder.build());
  const short = Object.keys(tree)[1]!;
  assert(/^\/ü{123}~[0-9a-f]{8}$/.test(short), short);
  assertEquals(tree[`${short}/a`]?.contents, "1");
  assertEquals(tree[`${short}${short}`]?.contents, "2");
  assertEquals(Object.keys(tree).length, 5);
  assertEquals(codes.filter((code) => code.startsWith("changed name-shortened")).length, 3);
});

Deno.test("importSteps() leaves out links that a volume cannot hold, and says so", () => {
  const builder = base();
  builder.symlink("/long", "t".repeat(4096));
  builder.symlink("/longest", "t".repeat(4095));
  builder.symlink("/none", "");
  builder.symlink("/nul", "a\0b");
  const { tree, codes, report } = importBytes(builder.build());
  assertEquals(Object.keys(tree), ["/", "/longest"]);
  assertEquals(codes, ["lost unstorable /long", "lost unstorable /none", "lost unstorable /nul"]);
  assert(!report.isComplete);
});

Deno.test("importSteps() says when bytes of a target had to be replaced", () => {
  const builder = base();
  builder.symlink("/s", new Uint8Array([0x61, 0xff]));
  const { tree, codes } = importBytes(builder.build());
  assertEquals(tree["/s"]?.contents, "a\ufffd");
  assertEquals(codes, ["changed target-replaced /s"]);
});

Deno.test("importSteps() in a repair keeps what has no name, with its attributes", () => {
  const builder = base();
  const slot = builder.file("/bad\0name", "kept");
  Object.assign(builder.slots[slot]!, { uid: 5, mode: 0o100600 });
  const plain = importBytes(builder.build());
  assertEquals(Object.keys(plain.tree), ["/"]);
  assert(!plain.report.isComplete);
  const { tree } = importBytes(builder.build(), { repair: true });
  assertEquals(Object.keys(tree), ["/", "/lost+found", "/lost+found/slot-1"]);
  const first = "/lost+found/slot-1";
  assertEquals(tree[first], shown(builder, slot, { contents: "kept", first }));
  assertEquals(tree["/lost+found"]?.mode, 0o040700);
});

Deno.test("importSteps() in a repair finds another place when lost+found is a file", () => {
  const builder = base();
  builder.file("/lost+found", "mine");
  builder.file("/bad\0name", "kept");
  const { tree } = importBytes(builder.build(), { repair: true });
  assertEquals(tree["/lost+found"]?.contents, "mine");
  assertEquals(tree["/lost+found+/slot-2"]?.contents, "kept");
});

Deno.test("importSteps() in a repair gives shared blocks to no file", () => {
  const builder = base();
  builder.file("/good", "good");
  builder.file("/a", "aaaa");
  builder.file("/b", "bbbb");
  builder.slots[3]!.firstBlock = builder.slots[2]!.firstBlock;
  const { tree } = importBytes(builder.build(), { repair: true });
  assertEquals(Object.keys(tree).slice(1), [
    "/good",
    "/lost+found",
    "/lost+found/slot-2",
    "/lost+found/slot-3",
  ]);
  assertEquals(tree["/good"]?.contents, "good");
});

Deno.test("importSteps() reads contents in pieces, whatever the image's length", () => {
  const builder = new Version1Builder({ blockSize: 65536, blockCount: 80 });
  builder.directory("/");
  const contents = new Uint8Array(5_000_000).map((_, index) => index * 7 % 251);
  builder.file("/big", contents);
  let largest = 0;
  const handle = memoryHandle(builder.build());
  const watched = Object.assign(Object.create(handle), {
    read(into: Uint8Array, options: { at: number }): number {
      largest = Math.max(largest, into.length);
      return handle.read(into, options);
    },
    getSize: () => handle.getSize(),
  });
  const clock = new TransferClock();
  const model = new ModelVolume({ now: clock.read });
  runToEnd(importSteps(readVersion1(watched), model, { clock, nowMs: NOW_MS }));
  const into = new Uint8Array(contents.length);
  model.read(model.lookup(model.root, "big"), into, 0);
  assertEquals(into, contents);
  assertEquals(largest, 1024 * 1024);
});
