/** The rules that bytes have one home: what each refuses, and what is not. */
import { assertEquals } from "@std/assert";
import { exists } from "../../tools/project.ts";
import plugin, { EXEMPT, NUMBERS, WIRE } from "../../tools/offsets.ts";

function lint(path: string, text: string): string[] {
  return Deno.lint.runPlugin(plugin, path, text).map(({ id }) => id);
}

const OFFSETS = [
  "view.getUint8(at);",
  "view.getUint8(slot * L.SLOT_BYTES);",
  "view.getUint32(at + 4, L.LE);",
  "view.setUint32(at + 16 + L.PAIR.BLOCK, 1, L.LE);",
  "this.#view.getFloat64(0, L.LE);",
  "nameView.getUint32(offset, L.LE);",
  "view.getUint32(pairAt, L.LE);",
  "const countAt = at + L.CONTINUATION.PAIRS + 4;",
  "const second = H.SALT + 4;",
  "view.getUint16(at + L.SLOT.NLINK + 2, L.LE);",
];

for (const text of OFFSETS) {
  Deno.test(`layout/offset refuses ${text}`, () => {
    assertEquals(new Set(lint("opfs/volume/load/x.ts", text)), new Set(["layout/offset"]));
    for (const path of ["opfs/volume/version1/x.ts", ...Object.keys(EXEMPT), "tests/x.ts"]) {
      assertEquals(lint(path, text), []);
    }
  });
}

Deno.test("layout/offset accepts fields by name", () => {
  const text = `
    view.getUint32(at + L.SLOT.SIZE, L.LE);
    view.getUint32(slot * L.SLOT_BYTES + L.SLOT.SIZE, L.LE);
    view.setUint32(L.SLOT.MODE, mode, L.LE);
    view.getUint32(record.place + R.SALT_COUNTED, L.LE);
    for (const field of [L.SLOT.MTIME]) view.getFloat64(at + field, L.LE);
    view.getUint16(generationAt(view, slot), L.LE);
    scratch.setFloat64(0, time, L.LE);
    const pairAt = at + L.CONTINUATION.PAIRS + pair * L.PAIR_BYTES;
    map.get(at);`;
  assertEquals(lint("opfs/volume/load/x.ts", text), []);
});

Deno.test("layout/wire refuses bytes of the relay's memory outside of their files", () => {
  for (const text of ["memory.view.getUint32(at, true);", "view.setFloat64(RequestAt.OP, 1);"]) {
    assertEquals(lint("opfs/relay/x.ts", text), ["layout/wire"]);
    for (const path of Object.keys(WIRE)) assertEquals(lint(path, text), []);
  }
  assertEquals(lint("opfs/relay/x.ts", "reader.u32(); setInterval(f, 1);"), []);
});

Deno.test("layout/words refuses a number that is split by hand", () => {
  for (const text of ["ino % 2 ** 32;", "const RANGE = 2 ** 32;", "x / 4294967296;"]) {
    assertEquals(lint("node_ops/x.ts", text), ["layout/words"]);
    assertEquals(lint("tests/x.ts", text), []);
    assertEquals(lint("abi/words.ts", text), []);
  }
  assertEquals(lint("node_ops/x.ts", "2 ** 31; 0xffff_ffff; x ** 32;"), []);
});

Deno.test("layout leaves out files that are there", () => {
  const files = [...Object.keys(EXEMPT), ...Object.keys(WIRE), ...Object.keys(NUMBERS)];
  assertEquals(files.filter((path) => !exists(path)), []);
});
