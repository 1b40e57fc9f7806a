/**
 * Operation: what a row of the table of operations has.
 *
 * Layer: relay, types only. The rows are in `operations.ts`, which checks each against this.
 *
 * @module
 */
import type { Ino, VolumeOps } from "../volume_ops.ts";
import type { Reader, Writer } from "./cursor.ts";
import type { Payload } from "./exchange.ts";
import type { ServedChannel } from "./served_channel.ts";

/** Calls that an operation may stand for. */
export type CallName = Exclude<keyof VolumeOps, "root" | "generation" | "onChange" | "close">;
/** The arguments of a call. */
export type Args<C extends CallName> = Parameters<NonNullable<VolumeOps[C]>>;
/** The result of a call. */
export type Result<C extends CallName> = ReturnType<NonNullable<VolumeOps[C]>>;

/** What a cache keeps, in the terms that a row's `forgets` uses. */
export interface Kept {
  /** Forgets attributes. */
  attributes(ino: Ino): void;
  /** Forgets attributes, and all bytes of a file. */
  file(ino: Ino): void;
  /** Forgets attributes, and bytes `[from, to)` of a file. */
  range(ino: Ino, from: number, to: number): void;
  /** Forgets attributes, and what an append changes. */
  end(ino: Ino): void;
  /** Forgets attributes, if a read moves atime. */
  accessed(ino: Ino): void;
}

/** What every operation has. */
export interface RowBase {
  /** The number on the wire. A number is never used for another operation. */
  readonly number: number;
  /** Who serves it: see {@link Kind}. */
  readonly kind: Kind;
  /**
   * What other clients may have cached and must learn of. `names`: names or attributes, so
   * `generation` grows for the caller too. `bytes`: all else. A change of atime counts as nothing.
   */
  readonly changes: "nothing" | "names" | "bytes";
}

/**
 * How an operation is served. `answers`: by the row's own `serve`, in one piece each way. `sends` and
 * `fetches`: by `transfers.ts`, because the bytes of the request or of the answer may go in chunks; a
 * fetch is answered with its last chunk. `locks`: by `lock_requests.ts`, which may wait. `commits`:
 * with the next commit. `reports`: by the relay, of itself.
 */
export type Kind = "answers" | "sends" | "fetches" | "locks" | "commits" | "reports";

/** The interface that a call belongs to; "relay" belongs to no volume. */
export type Part = "volume" | "compound" | "locks" | "relay";

/** The codec of a call. */
export interface Codec<C extends CallName> extends RowBase {
  /** The call that it carries. */
  readonly call: C;
  /** The interface that the call belongs to. */
  readonly part: Part;
  /**
   * Writes the arguments into a request that was begun. Returns the bytes to send with it, or where
   * to receive those of the answer; a fetch that returns neither gets `VALUE_BYTES_MAX` bytes.
   */
  ask(writer: Writer, ...args: Args<C>): Payload | void;
  /** Reads the result from an answer of whose payload so many bytes have been received. */
  take(reader: Reader, payload: Payload, received: number): Result<C>;
}

/** An operation in one piece. */
export interface AnsweringRow {
  /** As above. */
  readonly kind: "answers";
  /** Makes the call, leaves the answer in the channel's writer, and returns the status. */
  serve(volume: VolumeOps, channel: ServedChannel): number;
}

/** What other clients learn of when the call fails. */
export interface ChangingRow {
  /**
   * `whole`: a call that fails has changed nothing. `halfway`: it has several steps, so a file may
   * have been cut, zeroed, copied or written in part; then all clients learn of a change although
   * it failed.
   */
  readonly fails: "whole" | "halfway";
}

/** What a cache forgets. Changes of names it applies instead: see `cache.ts`. */
export interface ForgettingRow<C extends CallName> extends ChangingRow {
  /** As above. */
  readonly changes: "bytes";
  /** Called before the call, because a call that fails may have done a part. */
  forgets(kept: Kept, ...args: Args<C>): void;
}

/** A change of names, or of attributes. */
export interface NamingRow extends ChangingRow {
  /** As above. */
  readonly changes: "names";
}

/** The row of one call. */
export type Row<C extends CallName> =
  & Codec<C>
  & (AnsweringRow | { readonly kind: Exclude<Kind, "answers" | "reports"> })
  & (ForgettingRow<C> | NamingRow | { readonly changes: "nothing" });

/** A row about the relay itself. */
export interface RelayRow extends RowBase {
  /** As above. */
  readonly kind: "reports";
  /** As above. */
  readonly part: "relay";
  /** It stands for no call. */
  readonly call: null;
}

/** Any row of a call. */
export type CallRow = { [C in CallName]: Row<C> }[CallName];
/** Any row. */
export type Operation = CallRow | RelayRow;
