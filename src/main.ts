#!/usr/bin/env node
// The program's entry: reads the surroundings once, wires the command line to the other features,
// and turns signals into an end. Everything heavy is loaded by the command that needs it.

import { randomUUID } from "node:crypto";
import { runCli } from "./cli/cli.ts";
import type { Io } from "./cli/io.ts";
import type { CliPorts } from "./cli/ports.ts";
import { readHost } from "./config/host.ts";
import type { HistoryPorts } from "./trace/scene.ts";

const HISTORY: HistoryPorts = {
  openHistory: async (path) => (await import("./scheduler/history.ts")).openHistory(path),
};

const ports: CliPorts = {
  packBundle: async (dir) => (await import("./checkpoint/bundle.ts")).packBundle(dir),
  probeObjectStore: async (url) => (await import("./wire-probe.ts")).probeObjectStore(url),
  simulate: async (request, signal) =>
    (await import("./trace/simulate.ts")).simulate(request, HISTORY, signal),
  replay: async (path) => (await import("./trace/replay.ts")).replay(path, HISTORY),
  connect: async (options) => (await import("./cli/grpc-cluster.ts")).connectCluster(options),
  runScheduler: async (options, signal) =>
    (await import("./wire-scheduler.ts")).runScheduler(options, signal),
  runAgent: async (options, signal) => (await import("./wire-agent.ts")).runAgent(options, signal),
  runUp: async (options, signal) => (await import("./wire-up.ts")).runUp(options, signal),
};

process.exit(await main());

async function main(): Promise<number> {
  const stop = new AbortController();
  stopOnSignals(stop);
  endQuietlyWithoutReader();
  const io: Io = {
    host: readHost(),
    // Looking at it opens it, which takes a moment; few commands read it.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    signal: stop.signal,
    nowMs: () => Date.now(),
    newId: () => randomUUID(),
  };
  return runCli(process.argv.slice(2), io, ports);
}

/** The first signal asks for an orderly end, a second one of the same kind ends at once. */
function stopOnSignals(stop: AbortController): void {
  for (const [name, number] of [
    ["SIGINT", 2],
    ["SIGTERM", 15],
  ] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(128 + number);
      stop.abort();
    });
  }
}

/** `trainyard ps | head`: the reader has seen enough, which is no error. */
function endQuietlyWithoutReader(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? 0 : 1);
  });
}
