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

const rootCause = (exitcode: string, traceback: string): string => `\
[rank0]: RuntimeError: [/pytorch/gloo/pair.cc:525] Connection closed by peer [127.0.0.1]:1
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
============================================================
train.py FAILED
------------------------------------------------------------
Failures:
[1]:
  rank      : 0 (local_rank: 0)
  exitcode  : 1 (pid: 41)
------------------------------------------------------------
Root Cause (first observed failure):
[0]:
  time      : 2026-01-02_03:04:05
  host      : node-1
  rank      : 3 (local_rank: 1)
  exitcode  : ${exitcode} (pid: 42)
  error_file: <N/A>
  traceback : ${traceback}
============================================================
`;

test("a worker that left no exception is named with its signal or its code", () => {
  const killed = rootCause("-9", "Signal 9 (SIGKILL) received by PID 42");
  expect(exitMessage(null, killed)).toBe("the worker of rank 3 was ended by SIGKILL");
  const aborted = rootCause("-6", "Signal 6 (SIGABRT) received by PID 42");
  expect(exitMessage(null, `terminate called without an active exception\n${aborted}`)).toBe(
    "the worker of rank 3 was ended by SIGABRT: terminate called without an active exception",
  );
  const exited = rootCause("3", "To enable traceback see: https://pytorch.org/docs");
  expect(exitMessage(null, exited)).toBe("the worker of rank 3 ended with exit code 3");
  expect(exitMessage(null, `ValueError: mine\n${killed}`)).toBe("ValueError: mine");
  expect(exitMessage(null, "x.ChildFailedError:\n")).toBe("x.ChildFailedError:");
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
