/**
 * Answers the suite's command on a unix socket. `client.c` stands in for the command: it sends its
 * working directory and its arguments, each ended by a NUL, after a length of four bytes, and
 * prints what comes back; the first byte of the answer is the exit status.
 *
 * @module
 */
import { createServer, type Server, type Socket } from "node:net";
import { Buffer } from "node:buffer";
import { Session, type SessionUnderTest } from "./session.ts";
import type { BackendUnderTest, MadeFileSystem } from "./backends.ts";

const LENGTH_BYTES = 4;
const DRIVER_FAILED = 99;

/** One file system at a time, and the socket where it can be reached. */
export class FileSystemServer {
  /** Path of the socket. */
  readonly socketPath: string;
  readonly #backend: BackendUnderTest;
  readonly #server: Server;
  #session: SessionUnderTest | null = null;
  #made: MadeFileSystem | null = null;
  #skewMs = 0;

  /** Not listening yet. */
  constructor(backend: BackendUnderTest, socketPath: string) {
    this.#backend = backend;
    this.socketPath = socketPath;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket));
  }

  /** Starts to listen. */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject).listen(this.socketPath, resolve);
    });
  }

  /** A fresh file system, and the session that speaks to it. */
  async reset(): Promise<SessionUnderTest> {
    await this.#made?.close?.();
    const { FS = {}, session } = this.#made = await this.#backend.make(
      () => Date.now() + this.#skewMs,
    );
    return this.#session = session ?? new Session(FS, (ms) => this.#skewMs += ms);
  }

  /** Stops. */
  async close(): Promise<void> {
    await this.#made?.close?.();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    let received = Buffer.alloc(0);
    socket.on("error", () => {});
    socket.on("data", (data) => {
      received = Buffer.concat([received, data as Uint8Array]);
      if (received.length < LENGTH_BYTES) return;
      const end = LENGTH_BYTES + received.readUInt32LE(0);
      if (received.length < end) return;
      const text = received.subarray(LENGTH_BYTES, end - 1).toString("latin1");
      this.#answer(text.split("\0")).then((answer) => socket.end(answer));
    });
  }

  async #answer([cwd = "/", ...words]: string[]): Promise<Uint8Array> {
    let [status, output] = [DRIVER_FAILED, "EDRIVER no file system"];
    try {
      this.#made?.tick?.();
      if (this.#session !== null) [status, output] = await this.#session.run(cwd, words);
    } catch (error) {
      output = `EDRIVER ${(error as Error).stack}`;
    }
    return Buffer.concat([Buffer.from([status]), Buffer.from(output, "latin1")]);
  }
}
