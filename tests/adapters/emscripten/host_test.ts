/** Errors on their way into a module. */
import { assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { guard, hostError, makeError } from "../../../adapters/emscripten/host.ts";
import { ErrnoError, InvariantError } from "../../../mod.ts";
import { HOSTS } from "./hosts.ts";
import { asHost } from "./newest_host.ts";

for (const { name, make } of HOSTS) {
  Deno.test(`hostError() makes the module's own error of ours [${name}]`, async () => {
    const FS = asHost(await make());
    const ours = new ErrnoError("ENOSPC", 'write "a"');
    const error = hostError(FS, ours);
    assertInstanceOf(error, FS.ErrnoError);
    assertEquals([error.errno, error.name], [51, "ErrnoError"]);
    assertEquals([error.message, error.cause], [ours.message, ours]);
  });

  Deno.test(`hostError() leaves the module's own error alone [${name}]`, async () => {
    const FS = asHost(await make());
    const error = makeError(FS, "EXDEV");
    assertStrictEquals(hostError(FS, error), error);
  });

  Deno.test(`hostError() calls everything else EIO, a range EINVAL [${name}]`, async () => {
    const FS = asHost(await make());
    const others: [unknown, number][] = [
      [new InvariantError("V2: block 7 is owned but free"), 29],
      [new TypeError("a bug"), 29],
      ["a string", 29],
      [undefined, 29],
      [new RangeError("too far"), 28],
    ];
    for (const [thrown, errno] of others) {
      const error = hostError(FS, thrown);
      assertInstanceOf(error, FS.ErrnoError);
      assertEquals([error.errno, error.cause], [errno, thrown]);
    }
  });

  Deno.test(`guard() passes arguments and results, and translates errors [${name}]`, async () => {
    const FS = asHost(await make());
    assertEquals(guard(FS, (a: number, b: number) => a - b)(5, 3), 2);
    try {
      guard(FS, () => {
        throw new ErrnoError("EPERM");
      })();
      throw new Error("it did not throw");
    } catch (error) {
      assertInstanceOf(error, FS.ErrnoError);
    }
  });
}
