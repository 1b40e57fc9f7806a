/**
 * A filesystem in ten lines: `deno run examples/hello.ts`. It lives in memory and ends with the
 * process; demo.ts keeps one.
 *
 * @module
 */
import { createFS } from "@cairn/fs";

const FS = createFS();
FS.mkdir("/notes");
FS.writeFile("/notes/hello.txt", "hello, ");
const stream = FS.open("/notes/hello.txt", "a");
const bytes = new TextEncoder().encode("filesystem");
FS.write(stream, bytes, 0, bytes.length);
FS.close(stream);
FS.symlink("hello.txt", "/notes/latest");
console.log(FS.readFile("/notes/latest", { encoding: "utf8" }));
console.log(FS.readdir("/notes").join(" "), FS.stat("/notes/latest").size, "bytes");
