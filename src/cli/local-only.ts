// Options of the client that mean nothing to commands that talk to no scheduler.

export const LOCAL_ONLY: readonly string[] = [
  "context",
  "server",
  "tls",
  "ca",
  "tenant",
  "user",
  "project",
  "timeout",
];
