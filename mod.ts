/**
 * Cairn: the POSIX filesystem for the web platform.
 *
 * @module
 */
export * from "./abi/mod.ts";
