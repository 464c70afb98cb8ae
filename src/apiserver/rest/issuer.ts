import type { Exchange } from "../http/exchange.ts";
import { sendValue } from "../http/respond.ts";

const configurationPath = "/.well-known/openid-configuration";
const keysPath = "/openid/v1/jwks";

/** How others check tokens of ServiceAccounts by themselves (OpenID Connect Discovery 1.0). `false`: another path. */
export function answerIssuer(exchange: Exchange): boolean {
  const { parts, path } = exchange;
  const { issuer, publicKey } = parts.accounts;
  const headers = { "Cache-Control": "public, max-age=3600" };
  if (path === configurationPath) {
    const configuration = {
      issuer,
      jwks_uri: `${issuer}${keysPath}`,
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: [publicKey["alg"]],
    };
    sendValue(exchange, 200, configuration, headers);
    return true;
  }
  if (path !== keysPath) return false;
  sendValue(exchange, 200, { keys: [publicKey] }, { ...headers, "Content-Type": "application/jwk-set+json" });
  return true;
}
