/**
 * `cairn ls`: the names in a volume's directories.
 *
 * Layer: cli. The volume is only read.
 *
 * @module
 */
import { formatMode, type FS, isBlkdev, isChrdev, isDir, isLink } from "../../mod.ts";
import { coloured } from "../shared/colours.ts";
import { deviceText } from "../shared/devices.ts";
import { filesOf, withVolume } from "../shared/image.ts";
import { Attempts, type Call, type Terminal, type Verb } from "../shared/verb.ts";
import { printable, sizeText, timeText } from "../shared/words.ts";

/** The verb. */
export const lsVerb: Verb = {
  name: "ls",
  usage: "ls [-lahR] IMAGE [PATH...]",
  summary: "Lists names in a volume",
  help: `Lists "/" when no PATH is given.

  -l, --long       type and permissions, links, owner, group, size, time
  -h, --human      sizes with units
  -a, --all        names that begin with a dot too, and "." and ".."
  -R, --recursive  directories below, too

Examples:
  cairn ls notes.cairn
  cairn ls -lR notes.cairn /projects
`,
  options: {
    long: { type: "boolean", short: "l" },
    all: { type: "boolean", short: "a" },
    human: { type: "boolean", short: "h" },
    recursive: { type: "boolean", short: "R" },
  },
  words: [1, Infinity],
  run,
};

interface Row {
  name: string;
  path: string;
}

function run(call: Call): number {
  const { words, options, terminal } = call;
  const attempts = new Attempts(call);
  const [image, ...given] = words as [string, ...string[]];
  const paths = given.length === 0 ? ["/"] : given;
  withVolume(image, (volume) => {
    const files = filesOf(volume);
    const lister = new Lister(files, options, terminal);
    for (const [index, path] of paths.entries()) {
      attempts.at(`${image}:${path}`, () => {
        const stat = files.lstat(path);
        if (!isDir(stat.mode)) return lister.rows([{ name: path, path }]);
        const isTitled = paths.length > 1 || options.recursive === true;
        lister.directory(path, { isTitled, isFirst: index === 0 });
      });
    }
  });
  return attempts.status;
}

class Lister {
  readonly #files: FS;
  readonly #options: Call["options"];
  readonly #terminal: Terminal;

  constructor(files: FS, options: Call["options"], terminal: Terminal) {
    this.#files = files;
    this.#options = options;
    this.#terminal = terminal;
  }

  /** A directory, and with -R those below it. A loop, because a tree may be deep. */
  directory(
    path: string,
    { isTitled, isFirst }: { isTitled: boolean; isFirst: boolean },
  ): void {
    const waiting = [path];
    for (let isNext = !isFirst; waiting.length > 0; isNext = true) {
      const directory = waiting.pop()!;
      if (isTitled) this.#terminal.print(`${isNext ? "\n" : ""}${printable(directory)}:\n`);
      const names = this.#namesIn(directory);
      this.rows(names.map((name) => ({ name, path: join(directory, name) })));
      if (this.#options.recursive !== true) return;
      for (const name of names.reverse()) {
        const below = join(directory, name);
        if (name !== "." && name !== ".." && isDir(this.#files.lstat(below).mode)) {
          waiting.push(below);
        }
      }
    }
  }

  #namesIn(directory: string): string[] {
    const isAll = this.#options.all === true;
    return this.#files.readdir(directory)
      .filter((name) => isAll || !name.startsWith("."))
      .sort((one, other) => one < other ? -1 : 1);
  }

  rows(rows: readonly Row[]): void {
    if (this.#options.long !== true) {
      for (const row of rows) this.#terminal.print(`${this.#shown(row)}\n`);
      return;
    }
    const table = rows.map(({ name, path }) => {
      const stat = this.#files.lstat(path);
      const target = isLink(stat.mode) ? ` -> ${printable(this.#files.readlink(path))}` : "";
      return {
        cells: cellsOf(stat, this.#options.human === true),
        name: this.#shown({ name, path }) + target,
      };
    });
    const widths = [0, 0, 0, 0, 0];
    for (const { cells } of table) {
      for (const [column, cell] of cells.entries()) {
        widths[column] = Math.max(widths[column] ?? 0, cell.length);
      }
    }
    for (const { cells, name } of table) {
      const padded = cells.map((cell, column) => cell.padStart(widths[column] ?? 0));
      this.#terminal.print(`${padded.join(" ")} ${name}\n`);
    }
  }
  /** The name, in its colour; asking for the type takes time where there are no colours. */
  #shown({ name, path }: Row): string {
    if (this.#terminal.isColoured !== true) return printable(name);
    return coloured(printable(name), this.#files.lstat(path).mode, this.#terminal);
  }
}

function cellsOf(stat: ReturnType<FS["lstat"]>, isHuman: boolean): string[] {
  const isDevice = isChrdev(stat.mode) || isBlkdev(stat.mode);
  return [
    formatMode(stat.mode),
    String(stat.nlink),
    String(stat.uid),
    String(stat.gid),
    isDevice ? deviceText(stat.rdev) : isHuman ? sizeText(stat.size) : String(stat.size),
    timeText(stat.mtimeMs),
  ];
}

function join(directory: string, name: string): string {
  return directory.endsWith("/") ? directory + name : `${directory}/${name}`;
}
