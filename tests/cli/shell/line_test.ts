/** What a line of the shell means. */
import { assertEquals, assertThrows } from "@std/assert";
import { callWords, expand, SHAPES, wholePath } from "../../../cli/shell/line.ts";
import { wordsOf } from "../../../cli/shell/words.ts";
import { filesOf } from "../../../cli/shared/image.ts";
import { main } from "../../../cli/main.ts";
import { memoryHandle, openVolumeSync } from "../../../opfs/mod.ts";

const place = { image: "/i.cairn", directory: "/d" };
const call = (name: string, words: string[], options: Record<string, boolean> = {}): string[] =>
  callWords(name, words, { place, options });

Deno.test("wholePath() begins where the shell is, and never above the root", () => {
  const paths = ["a", ".", "..", "../..", "/x//y/", "../e/./f", "a/../../../b"];
  assertEquals(paths.map((path) => wholePath("/d", path)), [
    ...["/d/a", "/d", "/", "/", "/x/y/", "/e/f", "/b"],
  ]);
  assertEquals(wholePath("/", "/"), "/");
});

Deno.test("callWords() puts the image in and makes paths whole", () => {
  assertEquals(call("ls", []), ["/i.cairn", "/d"]);
  assertEquals(call("cat", ["a", "/b"]), ["/i.cairn", "/d/a", "/b"]);
  assertEquals(call("chmod", ["600", "a"]), ["/i.cairn", "600", "/d/a"]);
  assertEquals(call("cp", ["a", "../b"]), ["/i.cairn:/d/a", "/i.cairn:/b"]);
  assertEquals(call("ln", ["a", "b"]), ["/i.cairn", "/d/a", "/d/b"]);
  assertEquals(call("ln", ["../a", "b"], { symbolic: true }), ["/i.cairn", "../a", "/d/b"]);
  assertEquals(call("put", ["x/f"]), ["/i.cairn", "x/f", "/d/f"]);
  assertEquals(call("put", ["x/f", "."]), ["/i.cairn", "x/f", "/d"]);
  assertEquals(call("get", ["f", "out"]), ["/i.cairn", "/d/f", "out"]);
  assertEquals(call("export", ["o.tar"]), ["/i.cairn", "o.tar"]);
  assertEquals(call("df", []), ["/i.cairn"]);
  assertThrows(() => call("put", ["-", "a"]), Error, "takes no input");
});

Deno.test("callWords() leaves dots where a verb takes away or copies what they name", () => {
  for (const name of ["rm", "mv"]) {
    assertEquals(call(name, [".", "..", "a/.", "a/..", "/", ""]), [
      ...["/i.cairn", "/d/.", "//.", "/d/a/.", "/d/a/..", "/", ""],
    ]);
  }
  assertEquals(call("cp", ["a/.", "."]), ["/i.cairn:/d/a/.", "/i.cairn:/d/."]);
  assertEquals(call("find", [".", "a/."]), ["/i.cairn", "/d", "/d/a"]);
});

Deno.test("callWords() leaves .. after a name to the volume: the name may be a link", () => {
  assertEquals(call("cat", ["link/../f", "./../x//y/", "../../..", ".a/..b"]), [
    ...["/i.cairn", "/d/link/../f", "/x/y/", "/", "/d/.a/..b"],
  ]);
});

Deno.test("expand() replaces patterns by the names that match", () => {
  const volume = openVolumeSync(memoryHandle());
  const files = filesOf(volume, { readOnly: false });
  for (const folder of ["/d", "/d/e1", "/d/e2"]) files.mkdir(folder);
  for (const name of ["a.txt", "b.txt", ".txt", "c", "*", "-r", "e1/x", "e2/x"]) {
    files.writeFile(`/d/${name}`, "");
  }
  const of = (line: string): string[] => expand(wordsOf(line), "/d", () => files);
  assertEquals(of("*.txt"), ["a.txt", "b.txt"]);
  assertEquals(of(".t*"), [".txt"]);
  assertEquals(of("e*/x ../d/[ab].txt"), ["e1/x", "e2/x", "../d/a.txt", "../d/b.txt"]);
  assertEquals(of("/d/?"), ["/d/*", "/d/c"]);
  assertEquals(of("'*' nothing* -*"), ["*", "nothing*", "-*"]);
  assertEquals(of("c/*"), ["c/*"]);
  assertEquals(of("?r"), ["./-r"], "a name is no option");
  volume.close();
});

Deno.test("SHAPES names verbs that there are", async () => {
  let out = "";
  const nothing = (): void => {};
  const print = (text: string): void => void (out += text);
  await main(["--help"], { print, write: nothing, say: nothing, show: nothing, flush: nothing });
  for (const name of Object.keys(SHAPES)) assertEquals(out.includes(`\n  ${name} `), true, name);
});
