/** What all groups share, in the notation of `message.ts`. */
export const metaMessages = `
api.resource.Quantity: string=1
meta.Condition: type=1 status=2 observedGeneration=3:l0 lastTransitionTime=4:meta.Time reason=5 message=6
meta.DeleteOptions: gracePeriodSeconds=1:l preconditions=2:meta.Preconditions orphanDependents=3:b
  propagationPolicy=4 dryRun=5:[] ignoreStoreReadErrorWithClusterBreakingPotential=6:b
meta.FieldSelectorRequirement: key=1 operator=2 values=3:[]
meta.FieldsV1: Raw=1:y
meta.LabelSelector: matchLabels=1:{} matchExpressions=2:[]meta.LabelSelectorRequirement
meta.LabelSelectorRequirement: key=1 operator=2 values=3:[]
meta.ListMeta: selfLink=1 resourceVersion=2 continue=3 remainingItemCount=4:l shardInfo=5:meta.ShardInfo
meta.ManagedFieldsEntry: manager=1 operation=2 apiVersion=3 time=4:meta.Time fieldsType=6 fieldsV1=7:meta.FieldsV1
  subresource=8
meta.MicroTime: seconds=1:l nanos=2:i
meta.ObjectMeta: name=1 generateName=2 namespace=3 selfLink=4 uid=5 resourceVersion=6 generation=7:l0
  creationTimestamp=8:meta.Time deletionTimestamp=9:meta.Time deletionGracePeriodSeconds=10:l labels=11:{}
  annotations=12:{} ownerReferences=13:[]meta.OwnerReference finalizers=14:[]
  managedFields=17:[]meta.ManagedFieldsEntry
meta.OwnerReference: kind=1 name=3 uid=4 apiVersion=5 controller=6:b blockOwnerDeletion=7:b
meta.Preconditions: uid=1 resourceVersion=2
meta.ShardInfo: selector=1
meta.Status: metadata=1:meta.ListMeta status=2 message=3 reason=4 details=5:meta.StatusDetails code=6:i0
meta.StatusCause: reason=1 message=2 field=3
meta.StatusDetails: name=1 group=2 kind=3 causes=4:[]meta.StatusCause retryAfterSeconds=5:i0 uid=6
meta.Time: seconds=1:l nanos=2:i
meta.WatchEvent: type=1 object=2:runtime.RawExtension
runtime.RawExtension: raw=1:y
runtime.TypeMeta: apiVersion=1 kind=2
runtime.Unknown: typeMeta=1:runtime.TypeMeta raw=2:y contentEncoding=3 contentType=4
util.intstr.IntOrString: type=1:l intVal=2:i strVal=3
`;
