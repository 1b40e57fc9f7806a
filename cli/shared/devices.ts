/**
 * Device numbers: two parts in Linux's 32 bits.
 *
 * Layer: cli, bottom. The minor number stands around twelve bits of the major one; below 256 that is
 * `major << 8 | minor`, as everywhere.
 *
 * @module
 */

/** A device number in parts. */
export interface DeviceParts {
  /** Which driver. */
  major: number;
  /** Which of its devices. */
  minor: number;
}

/** Whether a number has room for both parts. */
export function isDeviceNumber({ major, minor }: DeviceParts): boolean {
  return major >= 0 && major <= 0xfff && minor >= 0 && minor <= 0xfffff;
}

/** The number of a device. */
export function deviceNumber({ major, minor }: DeviceParts): number {
  return (((minor & 0xfff00) << 12) | ((major & 0xfff) << 8) | (minor & 0xff)) >>> 0;
}

/** The two parts of such a number. */
export function deviceParts(rdev: number): DeviceParts {
  return { major: (rdev >>> 8) & 0xfff, minor: ((rdev >>> 12) & 0xfff00) | (rdev & 0xff) };
}

/** `major,minor`, as lists show it. */
export function deviceText(rdev: number): string {
  const { major, minor } = deviceParts(rdev);
  return `${major},${minor}`;
}
