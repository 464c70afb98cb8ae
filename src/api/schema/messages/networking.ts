/** The group `networking.k8s.io`, and `extensions/v1beta1`, in the notation of `message.ts`. */
export const networkingMessages = `
extensions.v1beta1.HTTPIngressPath: path=1 backend=2:extensions.v1beta1.IngressBackend pathType=3
extensions.v1beta1.HTTPIngressRuleValue: paths=1:[]extensions.v1beta1.HTTPIngressPath
extensions.v1beta1.Ingress: metadata=1:meta.ObjectMeta+ spec=2:extensions.v1beta1.IngressSpec+
  status=3:extensions.v1beta1.IngressStatus+
extensions.v1beta1.IngressBackend: serviceName=1 servicePort=2:util.intstr.IntOrString
  resource=3:TypedLocalObjectReference
extensions.v1beta1.IngressLoadBalancerIngress: ip=1 hostname=2 ports=4:[]extensions.v1beta1.IngressPortStatus
extensions.v1beta1.IngressLoadBalancerStatus: ingress=1:[]extensions.v1beta1.IngressLoadBalancerIngress
extensions.v1beta1.IngressPortStatus: port=1:i protocol=2 error=3
extensions.v1beta1.IngressRule: host=1 =2:extensions.v1beta1.IngressRuleValue
extensions.v1beta1.IngressRuleValue: http=1:extensions.v1beta1.HTTPIngressRuleValue
extensions.v1beta1.IngressSpec: backend=1:extensions.v1beta1.IngressBackend tls=2:[]extensions.v1beta1.IngressTLS
  rules=3:[]extensions.v1beta1.IngressRule ingressClassName=4
extensions.v1beta1.IngressStatus: loadBalancer=1:extensions.v1beta1.IngressLoadBalancerStatus+
extensions.v1beta1.IngressTLS: hosts=1:[] secretName=2
networking.v1.HTTPIngressPath: path=1 backend=2:networking.v1.IngressBackend pathType=3
networking.v1.HTTPIngressRuleValue: paths=1:[]networking.v1.HTTPIngressPath
networking.v1.Ingress: metadata=1:meta.ObjectMeta+ spec=2:networking.v1.IngressSpec+
  status=3:networking.v1.IngressStatus+
networking.v1.IngressBackend: resource=3:TypedLocalObjectReference service=4:networking.v1.IngressServiceBackend
networking.v1.IngressClass: metadata=1:meta.ObjectMeta+ spec=2:networking.v1.IngressClassSpec+
networking.v1.IngressClassParametersReference: apiGroup=1 kind=2 name=3 scope=4 namespace=5
networking.v1.IngressClassSpec: controller=1 parameters=2:networking.v1.IngressClassParametersReference
networking.v1.IngressLoadBalancerIngress: ip=1 hostname=2 ports=4:[]networking.v1.IngressPortStatus
networking.v1.IngressLoadBalancerStatus: ingress=1:[]networking.v1.IngressLoadBalancerIngress
networking.v1.IngressPortStatus: port=1:i protocol=2 error=3
networking.v1.IngressRule: host=1 =2:networking.v1.IngressRuleValue
networking.v1.IngressRuleValue: http=1:networking.v1.HTTPIngressRuleValue
networking.v1.IngressServiceBackend: name=1 port=2:networking.v1.ServiceBackendPort
networking.v1.IngressSpec: defaultBackend=1:networking.v1.IngressBackend tls=2:[]networking.v1.IngressTLS
  rules=3:[]networking.v1.IngressRule ingressClassName=4
networking.v1.IngressStatus: loadBalancer=1:networking.v1.IngressLoadBalancerStatus+
networking.v1.IngressTLS: hosts=1:[] secretName=2
networking.v1.IPAddress: metadata=1:meta.ObjectMeta+ spec=2:networking.v1.IPAddressSpec+
networking.v1.IPAddressSpec: parentRef=1:networking.v1.ParentReference
networking.v1.ParentReference: group=1 resource=2 namespace=3 name=4
networking.v1.ServiceBackendPort: name=1 number=2:i0
networking.v1.ServiceCIDR: metadata=1:meta.ObjectMeta+ spec=2:networking.v1.ServiceCIDRSpec+
  status=3:networking.v1.ServiceCIDRStatus+
networking.v1.ServiceCIDRSpec: cidrs=1:[]
networking.v1.ServiceCIDRStatus: conditions=1:[]meta.Condition
networking.v1beta1.HTTPIngressPath: path=1 backend=2:networking.v1beta1.IngressBackend pathType=3
networking.v1beta1.HTTPIngressRuleValue: paths=1:[]networking.v1beta1.HTTPIngressPath
networking.v1beta1.Ingress: metadata=1:meta.ObjectMeta+ spec=2:networking.v1beta1.IngressSpec+
  status=3:networking.v1beta1.IngressStatus+
networking.v1beta1.IngressBackend: serviceName=1 servicePort=2:util.intstr.IntOrString
  resource=3:TypedLocalObjectReference
networking.v1beta1.IngressLoadBalancerIngress: ip=1 hostname=2 ports=4:[]networking.v1beta1.IngressPortStatus
networking.v1beta1.IngressLoadBalancerStatus: ingress=1:[]networking.v1beta1.IngressLoadBalancerIngress
networking.v1beta1.IngressPortStatus: port=1:i protocol=2 error=3
networking.v1beta1.IngressRule: host=1 =2:networking.v1beta1.IngressRuleValue
networking.v1beta1.IngressRuleValue: http=1:networking.v1beta1.HTTPIngressRuleValue
networking.v1beta1.IngressSpec: backend=1:networking.v1beta1.IngressBackend tls=2:[]networking.v1beta1.IngressTLS
  rules=3:[]networking.v1beta1.IngressRule ingressClassName=4
networking.v1beta1.IngressStatus: loadBalancer=1:networking.v1beta1.IngressLoadBalancerStatus+
networking.v1beta1.IngressTLS: hosts=1:[] secretName=2
`;
