import { keyOf } from "#api/meta/object.ts";
import { createIngressCompiler } from "./compiler.ts";
import type { CompiledIngresses, IngressCompilerOptions, IngressInput } from "./table.ts";

/**
 * The tables of all these objects, from nothing. The same objects told to a compiler one by one, in any order, give the
 * same result.
 */
export function compileIngresses(input: IngressInput, options: IngressCompilerOptions): CompiledIngresses {
  const compiler = createIngressCompiler(options);
  for (const found of input.classes) compiler.ingressClass(found.metadata.name, found);
  for (const found of input.services) compiler.service(keyOf(found), found);
  for (const found of input.slices) compiler.slice(keyOf(found), found);
  for (const found of input.ingresses) compiler.ingress(keyOf(found), found);
  const secrets = new Map(input.secrets.map((secret) => [keyOf(secret), secret]));
  for (const key of compiler.wantedSecrets()) compiler.secret(key, secrets.get(key));
  const configMaps = new Map((input.configMaps ?? []).map((configMap) => [keyOf(configMap), configMap]));
  for (const key of compiler.wantedConfigMaps()) compiler.configMap(key, configMaps.get(key));
  compiler.take("0");
  return compiler.result();
}
