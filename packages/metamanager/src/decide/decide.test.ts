import { createMessage, podHasVanished } from '@edge/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acknowledgement, answerNeedsAck } from './acknowledge.js';
import { classifyContent } from './content.js';
import { destinationOf } from './forward.js';
import { leaseIsWorthStoring } from './lease.js';
import { patienceMs } from './patience.js';
import { referencesOf } from './references.js';
import { decideNotFound, decideRemoval } from './removal.js';
import { compareVersions } from './resource-version.js';
import { Tombstones } from './tombstones.js';
import { tokenState } from './token-freshness.js';
import { decideUpsert, type Origin, type UpsertDecision } from './upsert.js';
import { isInquiry, patchedUid } from './vanished.js';

describe('compareVersions', () => {
  it('[metamanager-1.11] compares decimals of any length as numbers', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.bigInt({ min: 0n, max: 10n ** 30n }), (one, other) => {
        expect(compareVersions(String(one), String(other))).toBe(one > other ? 'newer' : one < other ? 'older' : 'same');
      }),
    );
  });

  it('[metamanager-1.12] lets what is no number neither win nor block', () => {
    expect(compareVersions('abc', '5')).toBe('older');
    expect(compareVersions(undefined, '5')).toBe('older');
    expect(compareVersions('5', 'abc')).toBe('newer');
    expect(compareVersions('5', undefined)).toBe('newer');
    expect(compareVersions('x', 'y')).toBe('newer');
  });
});

describe('decideUpsert', () => {
  const early = '2026-01-01T00:00:00Z';
  const late = '2026-02-01T00:00:00Z';
  const row = { uid: 'a', resourceVersion: '10', creationTimestamp: early };
  const table: [string, Parameters<typeof decideUpsert>[0], typeof row | undefined, Origin, UpsertDecision][] = [
    ['nothing is stored', { uid: 'a', resourceVersion: '1' }, undefined, 'push', 'created'],
    ['it is newer', { uid: 'a', resourceVersion: '11' }, row, 'push', 'replaced'],
    ['it is the same', { uid: 'a', resourceVersion: '10' }, row, 'push', 'same'],
    ['it is older', { uid: 'a', resourceVersion: '9' }, row, 'push', 'older'],
    ['an answer is older', { uid: 'a', resourceVersion: '9' }, row, 'answer', 'older'],
    ['a new object has the name', { uid: 'b', resourceVersion: '11', creationTimestamp: late }, row, 'push', 'replaced'],
    ['a straggler of an older object comes', { uid: 'b', resourceVersion: '9', creationTimestamp: early }, row, 'push', 'older'],
    ['the object is of another, younger cluster', { uid: 'b', resourceVersion: '2', creationTimestamp: late }, row, 'push', 'replaced'],
    ['the cloud was asked and has another object', { uid: 'b', resourceVersion: '2', creationTimestamp: early }, row, 'answer', 'replaced'],
    ['a patch answer is about another object', { uid: 'b', resourceVersion: '99' }, row, 'patch-answer', 'foreign'],
    ['a uid is missing', { resourceVersion: '11' }, row, 'push', 'replaced'],
  ];
  it.each(table)('[metamanager-1.13] when %s', (_title, incoming, stored, origin, decision) => {
    expect(decideUpsert(incoming, stored, origin)).toBe(decision);
  });
});

describe('removal', () => {
  it('[metamanager-1.14] goes by key and uid', () => {
    expect(decideRemoval('a', { uid: 'a' })).toBe('removed');
    expect(decideRemoval('b', { uid: 'a' })).toBe('kept');
    expect(decideRemoval(undefined, { uid: 'a' })).toBe('removed');
    expect(decideRemoval('a', undefined)).toBe('absent');
  });

  it('[metamanager-1.15] by a "not found" takes only the state that was there when we asked', () => {
    const before = { uid: 'a', resourceVersion: '1' };
    expect(decideNotFound(before, before)).toBe('removed');
    expect(decideNotFound(before, { uid: 'a', resourceVersion: '2' })).toBe('kept');
    expect(decideNotFound(undefined, before)).toBe('kept');
    expect(decideNotFound(before, undefined)).toBe('absent');
  });
});

describe('classifyContent', () => {
  const status = { status: 'Failure', message: 'no', code: 404 };
  it.each([
    ['OK', 'none'],
    [null, 'none'],
    [{ ErrStatus: status }, 'error'],
    [{}, 'error'],
    [{ Object: { metadata: { name: 'x' } }, Err: null }, 'object'],
    [{ Object: null, Err: { ErrStatus: status } }, 'error'],
    [{ Object: { metadata: { labels: {} } }, Err: {} }, 'error'],
    [{ metadata: { name: 'x' } }, 'object'],
    [{ data: {} }, 'malformed'],
    [[], 'malformed'],
    ['text', 'malformed'],
    [7, 'malformed'],
  ])('[metamanager-1.16] takes %j for %s', (content, form) => {
    expect(classifyContent('configmap', content).form).toBe(form);
  });

  it('[metamanager-1.17] leaves types open that it does not know', () => {
    expect(classifyContent('ca.crt', 'PEM').form).toBe('value');
    expect(classifyContent('gadget', { data: 1 }).form).toBe('value');
  });
});

