/**
 * A volume on memory that counts its calls. A test may put a call of its own in place of a method;
 * `check` closes what is below and fails unless the image is whole.
 */
import { assertEquals } from "@std/assert";
import {
  checkVolume,
  type Ino,
  memoryHandle,
  openVolumeSync,
  type VolumeOps,
} from "../../../mod.ts";
import { CALL_ROWS, type CallOf, defineCalls } from "../../../opfs/relay/rows.ts";

const Counting: new () => Pick<VolumeOps, CallOf<"volume">> = class {} as never;

/** Calls of a volume, counted by name. */
export class CountedVolume extends Counting implements VolumeOps {
  readonly calls: Map<string, number> = new Map();
  readonly #handle = memoryHandle();
  readonly #volume = openVolumeSync(this.#handle);

  static {
    const rows = CALL_ROWS.filter(({ part }) => part === "volume");
    defineCalls(Counting.prototype, rows, ({ call }) => {
      return function (this: CountedVolume, ...args: never[]): unknown {
        this.calls.set(call, (this.calls.get(call) ?? 0) + 1);
        return (this.#volume[call as CallOf<"volume">] as (...args: never[]) => unknown)(...args);
      };
    });
  }

  get root(): Ino {
    return this.#volume.root;
  }

  get generation(): number {
    return this.#volume.generation;
  }

  /** How many `retain` have no `release`. */
  get retained(): number {
    return (this.calls.get("retain") ?? 0) - (this.calls.get("release") ?? 0);
  }

  close(): void {
    this.#volume.close();
  }

  /** Closes, and fails unless the image is whole. */
  check(): void {
    this.#volume.close();
    assertEquals(checkVolume(this.#handle).violations, []);
  }
}
