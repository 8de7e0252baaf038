import type { Pod } from '@edge/protocol';
import { sortedJson } from './sorted-json.js';
import type { PodStep } from './steps.js';

/** The steps without the starts of these containers, which are not tried again yet; the pod's others go on. */
export function withoutStarts(steps: readonly PodStep[], names: ReadonlySet<string>): PodStep[] {
  const kept = steps.filter((step) => step.do !== 'startContainer' || !names.has(step.container.name));
  return kept.some((step) => step.do === 'startContainer') ? kept : kept.filter((step) => step.do !== 'prepareVolumes');
}

/** True when something was changed that its node goes by, and not only what the node itself has reported. */
export function isAnotherWish(before: Pod | undefined, after: Pod): boolean {
  return before === undefined || wish(before) !== wish(after);
}

function wish({ metadata: { resourceVersion: _version, managedFields: _fields, ...metadata }, spec }: Pod): string {
  return sortedJson({ metadata, spec });
}
