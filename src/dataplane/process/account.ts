/** Whom a process runs as. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * How a program is started with the least that a data plane needs: as this account, in no other group, with the one
 * right to take ports below 1024, and nothing that it starts can get more (`PR_SET_NO_NEW_PRIVS`). Without an account it
 * stays who it is, for whoever is not root has nothing to give up but that last. `setpriv` is part of util-linux.
 */
export function confined(account: Account | undefined, program: readonly string[]): string[] {
  if (account === undefined) return ["setpriv", "--no-new-privs", "--", ...program];
  const only = "-all,+net_bind_service";
  return [
    "setpriv",
    `--reuid=${account.uid}`,
    `--regid=${account.gid}`,
    "--clear-groups",
    `--inh-caps=${only}`,
    `--ambient-caps=${only}`,
    `--bounding-set=${only}`,
    "--no-new-privs",
    "--",
    ...program,
  ];
}
