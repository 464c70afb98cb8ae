/** Webhooks, in the notation of `texts.ts`. */
export const admissionTexts = `
admissionregistration.v1.ValidatingWebhookConfiguration < any.Kind: Programs that are asked before objects are written, and
    may refuse.
  webhooks: The programs. All that match are asked at once.
admissionregistration.v1.ValidatingWebhook: A program that is asked before objects are written.
  name!: The name, with its domain: "check.example.com". Each once in the list.
  clientConfig!: Where the program is reached.
  rules: What it is asked about. A request that any of the rules matches.
  failurePolicy[Fail Ignore]: What happens when it cannot be asked: the request fails (Fail, the default) or goes on.
  matchPolicy[Equivalent Exact]: Whether a rule also matches the same object in another version. Default Equivalent: yes.
  namespaceSelector: Labels of the namespaces it is asked about. Default: all. Objects outside namespaces always match.
  objectSelector: Labels of the objects it is asked about, before or after the change. Default: all.
  sideEffects![None NoneOnDryRun]: Whether asking it changes anything. NoneOnDryRun: not when the request is a dry run.
  timeoutSeconds: How long an answer is waited for, from 1 to 30 seconds. Default 10.
  admissionReviewVersions!: The versions of AdmissionReview it understands. The first that the server knows is sent.
  matchConditions: Further conditions as CEL expressions. Not supported here: must be empty.
admissionregistration.v1.WebhookClientConfig: Where a program is reached: by url or by service, not both.
  url: The address, "https://HOST:PORT/PATH", without user, query or fragment.
  service: The Service in front of it.
  caBundle: The certificates, in PEM and base64, that its own must be signed by. Default: those of the system.
admissionregistration.v1.ServiceReference: A Service.
  namespace!: The namespace of the Service.
  name!: The name of the Service.
  path: The path of the requests.
  port: The port of the Service. Default 443.
admissionregistration.v1.RuleWithOperations < admissionregistration.v1.Rule: Requests that a program is asked about.
  operations: CREATE, UPDATE, DELETE, CONNECT, or "*" for all.
admissionregistration.v1.Rule: Resources that a program is asked about.
  apiGroups: The groups; "" for the core group, "*" for all.
  apiVersions: The versions; "*" for all.
  resources: The resources, with a subresource as in "pods/status"; "*" for all without subresources, "*/*" for all.
  scope: "Cluster" for objects outside namespaces, "Namespaced" for those inside, "*" (the default) for both.
admissionregistration.v1.MatchCondition: A condition.
  name!: The name, each once in the list.
  expression!: A CEL expression that gives true or false. It sees object, oldObject, request and authorizer.
`;
