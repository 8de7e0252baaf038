import { describe, expect, it } from 'vitest';
import { builtinResources } from '../builtin/resources.js';
import { isApiError } from '../errors.js';
import type { KubeObject } from '../types/object.js';
import type { ResourceType } from '../types/resource.js';
import { compileFieldSelector, parseFieldSelector } from './field-selector.js';

const typeOf = (plural: string): ResourceType => builtinResources().find((type) => type.plural === plural) as ResourceType;
const object = (more: object): KubeObject => ({
  apiVersion: 'v1', kind: 'X', metadata: { name: 'n', namespace: 'd', uid: '', resourceVersion: '1', creationTimestamp: '' }, ...more,
});

describe('field selectors', () => {
  it.each([
    ['pods', 'spec.nodeName=a,status.phase!=Failed', { spec: { nodeName: 'a' }, status: { phase: 'Running' } }, true],
    ['pods', 'spec.nodeName=', { spec: {} }, true],
    ['pods', 'spec.hostNetwork=false', {}, true],
    ['pods', 'metadata.name==n,metadata.namespace=d', {}, true],
    ['pods', 'metadata.name!=n', {}, false],
    ['nodes', 'spec.unschedulable=true', { spec: { unschedulable: true } }, true],
    ['events', 'involvedObject.name=p,reason=Killing', { involvedObject: { name: 'p' }, reason: 'Killing' }, true],
    ['secrets', 'type=Opaque', { type: 'Opaque' }, true],
    ['namespaces', 'status.phase=Active', { status: { phase: 'Terminating' } }, false],
  ] as const)('[kubeapi-1.4] %s by %s', (plural, text, more, expected) => {
    expect(compileFieldSelector(text, typeOf(plural))(object(more))).toBe(expected);
  });

  it('[kubeapi-1.5] takes escaped separators as part of the value', () => {
    expect(parseFieldSelector('a=b\\,c\\=d,e!=f')).toEqual([{ field: 'a', equal: true, value: 'b,c=d' }, { field: 'e', equal: false, value: 'f' }]);
  });

  it.each(['spec.containers=x', 'foo=1', 'metadata.name', 'constructor=1', '=x'])('[kubeapi-1.6] refuses %s as a bad request', (text) => {
    expect(() => compileFieldSelector(text, typeOf('pods'))).toThrowError(expect.toSatisfy((error) => isApiError(error, 'BadRequest')));
  });
});
