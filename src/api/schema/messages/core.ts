/** The core group and `events.k8s.io`, in the notation of `message.ts`. */
export const coreMessages = `
core.v1.AWSElasticBlockStoreVolumeSource: volumeID=1 fsType=2 partition=3:i0 readOnly=4:b0
core.v1.Affinity: nodeAffinity=1:NodeAffinity podAffinity=2:PodAffinity podAntiAffinity=3:PodAntiAffinity
core.v1.AppArmorProfile: type=1 localhostProfile=2
core.v1.AttachedVolume: name=1 devicePath=2
core.v1.AzureDiskVolumeSource: diskName=1 diskURI=2 cachingMode=3 fsType=4 readOnly=5:b kind=6
core.v1.AzureFileVolumeSource: secretName=1 shareName=2 readOnly=3:b0
core.v1.Binding: metadata=1:meta.ObjectMeta+ target=2:ObjectReference
core.v1.CSIVolumeSource: driver=1 readOnly=2:b fsType=3 volumeAttributes=4:{}
  nodePublishSecretRef=5:LocalObjectReference
core.v1.Capabilities: add=1:[] drop=2:[]
core.v1.CephFSVolumeSource: monitors=1:[] path=2 user=3 secretFile=4 secretRef=5:LocalObjectReference readOnly=6:b0
core.v1.CinderVolumeSource: volumeID=1 fsType=2 readOnly=3:b0 secretRef=4:LocalObjectReference
core.v1.ClientIPConfig: timeoutSeconds=1:i
core.v1.ClusterTrustBundleProjection: name=1 signerName=2 labelSelector=3:meta.LabelSelector path=4 optional=5:b
core.v1.ConfigMap: metadata=1:meta.ObjectMeta+ data=2:{} binaryData=3:{}y immutable=4:b
core.v1.ConfigMapEnvSource: =1:LocalObjectReference optional=2:b
core.v1.ConfigMapKeySelector: =1:LocalObjectReference key=2 optional=3:b
core.v1.ConfigMapNodeConfigSource: namespace=1 name=2 uid=3 resourceVersion=4 kubeletConfigKey=5
core.v1.ConfigMapProjection: =1:LocalObjectReference items=2:[]KeyToPath optional=4:b
core.v1.ConfigMapVolumeSource: =1:LocalObjectReference items=2:[]KeyToPath defaultMode=3:i optional=4:b
core.v1.Container: name=1 image=2 command=3:[] args=4:[] workingDir=5 ports=6:[]ContainerPort env=7:[]EnvVar
  resources=8:ResourceRequirements+ volumeMounts=9:[]VolumeMount livenessProbe=10:Probe readinessProbe=11:Probe
  lifecycle=12:Lifecycle terminationMessagePath=13 imagePullPolicy=14 securityContext=15:SecurityContext stdin=16:b0
  stdinOnce=17:b0 tty=18:b0 envFrom=19:[]EnvFromSource terminationMessagePolicy=20 volumeDevices=21:[]VolumeDevice
  startupProbe=22:Probe resizePolicy=23:[]ContainerResizePolicy restartPolicy=24
  restartPolicyRules=25:[]ContainerRestartRule
core.v1.ContainerExtendedResourceRequest: containerName=1 resourceName=2 requestName=3
core.v1.ContainerImage: names=1:[] sizeBytes=2:l0
core.v1.ContainerPort: name=1 hostPort=2:i0 containerPort=3:i protocol=4 hostIP=5
core.v1.ContainerResizePolicy: resourceName=1 restartPolicy=2
core.v1.ContainerRestartRule: action=1 exitCodes=2:ContainerRestartRuleOnExitCodes
core.v1.ContainerRestartRuleOnExitCodes: operator=1 values=2:[]i
core.v1.ContainerState: waiting=1:ContainerStateWaiting running=2:ContainerStateRunning
  terminated=3:ContainerStateTerminated
core.v1.ContainerStateRunning: startedAt=1:meta.Time
core.v1.ContainerStateTerminated: exitCode=1:i signal=2:i0 reason=3 message=4 startedAt=5:meta.Time
  finishedAt=6:meta.Time containerID=7
core.v1.ContainerStateWaiting: reason=1 message=2
core.v1.ContainerStatus: name=1 state=2:ContainerState lastState=3:ContainerState ready=4:b restartCount=5:i image=6
  imageID=7 containerID=8 started=9:b allocatedResources=10:{}api.resource.Quantity
  resources=11:ResourceRequirements volumeMounts=12:[]VolumeMountStatus user=13:ContainerUser
  allocatedResourcesStatus=14:[]ResourceStatus stopSignal=15
core.v1.ContainerUser: linux=1:LinuxContainerUser
core.v1.DaemonEndpoint: Port=1:i
core.v1.DownwardAPIProjection: items=1:[]DownwardAPIVolumeFile
core.v1.DownwardAPIVolumeFile: path=1 fieldRef=2:ObjectFieldSelector resourceFieldRef=3:ResourceFieldSelector
  mode=4:i
core.v1.DownwardAPIVolumeSource: items=1:[]DownwardAPIVolumeFile defaultMode=2:i
core.v1.EmptyDirVolumeSource: medium=1 sizeLimit=2:api.resource.Quantity
core.v1.EndpointAddress: ip=1 targetRef=2:ObjectReference hostname=3 nodeName=4
core.v1.EndpointPort: name=1 port=2:i protocol=3 appProtocol=4
core.v1.EndpointSubset: addresses=1:[]EndpointAddress notReadyAddresses=2:[]EndpointAddress ports=3:[]EndpointPort
core.v1.Endpoints: metadata=1:meta.ObjectMeta+ subsets=2:[]EndpointSubset
core.v1.EnvFromSource: prefix=1 configMapRef=2:ConfigMapEnvSource secretRef=3:SecretEnvSource
core.v1.EnvVar: name=1 value=2 valueFrom=3:EnvVarSource
core.v1.EnvVarSource: fieldRef=1:ObjectFieldSelector resourceFieldRef=2:ResourceFieldSelector
  configMapKeyRef=3:ConfigMapKeySelector secretKeyRef=4:SecretKeySelector fileKeyRef=5:FileKeySelector
core.v1.EphemeralContainer: =1:EphemeralContainerCommon targetContainerName=2
core.v1.EphemeralContainerCommon: name=1 image=2 command=3:[] args=4:[] workingDir=5 ports=6:[]ContainerPort
  env=7:[]EnvVar resources=8:ResourceRequirements+ volumeMounts=9:[]VolumeMount livenessProbe=10:Probe
  readinessProbe=11:Probe lifecycle=12:Lifecycle terminationMessagePath=13 imagePullPolicy=14
  securityContext=15:SecurityContext stdin=16:b0 stdinOnce=17:b0 tty=18:b0 envFrom=19:[]EnvFromSource
  terminationMessagePolicy=20 volumeDevices=21:[]VolumeDevice startupProbe=22:Probe
  resizePolicy=23:[]ContainerResizePolicy restartPolicy=24 restartPolicyRules=25:[]ContainerRestartRule
core.v1.EphemeralVolumeSource: volumeClaimTemplate=1:PersistentVolumeClaimTemplate
core.v1.Event: metadata=1:meta.ObjectMeta+ involvedObject=2:ObjectReference reason=3 message=4 source=5:EventSource+
  firstTimestamp=6:meta.Time lastTimestamp=7:meta.Time count=8:i0 type=9 eventTime=10:meta.MicroTime
  series=11:EventSeries action=12 related=13:ObjectReference reportingComponent=14 reportingInstance=15
core.v1.EventSeries: count=1:i0 lastObservedTime=2:meta.MicroTime
core.v1.EventSource: component=1 host=2
core.v1.ExecAction: command=1:[]
core.v1.FCVolumeSource: targetWWNs=1:[] lun=2:i fsType=3 readOnly=4:b0 wwids=5:[]
core.v1.FileKeySelector: volumeName=1 path=2 key=3 optional=4:b
core.v1.FlexVolumeSource: driver=1 fsType=2 secretRef=3:LocalObjectReference readOnly=4:b0 options=5:{}
core.v1.FlockerVolumeSource: datasetName=1 datasetUUID=2
core.v1.GCEPersistentDiskVolumeSource: pdName=1 fsType=2 partition=3:i0 readOnly=4:b0
core.v1.GRPCAction: port=1:i service=2
core.v1.GitRepoVolumeSource: repository=1 revision=2 directory=3
core.v1.GlusterfsVolumeSource: endpoints=1 path=2 readOnly=3:b0
core.v1.HTTPGetAction: path=1 port=2:util.intstr.IntOrString host=3 scheme=4 httpHeaders=5:[]HTTPHeader
core.v1.HTTPHeader: name=1 value=2
core.v1.HostAlias: ip=1 hostnames=2:[]
core.v1.HostIP: ip=1
core.v1.HostPathVolumeSource: path=1 type=2
core.v1.ISCSIVolumeSource: targetPortal=1 iqn=2 lun=3:i iscsiInterface=4 fsType=5 readOnly=6:b0 portals=7:[]
  chapAuthDiscovery=8:b0 secretRef=10:LocalObjectReference chapAuthSession=11:b0 initiatorName=12
core.v1.ImageVolumeSource: reference=1 pullPolicy=2
core.v1.ImageVolumeStatus: imageRef=1
core.v1.KeyToPath: key=1 path=2 mode=3:i
core.v1.Lifecycle: postStart=1:LifecycleHandler preStop=2:LifecycleHandler stopSignal=3
core.v1.LifecycleHandler: exec=1:ExecAction httpGet=2:HTTPGetAction tcpSocket=3:TCPSocketAction sleep=4:SleepAction
core.v1.LinuxContainerUser: uid=1:l gid=2:l supplementalGroups=3:[]l
core.v1.LoadBalancerIngress: ip=1 hostname=2 ipMode=3 ports=4:[]PortStatus
core.v1.LoadBalancerStatus: ingress=1:[]LoadBalancerIngress
core.v1.LocalObjectReference: name=1
core.v1.NFSVolumeSource: server=1 path=2 readOnly=3:b0
core.v1.Namespace: metadata=1:meta.ObjectMeta+ spec=2:NamespaceSpec+ status=3:NamespaceStatus+
core.v1.NamespaceCondition: type=1 status=2 lastTransitionTime=4:meta.Time reason=5 message=6
core.v1.NamespaceSpec: finalizers=1:[]
core.v1.NamespaceStatus: phase=1 conditions=2:[]NamespaceCondition
core.v1.Node: metadata=1:meta.ObjectMeta+ spec=2:NodeSpec+ status=3:NodeStatus+
core.v1.NodeAddress: type=1 address=2
core.v1.NodeAffinity: requiredDuringSchedulingIgnoredDuringExecution=1:NodeSelector
  preferredDuringSchedulingIgnoredDuringExecution=2:[]PreferredSchedulingTerm
core.v1.NodeAllocatableResourceClaimStatus: resourceClaimName=1 containers=2:[] resources=3:{}api.resource.Quantity
core.v1.NodeCondition: type=1 status=2 lastHeartbeatTime=3:meta.Time lastTransitionTime=4:meta.Time reason=5
  message=6
core.v1.NodeConfigSource: configMap=2:ConfigMapNodeConfigSource
core.v1.NodeConfigStatus: assigned=1:NodeConfigSource active=2:NodeConfigSource lastKnownGood=3:NodeConfigSource
  error=4
core.v1.NodeDaemonEndpoints: kubeletEndpoint=1:DaemonEndpoint+
core.v1.NodeFeatures: supplementalGroupsPolicy=1:b
core.v1.NodeRuntimeHandler: name=1 features=2:NodeRuntimeHandlerFeatures
core.v1.NodeRuntimeHandlerFeatures: recursiveReadOnlyMounts=1:b userNamespaces=2:b
core.v1.NodeSelector: nodeSelectorTerms=1:[]NodeSelectorTerm
core.v1.NodeSelectorRequirement: key=1 operator=2 values=3:[]
core.v1.NodeSelectorTerm: matchExpressions=1:[]NodeSelectorRequirement matchFields=2:[]NodeSelectorRequirement
core.v1.NodeSpec: podCIDR=1 externalID=2 providerID=3 unschedulable=4:b0 taints=5:[]Taint
  configSource=6:NodeConfigSource podCIDRs=7:[]
core.v1.NodeStatus: capacity=1:{}api.resource.Quantity allocatable=2:{}api.resource.Quantity phase=3
  conditions=4:[]NodeCondition addresses=5:[]NodeAddress daemonEndpoints=6:NodeDaemonEndpoints+
  nodeInfo=7:NodeSystemInfo+ images=8:[]ContainerImage volumesInUse=9:[] volumesAttached=10:[]AttachedVolume
  config=11:NodeConfigStatus runtimeHandlers=12:[]NodeRuntimeHandler features=13:NodeFeatures declaredFeatures=14:[]
core.v1.NodeSwapStatus: capacity=1:l
core.v1.NodeSystemInfo: machineID=1 systemUUID=2 bootID=3 kernelVersion=4 osImage=5 containerRuntimeVersion=6
  kubeletVersion=7 kubeProxyVersion=8 operatingSystem=9 architecture=10 swap=11:NodeSwapStatus
core.v1.ObjectFieldSelector: apiVersion=1 fieldPath=2
core.v1.ObjectReference: kind=1 namespace=2 name=3 uid=4 apiVersion=5 resourceVersion=6 fieldPath=7
core.v1.PersistentVolumeClaimSpec: accessModes=1:[] resources=2:VolumeResourceRequirements volumeName=3
  selector=4:meta.LabelSelector storageClassName=5 volumeMode=6 dataSource=7:TypedLocalObjectReference
  dataSourceRef=8:TypedObjectReference volumeAttributesClassName=9
core.v1.PersistentVolumeClaimTemplate: metadata=1:meta.ObjectMeta+ spec=2:PersistentVolumeClaimSpec
core.v1.PersistentVolumeClaimVolumeSource: claimName=1 readOnly=2:b0
core.v1.PhotonPersistentDiskVolumeSource: pdID=1 fsType=2
core.v1.Pod: metadata=1:meta.ObjectMeta+ spec=2:PodSpec+ status=3:PodStatus+
core.v1.PodAffinity: requiredDuringSchedulingIgnoredDuringExecution=1:[]PodAffinityTerm
  preferredDuringSchedulingIgnoredDuringExecution=2:[]WeightedPodAffinityTerm
core.v1.PodAffinityTerm: labelSelector=1:meta.LabelSelector namespaces=2:[] topologyKey=3
  namespaceSelector=4:meta.LabelSelector matchLabelKeys=5:[] mismatchLabelKeys=6:[]
core.v1.PodAntiAffinity: requiredDuringSchedulingIgnoredDuringExecution=1:[]PodAffinityTerm
  preferredDuringSchedulingIgnoredDuringExecution=2:[]WeightedPodAffinityTerm
core.v1.PodCertificateProjection: signerName=1 keyType=2 maxExpirationSeconds=3:i credentialBundlePath=4 keyPath=5
  certificateChainPath=6 userAnnotations=7:{}
core.v1.PodCondition: type=1 status=2 lastProbeTime=3:meta.Time lastTransitionTime=4:meta.Time reason=5 message=6
  observedGeneration=7:l0
core.v1.PodDNSConfig: nameservers=1:[] searches=2:[] options=3:[]PodDNSConfigOption
core.v1.PodDNSConfigOption: name=1 value=2
core.v1.PodExtendedResourceClaimStatus: requestMappings=1:[]ContainerExtendedResourceRequest resourceClaimName=2
core.v1.PodIP: ip=1
core.v1.PodOS: name=1
core.v1.PodReadinessGate: conditionType=1
core.v1.PodResourceClaim: name=1 resourceClaimName=3 resourceClaimTemplateName=4
core.v1.PodResourceClaimStatus: name=1 resourceClaimName=2
core.v1.PodSchedulingGate: name=1
core.v1.PodSchedulingGroup: podGroupName=1
core.v1.PodSecurityContext: seLinuxOptions=1:SELinuxOptions runAsUser=2:l runAsNonRoot=3:b supplementalGroups=4:[]l
  fsGroup=5:l runAsGroup=6:l sysctls=7:[]Sysctl windowsOptions=8:WindowsSecurityContextOptions fsGroupChangePolicy=9
  seccompProfile=10:SeccompProfile appArmorProfile=11:AppArmorProfile supplementalGroupsPolicy=12
  seLinuxChangePolicy=13
core.v1.PodSpec: volumes=1:[]Volume containers=2:[]Container+ restartPolicy=3 terminationGracePeriodSeconds=4:l
  activeDeadlineSeconds=5:l dnsPolicy=6 nodeSelector=7:{} serviceAccountName=8 serviceAccount=9 nodeName=10
  hostNetwork=11:b0 hostPID=12:b0 hostIPC=13:b0 securityContext=14:PodSecurityContext
  imagePullSecrets=15:[]LocalObjectReference hostname=16 subdomain=17 affinity=18:Affinity schedulerName=19
  initContainers=20:[]Container automountServiceAccountToken=21:b tolerations=22:[]Toleration
  hostAliases=23:[]HostAlias priorityClassName=24 priority=25:i dnsConfig=26:PodDNSConfig shareProcessNamespace=27:b
  readinessGates=28:[]PodReadinessGate runtimeClassName=29 enableServiceLinks=30:b preemptionPolicy=31
  overhead=32:{}api.resource.Quantity topologySpreadConstraints=33:[]TopologySpreadConstraint
  ephemeralContainers=34:[]EphemeralContainer setHostnameAsFQDN=35:b os=36:PodOS hostUsers=37:b
  schedulingGates=38:[]PodSchedulingGate resourceClaims=39:[]PodResourceClaim resources=40:ResourceRequirements
  hostnameOverride=41 schedulingGroup=43:PodSchedulingGroup
core.v1.PodStatus: phase=1 conditions=2:[]PodCondition message=3 reason=4 hostIP=5 podIP=6 startTime=7:meta.Time
  containerStatuses=8:[]ContainerStatus qosClass=9 initContainerStatuses=10:[]ContainerStatus nominatedNodeName=11
  podIPs=12:[]PodIP ephemeralContainerStatuses=13:[]ContainerStatus resize=14
  resourceClaimStatuses=15:[]PodResourceClaimStatus hostIPs=16:[]HostIP observedGeneration=17:l0
  extendedResourceClaimStatus=18:PodExtendedResourceClaimStatus allocatedResources=19:{}api.resource.Quantity
  resources=20:ResourceRequirements nodeAllocatableResourceClaimStatuses=21:[]NodeAllocatableResourceClaimStatus
core.v1.PodTemplateSpec: metadata=1:meta.ObjectMeta+ spec=2:PodSpec+
core.v1.PortStatus: port=1:i protocol=2 error=3
core.v1.PortworxVolumeSource: volumeID=1 fsType=2 readOnly=3:b0
core.v1.PreferredSchedulingTerm: weight=1:i preference=2:NodeSelectorTerm
core.v1.Probe: =1:ProbeHandler initialDelaySeconds=2:i0 timeoutSeconds=3:i0 periodSeconds=4:i0 successThreshold=5:i0
  failureThreshold=6:i0 terminationGracePeriodSeconds=7:l
core.v1.ProbeHandler: exec=1:ExecAction httpGet=2:HTTPGetAction tcpSocket=3:TCPSocketAction grpc=4:GRPCAction
core.v1.ProjectedVolumeSource: sources=1:[]VolumeProjection defaultMode=2:i
core.v1.QuobyteVolumeSource: registry=1 volume=2 readOnly=3:b0 user=4 group=5 tenant=6
core.v1.RBDVolumeSource: monitors=1:[] image=2 fsType=3 pool=4 user=5 keyring=6 secretRef=7:LocalObjectReference
  readOnly=8:b0
core.v1.ResourceClaim: name=1 request=2
core.v1.ResourceFieldSelector: containerName=1 resource=2 divisor=3:api.resource.Quantity
core.v1.ResourceHealth: resourceID=1 health=2 message=6
core.v1.ResourceRequirements: limits=1:{}api.resource.Quantity requests=2:{}api.resource.Quantity
  claims=3:[]ResourceClaim
core.v1.ResourceStatus: name=1 resources=2:[]ResourceHealth
core.v1.SELinuxOptions: user=1 role=2 type=3 level=4
core.v1.ScaleIOVolumeSource: gateway=1 system=2 secretRef=3:LocalObjectReference sslEnabled=4:b0 protectionDomain=5
  storagePool=6 storageMode=7 volumeName=8 fsType=9 readOnly=10:b0
core.v1.SeccompProfile: type=1 localhostProfile=2
core.v1.Secret: metadata=1:meta.ObjectMeta+ data=2:{}y type=3 stringData=4:{} immutable=5:b
core.v1.SecretEnvSource: =1:LocalObjectReference optional=2:b
core.v1.SecretKeySelector: =1:LocalObjectReference key=2 optional=3:b
core.v1.SecretProjection: =1:LocalObjectReference items=2:[]KeyToPath optional=4:b
core.v1.SecretVolumeSource: secretName=1 items=2:[]KeyToPath defaultMode=3:i optional=4:b
core.v1.SecurityContext: capabilities=1:Capabilities privileged=2:b seLinuxOptions=3:SELinuxOptions runAsUser=4:l
  runAsNonRoot=5:b readOnlyRootFilesystem=6:b allowPrivilegeEscalation=7:b runAsGroup=8:l procMount=9
  windowsOptions=10:WindowsSecurityContextOptions seccompProfile=11:SeccompProfile
  appArmorProfile=12:AppArmorProfile
core.v1.Service: metadata=1:meta.ObjectMeta+ spec=2:ServiceSpec+ status=3:ServiceStatus+
core.v1.ServiceAccount: metadata=1:meta.ObjectMeta+ secrets=2:[]ObjectReference
  imagePullSecrets=3:[]LocalObjectReference automountServiceAccountToken=4:b
core.v1.ServiceAccountTokenProjection: audience=1 expirationSeconds=2:l path=3
core.v1.ServicePort: name=1 protocol=2 port=3:i targetPort=4:util.intstr.IntOrString nodePort=5:i0 appProtocol=6
core.v1.ServiceSpec: ports=1:[]ServicePort selector=2:{} clusterIP=3 type=4 externalIPs=5:[] sessionAffinity=7
  loadBalancerIP=8 loadBalancerSourceRanges=9:[] externalName=10 externalTrafficPolicy=11 healthCheckNodePort=12:i0
  publishNotReadyAddresses=13:b0 sessionAffinityConfig=14:SessionAffinityConfig ipFamilyPolicy=17 clusterIPs=18:[]
  ipFamilies=19:[] allocateLoadBalancerNodePorts=20:b loadBalancerClass=21 internalTrafficPolicy=22
  trafficDistribution=23
core.v1.ServiceStatus: loadBalancer=1:LoadBalancerStatus+ conditions=2:[]meta.Condition
core.v1.SessionAffinityConfig: clientIP=1:ClientIPConfig
core.v1.SleepAction: seconds=1:l
core.v1.StorageOSVolumeSource: volumeName=1 volumeNamespace=2 fsType=3 readOnly=4:b0 secretRef=5:LocalObjectReference
core.v1.Sysctl: name=1 value=2
core.v1.TCPSocketAction: port=1:util.intstr.IntOrString host=2
core.v1.Taint: key=1 value=2 effect=3 timeAdded=4:meta.Time
core.v1.Toleration: key=1 operator=2 value=3 effect=4 tolerationSeconds=5:l
core.v1.TopologySpreadConstraint: maxSkew=1:i topologyKey=2 whenUnsatisfiable=3 labelSelector=4:meta.LabelSelector
  minDomains=5:i nodeAffinityPolicy=6 nodeTaintsPolicy=7 matchLabelKeys=8:[]
core.v1.TypedLocalObjectReference: apiGroup=1 kind=2 name=3
core.v1.TypedObjectReference: apiGroup=1 kind=2 name=3 namespace=4
core.v1.Volume: name=1 =2:VolumeSource
core.v1.VolumeDevice: name=1 devicePath=2
core.v1.VolumeMount: name=1 readOnly=2:b0 mountPath=3 subPath=4 mountPropagation=5 subPathExpr=6 recursiveReadOnly=7
core.v1.VolumeMountStatus: name=1 mountPath=2 readOnly=3:b0 recursiveReadOnly=4 volumeStatus=5:VolumeStatus
core.v1.VolumeProjection: secret=1:SecretProjection downwardAPI=2:DownwardAPIProjection
  configMap=3:ConfigMapProjection serviceAccountToken=4:ServiceAccountTokenProjection
  clusterTrustBundle=5:ClusterTrustBundleProjection podCertificate=6:PodCertificateProjection
core.v1.VolumeResourceRequirements: limits=1:{}api.resource.Quantity requests=2:{}api.resource.Quantity
core.v1.VolumeSource: hostPath=1:HostPathVolumeSource emptyDir=2:EmptyDirVolumeSource
  gcePersistentDisk=3:GCEPersistentDiskVolumeSource awsElasticBlockStore=4:AWSElasticBlockStoreVolumeSource
  gitRepo=5:GitRepoVolumeSource secret=6:SecretVolumeSource nfs=7:NFSVolumeSource iscsi=8:ISCSIVolumeSource
  glusterfs=9:GlusterfsVolumeSource persistentVolumeClaim=10:PersistentVolumeClaimVolumeSource
  rbd=11:RBDVolumeSource flexVolume=12:FlexVolumeSource cinder=13:CinderVolumeSource cephfs=14:CephFSVolumeSource
  flocker=15:FlockerVolumeSource downwardAPI=16:DownwardAPIVolumeSource fc=17:FCVolumeSource
  azureFile=18:AzureFileVolumeSource configMap=19:ConfigMapVolumeSource
  vsphereVolume=20:VsphereVirtualDiskVolumeSource quobyte=21:QuobyteVolumeSource azureDisk=22:AzureDiskVolumeSource
  photonPersistentDisk=23:PhotonPersistentDiskVolumeSource portworxVolume=24:PortworxVolumeSource
  scaleIO=25:ScaleIOVolumeSource projected=26:ProjectedVolumeSource storageos=27:StorageOSVolumeSource
  csi=28:CSIVolumeSource ephemeral=29:EphemeralVolumeSource image=30:ImageVolumeSource
core.v1.VolumeStatus: image=1:ImageVolumeStatus
core.v1.VsphereVirtualDiskVolumeSource: volumePath=1 fsType=2 storagePolicyName=3 storagePolicyID=4
core.v1.WeightedPodAffinityTerm: weight=1:i podAffinityTerm=2:PodAffinityTerm
core.v1.WindowsSecurityContextOptions: gmsaCredentialSpecName=1 gmsaCredentialSpec=2 runAsUserName=3 hostProcess=4:b
events.v1.Event: metadata=1:meta.ObjectMeta+ eventTime=2:meta.MicroTime series=3:events.v1.EventSeries
  reportingController=4 reportingInstance=5 action=6 reason=7 regarding=8:ObjectReference related=9:ObjectReference
  note=10 type=11 deprecatedSource=12:EventSource deprecatedFirstTimestamp=13:meta.Time
  deprecatedLastTimestamp=14:meta.Time deprecatedCount=15:i0
events.v1.EventSeries: count=1:i lastObservedTime=2:meta.MicroTime
`;
