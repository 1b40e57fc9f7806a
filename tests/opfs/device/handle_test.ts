/** What every device must do, whatever it is made of. */
import { assertEquals } from "@std/assert";
import { devices } from "../../support/devices.ts";

for (const { name, use } of devices) {
  Deno.test(`${name} writes past the end and reads zeros between`, () => {
    use((handle) => {
      assertEquals(handle.getSize(), 0);
      assertEquals(handle.write(new Uint8Array([1, 2, 3]), { at: 200_000 }), 3);
      assertEquals(handle.getSize(), 200_003);
      const bytes = new Uint8Array(5).fill(9);
      assertEquals(handle.read(bytes, { at: 199_998 }), 5);
      assertEquals(bytes, new Uint8Array([0, 0, 1, 2, 3]));
    });
  });

  Deno.test(`${name} reads fewer bytes at the end and none behind it`, () => {
    use((handle) => {
      handle.write(new Uint8Array([1, 2, 3]), { at: 0 });
      const bytes = new Uint8Array(5).fill(9);
      assertEquals(handle.read(bytes, { at: 1 }), 2);
      assertEquals(bytes, new Uint8Array([2, 3, 9, 9, 9]));
      assertEquals(handle.read(bytes, { at: 3 }), 0);
      assertEquals(handle.read(bytes, { at: 300_000 }), 0);
    });
  });

  Deno.test(`${name} cuts, and shows zeros where it was cut and made longer again`, () => {
    use((handle) => {
      handle.write(new Uint8Array(200_000).fill(7), { at: 0 });
      handle.truncate(70_000);
      assertEquals(handle.getSize(), 70_000);
      handle.truncate(150_000);
      const bytes = new Uint8Array(80_000).fill(9);
      assertEquals(handle.read(bytes, { at: 69_999 }), 80_000);
      assertEquals(bytes[0], 7);
      assertEquals(bytes.subarray(1).every((byte) => byte === 0), true);
    });
  });

  Deno.test(`${name} takes views on shared memory`, () => {
    use((handle) => {
      const shared = new Uint8Array(new SharedArrayBuffer(8), 2, 4).fill(5);
      assertEquals(handle.write(shared, { at: 1 }), 4);
      shared.fill(0);
      assertEquals(handle.read(shared, { at: 1 }), 4);
      assertEquals([...shared], [5, 5, 5, 5]);
      handle.flush();
    });
  });

  Deno.test(`${name} takes nothing for nothing`, () => {
    use((handle) => {
      assertEquals(handle.write(new Uint8Array(0), { at: 100 }), 0);
      assertEquals(handle.getSize(), 0);
      assertEquals(handle.read(new Uint8Array(0), { at: 0 }), 0);
    });
  });
}
