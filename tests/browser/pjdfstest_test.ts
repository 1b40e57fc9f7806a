/** The driver of pjdfstest in pages: a few commands, as its scripts give them. */
import { assertEquals } from "@std/assert";
import { PAGE_BACKENDS } from "../../tools/pjdfstest/page_backend.ts";

const LOOSE = { sanitizeOps: false, sanitizeResources: false };

for (const [word, backend] of Object.entries(PAGE_BACKENDS)) {
  Deno.test(
    `backend "${word}" runs the suite's commands on a volume of its own`,
    LOOSE,
    async () => {
      try {
        for (let round = 0; round < 2; round++) {
          const session = (await backend.make(() => 0)).session!;
          const run = async (line: string) => await session.run("/", line.split(" "));
          assertEquals(await run("mkdir d 0755"), [0, "0\n"]);
          assertEquals(await run("-u 65534 -g 65534 mkdir d/x 0755"), [1, "EACCES\n"]);
          assertEquals(await run("open d/f O_CREAT,O_WRONLY 0644 : write 0 text"), [0, "0\n0\n"]);
          assertEquals(await run("stat d/f type,mode,size,nlink"), [0, "regular,0644,4,1\n"]);
          const [, before] = await run("stat d/f ctime");
          await run("--x-sleep 7");
          assertEquals(await run("chmod d/f 0600"), [0, "0\n"]);
          const [, after] = await run("stat d/f ctime");
          assertEquals(Number(after) - Number(before) >= 7, true, "its clock is moved");
          assertEquals(session.stats.exceptions, {});
        }
      } finally {
        await backend.dispose?.();
      }
    },
  );
}
