/** Services, endpoints and Ingresses, in the notation of `texts.ts`. */
export const serviceTexts = `
core.v1.Service < any.Kind: A stable name and address for a changing set of endpoints, mostly Pods.
  spec: Which ports are offered, under which addresses, and which Pods stand behind them.
  status: The addresses that a load balancer gave the Service.
core.v1.ServiceSpec: What a Service offers, and to whom.
  ports: The ports the Service offers. Needed except for headless Services and type ExternalName.
  selector: Labels of the Pods behind the Service. Without it nothing is chosen, and EndpointSlices are kept by hand.
    Ignored for type ExternalName.
  clusterIP: The address inside the cluster: chosen by the server when left out, "None" for a headless Service. It cannot
    change while the type stays.
  clusterIPs: All addresses inside the cluster, at most one of each IP family. The first is the same as clusterIP.
  type[ClusterIP ExternalName LoadBalancer NodePort]: How the Service is reached. Default ClusterIP; NodePort adds a port on
    every node, LoadBalancer an address from outside on top of that, ExternalName is only another name in DNS.
  externalIPs: Further addresses, routed to nodes by someone else, that nodes accept for the Service's ports.
  sessionAffinity[ClientIP None]: ClientIP keeps a client with the same endpoint. Default None.
  sessionAffinityConfig: How long a client stays with its endpoint.
  loadBalancerIP: A wish for the load balancer's address. Deprecated: it says nothing of IP families.
  loadBalancerSourceRanges: Networks, such as "192.0.2.0/24", whose clients may use the load balancer. Empty allows all.
  externalName: The name that a Service of type ExternalName is an alias of. A lower-case DNS name; needed for that type.
  externalTrafficPolicy[Cluster Local]: Where traffic from outside goes: to any endpoint (Cluster, the default), or only to
    endpoints on the node it arrived at (Local), which then see the client's own address.
  internalTrafficPolicy[Cluster Local]: Where traffic from inside goes: to any endpoint (Cluster, the default), or only to
    endpoints on the client's node (Local).
  healthCheckNodePort: The node port that answers load balancers whether a node has endpoints. Chosen by the server for type
    LoadBalancer with externalTrafficPolicy Local; it cannot change.
  publishNotReadyAddresses: Whether endpoints that are not ready count as ready, also in DNS. Default false.
  ipFamilyPolicy[PreferDualStack RequireDualStack SingleStack]: Whether the Service gets one IP family or two. Default
    SingleStack.
  ipFamilies: The IP families, IPv4 or IPv6, at most two. The first is the main one and cannot change.
  allocateLoadBalancerNodePorts: Whether a Service of type LoadBalancer gets node ports too. Default true.
  loadBalancerClass: The kind of load balancer that is to serve the Service, such as "example.com/internal". Cannot change.
  trafficDistribution: A wish for near endpoints: PreferSameZone (also written PreferClose) or PreferSameNode. Absent:
    all endpoints are alike.
core.v1.ServicePort: One port that a Service offers.
  name: The name of the port, a DNS label. Needed when there are several ports.
  protocol[SCTP TCP UDP]: The protocol of the port. Default TCP.
  port!: The port of the Service, from 1 to 65535.
  targetPort: The port of the Pods: a number, or the name of a container port. Default: the same as port. Ignored for
    headless Services.
  nodePort: The port on every node, for types NodePort and LoadBalancer. Chosen by the server when left out, from 30000 to
    32767 unless the range is set otherwise.
  appProtocol: What is spoken over the port, such as "http" or "kubernetes.io/h2c". A hint for programs that can use it.
core.v1.SessionAffinityConfig: How session affinity is kept.
  clientIP: Settings of affinity by the client's address.
core.v1.ClientIPConfig: Settings of affinity by the client's address.
  timeoutSeconds: How long after its last connection a client still gets the same endpoint, from 1 to 86400 seconds. Default
    10800, three hours.
core.v1.ServiceStatus: What is known of a Service.
  loadBalancer: The addresses that a load balancer gave the Service.
  conditions: The state of the Service in aspects.
core.v1.LoadBalancerStatus: The addresses of a load balancer.
  ingress: The addresses that clients may use.
core.v1.LoadBalancerIngress: One address of a load balancer: an IP address or a name.
  ip: The IP address.
  hostname: The DNS name.
  ipMode: VIP when traffic arrives at nodes with this destination address (the default for an ip), Proxy when the load
    balancer puts the node's or Pod's address in its place.
  ports: The state of the Service's ports at this address.
core.v1.PortStatus: The state of one port at a load balancer.
  port!: The port of the Service.
  protocol![SCTP TCP UDP]: The protocol of the port.
  error: Why the port does not work: one word in CamelCase, with a domain before it unless it is well known.
core.v1.Endpoints < any.Kind: The addresses behind a Service, in the old form. Deprecated for EndpointSlice, which has room
    for more addresses and more to say of each.
  subsets: The addresses, grouped by the ports they share.
core.v1.EndpointSubset: Addresses with the ports that each of them offers.
  addresses: The addresses that are ready.
  notReadyAddresses: The addresses that are not ready now.
  ports: The ports that every address offers.
core.v1.EndpointAddress: One address.
  ip!: The IP address. Loopback and link-local addresses are refused.
  hostname: The name of the endpoint in DNS, below that of the Service.
  nodeName: The node that the endpoint is on.
  targetRef: The object that gives the endpoint, mostly a Pod.
core.v1.EndpointPort: One port of the addresses.
  name: The name of the Service's port. May be empty only if there is a single port.
  port!: The number of the port.
  protocol[SCTP TCP UDP]: The protocol. Default TCP.
  appProtocol: What is spoken over the port, as in the Service.
discovery.v1.EndpointSlice < any.Kind: A part of the addresses behind a Service. Slices belong to the Service that their
    label "kubernetes.io/service-name" names.
  addressType![FQDN IPv4 IPv6]: What the addresses are. It cannot change.
  endpoints!: The endpoints, at most 1000.
  ports: The ports that every endpoint offers, at most 20000, each name once. Empty: there are none.
discovery.v1.Endpoint: One endpoint behind a Service.
  addresses!: The addresses of the endpoint, from 1 to 100 of the slice's type. Proxies use the first.
  conditions: Whether the endpoint is ready, serves, and is about to end.
  hostname: The name of the endpoint in DNS, below that of the Service. A DNS label.
  targetRef: The object that gives the endpoint, mostly a Pod.
  deprecatedTopology: Labels of the endpoint's place in the old form. Read only.
  nodeName: The node that the endpoint is on.
  zone: The zone that the endpoint is in.
  hints: Which clients should use the endpoint.
discovery.v1.EndpointConditions: The state of an endpoint.
  ready: Whether the endpoint takes new connections. Absent counts as true. False while it is ending.
  serving: Like ready, but also true for an endpoint that still works while it is ending. Absent: the same as ready.
  terminating: Whether the endpoint is about to end. Absent counts as false.
discovery.v1.EndpointHints: Which clients should use an endpoint.
  forZones: The zones whose clients should use it, at most 8.
  forNodes: The nodes whose clients should use it, at most 8.
discovery.v1.ForZone: A zone.
  name!: The name of the zone.
discovery.v1.ForNode: A node.
  name!: The name of the node.
discovery.v1.EndpointPort: One port of the endpoints of a slice.
  name: The name of the Service's port: empty or a DNS label, each once in a slice.
  protocol: The protocol: TCP (the default), UDP or SCTP.
  port: The number of the port. Absent: no port is meant in particular.
  appProtocol: What is spoken over the port, as in the Service.
networking.v1.Ingress < any.Kind: Rules by which HTTP requests from outside reach Services, by host name and path.
  spec: The rules, certificates and the class.
  status: The addresses under which the rules are served.
networking.v1.IngressSpec: What an Ingress wants. It needs rules or a default backend.
  ingressClassName: The IngressClass, and with it the controller, that serves this Ingress. Filled with the default class
    where neither it nor the annotation "kubernetes.io/ingress.class" is given.
  defaultBackend: Where requests go that no rule matches. Needed when there are no rules.
  tls: Host names with their certificates.
  rules: What is served for which host. A request that none matches goes to the default backend.
networking.v1.IngressTLS: Host names that share a certificate.
  hosts: The names the certificate is for. Empty: those of the rules.
  secretName: The Secret of type kubernetes.io/tls, in the same namespace, with certificate and key. Absent: the controller's
    own certificate.
networking.v1.IngressRule: What is served for one host.
  host: A DNS name without port, or a wildcard for one label such as "*.example.com". Empty matches every host.
  http: The paths of the host. Absent: everything goes to the default backend.
networking.v1.HTTPIngressRuleValue: The paths of a host.
  paths!: The paths. The longest that matches wins; between equals, an Exact one.
networking.v1.HTTPIngressPath: A path and where its requests go.
  path: The path, starting with "/". May be left out only with pathType ImplementationSpecific.
  pathType![Exact ImplementationSpecific Prefix]: How the path is compared: Exact as it stands, Prefix element by element
    between slashes, ImplementationSpecific as the controller sees fit.
  backend!: Where the requests go.
networking.v1.IngressBackend: Where requests go: a Service or another object, not both.
  service: A port of a Service in the same namespace.
  resource: An object of another kind in the same namespace, which the controller must know.
networking.v1.IngressServiceBackend: A port of a Service.
  name!: The name of the Service, in the namespace of the Ingress.
  port: The port of the Service, by number or by name.
networking.v1.ServiceBackendPort: A port, by number or by name, not both.
  name: The name of the port.
  number: The number of the port.
networking.v1.IngressStatus: What is known of an Ingress.
  loadBalancer: The addresses under which the Ingress is served.
networking.v1.IngressLoadBalancerStatus: The addresses of an Ingress.
  ingress: The addresses that clients may use.
networking.v1.IngressLoadBalancerIngress: One address of an Ingress: an IP address or a name.
  ip: The IP address.
  hostname: The DNS name.
  ports: The state of the ports at this address.
networking.v1.IngressPortStatus < core.v1.PortStatus: The state of one port.
  port!: The number of the port.
networking.v1.IngressClass < any.Kind: A way to serve Ingresses. The annotation "ingressclass.kubernetes.io/is-default-class"
    with the value "true" makes it the one for Ingresses that name none.
  spec: Which controller serves the class, and with which parameters.
networking.v1.IngressClassSpec: Which controller serves a class.
  controller: The name of the controller with its domain, such as "example.com/controller", at most 250 characters. It
    cannot change.
  parameters: An object with settings for the controller.
networking.v1.IngressClassParametersReference: An object with settings of a class.
  apiGroup: The group of the object; absent for the core group.
  kind!: The kind of the object.
  name!: The name of the object.
  scope: "Cluster" (the default) for an object outside namespaces, "Namespace" for one inside.
  namespace: The namespace of the object. Needed with scope Namespace, refused with Cluster.
networking.v1.ServiceCIDR < any.Kind: A range of addresses that Services get their cluster IPs from.
  spec: The range.
  status: Whether addresses may be taken from the range.
networking.v1.ServiceCIDRSpec: A range of addresses.
  cidrs: The networks, such as "10.96.0.0/12", at most one of each IP family. They cannot change.
networking.v1.ServiceCIDRStatus: What is known of a range.
  conditions: The state of the range in aspects: Ready.
networking.v1.IPAddress < any.Kind: An address that is taken. Its name is the address in its shortest spelling.
  spec: Who has taken it.
networking.v1.IPAddressSpec: Who has taken an address.
  parentRef!: The object that has taken it, mostly a Service. It cannot change.
networking.v1.ParentReference: An object.
  group: The group of the object; absent for the core group.
  resource!: The resource of the object, such as "services".
  namespace: The namespace of the object; absent outside namespaces.
  name!: The name of the object.
networking.v1beta1.Ingress < networking.v1.Ingress: Rules by which HTTP requests from outside reach Services, in the form
    that networking.k8s.io/v1 replaced.
networking.v1beta1.IngressSpec < networking.v1.IngressSpec: What an Ingress wants. It needs rules or a backend.
  backend: Where requests go that no rule matches. Needed when there are no rules.
networking.v1beta1.IngressTLS < networking.v1.IngressTLS: Host names that share a certificate.
networking.v1beta1.IngressRule < networking.v1.IngressRule: What is served for one host.
networking.v1beta1.HTTPIngressRuleValue < networking.v1.HTTPIngressRuleValue: The paths of a host.
networking.v1beta1.HTTPIngressPath < networking.v1.HTTPIngressPath: A path and where its requests go.
  pathType: How the path is compared: Exact as it stands, Prefix element by element between slashes,
    ImplementationSpecific (the default) as the controller sees fit.
networking.v1beta1.IngressBackend: Where requests go: a Service or another object, not both.
  serviceName: The name of the Service, in the namespace of the Ingress.
  servicePort: The port of the Service, by number or by name.
  resource: An object of another kind in the same namespace, which the controller must know.
networking.v1beta1.IngressStatus < networking.v1.IngressStatus: What is known of an Ingress.
networking.v1beta1.IngressLoadBalancerStatus < networking.v1.IngressLoadBalancerStatus: The addresses of an Ingress.
networking.v1beta1.IngressLoadBalancerIngress < networking.v1.IngressLoadBalancerIngress: One address of an Ingress.
networking.v1beta1.IngressPortStatus < networking.v1.IngressPortStatus: The state of one port.
extensions.v1beta1.Ingress < networking.v1beta1.Ingress: Rules by which HTTP requests from outside reach Services, in the
    oldest form, which networking.k8s.io/v1 replaced.
extensions.v1beta1.IngressSpec < networking.v1beta1.IngressSpec: What an Ingress wants. It needs rules or a backend.
extensions.v1beta1.IngressTLS < networking.v1.IngressTLS: Host names that share a certificate.
extensions.v1beta1.IngressRule < networking.v1.IngressRule: What is served for one host.
extensions.v1beta1.HTTPIngressRuleValue < networking.v1.HTTPIngressRuleValue: The paths of a host.
extensions.v1beta1.HTTPIngressPath < networking.v1beta1.HTTPIngressPath: A path and where its requests go.
extensions.v1beta1.IngressBackend < networking.v1beta1.IngressBackend: Where requests go: a Service or another object.
extensions.v1beta1.IngressStatus < networking.v1.IngressStatus: What is known of an Ingress.
extensions.v1beta1.IngressLoadBalancerStatus < networking.v1.IngressLoadBalancerStatus: The addresses of an Ingress.
extensions.v1beta1.IngressLoadBalancerIngress < networking.v1.IngressLoadBalancerIngress: One address of an Ingress.
extensions.v1beta1.IngressPortStatus < networking.v1.IngressPortStatus: The state of one port.
`;
