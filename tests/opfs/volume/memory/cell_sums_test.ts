import { assertEquals } from "@std/assert";
import {
  afterCells,
  CELL_BYTES,
  CELLS_PER_PAGE,
  cellSum,
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
    const moved = afterCells(sum, CELLS_PER_PAGE - 1 - cell) >>> 0;
    assertEquals(moved, pageSum(page), `cell ${cell}`);
  }
  assertEquals(afterCells(0, 5), 0);
});

/** A page, and cells of which none is known. */
function fresh(): { page: Uint8Array<ArrayBuffer>; view: DataView; sums: CellSums } {
  const page = new Uint8Array(4096);
  const sums = new CellSums();
  sums.resize(9);
  return { page, view: new DataView(page.buffer), sums };
}

Deno.test("cellSum() is the sum of a cell", () => {
  const { page, view } = fresh();
  prng(5).fill(page);
  assertEquals(cellSum(view, 128) >>> 0, pageSum(page, 128, 192));
});

Deno.test("CellSums says what a page's sum becomes from its changed cells alone", () => {
  const random = prng(2);
  const { page, view, sums } = fresh();
  random.fill(page.subarray(300));
  assertEquals(sums.isKnown(7, 1), false);
  let sum = sums.sumPage(7, view, 0, 1);
  assertEquals([sum >>> 0, sums.pages], [pageSum(page), 0]);
  sums.settle();
  for (let round = 0; round < 50; round++) {
    const cells = [...new Set([0, 1, 2].map(() => random.below(64)))];
    const before = page.slice();
    for (const cell of cells) random.fill(page.subarray(cell * 64, cell * 64 + 64));
    assertEquals(sums.isKnown(7, cells.length), true);
    let after = sum;
    for (const cell of cells) after ^= sums.change(7, cell, cellSum(view, cell * 64));
    assertEquals(after >>> 0, pageSum(page));
    if (round % 3 === 0) {
      // Refused: the page is as it was.
      sums.forget();
      page.set(before);
    } else {
      sums.settle();
      sum = after;
    }
  }
  assertEquals(sums.pages, 1);
});

Deno.test("CellSums keeps the cells of many pages apart, changes of all of them too", () => {
  const { page, view, sums } = fresh();
  const pages = Array.from({ length: 9 }, (_, index) => index);
  const before = pages.map((index) => {
    page.fill(index + 1);
    const sum = sums.sumPage(index, view, 0, 1);
    sums.settle();
    return sum;
  });
  const after = pages.map((index) => {
    page.fill(index + 1);
    let sum = before[index]!;
    for (let cell = 0; cell < 11; cell++) {
      page.fill(cell * 3, cell * 64, cell * 64 + 64);
      sum ^= sums.change(index, cell, cellSum(view, cell * 64));
    }
    assertEquals(sum >>> 0, pageSum(page), `page ${index}`);
    return sum;
  });
  sums.settle();
  for (const index of pages) {
    // Nothing changes, so all cells are what was settled.
    page.fill(30, 640, 704);
    assertEquals(sums.change(index, 10, cellSum(view, 640)), 0, `page ${index}`);
    assertEquals(after[index] === before[index], false);
  }
  assertEquals(sums.pages, 9);
});

Deno.test("CellSums.forget() forgets a page that was met in vain", () => {
  const { view, sums } = fresh();
  sums.sumPage(1, view, 0, 1);
  sums.forget();
  sums.settle();
  assertEquals([sums.pages, sums.isKnown(1, 1)], [0, false]);
});

Deno.test("CellSums looks at the whole page when many cells change, and no longer knows it", () => {
  const { page, view, sums } = fresh();
  page.fill(3);
  sums.sumPage(5, view, 0, 11);
  sums.settle();
  assertEquals([sums.isKnown(5, 11), sums.isKnown(5, 12)], [true, false]);
  page.fill(4);
  assertEquals(sums.sumPage(5, view, 0, 12) >>> 0, pageSum(page));
  sums.settle();
  assertEquals([sums.isKnown(5, 1), sums.pages], [false, 0]);
});

Deno.test("CellSums uses the place of a page that it no longer knows again", () => {
  const { page, view, sums } = fresh();
  for (let round = 0; round < 20; round++) {
    page.fill(round);
    sums.sumPage(2, view, 0, 1);
    sums.settle();
    sums.sumPage(2, view, 0, 12);
    sums.settle();
    sums.sumPage(3, view, 0, 1);
    sums.forget();
  }
  assertEquals([sums.pages, sums.places], [0, 1]);
});
