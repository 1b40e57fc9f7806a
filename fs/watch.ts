/**
 * Who wants to hear of changes: listeners by inode.
 *
 * Layer: fs. A watch on a directory hears of its entries, a watch on a file of the file. The calls
 * report to `watchers` after they have succeeded; with no watch that costs one comparison. Events
 * are delivered at once, in the order of the calls.
 *
 * @module
 */
import type { FSNode } from "../abi/node.ts";
import { inodeKey } from "./name_table.ts";

/** What happened. */
export interface WatchEvent {
  /** What happened: `rename` is reported at the new name, and `delete` at the old one. */
  type: "create" | "delete" | "rename" | "modify" | "attrib";
  /** The name in the watched directory, or null if the watched file itself changed. */
  name: string | null;
}

/** A running watch. */
export interface Watch {
  /** Ends it. */
  close(): void;
}

/** Listeners by inode. */
export class Watchers {
  /** How many watches run. The calls look at it before they report anything. */
  size = 0;
  readonly #listeners = new Map<string, Set<(event: WatchEvent) => void>>();

  /** Starts to listen to an inode. */
  add(node: FSNode, listener: (event: WatchEvent) => void): Watch {
    const key = inodeKey(node);
    const heard = (event: WatchEvent) => listener(event);
    const all = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, all.add(heard));
    this.size++;
    return {
      close: () => {
        if (!all.delete(heard)) return;
        this.size--;
        if (all.size === 0 && this.#listeners.get(key) === all) this.#listeners.delete(key);
      },
    };
  }

  /** Reports to all who watch the node, or the directory `parent` that holds it as `name`. */
  notify(
    type: WatchEvent["type"],
    node: FSNode,
    parent: FSNode = node.parent,
    name: string = node.name,
  ): void {
    if (this.size === 0) return;
    this.#deliver(node, { type, name: null });
    if (parent !== node) this.#deliver(parent, { type, name });
  }

  #deliver(node: FSNode, event: WatchEvent): void {
    for (const listener of [...this.#listeners.get(inodeKey(node)) ?? []]) listener(event);
  }
}
