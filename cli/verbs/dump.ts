/**
 * `cairn dump`: what stands in an image, for people who look into one.
 *
 * Layer: cli. The volume is only read, and nothing in it is believed.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import { ImageDump, type SlotDump } from "../../opfs/mod.ts";
import { blockMapOf } from "../map/block_map.ts";
import { withDevice } from "../shared/image.ts";
import { mapSvg, SVG_CELLS_MAX } from "../map/map_svg.ts";
import { mapText, TEXT_CELLS_MAX } from "../map/map_text.ts";
import { newFile } from "../shared/new_file.ts";
import {
  at,
  type Call,
  EXIT_FAILED,
  EXIT_GOOD,
  numberOption,
  type Terminal,
  UsageError,
  type Verb,
} from "../shared/verb.ts";
import { jsonText, printable, timeText } from "../shared/words.ts";

/** The verb. */
export const dumpVerb: Verb = {
  name: "dump",
  usage: "dump [OPTIONS] IMAGE [superblock | slot N | names | journal | blocks | map]",
  summary: "Shows headers, slots, names, journal and blocks of an image",
  help: `Without a word for what: the superblock, that is both headers, the geometry, and where
the tables are. Each word can be an option, too; so several can be asked for at once.

  --superblock  the same as nothing
  --slot N      slot N (inode number N + 1)
  --names       every name, with the slots of its directory and of itself
  --journal     the records that a mount would replay
  --blocks      who owns which blocks
  --map         the blocks as a map: used, free, in pieces; and files by their pieces
  --svg FILE    the map as a picture, in a new FILE; "-" is the output
  --json        one JSON object a line

Examples:
  cairn dump notes.cairn
  cairn dump notes.cairn slot 32
  cairn dump --json damaged.cairn journal
  cairn dump --svg map.svg notes.cairn
`,
  options: {
    slot: { type: "string" },
    names: { type: "boolean" },
    journal: { type: "boolean" },
    superblock: { type: "boolean" },
    blocks: { type: "boolean" },
    map: { type: "boolean" },
    svg: { type: "string" },
    json: { type: "boolean" },
  },
  words: [1, 3],
  run,
};

function run(said: Call): number {
  const call = { ...said, options: { ...said.options, ...asOption(said.words.slice(1)) } };
  const { words, options, terminal } = call;
  const [image] = words as [string];
  const slot = numberOption(call, "slot");
  const dump = withDevice(image, (handle) => new ImageDump(handle));
  const printer = new Printer(terminal, options.json === true);
  const parts = ["names", "journal", "blocks", "map"] as const;
  const isAsked = slot !== undefined || options.svg !== undefined ||
    parts.some((part) => options[part] === true);
  if (!isAsked || options.superblock === true) printer.all(dump);
  if (slot !== undefined && !printer.slot(dump, slot)) return EXIT_FAILED;
  for (const part of parts) if (options[part] === true) printer[part](dump);
  if (options.svg === "-") terminal.print(mapSvg(blockMapOf(dump, SVG_CELLS_MAX)));
  else if (typeof options.svg === "string") writeSvg(options.svg, dump);
  return EXIT_GOOD;
}

/** What a word after the image asks for, as the option of that name. */
function asOption([what, number]: readonly string[]): Call["options"] {
  if (what === undefined) return {};
  if (what === "slot" && number !== undefined) return { slot: number };
  const known = ["superblock", "names", "journal", "blocks", "map"];
  if (!known.includes(what) || number !== undefined) {
    throw new UsageError(`"${number ?? what}" is not one of ${known.join(", ")}, slot N`);
  }
  return { [what]: true };
}

function writeSvg(path: string, dump: ImageDump): void {
  at(path, () => {
    const file = newFile(path);
    try {
      writeFileSync(file.path, mapSvg(blockMapOf(dump, SVG_CELLS_MAX)));
      file.keep();
    } finally {
      file.discard();
    }
  });
}

class Printer {
  readonly #terminal: Terminal;
  readonly #isJson: boolean;

  constructor(terminal: Terminal, isJson: boolean) {
    this.#terminal = terminal;
    this.#isJson = isJson;
  }

