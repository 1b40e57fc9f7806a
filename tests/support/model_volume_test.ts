import { assertEquals, assertThrows } from "@std/assert";
import { RENAME_EXCHANGE, RENAME_NOREPLACE } from "../../abi/flags.ts";
import { S_IFDIR, S_IFLNK, S_IFREG } from "../../abi/mode.ts";
import { ModelVolume } from "./model_volume.ts";

const file = { mode: S_IFREG | 0o644, uid: 0, gid: 0 };
const dir = { mode: S_IFDIR | 0o755, uid: 0, gid: 0 };

Deno.test("ModelVolume reads holes as zeros and cuts what grows again", () => {
  const model = new ModelVolume();
  const ino = model.create(model.root, "f", file);
  assertEquals(model.write(ino, Uint8Array.of(1, 2, 3), 10_000), 3);
  model.setattr(ino, { size: 10_001 });
  model.setattr(ino, { size: 10_010 });
  const into = new Uint8Array(20);
  assertEquals(model.read(ino, into, 9_995), 15);
  assertEquals([...into.subarray(0, 15)], [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  assertEquals(model.getattr(ino).blocks, 8);
});

Deno.test("ModelVolume keeps a retained file until it is released", () => {
  const model = new ModelVolume();
  const ino = model.create(model.root, "f", file);
  model.retain(ino);
  model.unlink(model.root, "f");
  assertEquals(model.append(ino, Uint8Array.of(7)), { at: 0, count: 1 });
  assertEquals(model.getattr(ino).nlink, 0);
  model.release(ino);
  assertThrows(() => model.getattr(ino), Error, "ESTALE");
  assertEquals(model.inodeCount, 1);
});

Deno.test("ModelVolume.rename() keeps the rules of POSIX", () => {
  const model = new ModelVolume();
  const a = model.create(model.root, "a", dir);
  const b = model.create(a, "b", dir);
  const f = model.create(b, "f", file);
  assertThrows(() => model.rename(model.root, "a", b, "x", 0), Error, "EINVAL");
  assertThrows(() => model.rename(b, "f", model.root, "a", 0), Error, "EISDIR");
  assertThrows(() => model.rename(a, "b", b, "f", 0), Error, "EINVAL");
  assertThrows(() => model.rename(b, "f", a, "b", 0), Error, "EISDIR");
  const c = model.create(model.root, "c", dir);
  assertThrows(() => model.rename(model.root, "c", a, "b", 0), Error, "ENOTEMPTY");
  assertThrows(() => model.rename(model.root, "c", a, "b", RENAME_NOREPLACE), Error, "EEXIST");
  model.rename(model.root, "c", a, "b", RENAME_EXCHANGE);
  assertEquals([model.lookup(a, "b"), model.lookup(model.root, "c")], [c, b]);
  assertEquals(model.lookup(b, "f"), f);
  assertEquals([model.getattr(a).nlink, model.getattr(model.root).nlink], [3, 4]);
});

Deno.test("ModelVolume counts names and refuses bad ones", () => {
  const model = new ModelVolume();
  const f = model.create(model.root, "f", file);
  model.link(f, model.root, "g");
  assertEquals(model.getattr(f).nlink, 2);
  assertThrows(() => model.link(f, model.root, "g"), Error, "EEXIST");
  assertThrows(() => model.unlink(model.root, "h"), Error, "ENOENT");
  assertThrows(() => model.create(model.root, "é".repeat(128), file), Error, "ENAMETOOLONG");
  assertThrows(() => model.create(model.root, "a/b", file), Error, "EINVAL");
  assertThrows(() => model.create(model.root, "\ud800", file), Error, "EILSEQ");
  const l = model.create(model.root, "l", { ...file, mode: S_IFLNK | 0o777, target: "ü" });
  assertEquals([model.readlink(l), model.getattr(l).size], ["ü", 2]);
});
