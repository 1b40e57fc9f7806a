/**
 * Where the shell's lines come from: a person at a terminal, or a pipe.
 *
 * Layer: cli, under `shell.ts`, over `node:readline`. At a terminal there is editing, history in a
 * file and completion; while a verb works, the terminal is as it was, so that Ctrl-C reaches the verb.
 *
 * @module
 */
import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { createInterface, type Interface } from "node:readline";

const HISTORY_LINES = 1000;

/** Gives lines. */
export interface LineSource {
  /** The next line; null at the end. */
  next(prompt: string): Promise<string | null>;
  /** Lets the terminal go. */
  close(): void;
}

/** Completes a line, as `node:readline` wants it. */
export type Completer = (line: string) => [ends: string[], typed: string];

/** Lines of this process's standard input. */
export function lineSource(completer: Completer): LineSource {
  const isPerson = process.stdin.isTTY === true && process.stdout.isTTY === true;
  return isPerson ? new Prompter(completer) : new PipeReader();
}

/** Where history is kept: where the system wants state to be. */
export function historyPath(env: Readonly<Record<string, string | undefined>>): string {
  const said = env.XDG_STATE_HOME;
  const state = said === undefined || said === "" ? join(homedir(), ".local", "state") : said;
  return join(state, "cairn", "history");
}

class PipeReader implements LineSource {
  readonly #lines: AsyncIterator<string>;
  readonly #interface: Interface;

  constructor() {
    this.#interface = createInterface({ input: process.stdin, crlfDelay: Infinity });
    this.#lines = this.#interface[Symbol.asyncIterator]();
  }

  async next(): Promise<string | null> {
    const { done, value } = await this.#lines.next();
    return done === true ? null : value;
  }

  close(): void {
    this.#interface.close();
  }
}

class Prompter implements LineSource {
  readonly #interface: Interface;
  readonly #history = historyPath(process.env);
  /** Lines that came before they were asked for: several were pasted. */
  readonly #waiting: string[] = [];
  #ask: ((line: string | null) => void) | null = null;
  #isOver = false;
  #last = "";

  constructor(completer: Completer) {
    const options = {
      ...{ input: process.stdin, output: process.stdout, terminal: true, completer },
      ...{ historySize: HISTORY_LINES, removeHistoryDuplicates: true },
    };
    this.#interface = createInterface({ ...options, history: readHistory(this.#history) });
    this.#interface.on("line", (line) => this.#give(line));
    this.#interface.on("close", () => {
      this.#isOver = true;
      this.#give(null);
    });
    // What has been typed is dropped, as other shells do; nothing else ends.
    this.#interface.on("SIGINT", () => {
      process.stdout.write("^C\n");
      this.#interface.write(null, { ctrl: true, name: "e" });
      this.#interface.write(null, { ctrl: true, name: "u" });
    });
  }

  next(prompt: string): Promise<string | null> {
    const { promise, resolve } = Promise.withResolvers<string | null>();
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) return Promise.resolve(waiting);
    if (this.#isOver) return Promise.resolve(null);
    this.#ask = resolve;
    this.#interface.setPrompt(prompt);
    process.stdin.setRawMode(true);
    this.#interface.prompt();
    return promise;
  }

  #give(line: string | null): void {
    if (line !== null) this.#remember(line);
    const ask = this.#ask;
    this.#ask = null;
    if (ask === null) {
      if (line !== null) this.#waiting.push(line);
      return;
    }
    if (!this.#isOver) process.stdin.setRawMode(false);
    ask(line);
  }

  /** A home that cannot be written has no history; that need not be said each time. */
  #remember(line: string): void {
    if (line.trim() === "" || line === this.#last) return;
    this.#last = line;
    try {
      mkdirSync(dirname(this.#history), { recursive: true, mode: 0o700 });
      appendFileSync(this.#history, `${line}\n`, { mode: 0o600 });
    } catch {
      // As said.
    }
  }

  close(): void {
    if (!this.#isOver) this.#interface.close();
  }
}

/** The last lines, newest first. */
function readHistory(path: string): string[] {
  try {
    const lines = readFileSync(path, "utf8").split("\n").filter((line) => line !== "");
    return [...new Set(lines.slice(-HISTORY_LINES).reverse())];
  } catch {
    return [];
  }
}
