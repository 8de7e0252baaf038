import { describe, expect, it } from 'vitest';
import type { Container, Secret } from '@edge/protocol';
import { somePod } from '../../test/plan-kit.js';
import { parseEdgedConfig } from '../config.js';
import { containerEnvironment } from './environment.js';
import { expand } from './expand.js';
import type { ObjectLookup } from './references.js';
import { environmentReferences, objectKey, podReferences } from './references.js';

const facts = { nodeName: 'n', hostIPs: ['192.0.2.1'], podIPs: ['10.0.0.1', 'fd00::1'], allocatable: { cpu: '4', memory: '8Gi' } };
const secret: Secret = { metadata: {}, data: { key: Buffer.from('geheim').toString('base64') } };
const objects: ObjectLookup = new Map<string, Secret | { metadata: object; data: Record<string, string> }>([
  ['configmap/cm', { metadata: {}, data: { a: '1', 'b.c': '2', '1st key': '1', 'bad=': 'x' } }],
  ['secret/sec', secret],
]);
const env = (container: Partial<Container>, labels = {}): Record<string, string> => {
  const full = { name: 'c', image: 'i', ...container };
  return Object.fromEntries(containerEnvironment({ pod: somePod({ containers: [full] }, {}, { labels }), container: full, objects, facts }));
};

describe('containerEnvironment', () => {
  it('[edged-9.1] takes envFrom first, then env; later ones win and see earlier ones', () => {
    expect(
      env({
        envFrom: [{ configMapRef: { name: 'cm' } }, { prefix: 'S_', secretRef: { name: 'sec' } }],
        env: [
          { name: 'a', value: 'own' },
          { name: 'x', value: '$(a)-$(S_key)-$(later)-$$(a)' },
          { name: 'later', value: '!' },
        ],
      }),
    ).toEqual({ a: 'own', 'b.c': '2', '1st key': '1', S_key: 'geheim', x: 'own-geheim-$(later)-$(a)', later: '!' });
  });

  it('[edged-9.9] tells where the API of the node is, when it is there for pods; a pod may say otherwise', () => {
    const container = { name: 'c', image: 'i', env: [{ name: 'URL', value: 'https://$(KUBERNETES_SERVICE_HOST):$(KUBERNETES_SERVICE_PORT)' }, { name: 'KUBERNETES_SERVICE_PORT', value: '443' }] };
    const made = containerEnvironment({ pod: somePod({ containers: [container] }), container, objects, facts: { ...facts, localApi: { host: '169.254.30.10', port: '10550' } } });
    expect(Object.fromEntries(made)).toEqual({ KUBERNETES_SERVICE_HOST: '169.254.30.10', KUBERNETES_SERVICE_PORT: '443', URL: 'https://169.254.30.10:10550' });
    expect(env({})).toEqual({});
    const modules = (metaServer: object, gate = true): unknown => parseEdgedConfig({}, { featureGates: { requireAuthorization: gate }, modules: { metaManager: { metaServer } } }).localApi;
    expect(modules({ enable: true })).toEqual({ host: '169.254.30.10', port: '10550' });
    expect(modules({ enable: true, dummyServer: '[fd00::1]:6443' })).toEqual({ host: 'fd00::1', port: '6443' });
    expect(modules({ enable: true }, false)).toBeUndefined();
    expect(modules({ enable: false })).toBeUndefined();
  });

  it.each<[string, string]>([
    ['metadata.name', 'p'],
    ['metadata.namespace', 'ns'],
    ['metadata.uid', 'u'],
    ["metadata.labels['app']", 'web'],
    ["metadata.annotations['none']", ''],
    ['spec.nodeName', 'n'],
    ['status.hostIP', '192.0.2.1'],
    ['status.podIP', '10.0.0.1'],
    ['status.podIPs', '10.0.0.1,fd00::1'],
  ])('[edged-9.2] field %s', (fieldPath, value) => {
    expect(env({ env: [{ name: 'X', valueFrom: { fieldRef: { fieldPath } } }] }, { app: 'web' })).toEqual({ X: value });
  });

  it.each<[string, string | undefined, string]>([
    ['limits.cpu', undefined, '1'],
    ['limits.cpu', '1m', '500'],
    ['limits.memory', '1Mi', '64'],
    ['requests.memory', undefined, '33554432'],
    // Not limited: what the node has.
    ['limits.ephemeral-storage', undefined, '0'],
  ])('[edged-9.3] resource %s in units of %s is %s', (resource, divisor, value) => {
    const resources = { limits: { cpu: '500m', memory: '64Mi' }, requests: { memory: '32Mi' } };
    const resourceFieldRef = { resource, ...(divisor === undefined ? {} : { divisor }) };
    expect(env({ resources, env: [{ name: 'X', valueFrom: { resourceFieldRef } }] })).toEqual({ X: value });
  });

  it('[edged-9.4] what is missing is an error in the words that people look for, unless it is optional', () => {
    const key = (name: string, more = {}) => ({ env: [{ name: 'X', valueFrom: { configMapKeyRef: { name, key: 'k', ...more } } }] });
    expect(() => env(key('cm'))).toThrow("couldn't find key k in ConfigMap ns/cm");
    expect(() => env(key('none'))).toThrow('configmap "none" not found');
    expect(env(key('cm', { optional: true }))).toEqual({});
    expect(env(key('none', { optional: true }))).toEqual({});
    expect(() => env({ envFrom: [{ secretRef: { name: 'none' } }] })).toThrow('secret "none" not found');
    expect(env({ envFrom: [{ secretRef: { name: 'none', optional: true } }] })).toEqual({});
  });

  it('[edged-9.5] names each object once, needed if any use needs it', () => {
    const container: Container = {
      name: 'c',
      envFrom: [{ configMapRef: { name: 'cm', optional: true } }],
      env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'cm', key: 'k' } } }],
    };
    expect(environmentReferences(container)).toEqual([{ kind: 'configmap', name: 'cm' }]);
    const volumes = [{ name: 'v', projected: { sources: [{ secret: { name: 's' } }, { configMap: { name: 'root', optional: true } }] } }];
    expect(podReferences(somePod({ containers: [container], volumes })).map(objectKey)).toEqual(['secret/s', 'configmap/root', 'configmap/cm']);
  });

  it('[edged-9.6] expands only complete references', () => {
    const value = (name: string): string | undefined => ({ A: '1' })[name];
    expect(expand('$(A) $A $$ $$(A) $$$(A) $(', value)).toBe('1 $A $ $(A) $1 $(');
  });
});
