/**
 * Both kinds of module, with a volume mounted at /data: what the adapter's tests run on.
 *
 * Use: `testOn(HOSTS, "what holds", ({ FS, volume }) => …)`, one test per kind; the volume is checked
 * at its end.
 */
import { assertInstanceOf } from "@std/assert";
import { mountVolume } from "../../../adapters/emscripten.ts";
import { codeOf, type VolumeOps } from "../../../mod.ts";
import { CountedVolume } from "./counted_volume.ts";
import { asHost, NewestFS } from "./newest_host.ts";
import { stockFS } from "./stock_host.ts";

/** A module's FS; the calls that both kinds have. */
// deno-lint-ignore no-explicit-any
export type HostFS = Record<string, any>;

/** One kind of module. */
export interface Host {
  name: string;
  /** A fresh module's FS. */
  make(): Promise<HostFS>;
}

/** What a test gets. */
export interface Mounted {
  /** A module's FS with the volume at /data. */
  FS: HostFS;
  volume: CountedVolume;
  /** A second module of this kind, with the same volume at /data. */
  another(): Promise<HostFS>;
}

/** The module of the committed example. */
export const STOCK: Host = { name: "3.1.6", make: stockFS };
/** The model of newer ones. */
export const NEWEST: Host = {
  name: "newest",
  make: () => Promise.resolve(new NewestFS() as unknown as HostFS),
};
/** Both. */
export const HOSTS: readonly Host[] = [STOCK, NEWEST];

/** A fresh module with a volume at /data. */
export async function mounted(host: Host, volume: VolumeOps): Promise<HostFS> {
  const FS = await host.make();
  mountVolume({ FS: asHost(FS) }, volume, "/data");
  return FS;
}

/** One test per kind of module. */
export function testOn(
  hosts: readonly Host[],
  name: string,
  run: (mount: Mounted) => void | Promise<void>,
): void {
  for (const host of hosts) {
    Deno.test(`${name} [${host.name}]`, async () => {
      const volume = new CountedVolume();
      const FS = await mounted(host, volume);
      await run({ FS, volume, another: () => mounted(host, volume) });
      volume.check();
    });
  }
}

/** The name of the error that a call of the module throws; fails if it is not the module's own. */
export function codeFrom(FS: HostFS, call: () => unknown): string {
  try {
    call();
  } catch (error) {
    assertInstanceOf(error, FS.ErrnoError);
    return codeOf((error as unknown as { errno: number }).errno);
  }
  return "no error";
}

/** Writes a file through the module. */
export function put(FS: HostFS, path: string, text: string): void {
  const stream = FS.open(path, 0o1101, 0o644);
  const bytes = new TextEncoder().encode(text);
  FS.write(stream, bytes, 0, bytes.length);
  FS.close(stream);
}

/** Reads a file through the module. */
export function get(FS: HostFS, path: string): string {
  const stream = FS.open(path, 0);
  const bytes = new Int8Array(100_000);
  const length = FS.read(stream, bytes, 0, bytes.length);
  FS.close(stream);
  return new TextDecoder().decode(new Uint8Array(bytes.buffer, 0, length));
}
