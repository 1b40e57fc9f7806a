/**
 * An ordinary user mounts through fusermount3: without root, and without being in the way of it.
 */
import { assertEquals } from "@std/assert";
import { fileHandle, openVolumeSync } from "../../../opfs/mod.ts";
import { run, Server } from "../mounted.ts";
import { must, type Workload } from "./workload.ts";

const NOBODY = 65534;

/** Mount, write, read, unmount as nobody. */
export const userWorkload: Workload = {
  name: "ordinary user",
  programs: ["fusermount3", "setpriv"],
  asRoot: true,
  mountsItself: true,
  whyNot(): string | null {
    const mode = Deno.statSync("/dev/fuse").mode ?? 0;
    return (mode & 0o006) === 0o006 ? null : "only root may open /dev/fuse here";
  },
  async run({ image, directory, folder: place, host }) {
    // Root's own deno may stand where nobody else can run it.
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
    const volume = openVolumeSync(fileHandle(image, { readOnly: true }), { readOnly: true });
    const folder = volume.lookup(volume.root, "d");
    assertEquals(volume.getattr(volume.lookup(folder, "b")).uid, 0, "root's, in the volume");
    volume.close();
    return "mounted, used and unmounted by nobody; root could not look in";
  },
};

function asNobody(...command: string[]): string[] {
  return ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", ...command];
}
