/**
 * A line of the shell as words: quotes, backslashes, comments, and patterns of names.
 *
 * Layer: cli, bottom, under `shell.ts`. Words divide at blanks; '...' takes everything as it is, "..."
 * all but `\` before `"` and `\`; `#` at the beginning of a word begins a comment.
 *
 * @module
 */
import { UnplacedError } from "../shared/verb.ts";

/** A word. */
export interface Word {
  /** What it says. */
  text: string;
  /** The same as a pattern, `*`, `?` and `[` as themselves where they were quoted; null if it is not one. */
  pattern: string | null;
  /** Where it begins in the line. */
  start: number;
}

/**
 * The words of a line. For completion an open quote may be taken as one that ends with the line.
 *
 * @throws {UnplacedError} for a quote that is not closed
 */
export function wordsOf(
  line: string,
  { isOpenAllowed = false }: { isOpenAllowed?: boolean } = {},
): Word[] {
  const reader = new LineReader(line);
  const words: Word[] = [];
  for (let word = reader.next(); word !== null; word = reader.next()) words.push(word);
  if (reader.isOpen && !isOpenAllowed) throw new UnplacedError("a quote is not closed");
  return words;
}

class LineReader {
  readonly #line: string;
  #at = 0;
  #text = "";
  #pattern = "";
  #isPattern = false;
  /** Whether the line ended inside a quote. */
  isOpen = false;

  constructor(line: string) {
    this.#line = line;
  }

  next(): Word | null {
    while (isBlank(this.#line[this.#at])) this.#at++;
    const start = this.#at;
    if (start >= this.#line.length || this.#line[start] === "#") return null;
    [this.#text, this.#pattern, this.#isPattern] = ["", "", false];
    while (this.#at < this.#line.length && !isBlank(this.#line[this.#at])) this.#piece();
    return { text: this.#text, pattern: this.#isPattern ? this.#pattern : null, start };
  }

  #piece(): void {
    const letter = this.#line[this.#at++]!;
    if (letter === "'") this.#quoted("'", false);
    else if (letter === '"') this.#quoted('"', true);
    else if (letter === "\\") this.#take(this.#line[this.#at++] ?? "\\", true);
    else this.#take(letter, false);
  }

  #quoted(end: string, hasEscapes: boolean): void {
    for (let letter = this.#line[this.#at++]; letter !== end; letter = this.#line[this.#at++]) {
      if (letter === undefined) {
        this.isOpen = true;
        return;
      }
      const next = this.#line[this.#at];
      const isEscape = hasEscapes && letter === "\\" && (next === '"' || next === "\\");
      if (isEscape) this.#at++;
      this.#take(isEscape ? next! : letter, true);
    }
  }

  #take(letter: string, isPlain: boolean): void {
    this.#text += letter;
    const isSpecial = "*?[".includes(letter);
    this.#pattern += isPlain && "*?[\\".includes(letter) ? `\\${letter}` : letter;
    if (isSpecial && !isPlain) this.#isPattern = true;
  }
}

function isBlank(letter: string | undefined): boolean {
  return letter === " " || letter === "\t";
}

/** A name as it would have to be typed. */
export function quoted(name: string): string {
  return name.replace(/[\s'"\\*?[#]/g, "\\$&");
}
