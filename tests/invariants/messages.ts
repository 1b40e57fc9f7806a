/**
 * The messages of all invariants in a part of the source, for the checks that each of them has been
 * made false.
 *
 * Layer: tests. Use: `assertEquals(neverSeen(["opfs/relay"], { letters: "RL", seen }).never, [])`.
 *
 * @module
 */
import { assert } from "@std/assert";
import { isGenerated, readText, sourceFiles } from "../../tools/project.ts";

/** What is asked of messages. */
export interface MessageOptions {
  /** The series that their numbers may be of. */
  letters: string;
  /** Messages that have been seen. */
  seen: readonly string[];
}

/** The messages of all invariants in files and folders, as patterns. */
export function* invariantsIn(
  places: readonly string[],
  letters: string,
): Generator<[file: string, pattern: RegExp]> {
  const files = places.flatMap((place) => place.endsWith(".ts") ? [place] : sourceFiles([place]));
  const number = new RegExp(`^[${letters}]\\d+: `);
  for (const name of files.filter((path) => !isGenerated(path))) {
    for (const [call] of readText(name).matchAll(/\binvariant\([^]*?\);\n/g)) {
      const text = /"([^"]*)",?[^"]*\);\n$/.exec(call);
      assert(text !== null, `${name}: ${call}`);
      const message = text[1]!;
      assert(number.test(message), `${name}: no number in "${message}"`);
      const parts = message.split("{}").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
      yield [name, new RegExp(`${parts.join(".*")}$`)];
    }
  }
}

/** Those that nothing has made false; a message may come with words of an error before it. */
export function neverSeen(
  places: readonly string[],
  { letters, seen }: MessageOptions,
): { never: string[]; count: number } {
  const found = [...invariantsIn(places, letters)];
  const never = found.filter(([, pattern]) => !seen.some((message) => pattern.test(message)));
  return {
    never: never.map(([file, pattern]) => `${file}: ${pattern.source}`),
    count: found.length,
  };
}
