/**
 * A promise with its two ends, as `Promise.withResolvers` makes it: browsers that have all the rest
 * lack that one (Safari before 17.4, Chrome before 119, Firefox before 121).
 *
 * Layer: abi. Use: `const { promise, resolve, reject } = deferred<number>()`.
 *
 * @module
 */

/** A promise and its two ends. */
export interface Deferred<T> {
  /** The promise. */
  promise: Promise<T>;
  /** Fulfils it. */
  resolve: (value: T | PromiseLike<T>) => void;
  /** Makes it fail. */
  reject: (reason?: unknown) => void;
}

/** Makes one. */
export function deferred<T>(): Deferred<T> {
  let resolve!: Deferred<T>["resolve"];
  let reject!: Deferred<T>["reject"];
  const promise = new Promise<T>((fulfil, fail) => {
    resolve = fulfil;
    reject = fail;
  });
  return { promise, resolve, reject };
}
