/**
 * pjdfstest's command in a page: bundled by `tools/pjdfstest/page_backend.ts`, it puts a session on
 * a volume in the origin private file system where the driver finds it. The page spins, the volume
 * is in a worker.
 *
 * Imports no builtin.
 */
import { createFS } from "../../fs/create_fs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import { Session, type SessionStats } from "../../tools/pjdfstest/session.ts";
import { RelayedVolume } from "../support/relayed_volume.ts";

/** What a command has come to, and what has happened so far. */
interface Answer {
  status: number;
  output: string;
  stats: SessionStats;
}

const PATH = "/pjdfstest.cairn";

let worker = "";
let skewMs = 0;
let relayed: RelayedVolume | null = null;
let session: Session | null = null;

const clock = (): number => Date.now() + skewMs;

/** Ends the volume at hand, which must be whole, and makes an empty one. */
async function reset(program: string): Promise<void> {
  await close();
  if (worker === "") {
    worker = URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
  }
  relayed = await RelayedVolume.open({
    worker,
    path: PATH,
    blocking: "spin",
    limitBytes: 0,
    clock,
  });
  const root = { type: VOLUMEFS, options: { volume: relayed.client } };
  session = new Session(createFS({ clock, root }) as never, (ms) => skewMs += ms);
}

/** Runs one command line. */
function run(cwd: string, words: string[]): Answer {
  if (session === null) throw new Error("there is no file system");
  relayed!.tick();
  const [status, output] = session.run(cwd, words);
  return { status, output, stats: session.stats };
}

async function close(): Promise<void> {
  await relayed?.close();
  relayed = session = null;
}

Reflect.set(globalThis, "pjdfstest", { reset, run, close });
