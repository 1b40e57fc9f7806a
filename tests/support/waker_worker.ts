/** Notifies a channel's answer word without end, as late wakes of earlier answers would. */
import { Word } from "../../opfs/relay/protocol.ts";

const scope = self as unknown as {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown): void;
  close(): void;
};

scope.onmessage = ({ data }: MessageEvent) => {
  const words = new Int32Array(data.buffer);
  const stop = new Int32Array(data.stop);
  scope.postMessage("waking");
  while (Atomics.load(stop, 0) === 0) Atomics.notify(words, Word.ANSWER);
  scope.close();
};
