/** What the suite can be run on. */
import { assertEquals } from "@std/assert";
import { BACKENDS } from "../../../tools/pjdfstest/backends.ts";

for (const [word, backend] of Object.entries(BACKENDS)) {
  Deno.test(`backend "${word}" is fresh, and lives by the clock that it is given`, async () => {
    for (let round = 0; round < 2; round++) {
      const made = await backend.make(() => 86_400_000);
      made.tick?.();
      made.FS!.mkdir("/d", 0o700);
      assertEquals(made.FS!.stat("/d").mtimeMs, 86_400_000);
      assertEquals(made.FS!.readdir("/"), [".", "..", "d"]);
      await made.close?.();
    }
    await backend.dispose?.();
  });
}
