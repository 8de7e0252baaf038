import type { Pod, Taint } from '@edge/protocol';

type Toleration = NonNullable<Pod['spec']['tolerations']>[number];

/** True when a pod with these tolerations may be on a node with this taint. */
export function tolerates(tolerations: readonly Toleration[] = [], taint: Taint): boolean {
  return tolerations.some((one) => {
    if (one.effect && one.effect !== taint.effect) return false;
    if (one.key && one.key !== taint.key) return false;
    switch (one.operator ?? '') {
      case '':
      case 'Equal':
        return (one.key ?? '') !== '' && (one.value ?? '') === (taint.value ?? '');
      case 'Exists':
        return true;
      default:
        return false;
    }
  });
}
