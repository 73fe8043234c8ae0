import { defineConfig } from "vitest/config";

// unit: beside the source, fast. property and crash: what decides, over many states and crash points.
// e2e: real processes, real torchrun, real servers.
// More stories on demand (see README) take longer.
const RUNS_USUAL = 400;
const patience = Math.max(1, Number(process.env["TRAINYARD_RUNS"] ?? RUNS_USUAL) / RUNS_USUAL);

export default defineConfig({
  test: {
    pool: "forks",
    projects: [
      {
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "test/*.test.ts"],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: "property",
          include: [
            "test/property/**/*.test.ts",
            "test/scenarios/**/*.test.ts",
            "test/crash/**/*.test.ts",
          ],
          testTimeout: 300_000 * patience,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
