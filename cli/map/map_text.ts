/**
 * A block map as text: a letter for each cell, what the letters mean, and the files in most pieces.
 *
 * Layer: cli, under `dump.ts`.
 *
 * @module
 */
import type { BlockMap, Cell } from "./block_map.ts";
import { count, printable, sizeText } from "../shared/words.ts";

/** Cells of a line. */
const LINE_CELLS = 64;
/** As many lines fit on a screen. */
export const TEXT_CELLS_MAX: number = LINE_CELLS * 32;
/** So many files are listed. */
const FILES_MAX = 20;

/** The map for people. */
export function mapText(map: BlockMap): string {
  const { blocks, blockSize, free, tables, cells, files } = map;
  const lines: string[] = [];
  for (let at = 0; at < cells.length; at += LINE_CELLS) {
    const line = cells.slice(at, at + LINE_CELLS).map(letterOf).join("");
    lines.push(`${String(cells[at]!.block).padStart(10)} ${line}`);
  }
  const broken = files.filter(({ pieces }) => pieces > 1).length;
  lines.push(
    "",
    `each letter is ${count(cells[0]?.count ?? 0, "block")} of ${sizeText(blockSize)}:`,
    "  . free   o partly used   # used   x of files in several pieces   T tables",
    `${count(blocks, "block")}, ${free} free, ${tables} of tables; ` +
      `${count(files.length, "file")} with blocks, ${broken} in several pieces`,
  );
  if (files.length > 0) lines.push("", "    pieces      blocks  file");
  for (const file of files.slice(0, FILES_MAX)) {
    const numbers = `${String(file.pieces).padStart(10)}  ${String(file.blocks).padStart(10)}`;
    lines.push(`${numbers}  ${printable(file.path)}`);
  }
  const more = files.length - FILES_MAX;
  if (more > 0) lines.push(`and ${count(more, "more file")}; --json has them all`);
  return lines.join("\n");
}

function letterOf({ count: blocks, tables, files, fragmented }: Cell): string {
  if (tables + files === 0) return ".";
  if (tables > files) return "T";
  if (fragmented > 0) return "x";
  return tables + files < blocks ? "o" : "#";
}