describe('destinationOf', () => {
  it.each([
    ['edgecontroller', 'pod', 'replaced', 'edged'],
    ['edgecontroller', 'pod', 'same', 'edged'],
    ['edgecontroller', 'pod', 'older', 'nobody'],
    ['edgecontroller', 'pod', 'buried', 'nobody'],
    ['edgecontroller', 'pod', 'kept', 'edged'],
    ['edgecontroller', 'configmap', 'kept', 'nobody'],
    ['edgecontroller', 'configmap', 'removed', 'edged'],
    ['edgecontroller', 'node', 'replaced', 'nobody'],
    ['dynamiccontroller', 'service', 'created', 'edged'],
    ['devicecontroller', 'device', 'created', 'twin'],
    ['edgecontroller', 'device', 'replaced', 'twin'],
    ['edgecontroller', 'device', 'removed', 'twin'],
    ['edgecontroller', 'device', 'kept', 'nobody'],
    ['edgecontroller', 'devicemodel', 'same', 'twin'],
    ['policycontroller', 'serviceaccountaccess', 'created', 'nobody'],
  ] as const)('[metamanager-1.18] sends %s %s %s to %s', (source, type, outcome, destination) => {
    expect(destinationOf({ source, type }, outcome)).toBe(destination);
  });
});

describe('acknowledgement', () => {
  const push = (operation: string, resource: string) => createMessage({ source: 'devicecontroller', group: 'resource', operation, resource, content: {} });

  it('[metamanager-1.19] carries the route of the message without the cloud\'s prefix', () => {
    const ack = acknowledgement(push('update', 'node/edge-1/default/pod/p'));
    expect(ack.route).toEqual({ source: 'devicecontroller', group: 'resource', operation: 'response', resource: 'default/pod/p' });
    expect(ack.content).toBe('OK');
  });

  it('[metamanager-1.20] of new and deleted devices and models carries the twin\'s route', () => {
    for (const operation of ['insert', 'delete']) {
      expect(acknowledgement(push(operation, 'default/device/d')).route).toMatchObject({ source: 'meta', group: 'twin' });
      expect(acknowledgement(push(operation, 'default/devicemodel/m')).route).toMatchObject({ source: 'meta', group: 'twin' });
    }
    expect(acknowledgement(push('update', 'default/device/d')).route).toMatchObject({ source: 'devicecontroller', group: 'resource' });
  });

  it('[metamanager-1.21] is owed for answers about five types only', () => {
    const owed = ['configmap', 'secret', 'persistentvolume', 'persistentvolumeclaim', 'volumeattachment'];
    expect(owed.every(answerNeedsAck)).toBe(true);
    expect(['lease', 'node', 'serviceaccounttoken', 'podpatch', 'pod'].some(answerNeedsAck)).toBe(false);
  });
});

describe('tokenState', () => {
  const issued = Date.parse('2026-01-01T00:00:00Z');
  const token = (seconds: number | null, end = new Date(issued + (seconds ?? 0) * 1000).toISOString()) => ({
    spec: { expirationSeconds: seconds },
    status: { token: 't', expirationTimestamp: end },
  });
  it.each([
    ['new', token(1000), 0, 'fresh'],
    ['four fifths gone', token(1000), 801_000, 'stale'],
    ['just before', token(1000), 799_000, 'fresh'],
    ['expired', token(1000), 1_000_000, 'expired'],
    ['older than a day', token(1_000_000), 24 * 3_600_000 + 1000, 'stale'],
    ['without an end', token(null), 1e12, 'fresh'],
    ['without a token', { status: { token: '' } }, 0, 'useless'],
    ['an error that was stored', {}, 0, 'useless'],
  ])('[metamanager-5.4] judges a token that is %s', (_title, stored, age, state) => {
    expect(tokenState(stored, issued + age)).toBe(state);
  });

  it('[metamanager-5.5] trusts a token when the clock stands in 1970', () => {
    expect(tokenState(token(1000), 0)).toBe('fresh');
  });
});

