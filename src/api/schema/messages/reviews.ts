/** What is only ever sent to be answered: reviews, token requests, scales, evictions, in the notation of `message.ts`. */
export const reviewMessages = `
authentication.v1.BoundObjectReference: kind=1 apiVersion=2 name=3 uid=4
authentication.v1.ExtraValue: items=1:[]
authentication.v1.SelfSubjectReview: metadata=1:meta.ObjectMeta status=2:authentication.v1.SelfSubjectReviewStatus
authentication.v1.SelfSubjectReviewStatus: userInfo=1:authentication.v1.UserInfo
authentication.v1.TokenRequest: metadata=1:meta.ObjectMeta spec=2:authentication.v1.TokenRequestSpec
  status=3:authentication.v1.TokenRequestStatus
authentication.v1.TokenRequestSpec: audiences=1:[] boundObjectRef=3:authentication.v1.BoundObjectReference
  expirationSeconds=4:l
authentication.v1.TokenRequestStatus: token=1 expirationTimestamp=2:meta.Time
authentication.v1.TokenReview: metadata=1:meta.ObjectMeta spec=2:authentication.v1.TokenReviewSpec
  status=3:authentication.v1.TokenReviewStatus
authentication.v1.TokenReviewSpec: token=1 audiences=2:[]
authentication.v1.TokenReviewStatus: authenticated=1:b0 user=2:authentication.v1.UserInfo error=3 audiences=4:[]
authentication.v1.UserInfo: username=1 uid=2 groups=3:[] extra=4:{}authentication.v1.ExtraValue
authorization.v1.ExtraValue: items=1:[]
authorization.v1.FieldSelectorAttributes: rawSelector=1 requirements=2:[]meta.FieldSelectorRequirement
authorization.v1.LabelSelectorAttributes: rawSelector=1 requirements=2:[]meta.LabelSelectorRequirement
authorization.v1.LocalSubjectAccessReview: metadata=1:meta.ObjectMeta
  spec=2:authorization.v1.SubjectAccessReviewSpec status=3:authorization.v1.SubjectAccessReviewStatus
authorization.v1.NonResourceAttributes: path=1 verb=2
authorization.v1.NonResourceRule: verbs=1:[] nonResourceURLs=2:[]
authorization.v1.ResourceAttributes: namespace=1 verb=2 group=3 version=4 resource=5 subresource=6 name=7
  fieldSelector=8:authorization.v1.FieldSelectorAttributes labelSelector=9:authorization.v1.LabelSelectorAttributes
authorization.v1.ResourceRule: verbs=1:[] apiGroups=2:[] resources=3:[] resourceNames=4:[]
authorization.v1.SelfSubjectAccessReview: metadata=1:meta.ObjectMeta
  spec=2:authorization.v1.SelfSubjectAccessReviewSpec status=3:authorization.v1.SubjectAccessReviewStatus
authorization.v1.SelfSubjectAccessReviewSpec: resourceAttributes=1:authorization.v1.ResourceAttributes
  nonResourceAttributes=2:authorization.v1.NonResourceAttributes
authorization.v1.SelfSubjectRulesReview: metadata=1:meta.ObjectMeta
  spec=2:authorization.v1.SelfSubjectRulesReviewSpec status=3:authorization.v1.SubjectRulesReviewStatus
authorization.v1.SelfSubjectRulesReviewSpec: namespace=1
authorization.v1.SubjectAccessReview: metadata=1:meta.ObjectMeta spec=2:authorization.v1.SubjectAccessReviewSpec
  status=3:authorization.v1.SubjectAccessReviewStatus
authorization.v1.SubjectAccessReviewSpec: resourceAttributes=1:authorization.v1.ResourceAttributes
  nonResourceAttributes=2:authorization.v1.NonResourceAttributes user=3 groups=4:[]
  extra=5:{}authorization.v1.ExtraValue uid=6
authorization.v1.SubjectAccessReviewStatus: allowed=1:b reason=2 evaluationError=3 denied=4:b0
authorization.v1.SubjectRulesReviewStatus: resourceRules=1:[]authorization.v1.ResourceRule
  nonResourceRules=2:[]authorization.v1.NonResourceRule incomplete=3:b evaluationError=4
autoscaling.v1.Scale: metadata=1:meta.ObjectMeta spec=2:autoscaling.v1.ScaleSpec status=3:autoscaling.v1.ScaleStatus
autoscaling.v1.ScaleSpec: replicas=1:i0
autoscaling.v1.ScaleStatus: replicas=1:i selector=2
policy.v1.Eviction: metadata=1:meta.ObjectMeta deleteOptions=2:meta.DeleteOptions
`;
