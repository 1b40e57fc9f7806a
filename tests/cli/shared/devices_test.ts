/** Device numbers. */
import { assertEquals } from "@std/assert";
import {
  deviceNumber,
  deviceParts,
  deviceText,
  isDeviceNumber,
} from "../../../cli/shared/devices.ts";

Deno.test("deviceNumber() and deviceParts() are each other's inverse", () => {
  for (
    const parts of [{ major: 5, minor: 1 }, { major: 8, minor: 300 }, {
      major: 4095,
      minor: 0xfffff,
    }]
  ) {
    assertEquals(deviceParts(deviceNumber(parts)), parts);
  }
  assertEquals(deviceNumber({ major: 5, minor: 1 }), 0x501);
  assertEquals(deviceText(0x501), "5,1");
});

Deno.test("isDeviceNumber() is false for parts that have no room", () => {
  const rows = [[4095, 0xfffff], [4096, 0], [0, 0x100000], [-1, 0], [0, -1], [NaN, 0]] as const;
  const fits = rows.map(([major, minor]) => isDeviceNumber({ major, minor }));
  assertEquals(fits, [true, false, false, false, false, false]);
});
