/**
 * One store in a worker of a browser: it gets a job, and answers with µs a call or with what went
 * wrong. A store that has failed once is not asked again in this round.
 *
 * @module
 */
import { type Peer, PEERS } from "./peers_subjects.ts";
import { MOUNTED_FILES, warmUp, WORKLOADS } from "./peers_workloads.ts";

/** A job for the worker. */
export type PeerJob =
  | { do: "open"; subject: string; name: string }
  | { do: "run"; workload: string }
  | { do: "fill" }
  | { do: "mount"; subject: string; name: string; files: number }
  | { do: "end" };

/** What it answers. */
export type PeerAnswer = { value: number } | { error: string };

let peer: Peer;

/** Opening a store and finding one file in it, in ms. */
async function mount(subject: string, name: string, files: number): Promise<number> {
  const began = performance.now();
  peer = await PEERS[subject]!(name);
  const size = files > 0 ? peer.stat(`/f${files - 1}`) : 0;
  const took = performance.now() - began;
  if (size !== 0) throw new Error(`wrong answer: size of an empty file is ${size}`);
  if (peer.readdir("/") < files) throw new Error("wrong answer: number of files after a mount");
  return took;
}

/** Empty files in the root. */
function fill(): void {
  for (let index = 0; index < MOUNTED_FILES; index++) peer.close(peer.open(`/f${index}`, "w+"));
  peer.sync();
}

async function answer(job: PeerJob): Promise<number> {
  switch (job.do) {
    case "open":
      peer = await PEERS[job.subject]!(job.name);
      warmUp(peer);
      return 0;
    case "run":
      // What earlier work has left to write is not this one's.
      peer.sync();
      return WORKLOADS.find(({ name }) => name === job.workload)!.run(peer);
    case "fill":
      fill();
      return 0;
    case "mount":
      return await mount(job.subject, job.name, job.files);
    case "end":
      await peer.end();
      return 0;
  }
}

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<PeerJob>) => void) | null;
  postMessage(message: PeerAnswer): void;
};

scope.onmessage = ({ data }) => {
  answer(data).then(
    (value) => scope.postMessage({ value }),
    (error) => scope.postMessage({ error: String((error as Error)?.message ?? error) }),
  );
};
