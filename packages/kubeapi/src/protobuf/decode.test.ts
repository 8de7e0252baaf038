import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isApiError } from '../errors.js';
import { decodeProtobuf } from './decode.js';

/** What kubectl 1.33 sends for `create configmap foo --from-literal=a=b`. */
const CONFIG_MAP = '6b3873000a0f0a02763112 09436f6e6669674d6170121d0a130a03666f6f12001a0022002a003200380042001206 0a01611201621a002200'.replace(/ /g, '');

/** A message field by field: [number, text | bytes | number]. */
function message(...fields: [number, string | Buffer | number][]): Buffer {
  const varint = (value: number): Buffer => {
    const bytes: number[] = [];
    for (let rest = value; ; rest = Math.floor(rest / 128)) {
      if (rest < 128) return Buffer.from([...bytes, rest]);
      bytes.push((rest % 128) | 128);
    }
  };
  return Buffer.concat(fields.map(([number, value]) => {
    if (typeof value === 'number') return Buffer.concat([varint(number * 8), varint(value)]);
    const bytes = Buffer.from(value);
    return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
  }));
}

const envelope = (apiVersion: string, kind: string, raw: Buffer): Buffer =>
  Buffer.concat([Buffer.from('k8s\0'), message([1, message([1, apiVersion], [2, kind])], [2, raw])]);

describe('decodeProtobuf', () => {
  it('[kubeapi-4.1] reads what kubectl sends, without the zeros of fields that were not set', () => {
    expect(decodeProtobuf(Buffer.from(CONFIG_MAP, 'hex'))).toEqual({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'foo' }, data: { a: 'b' } });
  });

  it('[kubeapi-4.2] keeps a zero that was set, inlines what JSON inlines, reads times, quantities and ports', () => {
    const container = message([1, 'c'], [2, 'img'], [8, message([1, message([1, 'cpu'], [2, message([1, '500m'])])])], [10, message([1, message([2, message([1, '/x'], [2, message([1, 1], [3, 'http'])])])], [3, 5])]);
    const volume = message([1, 'v'], [2, message([19, message([1, message([1, 'cm'])])])]);
    const pod = message([1, message([1, 'p'], [8, message([1, 1795312714])])], [2, message([1, volume], [2, container], [4, 0])]);
    expect(decodeProtobuf(envelope('v1', 'Pod', pod))).toMatchObject({
      metadata: { name: 'p', creationTimestamp: '2026-11-22T01:58:34Z' },
      spec: {
        volumes: [{ name: 'v', configMap: { name: 'cm' } }], terminationGracePeriodSeconds: 0,
        containers: [{ name: 'c', image: 'img', resources: { limits: { cpu: '500m' } }, livenessProbe: { httpGet: { path: '/x', port: 'http' }, timeoutSeconds: 5 } }],
      },
    });
  });

  it('[kubeapi-4.3] answers unknown kinds with 415 and broken bytes with 400, whatever they are', () => {
    expect(() => decodeProtobuf(envelope('v1', 'Nope', Buffer.alloc(0)))).toThrowError(expect.toSatisfy((e) => isApiError(e, 'UnsupportedMediaType')));
    const good = Buffer.from(CONFIG_MAP, 'hex');
    fc.assert(fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, byte, cut) => {
      const bad = Buffer.from(good);
      bad[at] = byte;
      try {
        decodeProtobuf(bad.subarray(0, cut));
      } catch (error) {
        expect(isApiError(error)).toBe(true);
      }
    }), { numRuns: 2000 });
  });

  it('[kubeapi-4.4] reads discovery as an API server 1.20 sends it, like its JSON', () => {
    const read = (base64: string): unknown => decodeProtobuf(Buffer.from(base64, 'base64'));
    expect(read('azhzAAoPCgASC0FQSVZlcnNpb25zEiIKAnYxEhwKCTAuMC4wLjAvMBIPMTI3LjAuMC4xOjE2NDQzGgAiAA==')).toEqual({
      kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '127.0.0.1:16443' }],
    });
    expect(read('azhzAAoOCgJ2MRIIQVBJR3JvdXASJAoEYXBwcxINCgdhcHBzL3YxEgJ2MRoNCgdhcHBzL3YxEgJ2MRoAIgA=')).toEqual({
      kind: 'APIGroup', apiVersion: 'v1', name: 'apps', versions: [{ groupVersion: 'apps/v1', version: 'v1' }], preferredVersion: { groupVersion: 'apps/v1', version: 'v1' },
    });
    expect(read(`azhzAAoVCgJ2MRIPQVBJUmVzb3VyY2VMaXN0EosBCg5ub2RlLms4cy5pby92MRJ5Cg5ydW50aW1lY2xhc3NlcxAAGgxSdW50aW1lQ2xhc3MiQwoGY3JlYXRlCgZkZWxldGUKEGRlbGV0ZW
      NvbGxlY3Rpb24KA2dldAoEbGlzdAoFcGF0Y2gKBnVwZGF0ZQoFd2F0Y2gyAEIASgBSDDhuTUhXcWozNHMwPRoAIgA=`)).toEqual({
      kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'node.k8s.io/v1',
      resources: [{
        name: 'runtimeclasses', singularName: '', namespaced: false, kind: 'RuntimeClass', storageVersionHash: '8nMHWqj34s0=',
        verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
      }],
    });
  });
});
