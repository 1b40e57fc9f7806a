/**
 * An ordinary user mounts through fusermount3: without root, and without being in the way of it.
 */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { fileHandle, openVolumeSync } from "../../../opfs/mod.ts";
import { run, Server, type User } from "../mounted.ts";
import { must, type Workload } from "./workload.ts";

const NOBODY = 65534;

/** Mount, write, read, unmount as nobody. */
export const userWorkload: Workload = {
  name: "ordinary user",
  programs: ["fusermount3", "setpriv", "setfattr", "sh", "stat"],
  asRoot: true,
  mountsItself: true,
  whyNot(): string | null {
    const mode = Deno.statSync("/dev/fuse").mode ?? 0;
    return (mode & 0o006) === 0o006
      ? null
      : "only root may open /dev/fuse here (elsewhere its mode is 0666)";
  },
  async run({ image, directory, folder: place, host }) {
    // Root's own deno may stand where no other user can run it.
    const deno = `${host}/deno`;
    Deno.copyFileSync(Deno.execPath(), deno);
    Deno.chmodSync(deno, 0o755);
    for (const path of [place, image, directory, host]) Deno.chownSync(path, NOBODY, NOBODY);
    const user = { id: NOBODY, deno, cache: `${host}/cache` };
    const server = await Server.start(image, directory, { user });
    try {
      const script = 'echo hello >"$0/a" && mkdir "$0/d" && mv "$0/a" "$0/d/b" && cat "$0/d/b"';
      assertEquals(await must(asNobody("sh", "-c", script, directory)), "hello\n");
      const owner = await must(asNobody("stat", "-c", "%u:%g", directory, `${directory}/d/b`));
      assertEquals(owner, `${NOBODY}:${NOBODY}\n`.repeat(2));
      assertEquals((await run(asNobody("chown", "0", `${directory}/d/b`))).code, 1);
      assertEquals((await run(["ls", directory])).code, 2, "root may not look in");
      await must(asNobody("fusermount3", "-u", directory));
      assertEquals([await server.status(), server.messages], [0, ""]);
    } finally {
      await server.kill();
    }
    await options(image, directory, user);
    const volume = openVolumeSync(fileHandle(image, { readOnly: true }), { readOnly: true });
    const folder = volume.lookup(volume.root, "d");
    assertEquals(volume.getattr(volume.lookup(folder, "b")).uid, 0, "root's, in the volume");
    volume.close();
    return "mounted, used, killed, mounted again and unmounted by nobody; root could not look in";
  },
};

/** The same options as root's; and a server that was killed is cleared away. */
async function options(image: string, directory: string, user: User): Promise<void> {
  const mounted = async (flags: string[], body: (server: Server) => Promise<unknown>) => {
    const server = await Server.start(image, directory, { flags, user });
    await body(server).finally(() => server.kill());
  };
  const write = asNobody("sh", "-c", 'echo more >>"$0"', `${directory}/d/b`);
  await mounted(["--read-only"], async (server) => {
    assertMatch((await run(write)).output, /Read-only/);
    server.signal("SIGTERM");
    assertEquals([await server.status(), server.messages], [0, ""]);
  });
  await mounted([], (server) => must([...write]).then(() => server.kill()));
  assertMatch((await run(asNobody("ls", directory))).output, /not connected/);
  await mounted([], async (server) => {
    await must(asNobody("setfattr", "-n", "user.a", "-v", "one", `${directory}/d/b`));
    await must(asNobody("fusermount3", "-u", directory));
    assertEquals([await server.status(), server.messages], [0, ""]);
  });
  const isAllowed = /^user_allow_other$/m.test(Deno.readTextFileSync("/etc/fuse.conf"));
  const others = mounted(["--allow-other"], async (server) => {
    await must(["ls", directory]);
    await must(asNobody("fusermount3", "-u", directory));
    assertEquals(await server.status(), 0);
  });
  if (isAllowed) await others;
  else await assertRejects(() => others, Error, "user_allow_other");
}

function asNobody(...command: string[]): string[] {
  return ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", ...command];
}
