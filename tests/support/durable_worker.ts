/**
 * A client that makes each of its writes durable: { ticket, mark } attaches it, { rounds } is how
 * many writes. Each message is answered when it is done.
 */
import { type OpenedVolume, openVolume } from "../../opfs/compose/open.ts";

const scope = self as unknown as {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown): void;
};

let volume: OpenedVolume | null = null;
let ino = 0;

scope.onmessage = async ({ data }: MessageEvent) => {
  if (data.ticket) {
    volume = await openVolume({ ticket: data.ticket, cacheBytes: 0 });
    ino = volume.create(volume.root, `${data.mark}`, { mode: 0o100644, uid: 0, gid: 0 });
  } else {
    const bytes = new Uint8Array(100);
    for (let round = 0; round < data.rounds; round++) {
      volume!.write(ino, bytes.fill(round), round * 100);
      volume!.fsync(ino);
    }
  }
  scope.postMessage("done");
};
