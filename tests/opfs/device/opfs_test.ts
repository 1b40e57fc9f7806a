/** Opening in OPFS, with a stand-in for the browser's handles; the real ones are in tests/browser. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ErrnoError } from "../../../abi/errno.ts";
import { memoryHandle } from "../../../opfs/device/memory.ts";
import { openOpfsHandle } from "../../../opfs/device/opfs.ts";

/** Runs a test with a file system whose access handle is refused some times first. */
async function withStorage(
  refusals: { times: number; name: string },
  body: (asked: string[]) => Promise<void>,
): Promise<void> {
  const asked: string[] = [];
  let left = refusals.times;
  const file = {
    createSyncAccessHandle() {
      asked.push("handle");
      if (left-- > 0) return Promise.reject(new DOMException("no", refusals.name));
      return Promise.resolve(memoryHandle());
    },
  };
  const directory = {
    getDirectoryHandle: (name: string) => (asked.push(`${name}/`), Promise.resolve(directory)),
    getFileHandle(name: string, { create }: { create: boolean }) {
      asked.push(name);
      if (!create) return Promise.reject(new DOMException("no", "NotFoundError"));
      return Promise.resolve(file);
    },
  };
  const before = Object.getOwnPropertyDescriptor(globalThis.navigator, "storage");
  const storage = { getDirectory: () => Promise.resolve(directory) };
  Object.defineProperty(globalThis.navigator, "storage", { value: storage, configurable: true });
  try {
    await body(asked);
  } finally {
    if (before === undefined) {
      delete (globalThis.navigator as unknown as Record<string, unknown>).storage;
    } else Object.defineProperty(globalThis.navigator, "storage", before);
  }
}

Deno.test("openOpfsHandle() finds the file through its directories", async () => {
  await withStorage({ times: 0, name: "" }, async (asked) => {
    const handle = await openOpfsHandle("/a/b/notes.cairn");
    assertEquals(handle.getSize(), 0);
    assertEquals(asked, ["a/", "b/", "notes.cairn", "handle"]);
  });
});

Deno.test("openOpfsHandle() waits for a predecessor to let go", async () => {
  await withStorage({ times: 3, name: "NoModificationAllowedError" }, async (asked) => {
    await openOpfsHandle("/a");
    assertEquals(asked.filter((what) => what === "handle").length, 4);
  });
});

Deno.test("openOpfsHandle() gets what is just let go of also without any time to wait", async () => {
  await withStorage({ times: 2, name: "NoModificationAllowedError" }, async () => {
    assertEquals((await openOpfsHandle("/a", { deadlineMs: 0 })).getSize(), 0);
  });
});

Deno.test("openOpfsHandle() gives up at its deadline with EBUSY", async () => {
  await withStorage({ times: 1e9, name: "NoModificationAllowedError" }, async () => {
    const began = Date.now();
    await assertRejects(() => openOpfsHandle("/a", { deadlineMs: 60 }), ErrnoError, "EBUSY");
    assert(Date.now() - began < 1000);
  });
});

Deno.test("openOpfsHandle() says what else is wrong at once", async () => {
  await withStorage({ times: 1, name: "SecurityError" }, async () => {
    await assertRejects(() => openOpfsHandle("/a"), ErrnoError, "EACCES");
  });
  await withStorage({ times: 0, name: "" }, async () => {
    await assertRejects(() => openOpfsHandle("/a", { create: false }), ErrnoError, "ENOENT");
    await assertRejects(() => openOpfsHandle("/"), ErrnoError, "EINVAL");
  });
  await assertRejects(() => openOpfsHandle("/a"), ErrnoError, "ENOTSUP");
});
