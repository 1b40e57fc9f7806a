import { assertEquals } from "@std/assert";
import {
  afterCells,
  CELL_BYTES,
  CELLS_PER_PAGE,
  CellSums,
} from "../../../../opfs/volume/memory/cell_sums.ts";
import { pageSum } from "../../../../opfs/volume/format/page_sum.ts";
import { prng } from "../../../support/prng.ts";

Deno.test("afterCells() is the sum of a cell with cells of zeros after it", () => {
  const random = prng(1);
  const page = new Uint8Array(4096);
  for (let cell = 0; cell < CELLS_PER_PAGE; cell++) {
    page.fill(0);
    const at = cell * CELL_BYTES;
    random.fill(page.subarray(at, at + CELL_BYTES));
    const sum = pageSum(page, at, at + CELL_BYTES);
    assertEquals(afterCells(sum, CELLS_PER_PAGE - 1 - cell) >>> 0, pageSum(page), `cell ${cell}`);
  }
  assertEquals(afterCells(0, 5), 0);
});

const cellOf = (page: Uint8Array, cell: number): number =>
  pageSum(page, cell * CELL_BYTES, (cell + 1) * CELL_BYTES);

Deno.test("CellSums says what a page's sum becomes from its changed cells alone", () => {
  const random = prng(2);
  const page = new Uint8Array(4096);
  random.fill(page);
  const sums = new CellSums();
  assertEquals(sums.isKnown(7, 1), false);
  let sum = sums.sumPage(7, page, 1);
  assertEquals([sum, sums.pages], [pageSum(page), 0]);
  sums.settle();
  for (let round = 0; round < 50; round++) {
    const cells = [...new Set([0, 1, 2].map(() => random.below(64)))];
    const before = page.slice();
    for (const cell of cells) random.fill(page.subarray(cell * 64, cell * 64 + 64));
    assertEquals(sums.isKnown(7, cells.length), true);
    let after = sum;
    for (const cell of cells) after ^= sums.change(7, cell, cellOf(page, cell));
    assertEquals(after >>> 0, pageSum(page));
    if (round % 3 === 0) {
      // Refused: the page is as it was.
      sums.forget();
      page.set(before);
    } else {
      sums.settle();
      sum = after >>> 0;
    }
  }
  assertEquals(sums.pages, 1);
});

Deno.test("CellSums.forget() forgets a page that was met in vain", () => {
  const sums = new CellSums();
  sums.sumPage(1, new Uint8Array(4096), 1);
  sums.forget();
  sums.settle();
  assertEquals(sums.pages, 0);
});

Deno.test("CellSums looks at the whole page when many cells change, and no longer knows it", () => {
  const page = new Uint8Array(4096).fill(3);
  const sums = new CellSums();
  sums.sumPage(5, page, 11);
  sums.settle();
  assertEquals([sums.isKnown(5, 11), sums.isKnown(5, 12)], [true, false]);
  page.fill(4);
  assertEquals(sums.sumPage(5, page, 12), pageSum(page));
  sums.settle();
  assertEquals([sums.isKnown(5, 1), sums.pages], [false, 0]);
});
