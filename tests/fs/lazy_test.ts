/** Files that are fetched when they are read. */
import { assertEquals } from "@std/assert";
import { createFS } from "../../fs/create_fs.ts";
import { fetchBytes, LazyContents } from "../../fs/lazy.ts";
import { assertErrno } from "../support/errno.ts";

const SIZE = 2_500_000;
const BYTES = Uint8Array.from({ length: SIZE }, (_, index) => index * 7 & 255);

/** A server as XMLHttpRequest sees it: notes what is asked, with or without ranges. */
function serve(ranges: boolean, asked: string[]): void {
  class Request {
    responseType = "";
    status = 0;
    response: unknown = null;
    #method = "";
    #range: string | null = null;
    #isMissing = false;

    open(method: string, url: string): void {
      this.#method = method;
      this.#isMissing = url.endsWith("missing");
    }
    setRequestHeader(_name: string, value: string): void {
      this.#range = value;
    }
    getResponseHeader(name: string): string | null {
      if (name === "Content-Length") return String(SIZE);
      return name === "Accept-Ranges" && ranges ? "bytes" : null;
    }
    send(): void {
      asked.push(`${this.#method} ${this.#range ?? "all"}`);
      this.status = this.#isMissing ? 404 : 200;
      if (this.#method !== "GET") return;
      const [from, to] = this.#range?.slice(6).split("-").map(Number) ?? [0, SIZE - 1];
      this.response = BYTES.slice(from, to! + 1).buffer;
    }
  }
  Object.assign(globalThis, { XMLHttpRequest: Request });
}

async function served(ranges: boolean, work: (asked: string[]) => void | Promise<void>) {
  const asked: string[] = [];
  serve(ranges, asked);
  try {
    await work(asked);
  } finally {
    Reflect.deleteProperty(globalThis, "XMLHttpRequest");
  }
}

Deno.test("a lazy file asks for its size first, and for the MiB that is read", () =>
  served(true, (asked) => {
    const fs = createFS();
    fs.createLazyFile("/", "lazy", "http://here/lazy", true, true);
    assertEquals(asked, []);
    assertEquals(fs.stat("/lazy").size, SIZE);
    const stream = fs.open("/lazy", "r");
    const bytes = new Uint8Array(10);
    assertEquals(fs.read(stream, bytes, 0, 10, 2 ** 20 - 5), 10);
    assertEquals([...bytes], [...BYTES.subarray(2 ** 20 - 5, 2 ** 20 + 5)]);
    assertEquals(fs.read(stream, bytes, 0, 10, SIZE - 3), 3);
    assertEquals(fs.read(stream, bytes, 0, 10, SIZE), 0);
    assertEquals(asked, [
      "HEAD all",
      "GET bytes=0-1048575",
      "GET bytes=1048576-2097151",
      "GET bytes=2097152-2499999",
    ]);
    assertEquals(fs.llseek(stream, 0, 2), SIZE);
  }));

Deno.test("without ranges a lazy file is fetched whole, once", () =>
  served(false, (asked) => {
    const fs = createFS();
    const node = fs.createLazyFile("/", "lazy", "http://here/lazy", true, true);
    assertEquals(fs.forceLoadFile(node), true);
    assertEquals(fs.readFile("/lazy").length, SIZE);
    assertEquals(asked, ["HEAD all", "GET all"]);
  }));

Deno.test("a lazy file that is written becomes an ordinary one", () =>
  served(true, () => {
    const fs = createFS();
    fs.createLazyFile("/", "lazy", "http://here/lazy", true, true);
    const stream = fs.open("/lazy", "r+");
    fs.write(stream, new Uint8Array([1, 2, 3]), 0, 3, 100);
    const bytes = fs.readFile("/lazy");
    assertEquals([bytes.length, bytes[100], bytes[103]], [SIZE, 1, BYTES[103]]);
    fs.truncate("/lazy", 5);
    assertEquals(fs.stat("/lazy").size, 5);
  }));

Deno.test("a lazy file is EIO where nothing can be fetched", async () => {
  const fs = createFS();
  fs.createLazyFile("/", "lazy", "http://here/lazy", true, true);
  assertErrno("EIO", () => fs.readFile("/lazy"));
  assertErrno("EIO", () => new LazyContents("http://here/lazy").size);
  await served(true, () => assertErrno("EIO", () => new LazyContents("http://here/missing").size));
  assertErrno("EINVAL", () => fs.createLazyFile("/", "x", 5 as never, true, true));
});

Deno.test("fetchBytes() fetches without blocking, or rejects with EIO", async () => {
  assertEquals([...await fetchBytes("data:,ab")], [97, 98]);
  let code = "";
  await fetchBytes("unknown:nothing").catch((error) => code = error.code);
  assertEquals(code, "EIO");
});
