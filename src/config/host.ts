// What the process is told by its surroundings. The only place that reads `process.env`; everything
// else is handed a `Host`, so that tests say what the world looks like.

import { homedir, hostname, userInfo } from "node:os";

export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute path of the working directory. */
  readonly cwd: string;
  /** Absolute path; `/` when there is none. */
  readonly home: string;
  readonly hostName: string;
  readonly userName: string;
  readonly isRoot: boolean;
  /** Where system-wide configuration lies: `/etc/trainyard`. */
  readonly systemConfigDir: string;
}

export function readHost(): Host {
  const env = process.env;
  return {
    env,
    cwd: process.cwd(),
    home: homedir(),
    hostName: hostname(),
    userName: userName(env),
    isRoot: process.getuid?.() === 0,
    systemConfigDir: "/etc/trainyard",
  };
}

/** `userInfo()` throws for a user id that has no passwd entry, which containers often run under. */
function userName(env: NodeJS.ProcessEnv): string {
  const named = env["USER"] ?? env["LOGNAME"];
  if (named !== undefined && named !== "") return named;
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 0}`;
  }
}

/** `$XDG_CONFIG_HOME/trainyard`. */
export function userConfigDir(host: Host): string {
  return `${xdg(host, "XDG_CONFIG_HOME", ".config")}/trainyard`;
}

/**
 * Where a daemon keeps its data: below `/var/lib/trainyard` for root, else in the user's state
 * folder.
 */
export function stateDir(host: Host, daemon: string): string {
  if (host.isRoot) return `/var/lib/trainyard/${daemon}`;
  return `${xdg(host, "XDG_STATE_HOME", ".local/state")}/trainyard/${daemon}`;
}

function xdg(host: Host, variable: string, underHome: string): string {
  const value = host.env[variable];
  // The XDG specification says that relative paths are to be ignored.
  return value?.startsWith("/") === true ? value : `${host.home}/${underHome}`;
}
