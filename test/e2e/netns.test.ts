// Hosts that differ: a scheduler and two agents, each in a network namespace with an address of its
// own. What one machine alone cannot show: gangs over the network, TLS, and a cable that is pulled.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { pythonWithTorch, readText, waitFor } from "./agent-fixture.ts";
import type { CliResult } from "./cluster.ts";
import { type Host, NetworkWorld, whyNoNamespaces } from "./netns-world.ts";

const SHORT_LEASE = ["--lease", "3s", "--heartbeat", "300ms"];
const why = whyNoNamespaces();
if (why !== null) process.stderr.write(`netns.test.ts is skipped: ${why}\n`);

let world: NetworkWorld;
let head: Host;
let left: Host;
let right: Host;

/** Runs a command of the CLI on the scheduler's host and expects it to succeed. */
type Call = (...argv: readonly string[]) => Promise<CliResult>;

interface Json {
  readonly [field: string]: unknown;
}

function caller(scheduler: string, flags: readonly string[] = []): Call {
  return async (...argv) => {
    const dashes = argv.indexOf("--");
    const at = dashes < 0 ? argv.length : dashes;
    const shared = ["--server", scheduler, ...flags];
    const result = await world.cli(head, [...argv.slice(0, at), ...shared, ...argv.slice(at)]);
    expect({ argv, ...result }).toMatchObject({ code: 0 });
    return result;
  };
}

async function items(call: Call, ...argv: readonly string[]): Promise<readonly Json[]> {
  const { stdout } = await call(...argv, "--json");
  return (JSON.parse(stdout) as { readonly items: readonly Json[] }).items;
}

async function nodesUp(call: Call, count: number): Promise<readonly Json[]> {
  return waitFor(`${count} nodes`, async () => {
    const nodes = (await items(call, "node", "ls")).filter((node) => node["health"] === "UP");
    return nodes.length === count ? nodes : null;
  });
}

/** A scheduler and two agents; the second one finds the address to advertise by itself. */
async function startPlain(): Promise<{ scheduler: string; call: Call }> {
  const scheduler = await world.scheduler(head, ["--insecure", ...SHORT_LEASE]);
  world.agent(left, scheduler, ["--insecure", "--advertise-address", left.address]);
  world.agent(right, scheduler, ["--insecure"]);
  const call = caller(scheduler);
  const nodes = await nodesUp(call, 2);
  const addresses = nodes.map(({ name, address }) => [name, address].join(" ")).sort();
  expect(addresses).toEqual([`left ${left.address}`, `right ${right.address}`]);
  return { scheduler, call };
}

