// A real Prometheus on the configuration that ships in deploy/, pointed at a cluster of a test.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const SHIPPED = resolve(import.meta.dirname, "../../deploy/prometheus");
const READY_MS_MAX = 30_000;
const POLL_MS = 100;

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface RuleState {
  readonly name: string;
  readonly health: string;
  readonly lastError?: string;
}

/** Why there is no Prometheus to start; null when there is one. */
export const prometheusMissing: string | null = ["prometheus", "promtool"].every((name) =>
  existsSync(`/usr/bin/${name}`),
)
  ? null
  : "prometheus is not installed (Debian: apt-get install prometheus)";

interface ApiSample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

export class PrometheusServer {
  readonly #folder: string;
  readonly #process: ChildProcess;
  readonly #url: string;
  #log = "";

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#url = `http://127.0.0.1:${port}`;
    const args = [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    this.#process = spawn("/usr/bin/prometheus", args, { stdio: ["ignore", "ignore", "pipe"] });
    this.#process.stderr?.on("data", (text: Buffer) => (this.#log += text.toString()));
    this.#process.on("error", (error) => (this.#log += `${error.message}\n`));
  }

  /** `target`: `host:port` of the scheduler's HTTP. */
  static async start(target: string): Promise<PrometheusServer> {
    const folder = mkdtempSync(join(tmpdir(), "trainyard-prometheus-"));
    const config = readFileSync(join(SHIPPED, "scrape.yml"), "utf8")
      .replaceAll("127.0.0.1:7071", target)
      .replaceAll("_interval: 15s", "_interval: 1s")
      .replace("- alerts.yml", `- ${join(SHIPPED, "alerts.yml")}`);
    writeFileSync(join(folder, "prometheus.yml"), config);
    const server = new PrometheusServer(folder, await freePort());
    await server.#ready();
    return server;
  }

  /** Throws with Prometheus' words when the expression is wrong. */
  async query(expression: string): Promise<readonly Sample[]> {
    const reply = await fetch(`${this.#url}/api/v1/query?query=${encodeURIComponent(expression)}`);
    const body = (await reply.json()) as { error?: string; data?: { result: ApiSample[] } };
    if (body.data === undefined) throw new Error(`${expression}: ${body.error ?? reply.status}`);
    return body.data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  /** Waits until a single figure is what is wanted. */
  async until(expression: string, isWanted: (value: number) => boolean): Promise<number> {
    let last: readonly Sample[] = [];
    for (const endMs = performance.now() + READY_MS_MAX; performance.now() < endMs; ) {
      last = await this.query(expression);
      const [sample] = last;
      if (last.length === 1 && sample !== undefined && isWanted(sample.value)) return sample.value;
      await delay(POLL_MS);
    }
    throw new Error(`${expression} stayed ${JSON.stringify(last)} for ${READY_MS_MAX} ms`);
  }

  async rules(): Promise<readonly RuleState[]> {
    const reply = await fetch(`${this.#url}/api/v1/rules`);
    const body = (await reply.json()) as { data: { groups: { rules: RuleState[] }[] } };
    return body.data.groups.flatMap((group) => group.rules);
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.pid !== undefined) {
      const ended = once(this.#process, "exit");
      this.#process.kill("SIGTERM");
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #ready(): Promise<void> {
    for (const endMs = performance.now() + READY_MS_MAX; performance.now() < endMs; ) {
      const reply = await fetch(`${this.#url}/-/ready`).catch(() => null);
      if (reply?.ok === true) return;
      if (this.#process.exitCode !== null || this.#process.pid === undefined) break;
      await delay(POLL_MS);
    }
    await this.stop();
    throw new Error(`Prometheus did not start.\n${this.#log}`);
  }
}

/** Prometheus does not say which port it was given for 0. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}