  /** One thing: as an object, or as text. */
  #put(what: object, text: () => string): void {
    this.#terminal.print(`${this.#isJson ? jsonText(what, plain) : text()}\n`);
  }

  all(dump: ImageDump): void {
    for (const { rule, message } of dump.violations) {
      this.#put({ rule, message }, () => `${rule}: ${printable(message)}`);
    }
    for (const found of dump.headers) {
      this.#put(found, () => {
        const { at, header, isNewest, problem } = found;
        if (header === null) return `header at ${at}: ${printable(problem)}`;
        const { state, counter, tailSequence, tailPlace, term, label } = header;
        const words = STATES[state] ?? `state ${state}`;
        const mark = isNewest ? " (this one counts)" : "";
        return `header at ${at}${mark}: ${words}, counter ${counter}, term ${term}, journal from ` +
          `record ${tailSequence} at ${tailPlace}, label "${printable(label)}"`;
      });
    }
    this.#put(dump.superblock, () => rowsOf(dump.superblock));
    if (dump.copy === null) this.#put({ copy: null }, () => "there is no superblock at 0");
    for (const segment of dump.segments()) {
      this.#put(segment, () => {
        const { table, logical, bytes, at, sumsAt } = segment;
        const sums = sumsAt < 0 ? "" : `, sums at ${sumsAt}`;
        return `${table}: ${bytes} bytes from ${logical} on, at ${at}${sums}`;
      });
    }
  }

  slot(dump: ImageDump, index: number): boolean {
    const slot = dump.slot(index);
    if (slot === null) {
      this.#terminal.say(`there are ${dump.slotCount} slots, from 0 on`);
      return false;
    }
    this.#put(slot, () => slotText(slot));
    return true;
  }

  names(dump: ImageDump): void {
    for (const name of dump.names()) {
      this.#put(name, () => {
        const { offset, parent, slot } = name;
        return `${offset}: slot ${slot} in ${parent}: "${printable(name.name)}"`;
      });
    }
  }

  journal(dump: ImageDump): void {
    for (const record of dump.records()) {
      this.#put(record, () => {
        const { sequence, place, bytes, timeMs, slots, names, data, sums } = record;
        return `record ${sequence} at ${place}, ${bytes} bytes, ${timeText(timeMs)}: slots ` +
          `${
            slots.join(" ") || "none"
          }; ${names.length} pieces of names; ${data.length} of blocks; ` +
          `sums of ${sums.length} pages`;
      });
    }
  }

  blocks(dump: ImageDump): void {
    for (const run of dump.blocks()) {
      this.#put(run, () => {
        const { block, count, kind, owner, fileBlock, isUnwritten } = run;
        const what = kind === "attribute" ? `an attribute of slot ${owner}` : kind;
        const whose = kind === "file" ? `slot ${owner}` : what;
        const zeros = isUnwritten ? ", read as zeros" : "";
        return `${block} to ${block + count - 1}: ${whose}, from ${fileBlock} on${zeros}`;
      });
    }
  }

  map(dump: ImageDump): void {
    const map = blockMapOf(dump, TEXT_CELLS_MAX);
    this.#put(map, () => mapText(map));
  }
}

const STATES: Readonly<Record<number, string>> = { 1: "being formatted", 2: "in use", 3: "closed" };

function rowsOf(fields: object): string {
  return Object.entries(fields).map(([name, value]) => `${name}: ${value}`).join("\n");
}

function slotText(slot: SlotDump): string {
  const { bytes, name, runs, mode, mtime, ctime, atime, type, ...rest } = slot;
  const rows = {
    type,
    ...rest,
    mode: `0${mode.toString(8)}`,
    name: name === null ? "none" : `"${printable(name.name)}" in slot ${name.parent}`,
    mtime: timeText(mtime),
    ctime: timeText(ctime),
    atime: timeText(atime),
    runs: runs.map(({ fileBlock, block, count }) => `${fileBlock}: ${block}+${count}`).join(" "),
    bytes: bytes.replace(/(.{16})(?=.)/g, "$1 "),
  };
  return rowsOf(rows);
}

/** Bytes as hexadecimal. */
function plain(_key: string, value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value;
  return Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
