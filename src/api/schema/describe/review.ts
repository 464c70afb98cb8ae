/** What is only ever sent to be answered, in the notation of `texts.ts`. */
export const reviewTexts = `
any.Review < any.Kind: A question that is sent with create and answered at once.
  spec!: The question.
  status: The answer, filled by the server.
authentication.v1.SelfSubjectReview < any.Review: Asks who the server takes the sender for.
authentication.v1.SelfSubjectReviewStatus: Who the sender is.
  userInfo: The user.
authentication.v1.TokenReview < any.Review: Asks whose a token is.
authentication.v1.TokenReviewSpec: A token to be looked at.
  token: The token.
  audiences: Who the token must be for, one of them at least. Default: the API server.
authentication.v1.TokenReviewStatus: Whose a token is.
  authenticated: Whether the token is valid.
  user: The user.
  audiences: Those of the audiences asked for that the token is for.
  error: Why it could not be looked at.
authentication.v1.UserInfo: A user.
  username: The name.
  uid: The identity, where there is one besides the name.
  groups: The groups.
  extra: Further attributes.
authorization.v1.LocalSubjectAccessReview < any.Review: Asks whether a user may do something in one namespace.
authorization.v1.SelfSubjectAccessReview < any.Review: Asks whether the sender may do something.
authorization.v1.SubjectAccessReview < any.Review: Asks whether a user may do something.
authorization.v1.SelfSubjectAccessReviewSpec: What is to be done: exactly one of the two.
  resourceAttributes: Something with objects.
  nonResourceAttributes: A request to a path that is no object.
authorization.v1.SubjectAccessReviewSpec < authorization.v1.SelfSubjectAccessReviewSpec: What is to be done, and by whom.
  user: The name of the user. It or groups is needed.
  groups: The groups of the user.
  uid: The identity of the user.
  extra: Further attributes of the user.
authorization.v1.ResourceAttributes: Something with objects. "*" stands for all.
  namespace: The namespace. Empty: all, or outside namespaces.
  verb: The verb, such as get or create.
  group: The API group.
  version: The version.
  resource: The resource, such as "services".
  subresource: The subresource, such as "status".
  name: The name of the object. Empty: all.
  fieldSelector: The field selector of the request.
  labelSelector: The label selector of the request.
authorization.v1.FieldSelectorAttributes: A field selector, as text or in parts.
  rawSelector: The text.
  requirements: The parts.
authorization.v1.LabelSelectorAttributes: A label selector, as text or in parts.
  rawSelector: The text.
  requirements: The parts.
authorization.v1.NonResourceAttributes: A request to a path.
  path: The path.
  verb: The HTTP method in small letters.
authorization.v1.SubjectAccessReviewStatus: Whether it is allowed.
  allowed!: Whether it is allowed.
  denied: Whether it is forbidden, whatever else might allow it.
  reason: Why.
  evaluationError: What went wrong while it was looked at. It may be allowed all the same.
authorization.v1.SelfSubjectRulesReview < any.Review: Asks what the sender may do in a namespace.
authorization.v1.SelfSubjectRulesReviewSpec: A namespace.
  namespace: The namespace. Needed.
authorization.v1.SubjectRulesReviewStatus: What is allowed.
  resourceRules!: What is allowed with objects.
  nonResourceRules!: What is allowed with paths.
  incomplete!: Whether there may be more that is not listed.
  evaluationError: What went wrong while it was looked at.
authorization.v1.ResourceRule < rbac.v1.PolicyRule: Something allowed with objects.
authorization.v1.NonResourceRule: Something allowed with paths.
  verbs!: The HTTP methods in small letters; "*" for all.
  nonResourceURLs: The paths; a "*" at the end stands for the rest.
`;
