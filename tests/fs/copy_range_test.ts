/** copy_file_range within a volume, between mounts, and where a piece fails. */
import { assertEquals, assertThrows } from "@std/assert";
import { MAP_SHARED, PROT_READ, PROT_WRITE, SEEK_DATA } from "../../abi/flags.ts";
import { createFS } from "../../fs/create_fs.ts";
import { MEMFS } from "../../node_ops/memfs.ts";
import { PROXYFS } from "../../node_ops/proxyfs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import { memoryHandle } from "../../opfs/device/memory.ts";
import { openVolumeSync } from "../../opfs/volume/load/mount.ts";
import { as } from "../conformance/case.ts";
import { CountedVolume } from "../adapters/emscripten/counted_volume.ts";
import { LimitedHandle } from "../support/limited_handle.ts";

Deno.test("FS.copy_file_range() within a volume is one call of it, and keeps holes", () => {
  const volume = new CountedVolume();
  const fs = createFS({ root: { type: VOLUMEFS, options: { volume } } });
  const [from, to] = [fs.open("/from", "w+"), fs.open("/to", "w+")];
  fs.write(from, new Uint8Array([1, 2, 3]), 0, 3, 1 << 20);
  const before = [volume.calls.get("read"), volume.calls.get("write")];
  assertEquals(fs.copy_file_range(from, 0, to, 0, 1 << 30), (1 << 20) + 3);
  assertEquals([volume.calls.get("read"), volume.calls.get("write")], before);
  assertEquals(volume.calls.get("copyRange"), 1);
  assertEquals([fs.llseek(to, 0, SEEK_DATA), fs.fstat(to).blocks], [1 << 20, 8]);
  fs.close(from);
  fs.close(to);
  volume.check();
});

Deno.test("FS.copy_file_range() between mounts reads and writes", () => {
  const volumes = [1, 2].map(() => openVolumeSync(memoryHandle()));
  const fs = createFS();
  const there = createFS();
  for (const path of ["/a", "/b", "/p"]) fs.mkdir(path);
  fs.mount(VOLUMEFS, { volume: volumes[0]! }, "/a");
  fs.mount(VOLUMEFS, { volume: volumes[1]! }, "/b");
  fs.mount(PROXYFS, { fs: there, path: "/" }, "/p");
  const bytes = Uint8Array.from({ length: 200_000 }, (_, at) => at * 3);
  const places = ["/a", "/b", "/p", "/tmp"];
  for (const source of places) {
    fs.writeFile(`${source}/from`, bytes);
    const from = fs.open(`${source}/from`, "r");
    for (const target of places) {
      const to = fs.open(`${target}/to`, "w");
      assertEquals(fs.copy_file_range(from, 0, to, 0, 1e9), 200_000);
      fs.close(to);
      assertEquals(fs.readFile(`${target}/to`), bytes, `${source} to ${target}`);
    }
    fs.close(from);
  }
});

for (const source of ["/v", "/m"]) {
  Deno.test(`FS.copy_file_range() from ${source} counts what fits on a full device`, () => {
    const volume = openVolumeSync(new LimitedHandle(memoryHandle(), 2 << 20));
    const fs = createFS();
    for (const path of ["/v", "/m"]) fs.mkdir(path);
    fs.mount(VOLUMEFS, { volume }, "/v");
    fs.mount(MEMFS, {}, "/m");
    const bytes = new Uint8Array(source === "/v" ? 300_000 : 1 << 22).fill(5);
    fs.writeFile(`${source}/from`, bytes);
    const [from, to] = [fs.open(`${source}/from`, "r"), fs.open("/v/to", "w")];
    let code = "";
    let size = 0;
    for (;;) {
      try {
        size += fs.copy_file_range(from, 0, to, null, bytes.length);
      } catch (error) {
        code = (error as { code: string }).code;
        break;
      }
    }
    assertEquals([code, fs.fstat(to).size, size > 500_000], ["ENOSPC", size, true]);
    assertEquals(fs.readFile("/v/to"), new Uint8Array(size).fill(5));
  });
}

Deno.test("FS.copy_file_range() reports to watchers and the tracking delegate", () => {
  const fs = createFS();
  const told: unknown[] = [];
  fs.writeFile("/tmp/from", "abc");
  const [from, to] = [fs.open("/tmp/from", "r"), fs.open("/tmp/to", "w")];
  fs.trackingDelegate = {
    onReadFile: (path, count) => told.push(["read", path, count]),
    onWriteToFile: (path, count) => told.push(["write", path, count]),
  };
  fs.copy_file_range(from, 0, to, 0, 9);
  fs.copy_file_range(from, 5, to, 0, 9);
  assertEquals(told, [["read", "/tmp/from", 3], ["write", "/tmp/to", 3], ["read", "/tmp/from", 0]]);
});

Deno.test("FS.copy_file_range() takes files alone, and what a program has put into a map", () => {
  const fs = createFS();
  fs.writeFile("/tmp/f", "abcdef");
  const [from, to, device] = [
    fs.open("/tmp/f", "r+"),
    fs.open("/tmp/to", "w+"),
    fs.open("/dev/zero", "r+"),
  ];
  assertThrows(() => fs.copy_file_range(device, 0, to, 0, 9), Error, "EINVAL");
  assertThrows(() => fs.copy_file_range(from, 0, device, 0, 9), Error, "EINVAL");
  assertEquals(fs.copy_file_range(from, 4, from, 6, 100), 2);
  assertEquals(fs.readFile("/tmp/f", { encoding: "utf8" }), "abcdefef");
  const map = fs.mmap(from, 8, 0, PROT_READ | PROT_WRITE, MAP_SHARED);
  map.bytes[0] = 90;
  assertEquals(fs.copy_file_range(from, 0, to, 0, 100), 8);
  assertEquals(fs.readFile("/tmp/to", { encoding: "utf8" }), "Zbcdefef");
  fs.munmap(map);
});

Deno.test("FS.copy_file_range() by an unprivileged user takes setuid away, by root not", () => {
  const fs = createFS();
  fs.writeFile("/tmp/from", "x");
  for (const [uid, mode] of [[0, 0o104755], [1000, 0o100755]] as const) {
    const path = `/tmp/${uid}`;
    fs.writeFile(path, "");
    fs.chown(path, uid, uid);
    fs.chmod(path, 0o4755);
    const [from, to] = [fs.open("/tmp/from", "r"), fs.open(path, "r+")];
    as(fs, { uid, gid: uid, groups: [] }, () => fs.copy_file_range(from, 0, to, 0, 1));
    assertEquals(fs.stat(path).mode, mode);
  }
});
