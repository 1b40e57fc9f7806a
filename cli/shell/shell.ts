/**
 * `cairn IMAGE`: a small shell on a volume.
 *
 * Layer: cli, under `main.ts`, which hands in the verbs: each line is one of theirs, with the image
 * put in and paths made whole (`shell/line.ts`), and each opens and closes the volume by itself. So
 * what a line has done is durable when the next prompt is there, and no other opener is locked out in between.
 *
 * @module
 */
import { basename, resolve } from "node:path";
import process from "node:process";
import { ErrnoError, isDir } from "../../mod.ts";
import { filesOf, withVolume } from "../shared/image.ts";
import { complete } from "./complete.ts";
import { callWords, expand, type Place, SHAPES, wholePath } from "./line.ts";
import { lineSource } from "./prompt.ts";
import { wordsOf } from "./words.ts";
import {
  at,
  EXIT_GOOD,
  readWords,
  type Terminal,
  UnplacedError,
  type Verb,
} from "../shared/verb.ts";
import { count, printable } from "../shared/words.ts";

/** What the command line lends to its shell. */
export interface ShellHost {
  /** The verbs there are. */
  verbs: readonly Verb[];
  /** Where everything is written. */
  terminal: Terminal;
  /** Says what went wrong in a verb and returns the exit status. */
  reportError(error: unknown, about: { name: string; isDebug: boolean }): number;
}

const OWN_VERBS: Readonly<Record<string, string>> = {
  cd: 'cd [PATH]         go to a directory of the volume; without PATH to "/"',
  pwd: "pwd               say where this is",
  help: "help [VERB]       this, or more about a verb",
  exit: "exit              end; so does Ctrl-D",
};

/** Runs the shell to its end; the status is that of the line that went worst. */
export async function runShell(image: string, host: ShellHost): Promise<number> {
  const shell = new Shell(resolve(image), host);
  // Nothing that a signal finds at work may be cut off in the middle; verbs listen for themselves.
  const ignore = (): void => {};
  process.on("SIGINT", ignore);
  try {
    return await shell.run();
  } finally {
    process.off("SIGINT", ignore);
  }
}

class Shell {
  readonly #place: Place;
  readonly #host: ShellHost;
  #isOver = false;

  constructor(image: string, host: ShellHost) {
    this.#place = { image, directory: "/" };
    this.#host = host;
  }

  async run(): Promise<number> {
    const { terminal } = this.#host;
    withVolume(this.#place.image, () => {});
    const verbs = [...Object.keys(OWN_VERBS), ...this.#verbs().map(({ name }) => name)].sort();
    const lines = lineSource((line) => {
      const { directory } = this.#place;
      return complete(line, { verbs, directory, withFiles: (work) => this.#withFiles(work) });
    });
    let worst = EXIT_GOOD;
    try {
      while (!this.#isOver) {
        const line = await lines.next(this.#prompt());
        if (line === null) break;
        worst = Math.max(worst, await this.#line(line));
        terminal.flush();
      }
    } finally {
      lines.close();
    }
    return worst;
  }

  #prompt(): string {
    const { image, directory } = this.#place;
    return `${printable(basename(image))}:${printable(directory)}> `;
  }

  #verbs(): Verb[] {
    return this.#host.verbs.filter(({ name }) => SHAPES[name] !== undefined);
  }

  #withFiles<T>(work: (files: ReturnType<typeof filesOf>) => T): T {
    return withVolume(this.#place.image, (volume) => work(filesOf(volume)));
  }

  async #line(line: string): Promise<number> {
    let name = "";
    try {
      const [first, ...rest] = wordsOf(line);
      if (first === undefined) return EXIT_GOOD;
      name = first.text;
      const fixed = SHAPES[name]?.fixed ?? 0;
      const isKept = name === "find" || rest.every(({ pattern }) => pattern === null);
      const words = isKept ? rest.map(({ text }) => text) : this.#withFiles((files) => [
        ...rest.slice(0, fixed).map(({ text }) => text),
        ...expand(rest.slice(fixed), this.#place.directory, () => files),
      ]);
      return await this.#call(name, words);
    } catch (error) {
      return this.#host.reportError(error, { name, isDebug: / --debug\b/.test(line) });
    }
  }

  async #call(name: string, words: readonly string[]): Promise<number> {
    if (name === "exit" || name === "quit") {
      this.#isOver = true;
      return EXIT_GOOD;
    }
    if (name === "cd") return this.#go(words);
    if (name === "pwd") {
      this.#host.terminal.print(`${printable(this.#place.directory)}\n`);
      return EXIT_GOOD;
    }
    if (name === "help") return this.#help(words[0]);
    const verb = this.#verbs().find((one) => one.name === name);
    if (verb === undefined) {
      throw new UnplacedError(`there is no verb "${name}" in here; \`help\` has them all`);
    }
    return await this.#verb(verb, words);
  }

  async #verb(verb: Verb, words: readonly string[]): Promise<number> {
    const { terminal } = this.#host;
    const { image } = this.#place;
    // All but cp begin with the image.
    const before = verb.name === "cp" ? [] : [image];
    const { values: options, words: found } = readWords(verb, [...before, ...words]);
    if (options.help === true) return this.#help(verb.name);
    const own = callWords(verb.name, found.slice(before.length), { place: this.#place, options });
    const isDebug = options.debug === true;
    const reportError = (error: unknown): void =>
      void this.#host.reportError(error, { name: verb.name, isDebug });
    return await verb.run({ words: own, options, terminal, reportError });
  }

  #go(words: readonly string[]): number {
    if (words.length > 1) throw new UnplacedError(`"${words[1]}" is one word too many: cd [PATH]`);
    const said = words[0] ?? "/";
    const path = wholePath(this.#place.directory, said);
    at(said, () =>
      this.#withFiles((files) => {
        if (!isDir(files.stat(path).mode)) throw new ErrnoError("ENOTDIR", "go there");
      }));
    this.#place.directory = path === "/" ? path : path.replace(/\/+$/, "");
    return EXIT_GOOD;
  }

  #help(name: string | undefined): number {
    const { terminal } = this.#host;
    const verb = this.#verbs().find((one) => one.name === name);
    if (verb !== undefined) {
      terminal.print(
        `${verb.usage.replace(/ IMAGE(?= |$)/, "")}\n\n${verb.summary}.\n\n${verb.help}`,
      );
      terminal.print("\nIn here IMAGE is left out, and paths begin where this is.\n");
      return EXIT_GOOD;
    }
    if (name !== undefined && OWN_VERBS[name] === undefined) {
      throw new UnplacedError(`there is no verb "${name}" in here; \`help\` has them all`);
    }
    const lines = this.#verbs().map(({ name, summary }) => `  ${name.padEnd(9)} ${summary}\n`);
    const own = Object.values(OWN_VERBS).map((line) => `  ${line}\n`);
    terminal.print(`${own.join("")}\n${lines.join("")}\n`);
    terminal.print(`${count(lines.length, "verb")} of the command line; \`help VERB\` says more. `);
    terminal.print("Quotes and \\ as in other shells, patterns too.\n");
    return EXIT_GOOD;
  }
}
