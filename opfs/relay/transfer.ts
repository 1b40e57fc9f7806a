/**
 * Transfer: what a payload on its way is, and how far it is.
 *
 * Layer: relay, types alone. `transfers.ts` moves what is described here; a channel has one at a time.
 *
 * @module
 */
import type { PathStream } from "../../abi/path_calls.ts";
import type { Ino } from "../volume_ops.ts";
import type { PathOpCode } from "./path_operations.ts";

/** How far a payload is. */
export interface Progress {
  /** Bytes done. */
  done: number;
  /** Bytes in all. */
  total: number;
  /** Last chunk that passed. */
  chunkIndex: number;
  /** When it last moved, in ms. */
  movedAt: number;
}

/** Bytes of a file, on their way out. */
export interface FileRead {
  /** Which kind of payload. */
  readonly kind: "read";
  /** Which file. */
  readonly ino: Ino;
  /** Where the payload begins in it. */
  readonly at: number;
  /** Whether no atime moves. */
  readonly isQuiet: boolean;
}

/** Bytes for a file, on their way in: at a place, at its end, or all that it will have. */
export interface FileWrite {
  /** Which kind of payload. */
  readonly kind: "write" | "append" | "store";
  /** Which file. An append has its turn. */
  readonly ino: Ino;
  /** Where the payload begins in it. */
  readonly at: number;
}

/** The value of an attribute, on its way in: it is set as a whole. */
export interface ValueWrite {
  /** Which kind of payload. */
  readonly kind: "value";
  /** Whose attribute. */
  readonly ino: Ino;
  /** Its name. */
  readonly name: string;
  /** 0, XATTR_CREATE or XATTR_REPLACE. */
  readonly flags: number;
  /** What has come in so far. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** An answer that was made as a whole, on its way out: a value, names, a listing. */
export interface Answer {
  /** Which kind of payload. */
  readonly kind: "answer";
  /** The status that goes with it. */
  readonly status: number;
  /** All of it. */
  readonly bytes: Uint8Array;
}

/** Bytes of a stream, on their way out, of an operation by path. */
export interface StreamRead {
  /** Which kind of payload. */
  readonly kind: "streamRead";
  /** Where they come from. */
  readonly stream: PathStream;
  /** Where the payload begins in it; less than 0 is where the stream stands. */
  readonly at: number;
  /** Whether the stream was opened for this, and is closed with it. */
  readonly ends: boolean;
}

/** Bytes for a stream, on their way in, of an operation by path. */
export interface StreamWrite {
  /** Which kind of payload. */
  readonly kind: "streamWrite";
  /** WRITE, APPEND or FWRITE. */
  readonly op: PathOpCode;
  /** Where they go. */
  readonly stream: PathStream;
  /** Where the payload begins in it; less than 0 is where the stream stands. */
  readonly at: number;
  /** Whether the stream was opened for this, and is closed with it. */
  readonly ends: boolean;
  /** The slot whose append turn it has; 0 for none. */
  readonly turn: Ino;
}

/** A payload that the relay sends. */
export type Outgoing = FileRead | Answer | StreamRead;
/** A payload that the relay takes in. */
export type Incoming = FileWrite | ValueWrite | StreamWrite;
/** A payload on its way, in either direction. */
export type Transfer = Outgoing | Incoming;
