/**
 * Puts other methods or values in the place of an object's own, for as long as something runs.
 *
 * Layer: tests.
 *
 * @module
 */

/** Runs `body` with properties of `target` replaced; they are as they were afterwards. */
export function patched<T extends object>(
  target: T,
  patch: { [K in keyof T]?: unknown },
  body: () => void,
): void {
  const names = Object.keys(patch) as (keyof T & string)[];
  const before = names.map((name) => Object.getOwnPropertyDescriptor(target, name));
  for (const name of names) {
    Object.defineProperty(target, name, { value: patch[name], configurable: true, writable: true });
  }
  try {
    body();
  } finally {
    names.forEach((name, index) => {
      const own = before[index];
      if (own === undefined) delete target[name];
      else Object.defineProperty(target, name, own);
    });
  }
}
