import { badRequest } from '@edge/kubeapi';
import { isFields } from '@edge/protocol';

const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';

/** What is looked at of a pod. Objects are the cloud's: nothing is taken for granted about their shape. */
interface PodLike {
  readonly metadata: { readonly name: string; readonly annotations?: unknown };
  readonly spec?: unknown;
}

/**
 * The container that is meant: the named one, else that of the annotation, else the only one.
 * @throws ApiError BadRequest naming those that there are
 */
export function chooseContainer(pod: PodLike, asked: string): string {
  const { name, annotations } = pod.metadata;
  const main = namesOf(pod.spec, 'containers');
  const others = [...namesOf(pod.spec, 'initContainers'), ...namesOf(pod.spec, 'ephemeralContainers')];
  const choice = `choose one of: [${[...main, ...others].join(' ')}]`;
  if (asked !== '') {
    if (![...main, ...others].includes(asked)) throw badRequest(`container ${asked} is not valid for pod ${name}, ${choice}`);
    return asked;
  }
  const usual = isFields(annotations) ? annotations[DEFAULT_CONTAINER] : undefined;
  if (typeof usual === 'string' && main.includes(usual)) return usual;
  const [only] = main;
  if (only === undefined || main.length > 1) throw badRequest(`a container name must be specified for pod ${name}, ${choice}`);
  return only;
}

function namesOf(spec: unknown, list: string): string[] {
  const items: unknown = isFields(spec) ? spec[list] : undefined;
  return Array.isArray(items) ? items.flatMap((item: unknown) => (isFields(item) && typeof item.name === 'string' ? [item.name] : [])) : [];
}
