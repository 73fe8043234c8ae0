// A scheduler for tests of the command line: a real gRPC server with canned answers, and a terminal
// that remembers what was written.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { refuse } from "../base/errors.ts";
import type { Host } from "../config/host.ts";
import type { WireFixture } from "../rpc/fixture.ts";
import { serveForTest } from "../rpc/fixture.ts";
import type { Job } from "../rpc/gen/trainyard/v1/Job.ts";
import { unary } from "../rpc/handlers.ts";
import type { ServiceHandlers } from "../rpc/server.ts";
import { runCli } from "./cli.ts";
import { connectCluster } from "./grpc-cluster.ts";
import type { Io, OutStream } from "./io.ts";
import type { CliPorts, PackedBundle } from "./ports.ts";

export const NOW_MS = Date.UTC(2030, 0, 2, 3, 4, 5);

/** A time so many seconds before now. */
export const ago = (seconds: number): { seconds: number; nanos: number } => ({
  seconds: NOW_MS / 1000 - seconds,
  nanos: 0,
});

export const RUNNING_JOB: Job = {
  id: "job-7",
  spec: {
    name: "train",
    queue: "research/nlp",
    priorityClass: "normal",
    nodes: 2,
    perNode: { gpus: 4, cpuMilli: 0, memoryMib: 0 },
    torchrun: { script: "train.py", args: ["--lr", "1"], procsPerNode: 4, python: "" },
  },
  tenant: "default",
  user: "ann",
  phase: "RUNNING",
  submittedAt: ago(600),
  attempts: [
    {
      number: 1,
      placement: [
        { node: "n1", gpus: [0, 1, 2, 3] },
        { node: "n2", gpus: [0, 2, 3] },
      ],
      placedAt: ago(500),
      runningAt: ago(480),
    },
  ],
  runId: "job-7",
};

export const WAITING_JOB: Job = {
  ...RUNNING_JOB,
  id: "job-8",
  phase: "PENDING",
  attempts: [],
  hold: {
    code: "WAITING_FOR_GPUS",
    message: "asks for 8 GPUs, 3 are free",
    details: { asked: "8", free: "3" },
  },
};

export interface Captured extends OutStream {
  text(): string;
}

function capture(terminal: { columns: number } | null): Captured {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk);
      done();
    },
  });
  const text = (): string => Buffer.concat(chunks).toString("utf8");
  const shape = terminal === null ? {} : { isTTY: true, columns: terminal.columns, rows: 24 };
  return Object.assign(stream, { text, ...shape });
}

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout, which must be one JSON value. */
  json(): unknown;
}

export interface CliOptions {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  /** Cells of a line; absent = output is no terminal. */
  readonly columns?: number;
  readonly signal?: AbortSignal;
  readonly ports?: Partial<CliPorts>;
  readonly stdin?: string;
}

const BUNDLE: PackedBundle = {
  path: "/nonexistent/bundle/bundle.tar.gz",
  digest: "ab".repeat(32),
  sizeBytes: 1234,
  commit: "0123456789abcdef",
  isDirty: true,
  files: ["train.py", "lib/model.py"],
  leftOut: [],
};

/** Every port that a test does not give refuses to be used. */
function portsWith(given: Partial<CliPorts>): CliPorts {
  const unused = (name: string) => () => Promise.reject(new Error(`unexpected use of ${name}`));
  return {
    packBundle: () => Promise.resolve(BUNDLE),
    probeObjectStore: unused("probeObjectStore"),
    connect: connectCluster,
    simulate: unused("simulate"),
    replay: unused("replay"),
    runScheduler: unused("runScheduler"),
    runAgent: unused("runAgent"),
    runUp: unused("runUp"),
    ...given,
  };
}

/** Runs one command line against the server of a fixture, or none. */
export async function cli(
  argv: readonly string[],
  server: Pick<WireFixture, "port"> | null,
  options: CliOptions = {},
): Promise<CliResult> {
  const terminal = options.columns === undefined ? null : { columns: options.columns };
  const stdout = capture(terminal);
  const stderr = capture(terminal);
  const stdin = new PassThrough();
  if (options.stdin !== undefined) stdin.end(options.stdin);
  let ids = 0;
  const io: Io = {
    host: hostFor(options, server),
    stdin,
    stdout,
    stderr,
    signal: options.signal ?? new AbortController().signal,
    nowMs: () => NOW_MS,
    newId: () => `request-${++ids}`,
  };
  const code = await runCli(argv, io, portsWith(options.ports ?? {}));
  const text = stdout.text();
  return { code, stdout: text, stderr: stderr.text(), json: () => JSON.parse(text) as unknown };
}

function hostFor(options: CliOptions, server: Pick<WireFixture, "port"> | null): Host {
  const address = server === null ? {} : { TRAINYARD_SERVER: `127.0.0.1:${server.port}` };
  return {
    env: { ...address, ...options.env },
    cwd: options.cwd ?? "/nonexistent",
    home: "/nonexistent",
    hostName: "here",
    userName: "ann",
    isRoot: false,
    systemConfigDir: "/nonexistent",
  };
}

export type Services = {
  readonly [Name in keyof ServiceHandlers]?: Partial<ServiceHandlers[Name]>;
};

/** Serves only what a test names; the generated handler types want every method. */
export function serveSome(services: Services): Promise<WireFixture> {
  return serveForTest(services as Partial<ServiceHandlers>);
}

/** A scheduler that knows these jobs. */
export const jobs = (list: readonly Job[]): Services => ({
  JobService: {
    ListJobs: unary(async () => ({ jobs: [...list], nextToken: "" })),
    GetJob: unary(async ({ job }) => {
      const found = list.find(({ id }) => id === job);
      return found === undefined
        ? refuse("JOB_NOT_FOUND", `No job is ${job}.`, "`trainyard ps -a` lists them.", "job")
        : { job: found };
    }),
  },
});

export const NO_JOB = jobs([]);

/** A folder, and servers that end with it. */
export interface World {
  readonly root: string;
  serve(services: Services): Promise<WireFixture>;
  close(): Promise<void>;
}

export async function openWorld(): Promise<World> {
  const root = await mkdtemp(join(tmpdir(), "trainyard-cli-"));
  const servers: WireFixture[] = [];
  return {
    root,
    serve: async (services) => {
      const server = await serveSome(services);
      servers.push(server);
      return server;
    },
    close: async () => {
      for (const server of servers) await server.stop();
      await rm(root, { recursive: true });
    },
  };
}
