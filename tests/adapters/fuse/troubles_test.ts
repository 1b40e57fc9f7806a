/** What goes wrong while an image is mounted, in the system's log. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { ErrnoError } from "../../../mod.ts";
import { Libc } from "../../../adapters/fuse/linux.ts";
import { logText, logToSystem, syslogLine, Troubles } from "../../../adapters/fuse/troubles.ts";
import { hostCommand } from "../../../tools/programs.ts";

const ignore = Deno.build.os !== "linux";

/** Takes one datagram, and prints it. */
const LOGGER = `
  const path = Deno.args[0];
  const socket = Deno.listenDatagram({ transport: "unixpacket", path });
  console.log("ready");
  const [bytes] = await socket.receive();
  console.log(new TextDecoder().decode(bytes));
  socket.close();`;

Deno.test("logToSystem() reaches a logger, and says when it is missing", { ignore }, async () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/log`;
  const libc = new Libc();
  try {
    assertEquals(logToSystem(libc, "nothing there", path), false);
    assertEquals(logToSystem(libc, "too long", `/${"x".repeat(200)}`), false);
    const script = `data:text/javascript,${encodeURIComponent(LOGGER)}`;
    const args = ["run", "-A", "--quiet", "--no-config", "--unstable-net", script, path];
    const child = hostCommand(Deno.execPath(), { args, stdout: "piped" }).spawn();
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    assertStringIncludes((await reader.read()).value!, "ready");
    assertEquals(logToSystem(libc, '"a\x1b[31m": EIO: cannot go on', path), true);
    const line = (await reader.read()).value!;
    assertMatch(line, /^<27>[A-Z][a-z]{2} [ 1-3]\d \d\d:\d\d:\d\d cairn\[\d+\]: "a\?\[31m": EIO/);
    assertStringIncludes(line, `cairn[${Deno.pid}]`);
    await reader.cancel();
    await child.status;
  } finally {
    libc.dispose();
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("syslogLine() is one line, of a length that loggers take", () => {
  const now = new Date(2024, 0, 5, 3, 4, 5);
  assertEquals(syslogLine("a\n  b\x07", { pid: 7, now }), "<27>Jan  5 03:04:05 cairn[7]: a b?");
  assertEquals(logText("x".repeat(5_000)).length, 1_000);
});

Deno.test("Troubles says each message once, and not without end", () => {
  const said: string[] = [];
  const { report } = new Troubles((message) => void said.push(message));
  for (let count = 0; count < 1_000; count++) report(new ErrnoError("EIO", "read the device"));
  assertEquals(said, ["EIO: cannot read the device"]);
  const mistake = new TypeError("a mistake");
  report(mistake);
  assertEquals(said[1], mistake.stack);
  for (let count = 0; count < 1_000; count++) report(`trouble ${count}`);
  assertEquals([said.length, said.at(-1)], [101, "more messages are left out"]);
  assert(said.includes("trouble 97") && !said.includes("trouble 99"));
});
