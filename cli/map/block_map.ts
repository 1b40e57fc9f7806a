/**
 * The blocks of a volume as a map: equal cells in order, and every file with its pieces.
 *
 * Layer: cli, under `dump.ts`; `map_text.ts` and `map_svg.ts` draw it. A piece is blocks of one file
 * that follow each other in the file and in the image; a file with more than one is fragmented.
 *
 * @module
 */
import type { BlockDump, ImageDump } from "../../opfs/mod.ts";

/** One cell: some blocks that follow each other. */
export interface Cell {
  /** Its first block. */
  block: number;
  /** How many blocks it stands for. */
  count: number;
  /** Blocks of tables: slots, names, bitmap. */
  tables: number;
  /** Blocks of files and of their attributes. */
  files: number;
  /** Those of them that belong to files of several pieces. */
  fragmented: number;
  /** The slot that owns most of it; -1 if no file does. */
  owner: number;
}

/** A file and where it is. */
export interface FilePieces {
  /** Its slot. */
  slot: number;
  /** Its path, as far as it is known. */
  path: string;
  /** How many blocks it has. */
  blocks: number;
  /** In how many pieces. */
  pieces: number;
}

/** The map of a volume. */
export interface BlockMap {
  /** Blocks of the volume. */
  blocks: number;
  /** Bytes of each. */
  blockSize: number;
  /** Blocks without an owner. */
  free: number;
  /** Blocks of tables. */
  tables: number;
  /** The cells, in order. */
  cells: Cell[];
  /** The files with blocks, those in most pieces first. */
  files: FilePieces[];
}

/** A damaged volume may have directories that go round in a circle. */
const DEPTH_MAX = 4096;

/** Draws up the map in at most so many cells. */
export function blockMapOf(dump: ImageDump, cellsMax: number): BlockMap {
  const { totalBlocks, blockSize } = dump.superblock;
  const runs = dump.blocks();
  const files = filesOf(dump, runs);
  const broken = new Set(files.filter(({ pieces }) => pieces > 1).map(({ slot }) => slot));
  const cells = cellsOf(totalBlocks, cellsMax);
  const owners = cells.map(() => new Map<number, number>());
  for (const run of runs) countRun(run, { cells, owners, broken });
  for (const [index, cell] of cells.entries()) cell.owner = mostOf(owners[index]!);
  const sum = (of: (cell: Cell) => number): number => cells.reduce((all, one) => all + of(one), 0);
  const tables = sum((cell) => cell.tables);
  const free = totalBlocks - tables - sum((cell) => cell.files);
  return { blocks: totalBlocks, blockSize, free, tables, cells, files };
}

function cellsOf(blocks: number, cellsMax: number): Cell[] {
  const count = Math.max(1, Math.ceil(blocks / cellsMax));
  return Array.from({ length: Math.ceil(blocks / count) }, (_, index) => {
    const block = index * count;
    const rest = { tables: 0, files: 0, fragmented: 0, owner: -1 };
    return { block, count: Math.min(count, blocks - block), ...rest };
  });
}

interface Counters {
  cells: Cell[];
  owners: Map<number, number>[];
  broken: ReadonlySet<number>;
}

/**
 * Counts a run in the cells that it lies in; what a damaged one claims past the end does not count.
 */
function countRun(run: BlockDump, { cells, owners, broken }: Counters): void {
  const perCell = cells[0]?.count ?? 1;
  const end = run.block + run.count;
  for (let index = Math.floor(run.block / perCell); index < cells.length; index++) {
    const cell = cells[index]!;
    const count = Math.min(end, cell.block + cell.count) - Math.max(run.block, cell.block);
    if (count <= 0) return;
    if (run.owner < 0) {
      cell.tables += count;
      continue;
    }
    cell.files += count;
    if (run.kind === "file" && broken.has(run.owner)) cell.fragmented += count;
    owners[index]!.set(run.owner, (owners[index]!.get(run.owner) ?? 0) + count);
  }
}

function mostOf(owners: ReadonlyMap<number, number>): number {
  let most = -1;
  for (const [owner, count] of owners) if (count > (owners.get(most) ?? 0)) most = owner;
  return most;
}

function filesOf(dump: ImageDump, runs: readonly BlockDump[]): FilePieces[] {
  const byOwner = new Map<number, BlockDump[]>();
  for (const run of runs) {
    if (run.kind !== "file") continue;
    const own = byOwner.get(run.owner);
    if (own === undefined) byOwner.set(run.owner, [run]);
    else own.push(run);
  }
  const files = [...byOwner].map(([slot, own]) => {
    const blocks = own.reduce((sum, { count }) => sum + count, 0);
    return { slot, path: pathOf(dump, slot), blocks, pieces: piecesOf(own) };
  });
  return files.sort((one, other) => other.pieces - one.pieces || other.blocks - one.blocks);
}

function piecesOf(runs: BlockDump[]): number {
  let pieces = 0;
  let [block, fileBlock] = [-1, -1];
  for (const run of runs.sort((one, other) => one.fileBlock - other.fileBlock)) {
    if (run.block !== block || run.fileBlock !== fileBlock) pieces++;
    block = run.block + run.count;
    fileBlock = run.fileBlock + run.count;
  }
  return pieces;
}

function pathOf(dump: ImageDump, slot: number): string {
  const names: string[] = [];
  for (let at = slot; at !== 0 && names.length < DEPTH_MAX;) {
    const name = dump.slot(at)?.name ?? null;
    if (name === null) return `slot ${slot}`;
    names.push(name.name);
    at = name.parent;
  }
  return `/${names.reverse().join("/")}`;
}
