import type { KubeObject } from '../types/object.js';
import type { ResourceType } from '../types/resource.js';
import { compileFieldSelector } from './field-selector.js';
import { matchesLabels, parseLabelSelector } from './label-selector.js';

/** Compiles both selectors and a name into one test; undefined when everything matches. Throws BadRequest. */
export function compileSelection(
  type: ResourceType, query: { labelSelector?: string; fieldSelector?: string; name?: string },
): ((object: KubeObject) => boolean) | undefined {
  const tests: ((object: KubeObject) => boolean)[] = [];
  if (query.name !== undefined) tests.push((object) => object.metadata.name === query.name);
  if (query.labelSelector !== undefined && query.labelSelector !== '') {
    const requirements = parseLabelSelector(query.labelSelector);
    tests.push((object) => matchesLabels(requirements, object.metadata.labels));
  }
  if (query.fieldSelector !== undefined && query.fieldSelector !== '') tests.push(compileFieldSelector(query.fieldSelector, type));
  if (tests.length <= 1) return tests[0];
  return (object) => tests.every((test) => test(object));
}