describe('referencesOf', () => {
  it('[metamanager-7.1] finds every way in which a pod names a ConfigMap or a Secret', () => {
    const pod = {
      metadata: { name: 'p', namespace: 'n' },
      spec: {
        volumes: [
          { name: 'a', configMap: { name: 'vol-cm' } },
          { name: 'b', secret: { secretName: 'vol-sec' } },
          { name: 'c', projected: { sources: [{ configMap: { name: 'proj-cm' } }, { secret: { name: 'proj-sec' } }, { downwardAPI: {} }] } },
          { name: 'd', csi: { driver: 'x', nodePublishSecretRef: { name: 'csi-sec' } } },
          { name: 'e', emptyDir: {} },
        ],
        containers: [
          {
            name: 'one',
            env: [
              { name: 'X', value: '1' },
              { name: 'A', valueFrom: { configMapKeyRef: { name: 'env-cm', key: 'k' } } },
              { name: 'B', valueFrom: { secretKeyRef: { name: 'env-sec', key: 'k' } } },
              { name: 'C', valueFrom: { fieldRef: { fieldPath: 'x' } } },
            ],
            envFrom: [{ configMapRef: { name: 'from-cm' } }, { secretRef: { name: 'from-sec' } }],
          },
        ],
        initContainers: [{ name: 'init', envFrom: [{ configMapRef: { name: 'init-cm' } }] }],
        imagePullSecrets: [{ name: 'pull-sec' }],
      },
    };
    expect(referencesOf(pod)).toEqual([
      ...['env-cm', 'from-cm', 'init-cm', 'proj-cm', 'vol-cm'].map((name) => `n/configmap/${name}`),
      ...['csi-sec', 'env-sec', 'from-sec', 'proj-sec', 'pull-sec', 'vol-sec'].map((name) => `n/secret/${name}`),
    ]);
  });

  it('[metamanager-7.2] finds nothing in a pod that has ended, and survives any pod', () => {
    const spec = { containers: [{ name: 'c', envFrom: [{ configMapRef: { name: 'x' } }] }] };
    expect(referencesOf({ metadata: {}, spec, status: { phase: 'Succeeded' } })).toEqual([]);
    fc.assert(fc.property(fc.json(), (text) => void referencesOf({ metadata: {}, spec: JSON.parse(text) as never })));
    fc.assert(
      fc.property(fc.jsonValue(), (value) => void referencesOf({ metadata: {}, spec: { containers: value, volumes: [value], imagePullSecrets: value } as never })),
    );
  });
});

describe('small memories', () => {
  it('[metamanager-1.22] remember the latest deleted pods only', () => {
    const stones = new Tombstones(2);
    for (const uid of ['a', 'b', 'c', undefined]) stones.add(uid);
    expect([stones.has('a'), stones.has('b'), stones.has('c'), stones.has(undefined)]).toEqual([false, true, true, false]);
  });

  it('[metamanager-3.1] find a renewal of a lease not worth a write', () => {
    const lease = (renewTime: string, resourceVersion: string, uid = 'u') => ({
      metadata: { uid, resourceVersion, ownerReferences: [] },
      spec: { holderIdentity: 'n', leaseDurationSeconds: 40, renewTime },
    });
    expect(leaseIsWorthStoring(lease('1', '1'), undefined)).toBe(true);
    expect(leaseIsWorthStoring(lease('2', '2'), lease('1', '1'))).toBe(false);
    expect(leaseIsWorthStoring(lease('2', '2', 'v'), lease('1', '1'))).toBe(true);
  });
});

describe('patienceMs', () => {
  it('[metamanager-3.6] waits no longer than 20 s for a lease, whatever is configured: it must be renewed within 40 s', () => {
    expect([patienceMs('lease', 60), patienceMs('lease', 5), patienceMs('configmap', 60)]).toEqual([20_000, 5000, 60_000]);
  });
});

describe('podHasVanished', () => {
  const details = { name: 'p', kind: 'pods' };
  const status = (reason: string, message: string, over: object = {}) => ({ status: 'Failure' as const, reason, message, details, ...over });
  it('[metamanager-4.13] believes the API server\'s own words about this very pod and nothing else', () => {
    expect(podHasVanished(status('NotFound', 'pods "p" not found'), 'p')).toBe(true);
    expect(podHasVanished(status('Conflict', 'Operation cannot be fulfilled on pods "p": uid mismatch: the provided object specified uid a'), 'p')).toBe(true);
    expect(podHasVanished(status('Invalid', 'Pod "p" is invalid: metadata.uid: Invalid value: "a": field is immutable', { details: { name: 'p', kind: 'Pod' } }), 'p')).toBe(true);
    expect(podHasVanished(status('NotFound', 'pods "q" not found', { details: { ...details, name: 'q' } }), 'p')).toBe(false);
    expect(podHasVanished(status('NotFound', 'namespaces "p" not found', { details: { name: 'p', kind: 'namespaces' } }), 'p')).toBe(false);
    expect(podHasVanished(status('NotFound', 'the server could not find the requested resource'), 'p')).toBe(false);
    expect(podHasVanished(status('Conflict', 'the object has been modified'), 'p')).toBe(false);
    expect(podHasVanished(status('Forbidden', 'pods "p" not found'), 'p')).toBe(false);
    expect(podHasVanished({ status: 'Failure', message: '' }, 'p')).toBe(false);
  });

  it('[metamanager-4.15] tells questions whether a pod is there from patches that change something', () => {
    expect(['{"metadata":{"uid":"u"}}', '{"metadata":{"uid":"u"},"status":{}}', '{"metadata":{"uid":"u","labels":{}}}', '{"metadata":{}}', 'no json', {}, undefined].map(isInquiry)).toEqual([true, false, false, false, false, false, false]);
  });

  it('[metamanager-4.14] reads the uid that a patch names, from whatever text', () => {
    expect(['{"metadata":{"uid":"u"}}', '{"metadata":{"uid":7}}', '{}', 'null', 'no json', undefined].map(patchedUid)).toEqual(['u', undefined, undefined, undefined, undefined, undefined]);
  });
});
