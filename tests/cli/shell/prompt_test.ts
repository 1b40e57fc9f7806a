/**
 * The shell at a terminal: editing, history, completion and Ctrl-C, through `script`.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { historyPath } from "../../../cli/shell/prompt.ts";
import { cairn, command } from "../../support/command_line.ts";
import { hostCommand, isThere } from "../../../tools/programs.ts";

const PATIENCE_MS = 30_000;

const hasScript = isThere("script");

/** A terminal with the shell in it. */
class Person {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #seen = "";
  #at = 0;

  constructor(image: string, state: string) {
    const main = new URL("../../../cli/main.ts", import.meta.url).pathname;
    const line = `exec "$DENO" run -q -A "${main}" "$IMAGE"`;
    this.#child = hostCommand("script", {
      args: ["-qefc", line, "/dev/null"],
      env: {
        DENO: Deno.execPath(),
        IMAGE: image,
        XDG_STATE_HOME: state,
        NO_COLOR: "1",
        TERM: "xterm",
      },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#listen();
  }

  async #listen(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of this.#child.stdout) this.#seen += decoder.decode(bytes);
  }

  /** Waits until the text has come since the last wait. */
  async until(text: string): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const found = this.#seen.indexOf(text, this.#at);
      if (found >= 0) {
        this.#at = found + text.length;
        return;
      }
      if (Date.now() > deadline) throw new Error(`no ${JSON.stringify(text)} in ${this.rest}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  get rest(): string {
    return JSON.stringify(this.#seen.slice(this.#at));
  }

  /** One key after the other, as fingers do. */
  async type(keys: string): Promise<void> {
    // deno-lint-ignore no-control-regex
    for (const key of keys.match(/\x1b\[.|[^]/g) ?? []) {
      await this.#writer.write(new TextEncoder().encode(key));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Types, sees it, presses Tab, and sees the rest: a Tab that comes along with others is a paste. */
  async complete(keys: string, rest: string): Promise<void> {
    await this.type(keys);
    await this.until(keys);
    await this.type("\t");
    await this.until(rest);
  }

  async leave(): Promise<number> {
    const { code } = await this.#child.status;
    await this.#writer.close().catch(() => {});
    return code;
  }
}

Deno.test({
  name: "the shell completes, remembers lines across sessions, and outlives Ctrl-C",
  ignore: !hasScript,
  async fn() {
    const folder = Deno.makeTempDirSync();
    try {
      const image = `${folder}/v.cairn`;
      cairn(["mkfs", image]);
      const first = new Person(image, `${folder}/state`);
      await first.until("v.cairn:/> ");
      await first.complete("mkd", "ir ");
      await first.type("folder\r");
      await first.until("v.cairn:/> ");
      await first.complete("cd f", "older/");
      await first.type("\r");
      await first.until("v.cairn:/folder> ");
      await first.type("nonsense\x03");
      await first.until("^C");
      await first.until("v.cairn:/folder> ");
      await first.type("pwd\r");
      await first.until("\n/folder\r\n");
      await first.type("\x04");
      assertEquals(await first.leave(), 0);
      const history = `${folder}/state/cairn/history`;
      assertEquals(Deno.readTextFileSync(history), "mkdir folder\ncd folder/\npwd\n");
      assertEquals(Deno.statSync(history).mode! & 0o777, 0o600);
      const second = new Person(image, `${folder}/state`);
      await second.until("v.cairn:/> ");
      await second.type("\x1b[A\x1b[A\r");
      await second.until("v.cairn:/folder> ");
      await second.type("exit\r");
      assertEquals(await second.leave(), 0);
      assertEquals(cairn(["check", image]).status, 0);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});

Deno.test("the shell keeps no history of what comes through a pipe", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    cairn(["mkfs", `${folder}/v`]);
    const child = command([`${folder}/v`], { stdin: "piped" }).spawn();
    await ReadableStream.from([new TextEncoder().encode("pwd")]).pipeTo(child.stdin);
    assertMatch(new TextDecoder().decode((await child.output()).stdout), /^\/\n$/);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("historyPath() is where the system wants state to be", () => {
  assertEquals(historyPath({ XDG_STATE_HOME: "/s" }), "/s/cairn/history");
  assertMatch(historyPath({ XDG_STATE_HOME: "" }), /\/\.local\/state\/cairn\/history$/);
});
