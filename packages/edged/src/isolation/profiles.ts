import { join } from 'node:path';
import type { SecurityProfile } from '@edge/core';
import type { Container, Pod, ProfileSource } from '@edge/protocol';
import { CannotStart } from '../errors.js';

const APPARMOR_ANNOTATION = 'container.apparmor.security.beta.kubernetes.io/';

/**
 * The system call filter of a container: its own, else the pod's, else the default.
 * @param root directory of the profiles that pods name
 * @param byDefault true to filter containers that say nothing
 * @throws CannotStart
 */
export function seccompProfile(pod: Pod, container: Container, root: string, byDefault: boolean): SecurityProfile {
  const source = container.securityContext?.seccompProfile ?? pod.spec.securityContext?.seccompProfile;
  if (!source) return { type: byDefault ? 'runtimeDefault' : 'unconfined' };
  const profile = fromField(source, 'seccomp');
  return profile.localhostRef === undefined ? profile : { ...profile, localhostRef: join(root, profile.localhostRef) };
}

/**
 * The AppArmor profile: from the container's field, the pod's, or the annotation of old; undefined leaves it to the runtime.
 * @throws CannotStart
 */
export function apparmorProfile(pod: Pod, container: Container): SecurityProfile | undefined {
  const source = container.securityContext?.appArmorProfile ?? pod.spec.securityContext?.appArmorProfile;
  if (source) return fromField(source, 'AppArmor');
  const annotation = pod.metadata.annotations?.[APPARMOR_ANNOTATION + container.name];
  if (annotation === undefined || annotation === '') return undefined;
  if (annotation === 'runtime/default') return { type: 'runtimeDefault' };
  if (annotation === 'unconfined') return { type: 'unconfined' };
  if (annotation.startsWith('localhost/')) return { type: 'localhost', localhostRef: annotation.slice('localhost/'.length) };
  throw new CannotStart('CreateContainerConfigError', `container ${container.name}: "${annotation}" is no AppArmor profile`);
}

function fromField({ type, localhostProfile }: ProfileSource, kind: string): SecurityProfile {
  if (type === 'RuntimeDefault') return { type: 'runtimeDefault' };
  if (type !== 'Localhost') return { type: 'unconfined' };
  if (!localhostProfile) throw new CannotStart('CreateContainerConfigError', `localhostProfile must be set if the ${kind} profile type is Localhost`);
  return { type: 'localhost', localhostRef: localhostProfile };
}
