import { describe, expect, test } from "vitest";
import { findCandidates, type ListedFile, type Search, signatureOf } from "./layouts.ts";

const file = (path: string, change: Partial<ListedFile> = {}): ListedFile => ({
  path,
  sizeBytes: 10,
  mtimeMs: 1000,
  inode: 1,
  ...change,
});

function find(paths: readonly string[], search: Partial<Search> = {}) {
  const files = paths.map((path) => file(path));
  return findCandidates({ files, patterns: [], markers: new Map(), ...search }).map(
    ({ key, layout, hasTemporary, files: own }) => ({
      key,
      layout,
      hasTemporary,
      paths: own.map(({ path }) => path),
    }),
  );
}

describe("candidates in a checkpoint folder", () => {
  test("torch.save files are found by their step, lowest first", () => {
    expect(find(["ckpt_30.pt", "ckpt_4.pt", "notes.txt"])).toEqual([
      { key: "step-4", layout: "torch", hasTemporary: false, paths: ["ckpt_4.pt"] },
      { key: "step-30", layout: "torch", hasTemporary: false, paths: ["ckpt_30.pt"] },
    ]);
  });

  test("files of one step belong together", () => {
    expect(find(["model_30.pt", "optim_30.pt", "step-30/extra.json"])).toEqual([
      {
        key: "step-30",
        layout: "torch",
        hasTemporary: false,
        paths: ["model_30.pt", "optim_30.pt", "step-30/extra.json"],
      },
    ]);
  });

  test("a DCP folder is one candidate, on a node without the coordinator as well", () => {
    expect(find(["step-30/.metadata", "step-30/__0_0.distcp"])).toMatchObject([
      { key: "step-30", layout: "dcp", paths: ["step-30/.metadata", "step-30/__0_0.distcp"] },
    ]);
    expect(find(["step-30/__1_0.distcp"])).toMatchObject([{ key: "step-30", layout: "dcp" }]);
  });

  test("a DCP folder inside a step's folder is part of it", () => {
    const paths = [
      "checkpoint-30/optimizer_0/.metadata",
      "checkpoint-30/optimizer_0/__0_0.distcp",
      "checkpoint-30/trainer_state.json",
    ];
    expect(find(paths)).toMatchObject([{ key: "step-30", layout: "dcp", paths }]);
  });

  test("folders without a step are looked into", () => {
    expect(find(["run/a/step-30/model.pt"])).toMatchObject([{ key: "step-30" }]);
  });

  test("names without a step are one candidate, when there is no name with one", () => {
    expect(find(["model.pt", "optim.pt"])).toMatchObject([
      { key: "unnamed", layout: "torch", paths: ["model.pt", "optim.pt"] },
    ]);
    expect(find(["last.ckpt", "step=30.ckpt"])).toMatchObject([{ key: "step-30" }]);
  });

  test("a DCP checkpoint may be written straight into the folder", () => {
    expect(find([".metadata", "__0_0.distcp"])).toMatchObject([{ key: "unnamed", layout: "dcp" }]);
  });

  test("a marker tells the step of its folder", () => {
    const markers = new Map([["best", 42]]);
    expect(find(["best/.trainyard-complete", "best/weights.safetensors"], { markers })).toEqual([
      {
        key: "step-42",
        layout: "marked",
        hasTemporary: false,
        paths: ["best/.trainyard-complete", "best/weights.safetensors"],
      },
    ]);
  });

  test("temporary names hide a whole candidate, and mark one that holds them", () => {
    expect(find(["tmp-step-30/model.pt", "step-31.pt.tmp", ".hidden/step-3.pt"])).toEqual([]);
    expect(find(["step-30/__0_0.distcp", "step-30/.metadata.tmp"])).toEqual([
      { key: "step-30", layout: "dcp", hasTemporary: true, paths: ["step-30/__0_0.distcp"] },
    ]);
  });

  test("patterns replace the known layouts", () => {
    const patterns = ["snapshot-*"];
    const paths = ["snapshot-7/weights.npz", "step-30.pt"];
    expect(find(paths, { patterns })).toMatchObject([
      { key: "step-7", layout: "files", paths: ["snapshot-7/weights.npz"] },
    ]);
  });

  test("a signature changes with size, time and inode", () => {
    const signature = (change: Partial<ListedFile>) =>
      findCandidates({ files: [file("1.pt", change)], patterns: [], markers: new Map() }).map(
        signatureOf,
      )[0];
    const all = [{}, { sizeBytes: 11 }, { mtimeMs: 1000.5 }, { inode: 2 }].map(signature);
    expect(new Set(all).size).toBe(4);
    expect(signature({})).toBe(all[0]);
  });
});
