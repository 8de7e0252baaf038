export { LocalBus } from './bus/local-bus.js';
export type { Endpoint } from './bus/local-bus.js';
export { DEFAULT_LANE_CAPACITY, Mailbox } from './bus/mailbox.js';
export { MessageBus } from './bus/message-bus.js';
export type { RequestOptions, Target } from './bus/message-bus.js';
export { createCertificateRequest, nodeCommonName } from './certificates/certificate-request.js';
export type { CertificateRequest, SubjectPart } from './certificates/certificate-request.js';
export { createCell } from './cell.js';
export type { Cell, WritableCell } from './cell.js';
export { Core } from './core.js';
export type { CoreOptions } from './core.js';
export { Complaints } from './complaints.js';
export { ipCommand, OwnLink, type IpCommand } from './net/own-link.js';
export { abortError, EdgeError, errorCode, errorText, isAbort } from './errors.js';
export { Health } from './health.js';
export type { ModuleHealth, ModulePhase } from './health.js';
export { DEFAULT_RESTART, defineModule, MODULE_BRAND, MODULE_SHAPE, route } from './module.js';
export type { ConfigSlice, Handle, Life, ModuleDefinition, ModuleManifest, ModuleSpec, RestartPolicy, Route, Runnable } from './module.js';
export { ContainerRuntime } from './ports/container-runtime.js';
export type {
  CgroupDriver,
  ContainerConfig,
  ContainerFilter,
  ContainerRunState,
  ContainerSecurity,
  ContainerStats,
  ExecResult,
  FilesystemUse,
  ImageAuth,
  ImageFilesystem,
  LinuxResources,
  LinuxSandbox,
  Mount,
  PodMetadata,
  PodSandbox,
  PodSandboxConfig,
  PodSandboxStatus,
  RuntimeCondition,
  RuntimeContainer,
  RuntimeContainerStatus,
  RuntimeEvent,
  RuntimeHandler,
  RuntimeImage,
  RuntimeStatus,
  RuntimeStreaming,
  RuntimeVersion,
  SandboxFilter,
  SandboxSecurity,
  SandboxState,
  SecurityProfile,
  SelinuxOptions,
  StreamOptions,
} from './ports/container-runtime.js';
export { DeadLetters } from './ports/dead-letters.js';
export { FeatureGates, NodeIdentity } from './ports/identity.js';
export { CloudLink, CloudLinkWriter, NodeCredentials, NodeCredentialsWriter } from './ports/link.js';
export type { Credentials, LinkStatus } from './ports/link.js';
export { Logger, silentLogger } from './ports/logger.js';
export type { LogFields } from './ports/logger.js';
export { Store } from './ports/store.js';
export type { Column, ReadOptions, Table, TableSpec, Where } from './ports/store.js';
export { backoffDelay, sleep, untilAborted, withTimeout } from './time.js';
export type { Backoff } from './time.js';
export type { SwapOptions, SwapOutcome, SwapStep } from './supervisor/swap.js';
export { provide, provideValue, token } from './token.js';
export type { Bind, Token } from './token.js';
export { CONTRACT_VERSIONS, fromPackage } from './versions/contract.js';
export type { ContractVersions, PackageManifest } from './versions/contract.js';
export { checkModules } from './versions/check.js';
export type { Incompatibility } from './versions/check.js';
export { checkSlices, readSlice } from './versions/slice.js';
export { parseVersion, satisfies } from './versions/semver.js';
export type { Version } from './versions/semver.js';
