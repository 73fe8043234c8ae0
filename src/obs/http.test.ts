import net from "node:net";
import { expect, test } from "vitest";
import { Health } from "./health.ts";
import { type HttpRoute, HttpServer, send } from "./http.ts";
import { createLogger } from "./log.ts";
import { MetricsRegistry } from "./metrics.ts";
import { operationsRoutes } from "./operations-routes.ts";

/** A server on a free port with `routes`, closed when `body` ends. */
async function withServer<T>(
  routes: readonly HttpRoute[],
  body: (url: string, lines: readonly string[]) => Promise<T>,
): Promise<T> {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  const logger = createLogger({ level: "info", name: "test", style: "json", stream });
  const server = new HttpServer({ routes, logger });
  const { port } = await server.listen("127.0.0.1", 0);
  try {
    return await body(`http://127.0.0.1:${port}`, lines);
  } finally {
    await server.close();
  }
}

function operations(jobMetrics: MetricsRegistry | null = null) {
  const metrics = new MetricsRegistry(() => 0);
  metrics.counter("jobs_total", "Jobs.").inc(2);
  const health = new Health();
  const agents = () => [{ targets: ["n1:7072"], labels: { node: "n1" } }];
  return { metrics, health, routes: operationsRoutes({ metrics, jobMetrics, health, agents }) };
}

test("metrics come as Prometheus text, or as OpenMetrics to who accepts that", async () => {
  await withServer(operations().routes, async (url) => {
    const plain = await fetch(`${url}/metrics`);
    expect(plain.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(await plain.text()).toContain("# TYPE jobs_total counter\njobs_total 2\n");
    const accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";
    const open = await fetch(`${url}/metrics`, { headers: { accept } });
    expect(open.headers.get("content-type")).toMatch(/^application\/openmetrics-text/);
    expect(await open.text()).toMatch(/# TYPE jobs counter\njobs_total 2\n# EOF\n$/);
  });
});

test("series per job are there only where asked for", async () => {
  await withServer(operations().routes, async (url) => {
    expect((await fetch(`${url}/metrics/jobs`)).status).toBe(404);
  });
  await withServer(operations(new MetricsRegistry(() => 0)).routes, async (url) => {
    expect((await fetch(`${url}/metrics/jobs`)).status).toBe(200);
  });
});

test("a daemon is healthy while it answers, and ready when every check says so", async () => {
  const { routes, health } = operations();
  const store = { isOk: false, detail: "reading the log" };
  health.add("store", () => store);
  health.add("rpc", () => ({ isOk: true, detail: "" }));
  await withServer(routes, async (url) => {
    expect((await fetch(`${url}/-/healthy`)).status).toBe(200);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const before = await fetch(`${url}/-/ready`);
    expect([before.status, await before.text()]).toEqual([
      503,
      "not ready\nstore: reading the log\nrpc: ok\n",
    ]);
    store.isOk = true;
    const after = await fetch(`${url}/-/ready`);
    expect([after.status, await after.text()]).toEqual([200, "ready\nstore: ok\nrpc: ok\n"]);
  });
});

test("agents are listed for Prometheus' service discovery", async () => {
  await withServer(operations().routes, async (url) => {
    const found = await fetch(`${url}/sd/agents`);
    expect(found.headers.get("content-type")).toBe("application/json");
    expect(await found.json()).toEqual([{ targets: ["n1:7072"], labels: { node: "n1" } }]);
  });
});

test("the longest route that fits is taken, with the rest of the path and the query", async () => {
  const echo = (path: string): HttpRoute => ({
    method: "GET",
    path,
    handle: ({ rest, query }, response) =>
      send(response, 200, "text/plain", `${path} ${rest} ${query.get("q")}`),
  });
  await withServer([echo("/api/*"), echo("/api/jobs/*"), echo("/api/jobs/all")], async (url) => {
    const text = async (path: string) => (await fetch(`${url}${path}`)).text();
    expect(await text("/api/x/y?q=1")).toBe("/api/* x/y 1");
    expect(await text("/api/jobs/job-1")).toBe("/api/jobs/* job-1 null");
    expect(await text("/api/jobs/all")).toBe("/api/jobs/all  null");
  });
});

test("a wrong path, a wrong method and a route that throws answer in words", async () => {
  const broken: HttpRoute = {
    method: "GET",
    path: "/broken",
    handle: () => {
      throw new Error("secret");
    },
  };
  await withServer([broken], async (url, lines) => {
    const missing = await fetch(`${url}/nothing`);
    expect([missing.status, await missing.text()]).toEqual([
      404,
      "There is nothing at /nothing.\n",
    ]);
    const posted = await fetch(`${url}/broken`, { method: "POST" });
    expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET"]);
    const failed = await fetch(`${url}/broken`);
    expect(failed.status).toBe(500);
    expect(await failed.text()).not.toContain("secret");
    expect(lines.join("")).toContain("secret");
    const head = await fetch(`${url}/nothing`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([404, ""]);
  });
});

test("an address that is taken is named with what to do", async () => {
  const taken = net.createServer();
  const port = await new Promise<number>((resolve) => {
    taken.listen(0, "127.0.0.1", () => {
      const address = taken.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  const logger = createLogger({ level: "silent", name: "test", style: "json" });
  const server = new HttpServer({ routes: [], logger });
  await expect(server.listen("127.0.0.1", port)).rejects.toThrow(
    `Cannot listen for HTTP on 127.0.0.1:${port}: listen EADDRINUSE`,
  );
  await new Promise((resolve) => taken.close(resolve));
});

test("closing cuts off a stream that does not end by itself", async () => {
  const endless: HttpRoute = {
    method: "GET",
    path: "/stream",
    handle: (_, response) => void response.write("first\n"),
  };
  const logger = createLogger({ level: "silent", name: "test", style: "json" });
  const server = new HttpServer({ routes: [endless], logger });
  const { port } = await server.listen("127.0.0.1", 0);
  const reply = await fetch(`http://127.0.0.1:${port}/stream`);
  const read = reply.text().catch(() => "cut off");
  await server.close();
  expect(await read).toBe("cut off");
});
