// Operators see the cluster through Prometheus: a real one, with the configuration, the rules and the
// dashboard that ship, scrapes a real cluster and answers what they ask.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCluster } from "./cluster.ts";
import { PrometheusServer, prometheusMissing } from "./prometheus-server.ts";

const AGENTS = 2;
const GPUS_PER_NODE = 4;

const why = prometheusMissing;

describe.skipIf(why !== null)(`Prometheus${why === null ? "" : `: skipped, ${why}`}`, () => {
  let cluster: Awaited<ReturnType<typeof startCluster>>;
  let prometheus: PrometheusServer;

  beforeAll(async () => {
    cluster = await startCluster({ agents: AGENTS, virtualGpus: GPUS_PER_NODE });
    prometheus = await PrometheusServer.start(httpTarget());
  });

  afterAll(async () => {
    await prometheus?.stop();
    await cluster?.stop();
  });

  const httpTarget = (): string => cluster.httpAddress.replace(/^https?:\/\//, "");

  /** A job that holds its GPUs until it is stopped, and never checkpoints. */
  async function submitSleep(name: string, nodes: number): Promise<void> {
    const size = ["--nodes", `${nodes}`, "--gpus", `${GPUS_PER_NODE}`];
    await cluster.cli([
      "submit",
      "--name",
      name,
      ...size,
      "--no-code",
      "--grace",
      "1s",
      "--",
      "sleep",
      "600",
    ]);
  }

  test("utilization, queue depth and GPU hours lost are one query away", async () => {
    await prometheus.until('sum(trainyard_gpus{state="idle"})', (gpus) => gpus === 8);
    expect(await prometheus.query("trainyard:pending_jobs:sum")).toMatchObject([{ value: 0 }]);

    await submitSleep("holder", AGENTS);
    await prometheus.until("trainyard:gpu_utilization:ratio", (ratio) => ratio === 1);
    await prometheus.until("sum(trainyard_queue_running_jobs)", (jobs) => jobs === 1);

    await submitSleep("waiter", AGENTS);
    await prometheus.until("trainyard:pending_jobs:sum", (jobs) => jobs === 1);
    await prometheus.until("sum(trainyard_queue_pending_gpus)", (gpus) => gpus === 8);
    const held = await prometheus.query("sum by (reason) (trainyard_queue_pending_jobs)");
    expect(held).toMatchObject([{ metric: { reason: expect.stringMatching(/^[A-Z_]+$/) } }]);

    // A drained node takes the whole gang with it, and all that it did since it started.
    const [node] = await prometheus.query("trainyard_agent_heartbeat_age_seconds");
    await cluster.cli(["node", "drain", node?.metric["node"] ?? ""]);
    const lostHours = await prometheus.until(
      "trainyard:lost_gpu_hours:total",
      (hours) => hours > 0,
    );
    expect(lostHours).toBeLessThan(1);
    await prometheus.until('sum(trainyard_nodes{state="draining"})', (nodes) => nodes === 1);
    await prometheus.until(
      'sum(trainyard_jobs_preempted_total{reason="drain"})',
      (preemptions) => preemptions === 1,
    );
  });

  test("promtool finds nothing wrong with a live page of metrics", async () => {
    const page = await (await fetch(`http://${httpTarget()}/metrics`)).text();
    expect(page.match(/^trainyard_\w+/gm)?.length ?? 0).toBeGreaterThan(30);
    const said = execFileSync("promtool", ["check", "metrics"], { input: page, encoding: "utf8" });
    expect(said).toBe("");
  });

  test("every rule evaluates, and no alert cries over a healthy cluster", async () => {
    await prometheus.until("count(trainyard:gpu_utilization:ratio)", (series) => series === 1);
    const rules = await prometheus.rules();
    expect(rules.length).toBeGreaterThan(20);
    expect(rules.filter(({ health }) => health === "err")).toEqual([]);
    const pages = await prometheus.query('ALERTS{alertstate="firing", severity="page"}');
    expect(pages).toEqual([]);
  });

  test("every panel of the dashboard has an answer from Prometheus", async () => {
    const path = resolve(import.meta.dirname, "../../deploy/grafana/trainyard.json");
    const { panels } = JSON.parse(readFileSync(path, "utf8")) as {
      readonly panels: readonly {
        readonly title: string;
        readonly targets?: readonly { readonly expr: string }[];
      }[];
    };
    const silent: string[] = [];
    for (const { title, targets = [] } of panels) {
      for (const { expr } of targets) {
        const query = expr
          .replaceAll(/\$__rate_interval|\$__range/g, "1m")
          .replaceAll(/\$(scheduler|queue)\b/g, ".+");
        if ((await prometheus.query(query)).length === 0) silent.push(title);
      }
    }
    // Virtual GPUs have no temperature and no load; all other panels show something at once.
    expect(new Set(silent)).toEqual(new Set(["GPU utilization", "GPU memory used"]));
  });
});
