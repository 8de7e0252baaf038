import { isFields } from '@edge/protocol';

const HOLD_ANNOTATION = 'edge.kubeedge.io/hold-upgrade';

/** Why a pod cannot be released, undefined when it waits for its release. */
export function whyNotHeld(pod: { readonly metadata: { readonly annotations?: unknown }; readonly status?: unknown }): string | undefined {
  const { annotations } = pod.metadata;
  if (!isFields(annotations) || annotations[HOLD_ANNOTATION] !== 'true') return 'pod is not marked with hold-upgrade annotation';
  const phase = isFields(pod.status) ? pod.status.phase : undefined;
  return phase === undefined || phase === 'Pending' ? undefined : 'pod is not in pending phase';
}
