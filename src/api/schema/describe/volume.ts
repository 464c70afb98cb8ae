/** Volumes of Pods, in the notation of `texts.ts`. */
export const volumeTexts = `
any.Disk: A disk of some service.
  fsType: The file system, such as "ext4". Default "ext4".
  readOnly: Whether it can only be read. Default false.
  secretRef: A Secret in the same namespace with what is needed to log in.
core.v1.Volume: A directory that containers of a Pod may mount: a name and exactly one source.
  name!: The name, a DNS label, unique in the Pod.
  hostPath: A file or directory of the node. Lets a Pod out of its confinement: use with care.
  emptyDir: An empty directory that lives as long as the Pod.
  configMap: The keys of a ConfigMap as files.
  secret: The keys of a Secret as files.
  projected: Several sources in one directory.
  downwardAPI: Fields of the Pod as files.
  persistentVolumeClaim: A PersistentVolumeClaim in the same namespace.
  ephemeral: A PersistentVolumeClaim that is made for the Pod and goes with it.
  csi: Storage of a CSI driver that lives as long as the Pod.
  image: The files of an image, to read.
  nfs: A directory of an NFS server.
  iscsi: A disk over iSCSI.
  fc: A disk over Fibre Channel.
  flexVolume: Storage of a driver program on the node. Deprecated: use a CSI driver.
  gcePersistentDisk: A disk of Google Compute Engine. Deprecated: served by its CSI driver.
  awsElasticBlockStore: A disk of AWS. Deprecated: served by its CSI driver.
  azureDisk: A disk of Azure. Deprecated: served by its CSI driver.
  azureFile: A file share of Azure. Deprecated: served by its CSI driver.
  vsphereVolume: A disk of vSphere. Deprecated: served by its CSI driver.
  cinder: A disk of OpenStack. Deprecated: served by its CSI driver.
  portworxVolume: A volume of Portworx. Deprecated: served by its CSI driver.
  gitRepo: A copy of a git repository. Deprecated: use an init container that clones into an emptyDir.
  glusterfs: A volume of GlusterFS. Deprecated.
  rbd: A disk of Ceph. Deprecated.
  cephfs: A file system of Ceph. Deprecated.
  flocker: A dataset of Flocker. Deprecated.
  photonPersistentDisk: A disk of Photon. Deprecated.
  quobyte: A volume of Quobyte. Deprecated.
  scaleIO: A volume of ScaleIO. Deprecated.
  storageos: A volume of StorageOS. Deprecated.
core.v1.VolumeMount: A volume mounted in a container.
  name!: The name of the volume.
  mountPath!: The directory where it is mounted. Must not contain ":".
  readOnly: Whether it can only be read. Default false.
  recursiveReadOnly: Whether that holds for what is mounted below it too: Disabled (the default), IfPossible or Enabled.
  subPath: The part of the volume that is mounted. Default: all of it.
  subPathExpr: Like subPath, with $(NAME) for environment variables. Not together with subPath.
  mountPropagation[Bidirectional HostToContainer None]: Whether later mounts are seen on the other side. Default None.
core.v1.VolumeDevice: A volume given to a container as a block device.
  name!: The name of the volume, of type persistentVolumeClaim.
  devicePath!: The path of the device in the container.
core.v1.HostPathVolumeSource: A file or directory of the node.
  path!: The path on the node. Links are followed.
  type: What must be there: "" (not looked at, the default), DirectoryOrCreate, Directory, FileOrCreate, File, Socket,
    CharDevice or BlockDevice.
core.v1.EmptyDirVolumeSource: An empty directory that lives as long as the Pod.
  medium: Where it is: "" for the node's disk (the default), "Memory" for main memory.
  sizeLimit: The most it may hold. Absent: no limit.
core.v1.KeyToPath: A key and its file.
  key!: The key.
  path!: The path of the file. Relative, without "..".
  mode: The file's mode, from 0 to 0777 (in JSON as a decimal number). Default: the volume's defaultMode.
core.v1.ConfigMapVolumeSource: The keys of a ConfigMap as files.
  name: The name of the ConfigMap, in the same namespace.
  items: The keys that become files, and where. Absent: all, named as the keys.
  defaultMode: The mode of the files, from 0 to 0777 (in JSON as a decimal number). Default 0644.
  optional: Whether the ConfigMap or the keys may be missing. Default false.
core.v1.SecretVolumeSource: The keys of a Secret as files.
  secretName: The name of the Secret, in the same namespace.
  items: The keys that become files, and where. Absent: all, named as the keys.
  defaultMode: The mode of the files, from 0 to 0777 (in JSON as a decimal number). Default 0644.
  optional: Whether the Secret or the keys may be missing. Default false.
core.v1.DownwardAPIVolumeSource: Fields of the Pod as files.
  items: The files.
  defaultMode: The mode of the files, from 0 to 0777 (in JSON as a decimal number). Default 0644.
core.v1.DownwardAPIVolumeFile: A file with a field of the Pod.
  path!: The path of the file. Relative, without "..".
  fieldRef: The field: metadata.name, metadata.namespace, metadata.uid, metadata.labels or metadata.annotations, whole or
    with ['KEY'].
  resourceFieldRef: A limit or request of a container.
  mode: The file's mode, from 0 to 0777 (in JSON as a decimal number). Default: the volume's defaultMode.
core.v1.ProjectedVolumeSource: Several sources in one directory.
  sources: The sources.
  defaultMode: The mode of the files, from 0 to 0777 (in JSON as a decimal number). Default 0644.
core.v1.VolumeProjection: One source of a projected volume: exactly one of these.
  configMap: The keys of a ConfigMap.
  secret: The keys of a Secret.
  downwardAPI: Fields of the Pod.
  serviceAccountToken: A token of the Pod's ServiceAccount, renewed before it expires.
  clusterTrustBundle: Certificates of ClusterTrustBundles in one file.
  podCertificate: A key and a certificate for the Pod, renewed before it expires.
core.v1.ConfigMapProjection: The keys of a ConfigMap.
  name: The name of the ConfigMap, in the same namespace.
  items: The keys that become files, and where. Absent: all, named as the keys.
  optional: Whether the ConfigMap or the keys may be missing. Default false.
core.v1.SecretProjection: The keys of a Secret.
  name: The name of the Secret, in the same namespace.
  items: The keys that become files, and where. Absent: all, named as the keys.
  optional: Whether the Secret or the keys may be missing. Default false.
core.v1.DownwardAPIProjection: Fields of the Pod.
  items: The files.
core.v1.ServiceAccountTokenProjection: A token of the Pod's ServiceAccount.
  audience: Who the token is for. Default: the API server.
  expirationSeconds: How long it is valid, at least 600 seconds. Default 3600.
  path!: The path of the file. Relative, without "..".
core.v1.ClusterTrustBundleProjection: Certificates of ClusterTrustBundles, chosen by name, or by signer and labels.
  name: The name of the bundle.
  signerName: The signer of the bundles.
  labelSelector: Labels of the signer's bundles. Absent: none; empty: all.
  path!: The path of the file.
  optional: Whether there may be no such bundle. Default false.
core.v1.PodCertificateProjection: A key and a certificate for the Pod.
  signerName!: Who signs.
  keyType!: The kind of key, such as ECDSAP256 or ED25519.
  maxExpirationSeconds: The longest the certificate may be valid. Default 86400.
  credentialBundlePath: The file for key and certificates together.
  keyPath: The file for the key alone.
  certificateChainPath: The file for the certificates alone.
  userAnnotations: Keys and values that are handed to the signer.
core.v1.PersistentVolumeClaimVolumeSource: A PersistentVolumeClaim.
  claimName!: The name of the claim, in the same namespace.
  readOnly: Whether it can only be read. Default false.
core.v1.EphemeralVolumeSource: A PersistentVolumeClaim that is made for the Pod.
  volumeClaimTemplate: What the claim looks like. Its name is the Pod's and the volume's, with "-" between.
core.v1.PersistentVolumeClaimTemplate: What a claim looks like.
  metadata: Labels and annotations of the claim.
  spec!: What the claim asks for.
core.v1.PersistentVolumeClaimSpec: What a claim asks for.
  accessModes: How it is to be used: ReadWriteOnce, ReadOnlyMany, ReadWriteMany or ReadWriteOncePod.
  selector: Labels of the volumes that may be used.
  resources: The size.
  volumeName: The volume that serves the claim.
  storageClassName: The StorageClass. "" for volumes without one; absent for the default class.
  volumeMode: Filesystem (the default) or Block.
  dataSource: What the volume is filled from: a snapshot or another claim.
  dataSourceRef: What the volume is filled from: any object that a controller knows how to read.
  volumeAttributesClassName: The VolumeAttributesClass with changeable settings of the volume.
core.v1.VolumeResourceRequirements: The size of a volume.
  limits: The most, by resource.
  requests: The least, by resource: storage "10Gi".
core.v1.CSIVolumeSource: Storage of a CSI driver.
  driver!: The name of the driver.
  readOnly: Whether it can only be read. Default false.
  fsType: The file system. Default: what the driver takes.
  volumeAttributes: Settings that the driver knows.
  nodePublishSecretRef: A Secret in the same namespace that is handed to the driver.
core.v1.ImageVolumeSource: The files of an image.
  reference: The image, such as "example.com/data:1".
  pullPolicy: When it is pulled: Always, IfNotPresent or Never. Default as for containers.
core.v1.NFSVolumeSource: A directory of an NFS server.
  server!: The name or address of the server.
  path!: The directory.
  readOnly: Whether it can only be read. Default false.
core.v1.ISCSIVolumeSource < any.Disk: A disk over iSCSI.
  targetPortal!: The address of the target, with a port unless it is 3260.
  iqn!: The name of the target.
  lun!: The number of the disk.
  iscsiInterface: The interface. Default "default" (TCP).
  portals: Further addresses of the target.
  chapAuthDiscovery: Whether finding the target needs a CHAP password.
  chapAuthSession: Whether using it needs a CHAP password.
  initiatorName: The name of the initiator.
core.v1.FCVolumeSource < any.Disk: A disk over Fibre Channel: by names and number, or by world wide identifiers.
  targetWWNs: World wide names of the target.
  lun: The number of the disk.
  wwids: World wide identifiers.
core.v1.FlexVolumeSource < any.Disk: Storage of a driver program on the node.
  driver!: The name of the driver.
  fsType: The file system. Default: what the driver takes.
  options: Settings that the driver knows.
core.v1.GCEPersistentDiskVolumeSource < any.Disk: A disk of Google Compute Engine.
  pdName!: The name of the disk.
  partition: The number of the partition. Absent: the whole disk.
core.v1.AWSElasticBlockStoreVolumeSource < any.Disk: A disk of AWS.
  volumeID!: The identity of the volume.
  partition: The number of the partition. Absent: the whole disk.
core.v1.AzureDiskVolumeSource < any.Disk: A disk of Azure.
  diskName!: The name of the disk.
  diskURI!: The address of the disk.
  cachingMode[None ReadOnly ReadWrite]: How it is cached. Default ReadWrite.
  kind[Dedicated Managed Shared]: How the disk is kept. Default Shared.
core.v1.AzureFileVolumeSource < any.Disk: A file share of Azure.
  secretName!: A Secret in the same namespace with the account.
  shareName!: The name of the share.
core.v1.VsphereVirtualDiskVolumeSource < any.Disk: A disk of vSphere.
  volumePath!: The path of the disk.
  storagePolicyName: The name of the storage policy.
  storagePolicyID: The identity of the storage policy.
core.v1.CinderVolumeSource < any.Disk: A disk of OpenStack.
  volumeID!: The identity of the volume.
core.v1.PortworxVolumeSource < any.Disk: A volume of Portworx.
  volumeID!: The identity of the volume.
core.v1.GitRepoVolumeSource: A copy of a git repository.
  repository!: The address of the repository.
  revision: The commit.
  directory: The directory for the copy. Relative, without "..".
core.v1.GlusterfsVolumeSource: A volume of GlusterFS.
  endpoints!: The Endpoints object with the servers.
  path!: The name of the volume.
  readOnly: Whether it can only be read. Default false.
core.v1.RBDVolumeSource < any.Disk: A disk of Ceph.
  monitors!: Addresses of the monitors.
  image!: The name of the image.
  pool: The pool. Default "rbd".
  user: The user. Default "admin".
  keyring: The file with the user's keys. Default "/etc/ceph/keyring".
core.v1.CephFSVolumeSource < any.Disk: A file system of Ceph.
  monitors!: Addresses of the monitors.
  path: The directory. Default "/".
  user: The user. Default "admin".
  secretFile: The file with the user's key. Default "/etc/ceph/user.secret".
core.v1.FlockerVolumeSource: A dataset of Flocker, by name or by identity.
  datasetName: The name.
  datasetUUID: The identity.
core.v1.PhotonPersistentDiskVolumeSource < any.Disk: A disk of Photon.
  pdID!: The identity of the disk.
core.v1.QuobyteVolumeSource: A volume of Quobyte.
  registry!: Addresses of the registry, with commas between.
  volume!: The name of the volume.
  readOnly: Whether it can only be read. Default false.
  user: The user. Default: the owner of the service.
  group: The group. Default none.
  tenant: The tenant of the volume.
core.v1.ScaleIOVolumeSource < any.Disk: A volume of ScaleIO.
  gateway!: The address of the gateway.
  system!: The name of the system.
  secretRef!: A Secret in the same namespace with what is needed to log in.
  fsType: The file system. Default "xfs".
  sslEnabled: Whether the gateway is spoken to over TLS. Default false.
  protectionDomain: The protection domain.
  storagePool: The storage pool.
  storageMode: ThickProvisioned or ThinProvisioned (the default).
  volumeName: The name of the volume.
core.v1.StorageOSVolumeSource < any.Disk: A volume of StorageOS.
  volumeName: The name of the volume.
  volumeNamespace: The namespace of the volume. Default: that of the Pod.
`;
