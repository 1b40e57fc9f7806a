/**
 * Where the words of a mount's server go, besides the system's log: to the terminal, as long as one is
 * there, and to the file that `--log` names.
 *
 * Layer: cli, under `mount.ts`. Never to a file that was not named: `IMAGE.log` may be the user's.
 *
 * @module
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { ErrnoError } from "../../mod.ts";
import { isSameFile } from "../shared/place.ts";
import { at, type Terminal } from "../shared/verb.ts";
import { printable } from "../shared/words.ts";

/** The log of one mount. */
export class MountLog {
  readonly #fd: number;
  readonly #image: string;
  readonly #terminal: Terminal;

  /** Opens the file, if one is named. Lines are added to what it has. */
  constructor(
    image: string,
    { path, terminal }: { path?: string | undefined; terminal: Terminal },
  ) {
    this.#image = image;
    this.#terminal = terminal;
    this.#fd = path === undefined ? -1 : at(path, () => {
      if (isSameFile(path, image)) {
        throw new ErrnoError("EINVAL", "keep the log in the image itself");
      }
      return openSync(path, "a", 0o600);
    });
  }

  /** Takes a message. Never throws: the mount goes on. */
  readonly add = (message: string): void => {
    const line = `"${printable(this.#image)}": ${printable(message)}`;
    try {
      this.#terminal.say(`cairn mount: ${line}`);
    } catch {
      // The terminal that it was started on is gone.
    }
    try {
      if (this.#fd >= 0) writeSync(this.#fd, `${new Date().toISOString()} ${line}\n`);
    } catch {
      // A full disk; the system's log has it.
    }
  };

  /** Lets the file go. */
  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
  }
}
