import { expect, it } from 'vitest';
import { joined, partsOf, ruleFor } from './match.js';
import { endMessage, interestsOf } from './interests.js';
import { cleaned, resolveRule, type RestRule, type StoredRule, type StoredRuleEndpoint } from './rules.js';

const rule = (path: string, namespace = 'default'): RestRule => ({ rule: `${namespace}/${path}`, from: 'rest', namespace, path, to: { kind: 'eventbus', topic: 't' } });

it.each([
  [['a'], '/edge-1/default/a', 'a'],
  [['a'], '/edge-1/default/a/b?c=d', 'a'],
  [['a', 'a/b'], '/edge-1/default/a/b', 'a/b'],
  [['a/b', 'a'], '/edge-1/default/a/b', 'a/b'],
  [['a'], '/edge-1/other/a', undefined],
  [['b'], '/edge-1/default/a', undefined],
  [['a'], '/edge-1/x/default/a', 'a'],
  [['{id}/on'], '/edge-1/default/lamp-7/on', '{id}/on'],
  [['{id}/on'], '/edge-1/default/lamp/7/on', undefined],
  [['a.c'], '/edge-1/default/abc', 'a.c'],
  [['a('], '/edge-1/default/a(', 'a('],
])('[minicloud-21.1] of %j the rule for %s is %s', (paths, uri, wanted) => {
  expect(ruleFor(paths.map((path) => rule(path)), uri)?.path).toBe(wanted);
});

it.each([
  ['ddd', '/edge-1/default/ddd', ''], ['ddd', '/edge-1/default/ddd/x/y', '/x/y'], ['ddd', '/edge-1/default/ddd?x=1', '?x=1'], ['{id}/on', '/edge-1/default/7/on', '7/on'],
])('[minicloud-21.2] what goes on of %s in %s is %j', (path, uri, rest) => {
  expect(partsOf(rule(path), uri)).toEqual({ node: 'edge-1', rest });
});

it('[minicloud-21.3] what is left is put behind the target with one slash', () => {
  expect([joined('/url', ''), joined('/url', '/x'), joined('/url/', '?x=1'), joined('t', '7/on'), joined('/', 'x')]).toEqual(['/url', '/url/x', '/url/?x=1', 't/7/on', '/x']);
  expect(partsOf(rule('a'), '/default')).toBeUndefined();
});

it('[minicloud-21.4] topics and URLs that end are cleaned like paths; several rules on one topic are one interest', () => {
  expect([cleaned('default//a/./b/'), cleaned('http://h/x/'), cleaned('/a/../../b')]).toEqual(['default/a/b', 'http:/h/x', '/b']);
  const endpoints: Record<string, StoredRuleEndpoint['spec']> = { mqtt: { ruleEndpointType: 'eventbus' }, web: { ruleEndpointType: 'rest' }, local: { ruleEndpointType: 'servicebus' } };
  const resolve = (name: string, source: string, sourceResource: Record<string, string>) => resolveRule(
    { metadata: { name, namespace: 'default' }, spec: { source, sourceResource, target: 'web', targetResource: { resource: 'http://app/' } } } as unknown as StoredRule,
    (endpoint) => endpoints[endpoint] && ({ spec: endpoints[endpoint] } as unknown as StoredRuleEndpoint),
  );
  const rules = [resolve('a', 'mqtt', { topic: '/up', node_name: 'n' }), resolve('b', 'mqtt', { topic: 'up/', node_name: 'n' }), resolve('c', 'local', { target_url: 'http://h/x', node_name: 'n' })];
  const interests = [...interestsOf(rules.flatMap((found) => found ?? [])).values()];
  expect(interests).toEqual([{ node: 'n', from: 'eventbus', resource: 'default/up' }, { node: 'n', from: 'servicebus', resource: 'http://h/x' }]);
  expect(interests.map((interest) => endMessage(interest).route.resource)).toEqual(['default/up', 'http:/h/x']);
  expect(resolve('d', 'gone', {})).toBeUndefined();
});
