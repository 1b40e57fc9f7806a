/** Opens a ticket, writes a word, reads it back. */
import { openVolume } from "../../opfs/compose/open.ts";

const scope = self as unknown as {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown): void;
};

scope.onmessage = async ({ data: { ticket, mark } }: MessageEvent) => {
  const volume = await openVolume(ticket);
  const ino = volume.create(volume.root, `from ${mark}`, { mode: 0o100644, uid: 0, gid: 0 });
  const word = new TextEncoder().encode(`word of ${mark}`);
  volume.write(ino, word, 0);
  const into = new Uint8Array(word.length);
  volume.read(ino, into, 0);
  const isSame = word.every((byte, index) => byte === into[index]);
  const { transport } = volume;
  await volume.close();
  const what = isSame ? "reads back its word" : "reads something else";
  scope.postMessage(`worker ${mark} ${what} over ${transport}`);
};
