/** What all groups share, in the notation of `texts.ts`. */
export const metaTexts = `
any.Kind: What every object of the API has.
  apiVersion: The group and version that the object is written in, such as "v1" or "apps/v1".
  kind: The kind of the object, such as "Service". It cannot change.
  metadata: What every object carries: its name, namespace, labels and annotations, and the server's own notes.
  spec: What is wanted. Controllers work to make it true.
  status: What was last seen to be true. Controllers write it; what is sent with the object itself is ignored.
any.Condition: One aspect of the object's state, as a controller last saw it.
  type!: The aspect, in CamelCase. A list of conditions holds each type once.
  status![True False Unknown]: Whether the condition holds.
  lastHeartbeatTime: When the condition was last looked at.
  lastProbeTime: When the condition was last looked at.
  lastTransitionTime: When the status last changed from one value to another.
  lastUpdateTime: When the condition was last written.
  reason: One word in CamelCase for programs: why the status is what it is.
  message: A sentence for people about the last change of the status.
  observedGeneration: The metadata.generation of the object that the condition was worked out from.
api.resource.Quantity: A number with an optional unit, such as "500m", "1.5", "128Mi" or "2e3". Suffixes are
    m, k, M, G, T, P, E for powers of 1000 and Ki, Mi, Gi, Ti, Pi, Ei for powers of 1024.
util.intstr.IntOrString: A number or a text. Where ports are meant, the text is a port's name; where amounts are meant, it
    is a percentage such as "25%".
runtime.RawExtension: An object of any kind.
authentication.v1.ExtraValue: The values of one extra attribute of a user.
authorization.v1.ExtraValue: The values of one extra attribute of a user.
meta.Time: A moment in RFC 3339 form with whole seconds, such as "2026-01-31T12:00:00Z".
meta.MicroTime: A moment in RFC 3339 form with exactly six decimals of a second.
meta.FieldsV1: A set of fields as a tree. Keys are "f:NAME" for a field, "k:{...}" for the element of a list with these
    keys, "v:VALUE" for the element of a set, "i:INDEX" for a position, and "." for the thing itself.
meta.Condition < any.Condition: One aspect of the object's state, as a controller last saw it.
  lastTransitionTime!:
  reason!:
  message!: A sentence for people about the last change of the status. It may be empty.
meta.DeleteOptions < any.Kind: How an object is to be deleted.
  gracePeriodSeconds: The seconds the object gets to stop in order. 0 deletes it at once; left out, the kind's or the
    object's own value counts.
  preconditions: What must be true of the object, or else it is not deleted and the answer is 409 Conflict.
  orphanDependents: Old form of propagationPolicy: true leaves dependent objects alone. Only one of the two may be given.
  propagationPolicy[Background Foreground Orphan]: What happens to the objects that name this one as their owner: deleted
    afterwards (the default), deleted before it, or left alone.
  dryRun: "All" does everything but the deletion itself. No other value is known.
  ignoreStoreReadErrorWithClusterBreakingPotential: Delete the object even if what is stored cannot be read. What hangs on
    it is not cleaned up.
meta.Preconditions: What must hold before an operation is carried out.
  uid: The uid the object must have.
  resourceVersion: The resourceVersion the object must have.
meta.LabelSelector: A question about labels. All parts must hold; an empty selector matches everything, an absent one
    nothing.
  matchLabels: Labels that must be there with exactly these values.
  matchExpressions: Further requirements, all of which must hold.
meta.LabelSelectorRequirement: One requirement on a label.
  key!: The key of the label.
  operator![In NotIn Exists DoesNotExist]: How the label is compared with the values.
  values: The values for In and NotIn, at least one. Must be empty for Exists and DoesNotExist.
meta.FieldSelectorRequirement: One requirement on a field.
  key!: The path of the field.
  operator!: How the field is compared with the values: In, NotIn, Exists or DoesNotExist.
  values: The values for In and NotIn. Must be empty for Exists and DoesNotExist.
meta.ListMeta: What every list carries.
  selfLink: No longer filled.
  resourceVersion: The state of the store that the list shows. A watch that starts here misses nothing.
  continue: Not empty when there is more: to be sent as the parameter "continue" to get the next page of the same state.
  remainingItemCount: How many objects follow on later pages. Absent where it is not known.
  shardInfo: Which part of the objects the list holds, when it was asked for a part.
meta.ShardInfo: Which part of the objects a list holds.
  selector!: The selector of the part.
meta.ManagedFieldsEntry: Which fields one manager set, in which way. Server-side apply finds conflicts with these.
  manager: The name of the program or person that set the fields.
  operation[Apply Update]: Apply for server-side apply, Update for everything else.
  apiVersion: The version of the object that the field names are meant in.
  time: When the entry last changed.
  fieldsType: The form of fieldsV1. Always "FieldsV1".
  fieldsV1: The fields.
  subresource: The subresource that was written, such as "status"; empty for the object itself.
meta.ObjectMeta: What every object carries: its name, namespace, labels and annotations, and the server's own notes.
  name: The name, unique among the objects of the kind in the namespace. It cannot change.
  generateName: The start of a name that the server completes with five random characters. Used only when no name is given.
  namespace: The namespace of the object, "default" when none is given. Empty for kinds that live outside namespaces. It
    cannot change.
  selfLink: No longer filled.
  uid: The identity of this one object through its life: an object deleted and created again has another. Set by the server.
  resourceVersion: The state of the object. Sent back with an update, it makes the update fail if someone else was
    faster. Set by the server.
  generation: How often the wanted state was changed, from 1 on. Kept for kinds with a spec that controllers follow. Set by
    the server.
  creationTimestamp: When the object was created. Set by the server.
  deletionTimestamp: Present while the object is being deleted: when it is to be gone. Finalizers may keep it longer. Set by
    the server.
  deletionGracePeriodSeconds: The seconds the object was given to stop. Set by the server together with deletionTimestamp.
  labels: Keys and values by which objects are chosen. A value has at most 63 characters: letters, digits, "-", "_", ".".
  annotations: Keys and values of any kind for programs and people. They choose nothing. At most 256 KiB together.
  ownerReferences: The objects this one belongs to. When the last of them is gone, this object is deleted too.
  finalizers: Names of what must still be done before the object may go. The object is removed when the list is empty.
  managedFields: Who set which fields. Kept by the server for server-side apply.
meta.OwnerReference: An object that this one belongs to, in the same namespace or outside namespaces.
  apiVersion!: The group and version of the owner.
  kind!: The kind of the owner.
  name!: The name of the owner.
  uid!: The uid of the owner. Another object of the same name is not the owner.
  controller: Whether the owner is the controller that manages this object. At most one may be.
  blockOwnerDeletion: Whether a foreground deletion of the owner waits until this object is gone. Default false.
meta.Status < any.Kind: The answer to a request that has no object to show.
  metadata: What every list carries.
  status: "Success" or "Failure".
  message: What happened, for people.
  reason: One word for programs: NotFound, AlreadyExists, Conflict, Invalid, Forbidden and so on.
  details: More about a failure, depending on the reason.
  code: The HTTP status code.
meta.StatusCause: One cause of a failure.
  reason: One word for programs.
  message: What is wrong, for people.
  field: The path of the field that is wrong, such as "spec.ports[0].port".
meta.StatusDetails: More about a failure.
  name: The name of the object that the request was about.
  group: The API group of that object.
  kind: The resource of that object.
  causes: Each single cause, where there are several.
  retryAfterSeconds: After how many seconds it makes sense to try again.
  uid: The uid of that object.
`;
