import { version } from "#roles/version.ts";

export function runVersion(json: boolean): void {
  const facts = { fairlead: version, node: process.version, platform: `${process.platform}/${process.arch}` };
  if (json) console.log(JSON.stringify(facts));
  else console.log(`fairlead v${version} (node ${process.version}, ${facts.platform})`);
}
