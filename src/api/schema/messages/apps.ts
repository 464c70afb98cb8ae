/** The group `apps`, in the notation of `message.ts`. */
export const appsMessages = `
apps.v1.ControllerRevision: metadata=1:meta.ObjectMeta+ data=2:runtime.RawExtension revision=3:l
apps.v1.DaemonSet: metadata=1:meta.ObjectMeta+ spec=2:apps.v1.DaemonSetSpec+ status=3:apps.v1.DaemonSetStatus+
apps.v1.DaemonSetCondition: type=1 status=2 lastTransitionTime=3:meta.Time reason=4 message=5
apps.v1.DaemonSetSpec: selector=1:meta.LabelSelector template=2:PodTemplateSpec+
  updateStrategy=3:apps.v1.DaemonSetUpdateStrategy+ minReadySeconds=4:i0 revisionHistoryLimit=6:i
apps.v1.DaemonSetStatus: currentNumberScheduled=1:i numberMisscheduled=2:i desiredNumberScheduled=3:i numberReady=4:i
  observedGeneration=5:l0 updatedNumberScheduled=6:i0 numberAvailable=7:i0 numberUnavailable=8:i0 collisionCount=9:i
  conditions=10:[]apps.v1.DaemonSetCondition
apps.v1.DaemonSetUpdateStrategy: type=1 rollingUpdate=2:apps.v1.RollingUpdateDaemonSet
apps.v1.Deployment: metadata=1:meta.ObjectMeta+ spec=2:apps.v1.DeploymentSpec+ status=3:apps.v1.DeploymentStatus+
apps.v1.DeploymentCondition: type=1 status=2 reason=4 message=5 lastUpdateTime=6:meta.Time
  lastTransitionTime=7:meta.Time
apps.v1.DeploymentSpec: replicas=1:i selector=2:meta.LabelSelector template=3:PodTemplateSpec+
  strategy=4:apps.v1.DeploymentStrategy+ minReadySeconds=5:i0 revisionHistoryLimit=6:i paused=7:b0
  progressDeadlineSeconds=9:i
apps.v1.DeploymentStatus: observedGeneration=1:l0 replicas=2:i0 updatedReplicas=3:i0 availableReplicas=4:i0
  unavailableReplicas=5:i0 conditions=6:[]apps.v1.DeploymentCondition readyReplicas=7:i0 collisionCount=8:i
  terminatingReplicas=9:i
apps.v1.DeploymentStrategy: type=1 rollingUpdate=2:apps.v1.RollingUpdateDeployment
apps.v1.ReplicaSet: metadata=1:meta.ObjectMeta+ spec=2:apps.v1.ReplicaSetSpec+ status=3:apps.v1.ReplicaSetStatus+
apps.v1.ReplicaSetCondition: type=1 status=2 lastTransitionTime=3:meta.Time reason=4 message=5
apps.v1.ReplicaSetSpec: replicas=1:i selector=2:meta.LabelSelector template=3:PodTemplateSpec+ minReadySeconds=4:i0
apps.v1.ReplicaSetStatus: replicas=1:i fullyLabeledReplicas=2:i0 observedGeneration=3:l0 readyReplicas=4:i0
  availableReplicas=5:i0 conditions=6:[]apps.v1.ReplicaSetCondition terminatingReplicas=7:i
apps.v1.RollingUpdateDaemonSet: maxUnavailable=1:util.intstr.IntOrString maxSurge=2:util.intstr.IntOrString
apps.v1.RollingUpdateDeployment: maxUnavailable=1:util.intstr.IntOrString maxSurge=2:util.intstr.IntOrString
`;
