/** Maps of sparse files. */
import { assertEquals, assertThrows } from "@std/assert";
import {
  encodeMap,
  OLD_SPARSE,
  oldPieces,
  oldSparseHead,
  sparseHead,
  SparseMapReader,
} from "../../../cli/tar/sparse.ts";
import { oldSparse, tarOf } from "../../support/tar_bytes.ts";

const records = (entries: Record<string, string>): Map<string, Uint8Array> =>
  new Map(Object.entries(entries).map(([key, text]) => [key, new TextEncoder().encode(text)]));

Deno.test("SparseMapReader reads what encodeMap() writes, however it comes", () => {
  const pieces = Array.from({ length: 100 }, (_, index) => ({ at: index * 1e9, length: index }));
  for (const list of [[], pieces.slice(0, 1), pieces]) {
    const map = encodeMap(list);
    assertEquals(map.length % 512, 0);
    for (const step of [1, 100, map.length]) {
      const reader = new SparseMapReader();
      let taken = 0;
      for (let at = 0; at < map.length; at += step) taken += reader.push(map.slice(at, at + step));
      assertEquals([taken, reader.pieces], [map.length, list]);
      assertEquals(reader.push(new Uint8Array(9)), 0);
    }
  }
});

Deno.test("SparseMapReader refuses a hostile map", () => {
  for (const text of ["99999999\n", "x\n", `${"1".repeat(30)}\n`, "-1\n", "1\n5\n1e9\n"]) {
    const bytes = new Uint8Array(1024);
    bytes.set(new TextEncoder().encode(text));
    assertThrows(() => new SparseMapReader().push(bytes), Error, "sparse file is damaged");
  }
});

Deno.test("sparseHead() knows versions 1.0 and 0.1, and refuses others", () => {
  assertEquals(sparseHead(records({ mtime: "5" })), null);
  const one = { "GNU.sparse.major": "1", "GNU.sparse.name": "n", "GNU.sparse.realsize": "9" };
  assertEquals(sparseHead(records(one)), { name: "n", sizeBytes: 9, pieces: null });
  const older = { "GNU.sparse.size": "9", "GNU.sparse.map": "0,1,8,1" };
  const pieces = [{ at: 0, length: 1 }, { at: 8, length: 1 }];
  assertEquals(sparseHead(records(older)), { name: null, sizeBytes: 9, pieces });
  const oldest = { "GNU.sparse.size": "9", "GNU.sparse.numblocks": "1" };
  assertThrows(() => sparseHead(records(oldest)), Error, "ENOTSUP");
  const allHole = { "GNU.sparse.size": "9", "GNU.sparse.numblocks": "0" };
  assertEquals(sparseHead(records(allHole)), { name: null, sizeBytes: 9, pieces: [] });
});

Deno.test("oldSparseHead() and oldPieces() read a header and the blocks after it", () => {
  for (const count of [0, 1, 4, 5, 25, 26]) {
    const pieces = Array.from({ length: count }, (_, index) => ({ at: index * 512, length: 1 }));
    const bytes = tarOf([oldSparse("s", { pieces, sizeBytes: 2 ** 30 })]);
    const { head, hasMore } = oldSparseHead(bytes);
    let isGoingOn = hasMore;
    for (let at = 512; isGoingOn; at += 512) {
      isGoingOn = oldPieces(bytes.subarray(at, at + 512), OLD_SPARSE.MORE, head.pieces);
    }
    assertEquals(head, { name: null, sizeBytes: 2 ** 30, pieces });
  }
  const bad = tarOf([oldSparse("s", { pieces: [{ at: 0, length: 1 }], sizeBytes: 9 })]);
  bad[386] = 0x78;
  assertThrows(() => oldSparseHead(bad), Error, "sparse file is damaged");
});
