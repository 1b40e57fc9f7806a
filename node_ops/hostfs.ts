/**
 * HOSTFS: a directory of the host, mounted here under Deno or Node.
 *
 * Layer: node_ops, an entry point of its own that `mod.ts` does not hand out, because a browser has no
 * host files. It is PROXYFS over `HostCalls`. What is in the directory stays in it: links are followed
 * inside this file system, so an absolute one starts at our "/", and ".." never leaves the mount.
 *
 * Owners and modes are the host's. What is made belongs to the host's user unless that is root.
 * What `node:fs` cannot do is refused: docs/SEMANTICS.md lists it.
 *
 * @example
 * ```ts
 * import { createFS } from "@cairn/fs";
 * import { HOSTFS } from "@cairn/fs/hostfs";
 * import { assertEquals } from "@std/assert";
 *
 * const directory = Deno.makeTempDirSync();
 * const FS = createFS();
 * FS.mkdir("/host");
 * FS.mount(HOSTFS, { directory }, "/host");
 * FS.writeFile("/host/a.txt", "on the host");
 * assertEquals(Deno.readTextFileSync(`${directory}/a.txt`), "on the host");
 * ```
 *
 * @module
 */
import { ErrnoError } from "../abi/errno.ts";
import type { Backend, FSNode } from "../abi/node.ts";
import { HostCalls } from "./host_calls.ts";
import { PROXYFS, type ProxyRecord } from "./proxyfs.ts";

export type { ProxyRecord } from "./proxyfs.ts";

/** What `FS.mount(HOSTFS, options, path)` takes. */
export interface HostfsOptions {
  /** The directory of the host. */
  directory: string;
}

/** The host's files as a mountable file system. */
export const HOSTFS: Backend<HostfsOptions, ProxyRecord> = {
  name: "HOSTFS",
  mount(options: HostfsOptions): FSNode<ProxyRecord> {
    if (typeof options?.directory !== "string" || options.directory === "") {
      throw new ErrnoError("EINVAL", "mount HOSTFS without options.directory");
    }
    return PROXYFS.mount({ fs: new HostCalls(options.directory), path: "/" });
  },
};
