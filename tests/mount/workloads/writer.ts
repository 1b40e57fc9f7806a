/**
 * Writes files on a mount, syncs each, and says so in a log on the host, until the mount dies.
 * `DIRECTORY LOG ROUND`; a line is a name, the checksum of its bytes, and a full stop.
 */
import { numbers } from "./workload.ts";

const [directory = "", log = "", round = ""] = Deno.args;
const random = numbers(Number(round) + 1);
const lines = Deno.openSync(log, { write: true, create: true, append: true });
Deno.mkdirSync(`${directory}/synced`, { recursive: true });

for (let index = 0;; index++) {
  const name = `synced/${round}.${index}`;
  const bytes = new Uint8Array(random.next().value % 100_000);
  for (let at = 0; at < bytes.length; at++) bytes[at] = random.next().value;
  const isMoved = index % 3 === 0;
  const file = Deno.openSync(`${directory}/${isMoved ? `${name}.new` : name}`, {
    write: true,
    createNew: true,
  });
  for (let at = 0; at < bytes.length; at += 10_000) {
    file.writeSync(bytes.subarray(at, at + 10_000));
  }
  if (isMoved) {
    file.syncSync();
    Deno.renameSync(`${directory}/${name}.new`, `${directory}/${name}`);
  }
  file.syncSync();
  file.close();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const sum = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  lines.writeSync(new TextEncoder().encode(`${name} ${sum}.\n`));
}
