import { expect, test } from "vitest";
import type { Gpu } from "../../scheduler/core/state.ts";
import {
  cutUp,
  parseIslandLabel,
  parseIslands,
  parseMigMode,
  parseMigSlices,
} from "./gpu-inventory.ts";

/** In the form of driver 535, two pairs behind one switch each. */
const PAIRS = [
  "\t\u001b[4mGPU0\tGPU1\tGPU2\tGPU3\tNIC0\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID\u001b[0m",
  "GPU0\t X \tNV12\tSYS\tSYS\tPXB\t0-31\t0\t\tN/A",
  "GPU1\tNV12\t X \tSYS\tSYS\tPXB\t0-31\t0\t\tN/A",
  "GPU2\tSYS\tSYS\t X \tNV4\tSYS\t32-63\t1\t\tN/A",
  "GPU3\tSYS\tSYS\tNV4\t X \tSYS\t32-63\t1\t\tN/A",
  "NIC0\tPXB\tPXB\tSYS\tSYS\t X \t\t\t\t",
  "",
  "Legend:",
  "",
  "  X    = Self",
  "  NV#  = Connection traversing a bonded set of # NVLinks",
].join("\n");

const islandsOf = (text: string): string =>
  [...parseIslands(text)].map(([gpu, island]) => `${gpu}:${island}`).join(" ");

test("GPUs that NVLink joins are one island, named after the lowest", () => {
  expect(islandsOf(PAIRS)).toBe("0:nvlink-0 1:nvlink-0 2:nvlink-2 3:nvlink-2");
});

test("a chain of links is one island, and a GPU without links one of its own", () => {
  const chain = [
    "\tGPU0\tGPU1\tGPU2\tGPU3\tCPU Affinity",
    "GPU0\t X \tSYS\tNV2\tSYS\t0-7",
    "GPU1\tSYS\t X \tNV2\tSYS\t0-7",
    "GPU2\tNV2\tNV2\t X \tSYS\t0-7",
    "GPU3\tSYS\tSYS\tSYS\t X \t0-7",
  ].join("\n");
  expect(islandsOf(chain)).toBe("0:nvlink-0 1:nvlink-0 2:nvlink-0 3:nvlink-3");
});

test.each(["", "No devices were found", "Failed to run topology matrix"])(
  "no islands from %j",
  (text) => {
    expect(islandsOf(text)).toBe("");
  },
);

test.each([
  ["0-3;4-7", "0,1,2,3 4,5,6,7"],
  ["0,2; 1,3", "0,2 1,3"],
  ["0-3;3-7", null],
  ["a", null],
  ["3-0", null],
  ["", null],
])("a label %j means %j", (label, islands) => {
  const groups = new Map<string, number[]>();
  for (const [gpu, island] of parseIslandLabel(label) ?? []) {
    groups.set(island, [...(groups.get(island) ?? []), gpu]);
  }
  const text = [...groups.values()].map((gpus) => gpus.join()).join(" ");
  expect(text === "" ? null : text).toBe(islands);
});

const LIST = [
  "GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-11111111-1b7e-4a58-9a0e-0c3d3c1f7d11)",
  "  MIG 1g.10gb     Device  0: (UUID: MIG-aaaaaaaa-0d6a-5f2d-8a54-7c3b5d2b1c11)",
  "  MIG 3g.40gb     Device  1: (UUID: MIG-bbbbbbbb-0d6a-5f2d-8a54-7c3b5d2b1c11)",
  "GPU 1: NVIDIA H100 80GB HBM3 (UUID: GPU-22222222-1b7e-4a58-9a0e-0c3d3c1f7d11)",
  "GPU 2: NVIDIA H100 80GB HBM3 (UUID: GPU-33333333-1b7e-4a58-9a0e-0c3d3c1f7d11)",
].join("\n");

test("a GPU in MIG mode is offered as its slices, one without any not at all", () => {
  const gpus = [0, 1, 2].map(
    (index): Gpu => ({ index, uuid: `GPU-${index}`, type: "H100", memoryMib: 81_559, island: "" }),
  );
  const inMigMode = parseMigMode("0, Enabled\n1, Disabled\n2, Enabled\n3, [N/A]\n");
  const offered = cutUp(gpus, inMigMode, parseMigSlices(LIST));
  expect(offered.map(({ index, uuid, type, memoryMib }) => [index, uuid, type, memoryMib])).toEqual(
    [
      [100, "MIG-aaaaaaaa-0d6a-5f2d-8a54-7c3b5d2b1c11", "H100 MIG 1g.10gb", 10_240],
      [101, "MIG-bbbbbbbb-0d6a-5f2d-8a54-7c3b5d2b1c11", "H100 MIG 3g.40gb", 40_960],
      [1, "GPU-1", "H100", 81_559],
    ],
  );
});
