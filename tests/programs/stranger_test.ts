/**
 * A client of the relay in C, written from docs/PROTOCOL.md alone: its memory is the channel, and
 * what it says there the relay understands. So the document is enough.
 */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { hostCommand } from "../../tools/programs.ts";
import { startRig } from "../support/relay_rig.ts";
import { withFolder } from "./programs.ts";

const SOURCE = new URL("./stranger.c", import.meta.url).pathname;
const FLAGS = [
  "--target=wasm32",
  "-O2",
  "-Wall",
  "-Werror",
  "-matomics",
  "-mbulk-memory",
  "-nostdlib",
  "-fno-builtin",
  "-fno-delete-null-pointer-checks",
  "-Wl,--no-entry,--import-memory,--shared-memory,--max-memory=1048576,--global-base=131072",
];

interface Stranger {
  make(areaBytes: number): void;
  run(): number;
  generation(): number;
  leave(): void;
}

Deno.test("a client in C that knows docs/PROTOCOL.md only is understood by the relay", async () => {
  await withFolder(async (folder) => {
    const program = join(folder, "stranger.wasm");
    const compiler = hostCommand("clang", { args: [...FLAGS, "-o", program, SOURCE] });
    const { code, stderr } = await compiler.output();
    assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
    const rig = await startRig();
    const memory = new WebAssembly.Memory({ initial: 16, maximum: 16, shared: true });
    // As the document says: the client rings if the word is 1 and it is the one to set it to 0.
    const bell = new Int32Array(rig.doorbell.buffer);
    const ring = () => {
      if (Atomics.compareExchange(bell, 0, 1, 0) === 1) Atomics.notify(bell, 0);
    };
    const module = await WebAssembly.compile(await Deno.readFile(program));
    const { exports } = await WebAssembly.instantiate(module, { env: { memory }, host: { ring } });
    const stranger = exports as unknown as Stranger;
    stranger.make(16_384);
    await rig.ask({ attach: { words: memory.buffer, area: memory.buffer, areaAt: 256 } });
    const line = stranger.run();
    assertEquals(line, 0, `line ${line} of stranger.c`);
    const before = stranger.generation();
    const other = await rig.client();
    other.create(other.root, "by another", { mode: 0o100644, uid: 0, gid: 0 });
    assertEquals(stranger.generation() - before, 1);
    assertEquals((await rig.state()).clients, 2);
    stranger.leave();
    while ((await rig.state()).clients > 1) await new Promise((resolve) => setTimeout(resolve, 1));
    await rig.stop();
  });
});
