/**
 * What a mount's two threads say to each other.
 *
 * Layer: adapters/fuse. `fuse.ts` starts `worker.ts`, sends it one {@link MountOrder} and hears
 * {@link FromServer}; from then on the serving thread is in its loop and hears nothing but its pipe.
 *
 * @module
 */
import type { DescribedError, MountReport } from "../../mod.ts";
import type { MountPlace } from "./mounting.ts";

/** What the serving thread is to do. */
export interface MountOrder extends MountPlace {
  /** How long the kernel may believe names and attributes, in ms. */
  attrTimeoutMs: number;
}

/** What the serving thread reports. */
export type FromServer =
  | {
    /** The directory shows the volume. */
    type: "mounted";
    /** A byte in this pipe stops the loop. */
    stop: number;
    /** What opening the image found. */
    report: MountReport;
  }
  | {
    /** Something went wrong while it is mounted, of which programs see a number alone. */
    type: "trouble";
    /** In words. */
    message: string;
  }
  | ({
    /** It came to nothing: the image or the mount. The rest says why. */
    type: "failed";
  } & DescribedError)
  | {
    /** The loop is over and the image is closed. */
    type: "finished";
    /** What could not be made durable, in words; null if everything is. */
    failure: string | null;
  };
