// Hosts for tests: network namespaces joined by a bridge that has a namespace of its own, so that
// nothing of the machine's own network is touched. Needs root and iproute2.

import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { waitFor } from "./agent-fixture.ts";
import type { CliResult } from "./cluster.ts";

const MAIN = resolve(import.meta.dirname, "../../src/main.ts");
/** Routed nowhere: it exists only inside the namespaces. */
const SUBNET = "10.213.77";
const LINK = "eth0";
const STOP_MS_MAX = 10_000;

const ip = (...args: readonly string[]): string =>
  execFileSync("ip", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

/** Why this machine cannot have namespaces for tests; null when it can. */
export function whyNoNamespaces(): string | null {
  if (process.getuid?.() !== 0) return "network namespaces need root";
  const name = `ty-probe-${process.pid}`;
  try {
    ip("netns", "add", name);
  } catch (error) {
    return `\`ip netns add\` failed (${error instanceof Error ? error.message.trim() : "unknown"})`;
  }
  ip("netns", "del", name);
  return null;
}

/** One namespace with an address of its own. */
export interface Host {
  readonly name: string;
  readonly namespace: string;
  readonly address: string;
}

export class NetworkWorld {
  readonly dir = mkdtempSync(join(tmpdir(), "trainyard-netns-"));
  readonly #hub = `ty-${process.pid}-hub`;
  readonly #hosts: Host[] = [];
  readonly #children: ChildProcess[] = [];
  readonly #agents = new Map<string, ChildProcess>();

  constructor() {
    ip("netns", "add", this.#hub);
    ip("-n", this.#hub, "link", "add", "name", "bridge0", "type", "bridge");
    ip("-n", this.#hub, "link", "set", "bridge0", "up");
  }

  host(name: string): Host {
    const namespace = `ty-${process.pid}-${name}`;
    const host = { name, namespace, address: `${SUBNET}.${this.#hosts.length + 1}` };
    ip("netns", "add", namespace);
    this.#hosts.push(host);
    const hub = this.#hub;
    const port = `port-${name}`;
    const peer = ["type", "veth", "peer", "name", LINK, "netns", namespace];
    ip("-n", hub, "link", "add", "name", port, ...peer);
    ip("-n", hub, "link", "set", port, "master", "bridge0", "up");
    ip("-n", namespace, "addr", "add", `${host.address}/24`, "dev", LINK);
    ip("-n", namespace, "link", "set", "lo", "up");
    ip("-n", namespace, "link", "set", LINK, "up");
    return host;
  }

  /** Pulls the host's cable, or plugs it in again. */
  setLink(host: Host, state: "up" | "down"): void {
    ip("-n", this.#hub, "link", "set", `port-${host.name}`, state);
  }

  /** A daemon of ours on that host. */
  #daemon(host: Host, argv: readonly string[]): ChildProcess {
    const words = onHost(host, argv);
    const child = spawn("ip", words, { stdio: ["ignore", "inherit", "inherit"] });
    this.#children.push(child);
    return child;
  }

  /** Starts a scheduler on the host's own address, and resolves to that when it listens. */
  async scheduler(host: Host, flags: readonly string[]): Promise<string> {
    const dataDir = join(this.dir, "scheduler");
    const listen = ["--listen", `${host.address}:0`, "--http-listen", "127.0.0.1:0"];
    const own = [...listen, "--data-dir", dataDir, "--log-level", "error"];
    this.#daemon(host, ["scheduler", ...own, ...flags]);
    return waitFor("the scheduler's endpoints", async () => {
      const text = await readFile(join(dataDir, "endpoints.json"), "utf8").catch(() => "");
      return text.endsWith("\n") ? (JSON.parse(text) as { grpc: string }).grpc : null;
    });
  }

  agent(host: Host, scheduler: string, flags: readonly string[]): void {
    const who = ["--scheduler", scheduler, "--name", host.name, "--virtual-gpus", "1"];
    const where = ["--state-dir", join(this.dir, host.name), "--metrics-listen", "off"];
    const argv = ["agent", ...who, ...where, "--log-level", "error", ...flags];
    this.#agents.set(host.name, this.#daemon(host, argv));
  }

  /** Its agent dies without a word; its supervisors do not. */
  async killAgent(host: Host): Promise<void> {
    const agent = this.#agents.get(host.name);
    if (agent !== undefined) await ended(agent, "SIGKILL");
  }

  cli(host: Host, argv: readonly string[]): Promise<CliResult> {
    return new Promise((done) => {
      execFile("ip", onHost(host, argv), { cwd: this.dir }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
        done({ code, stdout, stderr });
      });
    });
  }

  async stop(): Promise<void> {
    for (const child of this.#children) await ended(child, "SIGTERM");
    for (const namespace of [...this.#hosts.map((host) => host.namespace), this.#hub]) {
      await killAll(namespace);
      ip("netns", "del", namespace);
    }
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Ends a daemon, and resolves when it is gone; one that does not go in time is killed. */
async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
  await gone;
  clearTimeout(timer);
}

/** Supervisors outlive their agents on purpose: what still runs in the namespace is ended here. */
async function killAll(namespace: string): Promise<void> {
  await waitFor(`${namespace} to be empty`, () => {
    const pids = ip("netns", "pids", namespace).split("\n").filter(Boolean).map(Number);
    for (const pid of pids) killIfAlive(pid);
    return pids.length === 0;
  });
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    // Gone since it was listed.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function onHost(host: Host, argv: readonly string[]): string[] {
  const node = [process.execPath, "--import", import.meta.resolve("tsx"), MAIN];
  return ["netns", "exec", host.namespace, ...node, ...argv];
}
