import type { Secret } from "#api/core/secret/kind.ts";
import type { ServiceAccount } from "#api/core/serviceaccount/kind.ts";
import { keyOf } from "#api/meta/object.ts";
import { isApiError } from "#api/meta/status.ts";
import { createLoop, runningLoop, type ControllerContext, type RunningController } from "../controller.ts";

/** A token that lasts as long as the Secret that holds it. */
export type IssueToken = (bound: { account: ServiceAccount; secret: Secret }) => string;

const type = "kubernetes.io/service-account-token";
const nameAnnotation = "kubernetes.io/service-account.name";
const uidAnnotation = "kubernetes.io/service-account.uid";

/**
 * Fills Secrets that ask for a ServiceAccount's token, and removes them with their account (upstream:
 * `pkg/controller/serviceaccount/tokens_controller.go`). One whose account is not there yet waits for it. Without
 * `issueToken` nothing is done.
 */
export function startAccountSecrets(
  context: ControllerContext,
  issueToken: IssueToken | undefined,
  caBundle: string | undefined,
): RunningController {
  const { client, informers } = context;
  const secrets = informers.of("Secret");
  const accounts = informers.of("ServiceAccount");

  async function reconcile(key: string): Promise<void> {
    const secret = secrets.get(key);
    if (issueToken === undefined || secret === undefined || secret.metadata.deletionTimestamp !== undefined) return;
    const { annotations = {}, namespace = "", uid = "" } = secret.metadata;
    const account = accounts.get(`${namespace}/${annotations[nameAnnotation]}`);
    const known = annotations[uidAnnotation];
    if (account === undefined || (known !== undefined && known !== account.metadata.uid)) {
      if (known !== undefined) await remove(secret, uid);
      return;
    }
    const wished = {
      token: secret.data?.["token"] ?? encode(issueToken({ account, secret })),
      namespace: encode(namespace),
      ...(caBundle === undefined ? {} : { "ca.crt": encode(caBundle) }),
    };
    const isFull = Object.entries(wished).every(([name, value]) => secret.data?.[name] === value);
    if (isFull && known !== undefined) return;
    const metadata = { uid, annotations: { [uidAnnotation]: account.metadata.uid } };
    await client.patch("Secret", secret.metadata, { metadata, data: wished });
  }

  async function remove({ metadata }: Secret, uid: string): Promise<void> {
    try {
      await client.delete("Secret", metadata, { preconditions: { uid } });
    } catch (error) {
      if (!isApiError(error, "NotFound", "Conflict")) throw error;
    }
  }

  const queue = createLoop(context, { name: "account-secrets", reconcile });
  return runningLoop(queue, [
    secrets.onChange(({ after }) => after?.type === type && queue.add(keyOf(after))),
    accounts.onChange(({ before, after }) => {
      const { name, namespace = "" } = (after ?? before).metadata;
      for (const secret of secrets.by("namespace", namespace)) {
        if (secret.type === type && secret.metadata.annotations?.[nameAnnotation] === name) queue.add(keyOf(secret));
      }
    }),
  ]);
}

function encode(text: string): string {
  return Buffer.from(text).toString("base64");
}
