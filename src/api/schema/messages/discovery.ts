/** The group `discovery.k8s.io`, in the notation of `message.ts`. */
export const discoveryMessages = `
discovery.v1.Endpoint: addresses=1:[] conditions=2:discovery.v1.EndpointConditions hostname=3
  targetRef=4:ObjectReference deprecatedTopology=5:{} nodeName=6 zone=7 hints=8:discovery.v1.EndpointHints
discovery.v1.EndpointConditions: ready=1:b serving=2:b terminating=3:b
discovery.v1.EndpointHints: forZones=1:[]discovery.v1.ForZone forNodes=2:[]discovery.v1.ForNode
discovery.v1.EndpointPort: name=1 protocol=2 port=3:i appProtocol=4
discovery.v1.EndpointSlice: metadata=1:meta.ObjectMeta+ endpoints=2:[]discovery.v1.Endpoint
  ports=3:[]discovery.v1.EndpointPort addressType=4
discovery.v1.ForNode: name=1
discovery.v1.ForZone: name=1
`;
