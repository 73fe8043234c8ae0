import { expect, test } from "vitest";
import { parseGpuLine } from "./nvidia-smi.ts";

test("a data-centre GPU tells everything", () => {
  const line =
    "3, GPU-5d1f0c5e-1b7e-4a58-9a0e-0c3d3c1f7d11, NVIDIA H100 80GB HBM3, 81559, 1024, 97, 61, 612.50, 0";
  expect(parseGpuLine(line)).toEqual({
    index: 3,
    uuid: "GPU-5d1f0c5e-1b7e-4a58-9a0e-0c3d3c1f7d11",
    type: "NVIDIA H100 80GB HBM3",
    memoryTotalMib: 81_559,
    memoryUsedMib: 1_024,
    utilizationPercent: 97,
    temperatureC: 61,
    powerW: 612.5,
    eccUncorrected: 0,
  });
});

test("fields that a GPU does not have are null", () => {
  const line = "0, GPU-1, NVIDIA GeForce RTX 3060, 12288, 5, [N/A], 40, [Not Supported], [N/A]";
  expect(parseGpuLine(line)).toMatchObject({
    utilizationPercent: null,
    powerW: null,
    eccUncorrected: null,
  });
});

test.each([
  "",
  "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.",
  "Unable to determine the device handle for GPU 0000:41:00.0: GPU is lost.",
  "0, GPU-1, A100",
  "[N/A], GPU-1, A100, 40960, 0, 0, 0, 0, 0",
])("no sample from %j", (line) => {
  expect(parseGpuLine(line)).toBeNull();
});
