/**
 * A block map as a picture: cells in rows, each file in a colour of its own, framed if it is in
 * several pieces. Pointing at a cell says what it is.
 *
 * Layer: cli, under `dump.ts`.
 *
 * @module
 */
import type { BlockMap, Cell } from "./block_map.ts";
import { count, printable, sizeText } from "../shared/words.ts";

/** Cells of a row. */
const ROW_CELLS = 128;
/** A picture has at most so many. */
export const SVG_CELLS_MAX: number = ROW_CELLS * 128;
const CELL_PX = 8;
const HEAD_PX = 28;
/** Neighbours on the wheel of colours are far apart: the golden angle. */
const HUE_STEP = 137.508;
const FREE = "#eeeeee";
const TABLES = "#777777";

/** The map as an SVG file. */
export function mapSvg(map: BlockMap): string {
  const { blocks, blockSize, free, cells } = map;
  const paths = new Map(map.files.map((file) => [file.slot, file]));
  const rows = Math.ceil(cells.length / ROW_CELLS);
  const [width, height] = [ROW_CELLS * CELL_PX, HEAD_PX + rows * CELL_PX];
  const shapes: string[] = [];
  for (let at = 0; at < cells.length;) {
    const length = alike(cells, at);
    const file = paths.get(cells[at]!.owner);
    shapes.push(shapeOf(cells, { at, length, title: titleOf(cells, { at, length }, file) }));
    at += length;
  }
  const head = `${count(blocks, "block")} of ${sizeText(blockSize)}, ${free} free; ` +
    `a cell is ${count(cells[0]?.count ?? 0, "block")}; grey is free, dark are tables, ` +
    "framed are files in several pieces";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
    `width="${width}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<text x="4" y="18">${escaped(head)}</text>`,
    ...shapes,
    "</svg>\n",
  ].join("\n");
}

interface CellRange {
  at: number;
  length: number;
}

/** How many cells from `at` on, within the row, look the same. */
function alike(cells: readonly Cell[], at: number): number {
  const rowEnd = Math.min(cells.length, (Math.floor(at / ROW_CELLS) + 1) * ROW_CELLS);
  let end = at + 1;
  while (end < rowEnd && fillOf(cells[end]!) === fillOf(cells[at]!)) end++;
  return end - at;
}

function fillOf({ count, tables, files, fragmented, owner }: Cell): string {
  if (tables > files) return `fill="${TABLES}"`;
  if (files === 0) return `fill="${FREE}"`;
  const hue = Math.round((owner * HUE_STEP) % 360);
  const light = tables + files < count ? 75 : 55;
  const frame = fragmented > 0 ? ' stroke="black" stroke-width="1"' : "";
  return `fill="hsl(${hue} 70% ${light}%)"${frame}`;
}

function shapeOf(
  cells: readonly Cell[],
  { at, length, title }: CellRange & { title: string },
): string {
  const x = (at % ROW_CELLS) * CELL_PX;
  const y = HEAD_PX + Math.floor(at / ROW_CELLS) * CELL_PX;
  const box = `x="${x}" y="${y}" width="${length * CELL_PX}" height="${CELL_PX - 1}"`;
  return `<rect ${box} ${fillOf(cells[at]!)}><title>${escaped(title)}</title></rect>`;
}

function titleOf(
  cells: readonly Cell[],
  { at, length }: CellRange,
  file: { path: string; pieces: number } | undefined,
): string {
  const last = cells[at + length - 1]!;
  const where = `blocks ${cells[at]!.block} to ${last.block + last.count - 1}`;
  if (cells[at]!.tables > cells[at]!.files) return `${where}: tables`;
  if (file === undefined) return `${where}: free`;
  return `${where}: ${printable(file.path)}, ${count(file.pieces, "piece")}`;
}

/** As XML wants it; what no XML can have has become an escape before. */
function escaped(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")
    .replace(
      /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|[\ufffe\uffff]/g,
      "?",
    );
}
