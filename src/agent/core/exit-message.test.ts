import { expect, test } from "vitest";
import { exitMessage, isPortTaken, MESSAGE_CHARS_MAX } from "./exit-message.ts";

const SUMMARY = `Traceback (most recent call last):
  File "train.py", line 3, in <module>
ValueError: bad learning rate
[rank1]: RuntimeError: Connection closed by peer
W0101 torch/distributed/elastic: Sending process 7 closing signal SIGTERM
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
============================================================
train.py FAILED
`;

test("the script's own exception goes before what its peers and torchrun made of it", () => {
  expect(exitMessage(null, SUMMARY)).toBe("ValueError: bad learning rate");
});

test("what a worker recorded goes first, in both of its forms", () => {
  expect(exitMessage({ message: { message: "RuntimeError: boom" } }, SUMMARY)).toBe(
    "RuntimeError: boom",
  );
  expect(exitMessage({ message: "boom" }, "")).toBe("boom");
});

test("without an exception it is the last line, and nothing from nothing", () => {
  expect(exitMessage(null, "a\nSegmentation fault\n\n")).toBe("Segmentation fault");
  expect(exitMessage(null, "")).toBe("");
});

test("a message is cut, since it travels in every report", () => {
  expect(exitMessage(null, "x".repeat(9_999))).toHaveLength(MESSAGE_CHARS_MAX);
});

test("a taken port is recognised", () => {
  expect(isPortTaken("The server socket has failed to bind to [::]:29500 (errno: 98")).toBe(true);
  expect(isPortTaken("errno: 980")).toBe(false);
});
