/** Admission webhooks, in the notation of `texts.ts`. */
export const webhookTexts = `
admissionregistration.v1.ValidatingWebhookConfiguration < any.Kind: Who is asked before certain requests are carried out.
  webhooks: Those who are asked, all at once. Any of them may refuse.
admissionregistration.v1.ValidatingWebhook: One who is asked, about what and how.
  name!: The name that refusals are told under, such as "validate.example.com". It has at least three parts.
  clientConfig!: Where the webhook is: at a URL or behind a Service.
  rules: The requests it is asked about: those that any of the rules matches.
  failurePolicy[Fail Ignore]: What becomes of a request when the webhook cannot be asked: refused (Fail, the default), or
    carried out (Ignore).
  matchPolicy[Equivalent Exact]: Whether a rule also counts for other versions of the same object (Equivalent, the default).
    The webhook then gets the object in the version of the rule.
  namespaceSelector: The labels of the namespaces whose objects it is asked about. Default: all, and objects outside of
    namespaces always.
  objectSelector: The labels of the objects it is asked about, as they are to be or as they were. Default: all.
  sideEffects![None NoneOnDryRun]: Whether asking changes anything: never (None), or not when the review says dryRun
    (NoneOnDryRun).
  timeoutSeconds: How long the webhook may take, from 1 to 30 seconds. Default 10.
  admissionReviewVersions!: The versions of AdmissionReview it understands, the best first: v1 or v1beta1.
  matchConditions: Conditions in CEL. Refused here.
admissionregistration.v1.MatchCondition: A condition in CEL.
  name!: The name of the condition.
  expression!: The condition.
admissionregistration.v1.RuleWithOperations: Requests by what they do to which resources.
  operations: What is done: CREATE, UPDATE, DELETE, CONNECT, or "*" for all.
  apiGroups: The groups of the resources; "" for the core group, "*" for all.
  apiVersions: The versions of the resources; "*" for all.
  resources: The resources, such as "pods", "pods/exec", "pods/*" or "*/scale"; "*" for all without their subresources,
    "*/*" with them.
  scope[* Cluster Namespaced]: Whether objects in namespaces are meant (Namespaced), those outside (Cluster), or both (*, the
    default).
admissionregistration.v1.WebhookClientConfig: Where a webhook is. Either a URL or a Service.
  service: The Service it is behind. One of its ready endpoints is called.
  caBundle: The certificates that the webhook's certificate must be of, as PEM. Default: those that this machine trusts.
  url: The address, which begins with "https://". It has no query, no fragment and no user.
admissionregistration.v1.ServiceReference: A port of a Service.
  namespace!: The namespace of the Service.
  name!: The name of the Service.
  path: The path that is asked for. Default "/".
  port: The port of the Service. Default 443.
`;
