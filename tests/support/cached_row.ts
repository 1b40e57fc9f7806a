/**
 * The backend "volume cached": a volume in a worker, called through the relay and a cache.
 *
 * @module
 */
import { createFS } from "../../fs/create_fs.ts";
import type { FS } from "../../fs/fs.ts";
import { VOLUMEFS } from "../../node_ops/volume.ts";
import { CachedVolume } from "../../opfs/cache.ts";
import type { BackendRow } from "./backends.ts";
import { RelayedVolume } from "./relayed_volume.ts";

const SMALL_DEVICE_BYTES = 2 ** 21;

/** One row for `backends.ts`. */
export const volumeCached: BackendRow = {
  name: "volume cached",
  backend: VOLUMEFS.name,
  dispose: () => RelayedVolume.dispose(),
  async make({ clock, isSmall }) {
    const limitBytes = isSmall ? SMALL_DEVICE_BYTES : 0;
    const relayed = await RelayedVolume.open({ limitBytes, clock });
    const now = (): number => {
      relayed.tick();
      return clock();
    };
    const mount = (): FS => {
      const volume = new CachedVolume(relayed.client, { clock: now });
      return createFS({ clock: now, root: { type: VOLUMEFS, options: { volume } } });
    };
    return {
      fs: mount(),
      moved: () => relayed.tick(),
      async remount() {
        await relayed.reopen();
        return mount();
      },
      close: () => relayed.close(),
    };
  },
};
