/**
 * The workloads at the end: calls that are each made durable, and files of a gigabyte.
 *
 * @module
 */
import {
  CHANGED,
  CONTENT,
  expect,
  expectBytes,
  MIB,
  PAGE,
  PIECE,
  put,
  randomFile,
  sequence,
  timed,
  type Workload,
} from "./peers_measure.ts";
import type { Peer } from "./peers_subjects.ts";

/** Calls that are each made durable. */
function durable(count: number, peer: Peer, act: (index: number) => void): number {
  return timed(count, (index) => {
    act(index);
    peer.sync();
  }).micros;
}

const DURABLE = 100;

/** In the order of the table. */
export const DURABLE_WORKLOADS: readonly Workload[] = [
  {
    name: "durable create 1 KiB",
    goal: 2.5,
    run(peer) {
      peer.mkdir("/s");
      const micros = durable(DURABLE, peer, (index) => put(peer, `/s/f${index}`, CONTENT));
      expectBytes(peer, "/s/f9", CONTENT);
      return micros;
    },
  },
  {
    name: "durable overwrite 1 KiB",
    goal: 2.2,
    run(peer) {
      const micros = durable(DURABLE, peer, (index) => {
        const stream = peer.open(`/s/f${index}`, "r+");
        peer.write(stream, CHANGED, 0);
        peer.close(stream);
      });
      expectBytes(peer, "/s/f9", CHANGED);
      return micros;
    },
  },
  {
    name: "durable rename",
    goal: 2,
    run: (peer) => durable(DURABLE, peer, (index) => peer.rename(`/s/f${index}`, `/s/g${index}`)),
  },
  {
    name: "durable unlink",
    goal: 1.8,
    run: (peer) => durable(DURABLE, peer, (index) => peer.unlink(`/s/g${index}`)),
  },
  {
    name: "durable append 4 KiB",
    goal: 6,
    run(peer) {
      const stream = peer.open("/log", "w+");
      // Some of it is there already, as in a log.
      for (let at = 0; at < 2 * MIB; at += PIECE.length) peer.write(stream, PIECE, at);
      peer.sync();
      const micros = durable(DURABLE, peer, (index) => {
        peer.write(stream, PAGE, 2 * MIB + index * PAGE.length);
      });
      peer.close(stream);
      expect(peer.stat("/log") === 2 * MIB + DURABLE * PAGE.length, "size of the log");
      return micros;
    },
  },
  {
    name: "durable random 4 KiB write",
    goal: 1.6,
    run(peer) {
      const stream = randomFile(peer);
      const write = (index: number) => void peer.write(stream, PAGE, sequence(index));
      const micros = durable(DURABLE, peer, write);
      peer.close(stream);
      return micros;
    },
  },
  {
    name: "append 4 KiB, last 40 of 1,000 MiB",
    goal: null,
    guards: [{
      what: "× the first 40 MiB",
      value: (of) => of("cairn") / of("cairn", "append 4 KiB, 40 MiB"),
      atMost: 2.5,
    }],
    skip: ["componentor", "wt"],
    run(peer) {
      const stream = peer.open("/endless", "w+");
      const start = 960 * MIB;
      for (let at = 0; at < start; at += PAGE.length) peer.write(stream, PAGE, at);
      // What the host still has to bring to the disk is not this workload's.
      peer.sync();
      const append = (index: number) => void peer.write(stream, PAGE, start + index * PAGE.length);
      const { micros } = timed(40 * MIB / PAGE.length, append, () => peer.sync());
      peer.close(stream);
      expectBytes(peer, "/endless", PAGE, 512 * MIB);
      peer.unlink("/endless");
      peer.sync();
      return micros;
    },
  },
  {
    name: "1 GiB in 128 KiB, written",
    goal: null,
    guards: [{ what: "share of wt", value: (of) => of("wt") / of("cairn"), atLeast: 0.6 }],
    skip: ["componentor"],
    run(peer) {
      const stream = peer.open("/giant", "w+");
      const began = performance.now();
      for (let at = 0; at < 1024 * MIB; at += PIECE.length) peer.write(stream, PIECE, at);
      peer.sync();
      const micros = (performance.now() - began) * 1000 / 8192;
      peer.close(stream);
      expect(peer.stat("/giant") === 1024 * MIB, "size of a gigabyte");
      expectBytes(peer, "/giant", PIECE, 777 * MIB);
      return micros;
    },
  },
  {
    name: "1 GiB in 128 KiB, read",
    goal: null,
    guards: [{ what: "share of wt", value: (of) => of("wt") / of("cairn"), atLeast: 0.6 }],
    skip: ["componentor"],
    run(peer) {
      const stream = peer.open("/giant", "r");
      const into = new Uint8Array(PIECE.length);
      const began = performance.now();
      for (let at = 0; at < 1024 * MIB; at += PIECE.length) peer.read(stream, into, at);
      const micros = (performance.now() - began) * 1000 / 8192;
      peer.close(stream);
      peer.unlink("/giant");
      return micros;
    },
  },
];
