/** The suite's sessions in a page; here the page is this thread. */
import { assertEquals } from "@std/assert";
import { createFS } from "../../../fs/create_fs.ts";
import {
  PAGE_BACKENDS,
  pageBackend,
  type PageUnderTest,
} from "../../../tools/pjdfstest/page_backend.ts";
import { Session } from "../../../tools/pjdfstest/session.ts";

Deno.test("pageBackend() opens one page, resets it for each script, and closes it", async () => {
  const done: string[] = [];
  let session = new Session({}, () => {});
  const driver = {
    reset(worker: string) {
      done.push(`reset ${worker}`);
      session = new Session(createFS() as never, () => {});
      return Promise.resolve();
    },
    run(cwd: string, words: string[]) {
      const [status, output] = session.run(cwd, words);
      return { status, output, stats: session.stats };
    },
    close: () => Promise.resolve(void done.push("close")),
  };
  Reflect.set(globalThis, "pjdfstest", driver);
  const page: PageUnderTest = {
    evaluate: async (work, ...args) => await work(...args),
    close: () => Promise.resolve(void done.push("end")),
  };
  const open = () => {
    done.push("open");
    return Promise.resolve({ page, worker: "program" });
  };
  const backend = pageBackend("test", open);
  try {
    const first = (await backend.make(() => 0)).session!;
    assertEquals(await first.run("/tmp", ["mkdir", "d", "0755"]), [0, "0\n"]);
    assertEquals(await first.run("/tmp", ["stat", "NULL", "mode"]), [1, "EFAULT\n"]);
    assertEquals([first.stats.calls, first.stats.faulted], [2, true]);
    const second = (await backend.make(() => 0)).session!;
    assertEquals(await second.run("/tmp", ["rmdir", "d"]), [1, "ENOENT\n"]);
    assertEquals(second.stats.faulted, false);
    await backend.dispose?.();
  } finally {
    Reflect.deleteProperty(globalThis, "pjdfstest");
  }
  assertEquals(done, ["open", "reset program", "reset program", "close", "end"]);
});

Deno.test("pageBackend() that was never used opens nothing", async () => {
  const backend = pageBackend("test", () => Promise.reject(new Error("opened")));
  await backend.dispose?.();
  assertEquals(Object.keys(PAGE_BACKENDS), ["page", "page-firefox"]);
});
