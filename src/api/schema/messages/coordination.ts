/** The group `coordination.k8s.io`, in the notation of `message.ts`. */
export const coordinationMessages = `
coordination.v1.Lease: metadata=1:meta.ObjectMeta+ spec=2:coordination.v1.LeaseSpec+
coordination.v1.LeaseSpec: holderIdentity=1 leaseDurationSeconds=2:i acquireTime=3:meta.MicroTime
  renewTime=4:meta.MicroTime leaseTransitions=5:i strategy=6 preferredHolder=7
`;
