/**
 * A volume mounted for a test: a fresh image, a process that serves it, and an end that leaves
 * neither a mount nor a process, whatever happens in between.
 */
import { assert, assertEquals } from "@std/assert";
import { checkVolume, fileHandle, openVolumeSync, type Report } from "../../opfs/mod.ts";
import { hostCommand } from "../../tools/programs.ts";

const SCRIPT = new URL("./serve.ts", import.meta.url).pathname;
const START_LIMIT_MS = 60_000;
const END_LIMIT_MS = 60_000;

/** How a server is started. */
export interface ServeOptions {
  /** Options of `cairn mount`. */
  flags?: readonly string[];
  /** Another user. */
  user?: User;
}

/** A user who serves. */
export interface User {
  id: number;
  /** A deno that this user may run. */
  deno: string;
  /** A folder for its cache. */
  cache: string;
}

/** A process that serves an image. */
export class Server {
  readonly image: string;
  readonly directory: string;
  readonly #child: Deno.ChildProcess;
  #messages = "";
  readonly #heard: Promise<void>;

  private constructor(image: string, directory: string, child: Deno.ChildProcess) {
    this.image = image;
    this.directory = directory;
    this.#child = child;
    this.#heard = this.#hear();
  }

  /** Starts one and waits until the directory shows the volume. */
  static async start(
    image: string,
    directory: string,
    { flags = [], user }: ServeOptions = {},
  ): Promise<Server> {
    const child = hostCommand(user?.deno ?? Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-check", SCRIPT, ...flags, "--", image, directory],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      cwd: "/",
      ...(user === undefined ? {} : { uid: user.id, gid: user.id, env: { DENO_DIR: user.cache } }),
    }).spawn();
    const server = new Server(image, directory, child);
    const isReady = await within(START_LIMIT_MS, server.#ready());
    if (isReady) return server;
    await server.kill();
    throw new Error(`the server does not start: ${server.#messages}`);
  }

  async #ready(): Promise<boolean> {
    const decoder = new TextDecoder();
    let output = "";
    for await (const bytes of this.#child.stdout) {
      output += decoder.decode(bytes, { stream: true });
      if (output.includes("mounted on")) return true;
    }
    await this.#heard;
    return false;
  }

  async #hear(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of this.#child.stderr) {
      this.#messages += decoder.decode(bytes, { stream: true });
    }
  }

  /** What it has said beside the result. */
  get messages(): string {
    return this.#messages;
  }

  /** The process. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Sends a signal. */
  signal(name: Deno.Signal): void {
    try {
      this.#child.kill(name);
    } catch {
      // It has ended by itself.
    }
  }

  /** The exit status, null when it does not end. */
  async status(): Promise<number | null> {
    const status = await within(END_LIMIT_MS, this.#child.status);
    await within(1000, this.#heard);
    return status === null ? null : status.code;
  }

  /** Unmounts as people do, which must succeed, and waits for the server. */
  async unmount(): Promise<void> {
    const command = Deno.uid() === 0 ? ["umount"] : ["fusermount3", "-u"];
    const { code, output } = await run([...command, this.directory]);
    assertEquals([code, output], [0, ""], "umount");
    assertEquals(await this.status(), 0, `the server's end: ${this.#messages}`);
    assertEquals(this.#messages, "", "what the server said");
  }

  /** Ends it at once. The mount stays, dead. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.status();
  }
}

/** What comes of a promise, null when it takes too long. */
async function within<T>(limitMs: number, promise: Promise<T>): Promise<T | null> {
  const late = Promise.withResolvers<null>();
  const timer = setTimeout(() => late.resolve(null), limitMs);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** How a program is run. */
export interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  limitMs?: number;
  input?: string;
}

/** Runs a program to its end; `output` has both its outputs. */
export async function run(
  [program = "", ...args]: readonly string[],
  { cwd, env, limitMs = 300_000, input }: RunOptions = {},
): Promise<{ code: number; output: string }> {
  const child = hostCommand(program, {
    args,
    cwd,
    env: { LC_ALL: "C", ...env },
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(limitMs),
  }).spawn();
  if (input !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** A folder with an empty image and a directory to mount it on. */
export interface Place {
  folder: string;
  image: string;
  directory: string;
}

/** Does something in such a folder; then no mount of it is left, and no folder. */
export async function withPlace(body: (place: Place) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "cairn_mount_" });
  const place = { folder, image: `${folder}/volume.cairn`, directory: `${folder}/mnt` };
  Deno.mkdirSync(place.directory);
  openVolumeSync(fileHandle(place.image)).close();
  try {
    await body(place);
  } finally {
    for (let tries = 0; tries < 3 && isMounted(place.directory); tries++) {
      await run(
        Deno.uid() === 0 ? ["umount", "-l", place.directory] : [
          "fusermount3",
          "-uz",
          place.directory,
        ],
      );
    }
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Mounts, does something, unmounts and checks. */
export async function withMount(
  body: (server: Server, place: Place) => Promise<void>,
  options: ServeOptions = {},
): Promise<void> {
  await withPlace(async (place) => {
    const server = await Server.start(place.image, place.directory, options);
    try {
      await body(server, place);
      await server.unmount();
    } finally {
      if (isMounted(place.directory)) await run(["umount", "-l", place.directory]);
      await server.kill();
    }
    assertClean(place.image);
  });
}

/** Whether something is mounted on a directory; it is not touched. */
export function isMounted(directory: string): boolean {
  return Deno.readTextFileSync("/proc/self/mountinfo").includes(` ${directory} `);
}

/** What `check` finds in an image that is not open. */
export function check(image: string): Report {
  const handle = fileHandle(image, { create: false, readOnly: true });
  try {
    return checkVolume(handle);
  } finally {
    handle.close();
  }
}

/** The image was closed cleanly and no rule is broken. */
export function assertClean(image: string): Report {
  const report = check(image);
  assertEquals(report.violations, []);
  assert(report.wasClean, "closed cleanly");
  return report;
}
