import { describe, expect, test } from "vitest";
import { isTemporaryName, matchesPattern, stepOfName } from "./step-name.ts";

describe("the step in a name", () => {
  test.each([
    ["step-30", 30],
    ["step_30", 30],
    ["step30.pt", 30],
    ["checkpoint-30", 30],
    ["ckpt_30.pt", 30],
    ["iter_0000030", 30],
    ["global_step30", 30],
    ["30.pt", 30],
    ["model-0030.pth", 30],
    ["epoch=3-step=30.ckpt", 30],
    ["epoch=3-step=30-val_loss=0.25.ckpt", 30],
    ["ep1-ba20", 20],
    ["epoch_7.pt", 7],
    ["ckpt_30_rank1.pt", 30],
    ["step-30-00001-of-00003.bin", 30],
    ["step-0", 0],
    ["step-999999999999", 999_999_999_999],
  ])("%s tells %i", (name, step) => {
    expect(stepOfName(name)).toBe(step);
  });

  test.each([
    "latest.pt",
    "model.pt",
    "last.ckpt",
    "model_rank3.pt",
    "loss_0.25",
    "pytorch_model-00001-of-00003.bin",
    "step-1000000000000",
    "",
  ])("%j tells none", (name) => {
    expect(stepOfName(name)).toBeNull();
  });
});

describe("names that are not meant to be seen yet", () => {
  test.each([".metadata.tmp", "tmp-checkpoint-30", ".tmp_x", "step-30.tmp", "a.part", "x.pt~"])(
    "%s",
    (name) => {
      expect(isTemporaryName(name)).toBe(true);
    },
  );

  test.each([".metadata", "step-30", "template.pt", "partial_fc.pt", "attempt-1"])(
    "%s is an ordinary name",
    (name) => {
      expect(isTemporaryName(name)).toBe(false);
    },
  );
});

describe("patterns", () => {
  test.each([
    ["a/b/step-30", "step-*", true],
    ["a/step-30", "a/step-??", true],
    ["b/step-30", "a/step-*", false],
    ["step-30/x", "step-*", false],
    ["model.pt", "model.p?", true],
    ["modelxpt", "model.pt", false],
    ["a+b", "a+b", true],
  ])("%s against %s: %s", (path, pattern, matches) => {
    expect(matchesPattern(path, pattern)).toBe(matches);
  });
});
