/** The group `admissionregistration.k8s.io`, in the notation of `message.ts`. */
export const admissionRegistrationMessages = `
admissionregistration.v1.MatchCondition: name=1 expression=2
admissionregistration.v1.Rule: apiGroups=1:[] apiVersions=2:[] resources=3:[] scope=4
admissionregistration.v1.RuleWithOperations: operations=1:[] =2:admissionregistration.v1.Rule
admissionregistration.v1.ServiceReference: namespace=1 name=2 path=3 port=4:i
admissionregistration.v1.ValidatingWebhook: name=1 clientConfig=2:admissionregistration.v1.WebhookClientConfig+
  rules=3:[]admissionregistration.v1.RuleWithOperations failurePolicy=4 namespaceSelector=5:meta.LabelSelector
  sideEffects=6 timeoutSeconds=7:i admissionReviewVersions=8:[] matchPolicy=9 objectSelector=10:meta.LabelSelector
  matchConditions=11:[]admissionregistration.v1.MatchCondition
admissionregistration.v1.ValidatingWebhookConfiguration: metadata=1:meta.ObjectMeta+
  webhooks=2:[]admissionregistration.v1.ValidatingWebhook
admissionregistration.v1.WebhookClientConfig: service=1:admissionregistration.v1.ServiceReference caBundle=2:y url=3
`;
