/**
 * What goes wrong while an image is mounted, in words, to where it is found: the system's log.
 *
 * Layer: adapters/fuse. The kernel hands programs an error number and nothing else, and a server in the
 * background has no terminal. {@link Troubles} gathers in the serving thread, `fuse.ts` writes.
 *
 * @module
 */
import { isErrnoError } from "../../mod.ts";

/** What can send to a socket; {@link Libc} can. */
export interface Sender {
  /** Whether one datagram went to the socket at a path. */
  sendDatagram(path: string, bytes: Uint8Array<ArrayBuffer>): boolean;
}

/** Where the system takes lines of its log. */
const LOG_SOCKET = "/dev/log";
/** The facility of daemons, 3, and the severity of an error, 3. */
const PRIORITY = 3 * 8 + 3;
/** A broken image may have a message for each of its files. */
const MESSAGES_MAX = 100;
/** Loggers cut longer lines. */
const LINE_CHARS_MAX = 1_000;

/** Passes each message on once: a program may ask a broken image a million times. */
export class Troubles {
  readonly #print: (message: string) => void;
  readonly #printed = new Set<string>();

  /** `print` gets each message. */
  constructor(print: (message: string) => void) {
    this.#print = print;
  }

  /** Takes an error; of our own mistakes the stack too, which says where. */
  readonly report = (error: unknown): void => {
    const text = isErrnoError(error)
      ? error.message
      : String((error as { stack?: unknown } | null)?.stack ?? error);
    if (this.#printed.has(text) || this.#printed.size > MESSAGES_MAX) return;
    this.#printed.add(text);
    this.#print(this.#printed.size > MESSAGES_MAX ? "more messages are left out" : text);
  };
}

/** One line: names may hold anything. */
export function logText(message: string): string {
  // deno-lint-ignore no-control-regex
  return message.replace(/\s*\n\s*/g, " ").replace(/[\x00-\x1f\x7f-\x9f]/g, "?")
    .slice(0, LINE_CHARS_MAX);
}

/** A line as syslog(3) sends it. */
export function syslogLine(
  message: string,
  { pid, now = new Date() }: { pid: number; now?: Date },
): string {
  const two = (number: number): string => String(number).padStart(2, "0");
  const day = `${MONTHS[now.getMonth()]} ${String(now.getDate()).padStart(2, " ")}`;
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join(":");
  return `<${PRIORITY}>${day} ${time} cairn[${pid}]: ${logText(message)}`;
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** Writes a line to the system's log; whether there is one. */
export function logToSystem(sender: Sender, message: string, path: string = LOG_SOCKET): boolean {
  return sender.sendDatagram(
    path,
    new TextEncoder().encode(syslogLine(message, { pid: Deno.pid })),
  );
}
