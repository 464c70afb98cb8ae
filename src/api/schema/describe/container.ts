/** Containers, their probes, environment and state, in the notation of `texts.ts`. */
export const containerTexts = `
core.v1.Container: One container of a Pod.
  name!: The name, a DNS label, unique in the Pod. It cannot change.
  image: The image that is run, such as "example.com/web:1.2".
  imagePullPolicy[Always IfNotPresent Never]: When the image is pulled. Default Always for the tag "latest" or none, else
    IfNotPresent.
  command: The program and its first arguments, in place of the image's entry point. $(NAME) stands for the environment
    variable NAME, $$(NAME) for the text itself.
  args: The arguments, in place of those of the image. $(NAME) stands for the environment variable NAME.
  workingDir: The directory the program starts in. Default: what the image says.
  ports: Ports the container listens on. They inform, and give names; others can be reached as well.
  env: Environment variables.
  envFrom: Sources whose keys all become environment variables. Later ones win, and env wins over all.
  resources: What the container needs at least and may use at most.
  resizePolicy: Whether the container is started again when its resources change, for each resource.
  restartPolicy: Only for init containers: Always lets one run beside the other containers until they have ended.
  restartPolicyRules: Rules by exit code that come before restartPolicy. At most 20.
  volumeMounts: Which volumes are mounted where.
  volumeDevices: Which volumes are given as block devices.
  livenessProbe: A check; when it fails, the container is started again.
  readinessProbe: A check; while it fails, Services do not send traffic to the Pod.
  startupProbe: A check that must have succeeded once before the other two begin. When it fails, the container is started
    again.
  lifecycle: What is done after the start and before the end.
  terminationMessagePath: The file whose content becomes the container's last message, at most 4096 bytes. Default
    "/dev/termination-log".
  terminationMessagePolicy[FallbackToLogsOnError File]: Whether the end of the log is used when that file is empty and the
    container failed. Default File: no.
  securityContext: Rights and confinement of the container.
  stdin: Whether the container's input is kept open for "kubectl attach". Default false.
  stdinOnce: Whether the input ends when the first one attached leaves. Default false.
  tty: Whether the container gets a terminal. Needs stdin. Default false.
core.v1.EphemeralContainer < core.v1.Container: A container added to a running Pod to look into it. It has no ports, probes,
    resources or lifecycle, and is not started again.
  targetContainerName: The container whose processes it sees. Absent: those of the Pod's own namespace.
core.v1.ContainerPort: A port that a container listens on.
  name: A name that Services can refer to, at most 15 characters, unique in the Pod.
  containerPort!: The port, from 1 to 65535.
  hostPort: The same port on the node. Seldom needed.
  hostIP: The address of the node that hostPort is bound to.
  protocol[SCTP TCP UDP]: The protocol. Default TCP.
core.v1.EnvVar: An environment variable.
  name!: The name.
  value: The value. $(NAME) stands for a variable set before, $$(NAME) for the text itself. Default empty.
  valueFrom: Where the value comes from. Not together with value.
core.v1.EnvVarSource: Where a value comes from: exactly one source.
  fieldRef: A field of the Pod: metadata.name, metadata.namespace, metadata.uid, metadata.labels['KEY'],
    metadata.annotations['KEY'], spec.nodeName, spec.serviceAccountName, status.hostIP, status.hostIPs, status.podIP or
    status.podIPs.
  resourceFieldRef: A limit or request of a container.
  configMapKeyRef: A key of a ConfigMap.
  secretKeyRef: A key of a Secret.
  fileKeyRef: A key of a file in a volume.
core.v1.ObjectFieldSelector: A field of an object.
  apiVersion: The version that the path is meant in. Default "v1".
  fieldPath!: The path of the field.
core.v1.ResourceFieldSelector: A limit or request of a container.
  containerName: The container. Needed in volumes; elsewhere the container itself.
  resource!: What is meant, such as "limits.cpu" or "requests.memory".
  divisor: The unit of the result. Default "1".
core.v1.ConfigMapKeySelector: A key of a ConfigMap in the same namespace.
  name: The name of the ConfigMap.
  key!: The key.
  optional: Whether the ConfigMap or the key may be missing. Default false.
core.v1.SecretKeySelector: A key of a Secret in the same namespace.
  name: The name of the Secret.
  key!: The key.
  optional: Whether the Secret or the key may be missing. Default false.
core.v1.FileKeySelector: A key of a file with lines NAME=VALUE.
  volumeName!: The volume, of type emptyDir, that holds the file.
  path!: The path of the file in the volume. Relative, without "..".
  key!: The key.
  optional: Whether the file or the key may be missing. Default false.
core.v1.EnvFromSource: A source of many variables: a ConfigMap or a Secret.
  prefix: A text put before each key.
  configMapRef: The ConfigMap.
  secretRef: The Secret.
core.v1.ConfigMapEnvSource: A ConfigMap in the same namespace.
  name: The name of the ConfigMap.
  optional: Whether it may be missing. Default false.
core.v1.SecretEnvSource: A Secret in the same namespace.
  name: The name of the Secret.
  optional: Whether it may be missing. Default false.
core.v1.ResourceRequirements: What is needed at least and may be used at most.
  limits: The most that may be used, by resource, such as cpu "500m" and memory "128Mi".
  requests: What is needed at least, by resource. Default: the limits.
  claims: Which of the Pod's resource claims are used.
core.v1.ResourceClaim: A resource claim of the Pod.
  name!: The name, as in the Pod's resourceClaims.
  request: One request of the claim. Absent: all of them.
core.v1.ContainerResizePolicy: What a change of one resource takes.
  resourceName!: The resource: cpu or memory.
  restartPolicy!: NotRequired or RestartContainer.
core.v1.ContainerRestartRule: What happens after certain exit codes.
  action!: "Restart" starts the container again.
  exitCodes: The exit codes.
core.v1.ContainerRestartRuleOnExitCodes: A set of exit codes.
  operator!: In: these codes; NotIn: all but these.
  values: The codes, at most 255.
core.v1.Lifecycle: What is done after the start and before the end of a container.
  postStart: What is done right after the start. If it fails, the container is ended and started again.
  preStop: What is done before the container is told to end. It takes part of the grace period.
  stopSignal: The signal that ends the container, such as SIGTERM. Default: what the image says. Needs spec.os.
core.v1.LifecycleHandler: One thing to do: exactly one of these.
  exec: Run a program in the container.
  httpGet: Send an HTTP request.
  tcpSocket: No longer used; a handler with it fails.
  sleep: Wait.
core.v1.SleepAction: Waiting.
  seconds!: For how many seconds.
core.v1.Probe: A check of a container by its node: exactly one of exec, httpGet, tcpSocket and grpc.
  exec: Run a program in the container; exit code 0 is success.
  httpGet: Send an HTTP request; an answer from 200 to 399 is success.
  tcpSocket: Open a connection; if it opens, that is success.
  grpc: Ask the gRPC health service.
  initialDelaySeconds: How long after the start the first check comes. Default 0.
  periodSeconds: How often is checked. Default 10, at least 1.
  timeoutSeconds: After how long a check counts as failed. Default 1, at least 1.
  successThreshold: How many successes in a row are needed after a failure. Default 1; must be 1 for liveness and startup.
  failureThreshold: How many failures in a row count as failed. Default 3, at least 1.
  terminationGracePeriodSeconds: The grace period when this probe ends the container. Default: that of the Pod. Not for
    readiness.
core.v1.ExecAction: Running a program in the container.
  command: The program and its arguments. No shell is involved.
core.v1.HTTPGetAction: An HTTP GET request.
  path: The path. Default "/".
  port!: The port, by number or by the name of a container port.
  host: The host it is sent to. Default: the Pod's address. For a virtual host, set the header Host instead.
  scheme: HTTP (the default) or HTTPS. Certificates are not checked.
  httpHeaders: Headers of the request.
core.v1.HTTPHeader: A header of a request.
  name!: The name.
  value!: The value.
core.v1.TCPSocketAction: Opening a TCP connection.
  port!: The port, by number or by the name of a container port.
  host: The host it is opened to. Default: the Pod's address.
core.v1.GRPCAction: Asking the gRPC health service.
  port!: The number of the port.
  service: The service that is asked about. Default: the server as a whole.
core.v1.ContainerStatus: The state of a container.
  name!: The name of the container.
  state: What it does now.
  lastState: How it ended the last time.
  ready!: Whether it is ready for traffic.
  started: Whether its startup probe has succeeded, or it runs and has none.
  restartCount!: How often it was started again.
  image!: The image that runs.
  imageID!: The exact image, by digest.
  containerID: The container's identity at the runtime, as "RUNTIME://ID".
  allocatedResources: What the node has set aside for it.
  allocatedResourcesStatus: The health of devices it uses.
  resources: What it is held to now.
  volumeMounts: What is mounted in it.
  user: The user its first process began as.
  stopSignal: The signal that ends it.
core.v1.ContainerState: What a container does: exactly one of these. None means waiting.
  waiting: It has not started yet, or is about to start again.
  running: It runs.
  terminated: It has ended.
core.v1.ContainerStateWaiting: Why a container does not run yet.
  reason: Why, in one word such as CrashLoopBackOff.
  message: Why, for people.
core.v1.ContainerStateRunning: A container that runs.
  startedAt: When it started.
core.v1.ContainerStateTerminated: A container that has ended.
  exitCode!: The exit code. 128 and the signal's number where a signal ended it.
  signal: The signal that ended it.
  reason: Why, in one word such as Completed, Error or OOMKilled.
  message: Its last message.
  startedAt: When it started.
  finishedAt: When it ended.
  containerID: The container's identity at the runtime.
core.v1.ContainerUser: The user a container began as.
  linux: On Linux.
core.v1.LinuxContainerUser: A user on Linux.
  uid!: The user by number.
  gid!: The first group by number.
  supplementalGroups: Further groups by number.
core.v1.ResourceStatus: The health of a resource's devices.
  name!: The resource.
  resources: Each device.
core.v1.ResourceHealth: The health of a device.
  resourceID!: The device.
  health: Healthy, Unhealthy or Unknown.
  message: More about it, for people.
core.v1.VolumeMountStatus: What is mounted in a container.
  name!: The volume.
  mountPath!: Where it is mounted.
  readOnly: Whether it can only be read.
  recursiveReadOnly: Whether that holds for what is mounted below it too: Disabled or Enabled.
  volumeStatus: More about the volume.
core.v1.VolumeStatus: More about a mounted volume.
  image: For a volume that is an image.
core.v1.ImageVolumeStatus: An image that is mounted.
  imageRef!: The exact image, by digest.
`;
