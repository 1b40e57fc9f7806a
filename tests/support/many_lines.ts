/**
 * A program that runs several command lines, one after the other: most of what a command line takes
 * here is the start of a process. What `run` in `command_line.ts` starts when it is given many.
 *
 * Layer: tests. Its one word is JSON, an array of lines; it prints JSON, an array of `Ended`.
 *
 * @module
 */
import { main } from "../../cli/main.ts";

const lines: string[][] = JSON.parse(Deno.args[0]!);
const results = [];
for (const line of lines) {
  const ended = { status: -1, out: "", err: "" };
  ended.status = await main(line, {
    print: (text) => void (ended.out += text),
    write: (bytes) => void (ended.out += new TextDecoder().decode(bytes)),
    say: (text) => void (ended.err += `${text}\n`),
    show: () => {},
    flush: () => {},
  });
  results.push(ended);
}
console.log(JSON.stringify(results));
