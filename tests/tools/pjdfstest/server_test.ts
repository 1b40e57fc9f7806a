/** The socket where the suite's command finds its file system. */
import { assertEquals } from "@std/assert";
import { connect } from "node:net";
import { createFS } from "../../../fs/create_fs.ts";
import { FileSystemServer } from "../../../tools/pjdfstest/server.ts";

function ask(path: string, ...words: string[]): Promise<string> {
  const body = new TextEncoder().encode(`${words.join("\0")}\0`);
  const message = new Uint8Array(4 + body.length);
  new DataView(message.buffer).setUint32(0, body.length, true);
  message.set(body, 4);
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(path);
    socket.on("data", (data) => answer += String(data)).on("error", reject);
    socket.on("end", () => resolve(answer));
    socket.write(message.subarray(0, 6));
    socket.write(message.subarray(6));
  });
}

Deno.test("FileSystemServer answers with a status and a text, from a fresh file system each", async () => {
  const folder = Deno.makeTempDirSync();
  const made: string[] = [];
  const backend = {
    name: "test",
    make: (clock: () => number) => {
      made.push("made");
      return Promise.resolve({
        FS: createFS({ clock }) as never,
        tick: () => made.push("tick"),
        close: () => made.push("closed"),
      });
    },
  };
  const server = new FileSystemServer(backend, `${folder}/socket`);
  await server.listen();
  assertEquals((await ask(server.socketPath, "/", "unlink", "x")).slice(1, 8), "EDRIVER");
  await server.reset();
  assertEquals(await ask(server.socketPath, "/tmp", "mkdir", "d", "0755"), "\0" + "0\n");
  assertEquals(await ask(server.socketPath, "/tmp", "rmdir", "none"), "\x01ENOENT\n");
  await server.reset();
  assertEquals(await ask(server.socketPath, "/tmp", "rmdir", "d"), "\x01ENOENT\n");
  await server.close();
  assertEquals(made, ["made", "tick", "tick", "closed", "made", "tick", "closed"]);
  Deno.removeSync(folder, { recursive: true });
});
