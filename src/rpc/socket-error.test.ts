import { expect, test } from "vitest";
import { socketError } from "./socket-error.ts";

test.each([
  [
    "No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1. Resolution note: .",
    "connect ECONNREFUSED 127.0.0.1:1",
  ],
  [
    "No address added out of total 1 resolved errors: [listen EADDRINUSE: address already in use 127.0.0.1:70]",
    "listen EADDRINUSE: address already in use 127.0.0.1:70",
  ],
  ["connect ECONNREFUSED [::1]:7070", "connect ECONNREFUSED [::1]:7070"],
  [
    "Name resolution failed for target dns:nowhere:1.",
    "Name resolution failed for target dns:nowhere:1",
  ],
])("only what the socket said is told: %s", (details, said) => {
  expect(socketError(details)).toBe(said);
});
