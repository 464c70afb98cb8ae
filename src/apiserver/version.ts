/**
 * What `/version` says. The Kubernetes version is the one whose behaviour is followed; clients read it as semver, and the
 * minor decides which kubectl some distributions run.
 */
export const serverVersion = {
  major: "1",
  minor: "34",
  emulationMajor: "1",
  emulationMinor: "34",
  gitVersion: "v1.34.0+fairlead",
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "none",
  compiler: "node",
  platform: `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`,
} as const;
