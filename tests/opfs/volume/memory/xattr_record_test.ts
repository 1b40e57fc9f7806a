/** Records of attributes: what is read of one, and what is wrong with a hostile one. */
import { assertEquals } from "@std/assert";
import * as L from "../../../../opfs/volume/format/layout.ts";
import { Tables } from "../../../../opfs/volume/memory/tables.ts";
import {
  attributeName,
  attributeProblem,
  entryLength,
  valueRuns,
} from "../../../../opfs/volume/memory/xattr_record.ts";

const SLOT = 40;
const AT = SLOT * L.SLOT_BYTES;
const names = [{ logical: 0, bytes: 4096, at: 0, firstBlock: -1, blockCount: 0 }];
const around = { blockSize: 4096, names };

/** An attribute "user.a" of slot 7 with 3 bytes after its name, changed by `damage`. */
function tablesWith(damage: (tables: Tables) => void = () => {}): Tables {
  const tables = new Tables(new Uint8Array(64 * 64), new Uint8Array(4096));
  const { view, nameView, names } = tables;
  view.setUint8(AT, L.TYPE.XATTR);
  view.setUint32(AT + L.XATTR.PATH_OFFSET, 32, true);
  view.setUint16(AT + L.XATTR.PATH_LENGTH, 6, true);
  view.setUint32(AT + L.XATTR.OWNER, 7, true);
  view.setUint32(AT + L.XATTR.SIZE, 3, true);
  nameView.setUint32(32, 7, true);
  names.set(new TextEncoder().encode("user.a"), 36);
  damage(tables);
  return tables;
}

/** The same with a value of 5,000 bytes in two runs. */
function inBlocks({ view }: Tables): void {
  view.setUint8(AT + L.XATTR.RUNS, 2);
  view.setUint32(AT + L.XATTR.SIZE, 5000, true);
  for (const [index, value] of [100, 1, 200, 1].entries()) {
    view.setUint32(AT + L.XATTR.PAIRS + index * 4, value, true);
  }
}

Deno.test("a good attribute has no problem, in an entry or in blocks", () => {
  const inline = tablesWith();
  assertEquals(attributeProblem(inline, SLOT, around), null);
  assertEquals([attributeName(inline, SLOT), entryLength(inline.view, AT)], ["user.a", 9]);
  assertEquals(valueRuns(inline.view, AT), []);
  const blocks = tablesWith(inBlocks);
  assertEquals(attributeProblem(blocks, SLOT, around), null);
  assertEquals(valueRuns(blocks.view, AT), [{ block: 100, count: 1 }, { block: 200, count: 1 }]);
  assertEquals(entryLength(blocks.view, AT), 6);
});

const u8 = (field: number, value: number) => ({ view }: Tables): void =>
  view.setUint8(AT + field, value);
const u32 = (field: number, value: number) => ({ view }: Tables): void =>
  view.setUint32(AT + field, value, true);

const damages: readonly [string, string, (tables: Tables) => void][] = [
  ["six runs", "V7", u8(L.XATTR.RUNS, 6)],
  ["a value that is too long", "V7", u32(L.XATTR.SIZE, 65_537)],
  ["fewer blocks than the value has", "V7", (t) => (inBlocks(t), u32(L.XATTR.SIZE, 9000)(t))],
  ["something reserved", "V8", u8(L.XATTR.SUM, 1)],
  ["a pair that does not count", "V8", u8(L.SLOT_BYTES - 1, 1)],
  ["a value that no entry holds", "V5", u32(L.XATTR.SIZE, 263)],
  ["an entry between granules", "V5", u32(L.XATTR.PATH_OFFSET, 33)],
  ["an entry outside", "V5", u32(L.XATTR.PATH_OFFSET, 4096)],
  ["no name", "V5", u8(L.XATTR.PATH_LENGTH, 0)],
  ["a name of 256 bytes", "V5", (t) => t.view.setUint16(AT + L.XATTR.PATH_LENGTH, 256, true)],
  ["NUL in its name", "V5", ({ names }) => void (names[37] = 0)],
  ["a name that is not UTF-8", "V5", ({ names }) => void (names[37] = 0xff)],
  ["an entry of another inode", "V5", ({ nameView }) => nameView.setUint32(32, 8, true)],
];

for (const [what, rule, damage] of damages) {
  Deno.test(`attributeProblem() finds ${rule}: ${what}`, () => {
    assertEquals(attributeProblem(tablesWith(damage), SLOT, around)?.rule, rule);
  });
}