describe.skipIf(why !== null)("hosts in namespaces", () => {
  beforeEach(() => {
    world = new NetworkWorld();
    head = world.host("head");
    left = world.host("left");
    right = world.host("right");
  });

  afterEach(() => world.stop());

  test("a gang's ranks meet over the addresses that their nodes advertise", async () => {
    const { call } = await startPlain();
    const gang = ["submit", "--no-code", "--nodes", "2", "--gpus", "1", "--restarts", "0"];
    await call(...gang, "--name", "meet", "--", "python3", "-c", MEET);
    await call("wait", "meet");
    const { stdout } = await call("logs", "meet");
    const [first, second] = [left, right].map(({ address }) => address);
    expect([`${first} met ${second}`, `${second} met ${first}`]).toContain(metLine(stdout));
  });

  test("DDP trains over the network between two hosts", async () => {
    const { call } = await startPlain();
    const examples = resolve(import.meta.dirname, "../../examples");
    const size = ["--nodes", "2", "--gpus", "1", "--python", pythonWithTorch(), "--restarts", "0"];
    const script = ["ddp/train.py", "--workdir", examples, "--name", "ddp"];
    await call("submit", ...script, ...size, "--", "--steps", "5");
    await call("wait", "ddp");
    const { stdout } = await call("logs", "ddp");
    expect(stdout.match(/"step": \d+/g)?.at(-1)).toBe('"step": 5');
  });

  test("with TLS, agents and clients that trust the certificate get through, others do not", async () => {
    const { cert, key } = selfSigned(head.address);
    const scheduler = await world.scheduler(head, ["--tls-cert", cert, "--tls-key", key]);
    world.agent(left, scheduler, ["--ca", cert]);
    const call = caller(scheduler, ["--ca", cert]);
    await nodesUp(call, 1);
    const run = await call("run", "--no-code", "--gpus", "1", "--name", "tls", "--", "echo", "hi");
    // Node has things to say about certificates of addresses; users have heard enough.
    expect(run).toMatchObject({ stdout: "hi\n" });
    expect(run.stderr).not.toContain("Warning");
    for (const flags of [[], ["--tls"]]) {
      const asked = ["ps", "--server", scheduler, "--timeout", "5s", ...flags];
      expect(await world.cli(left, asked)).toMatchObject({ code: 5, stdout: "" });
    }
  });

  test("a certificate that names another address than the one called is not trusted", async () => {
    const { cert, key } = selfSigned(right.address);
    const scheduler = await world.scheduler(head, ["--tls-cert", cert, "--tls-key", key]);
    const asked = ["ps", "--server", scheduler, "--timeout", "5s", "--ca", cert];
    const { code, stderr } = await world.cli(left, asked);
    expect(code).toBe(5);
    expect(stderr).toContain(`IP: ${head.address} is not in the cert's list`);
  });

  for (const isAgentKilled of [false, true]) {
    const who = isAgentKilled ? "the supervisor of a killed agent" : "an agent";
    test(`cut off, ${who} ends its task before the job is placed elsewhere`, async () => {
      const { scheduler, call } = await startPlain();
      const marks = new Marks(join(world.dir, "marks"));
      const job = ["--no-code", "--gpus", "1", "--name", "marks", "--restarts", "0"];
      await call("submit", ...job, "--", "/bin/sh", "-c", marks.script());
      const cutOff = (await marks.of(1)).at(-1)?.node === "left" ? left : right;

      world.setLink(cutOff, "down");
      if (isAgentKilled) await world.killAgent(cutOff);
      const moved = await marks.of(2);
      const lastAtMs = marks.all().findLast((mark) => mark.attempt === 1)?.atMs ?? 0;
      const events = await items(call, "events", "marks");
      const placedAt = events.findLast((event) => event["kind"] === "job.placed")?.["at"];
      expect(moved[0]?.node).toBe(cutOff === left ? "right" : "left");
      expect(lastAtMs).toBeLessThan(Date.parse(String(placedAt)));
      expect(lastAtMs).toBeLessThan(moved[0]?.atMs ?? 0);

      world.setLink(cutOff, "up");
      if (isAgentKilled) world.agent(cutOff, scheduler, ["--insecure"]);
      await nodesUp(call, 2);
      // Long enough for several heartbeats, in which the healed node could be told to run it again.
      await marks.of(2, (await marks.of(2)).length + 40);
      expect(marks.all().findLast((mark) => mark.attempt === 1)?.atMs).toBe(lastAtMs);
      expect(marks.all().filter((mark) => mark.attempt > 2)).toEqual([]);
      marks.release();
      await call("wait", "marks");
      const { stdout } = await call("show", "marks", "--json");
      const shown = JSON.parse(stdout) as { readonly attempts: readonly Json[] };
      const outcomes = shown.attempts.map((attempt) => attempt["outcome"]);
      expect(outcomes).toEqual(["node_lost", "succeeded"]);
    });
  }
});

/** Rank 0 takes one connection where the rendezvous is; it says who came. */
const MEET = `
import os, socket, time
there = (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
if os.environ["TRAINYARD_NODE_RANK"] == "0":
    server = socket.create_server(there)
    connection, peer = server.accept()
    print(there[0], "met", peer[0], flush=True)
else:
    for _ in range(600):
        try:
            socket.create_connection(there, timeout=5)
            break
        except OSError:
            time.sleep(0.05)
`;

function metLine(output: string): string {
  return /\S+ met \S+/.exec(output)?.[0] ?? output;
}

interface Mark {
  readonly atMs: number;
  readonly attempt: number;
  readonly node: string;
}

/** A file that every attempt of a job writes to, over and over, with the machine's own clock. */
class Marks {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  script(): string {
    const line = '"$(date +%s%3N) $TRAINYARD_ATTEMPT $TRAINYARD_NODE"';
    return `until [ -e ${this.#path}.go ]; do echo ${line} >> ${this.#path}; sleep 0.03; done`;
  }

  all(): readonly Mark[] {
    const lines = readText(this.#path).split("\n").slice(0, -1);
    return lines.map((line) => {
      const [atMs, attempt, node] = line.split(" ");
      return { atMs: Number(atMs), attempt: Number(attempt), node: node ?? "" };
    });
  }

  /** The attempt's marks, when there are so many. */
  of(attempt: number, count = 5): Promise<readonly Mark[]> {
    return waitFor(`${count} marks of attempt ${attempt}`, () => {
      const found = this.all().filter((mark) => mark.attempt === attempt);
      return found.length >= count ? found : null;
    });
  }

  release(): void {
    writeFileSync(`${this.#path}.go`, "");
  }
}

function selfSigned(address: string): { readonly cert: string; readonly key: string } {
  const cert = join(world.dir, "cert.pem");
  const key = join(world.dir, "key.pem");
  const name = ["-subj", "/CN=trainyard", "-addext", `subjectAltName=IP:${address}`];
  const kind = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...name];
  execFileSync("openssl", [...kind, "-keyout", key, "-out", cert], { stdio: "pipe" });
  return { cert, key };
}
