import { describe, expect, it } from 'vitest';
import { goQuote } from './go-quote.js';
import { metaV2Place, metaV2Row } from './meta-v2.js';
import { completeObject } from './object-types.js';
import { sortedJson, structJson } from './sorted-json.js';
import { isBoundTo, tokenKey } from './token-key.js';

describe('texts in the database', () => {
  it('[metamanager-8.1] sorts members at every depth, numbers as names too, and escapes for HTML as Go does', () => {
    expect(sortedJson({ b: [{ d: 1, c: null }], a: { '10': 'x', '9': '<&>' }, none: undefined })).toBe(
      '{"a":{"10":"x","9":"\\u003c\\u0026\\u003e"},"b":[{"c":null,"d":1}]}',
    );
  });

  it('[metamanager-8.2] puts the type before everything else in rows written after a patch', () => {
    expect(structJson('Pod', 'v1', { metadata: { name: 'p', namespace: 'n' }, apiVersion: 'x', spec: {} })).toBe(
      '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p","namespace":"n"},"spec":{}}',
    );
  });

  it.each([
    ['plain', '"plain"'],
    ['say "hi" \\ there', '"say \\"hi\\" \\\\ there"'],
    ['tab\tline\nbell\u0007nul\0del\u007f', '"tab\\tline\\nbell\\anul\\x00del\\x7f"'],
    ['größe 東京 🚀', '"größe 東京 🚀"'],
    ['wide\u00a0space\u200bnothing\ufeff', '"wide\\u00a0space\\u200bnothing\\ufeff"'],
    ['\u{e0001}', '"\\U000e0001"'],
  ])('[metamanager-8.3] quotes %j as Go does', (text, quoted) => {
    expect(goQuote(text)).toBe(quoted);
  });
});

describe('keys of service account tokens', () => {
  const bound = { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: 'u' };
  const tail = '/3607/v1.BoundObjectReference{Kind:"Pod", APIVersion:"v1", Name:"p", UID:"u"}';

  it('[metamanager-5.1] are byte for byte those of upstream', () => {
    const audiences = ['https://kubernetes.default.svc.cluster.local'];
    expect(tokenKey('ns1', 'default', { spec: { audiences, expirationSeconds: 3607, boundObjectRef: bound } })).toBe(
      `"default"/"ns1"/[]string{"https://kubernetes.default.svc.cluster.local"}${tail}`,
    );
    expect(tokenKey('ns1', 'default', { spec: { audiences: null, expirationSeconds: 3607, boundObjectRef: bound } })).toBe(
      `"default"/"ns1"/[]string(nil)${tail}`,
    );
  });

  it('[metamanager-5.2] tell an empty audience list from none, and fill what is left out with zeros', () => {
    expect(tokenKey('n', 's', { spec: { audiences: [] } })).toBe(
      '"s"/"n"/[]string{}/0/v1.BoundObjectReference{Kind:"", APIVersion:"", Name:"", UID:""}',
    );
    expect(tokenKey('n', 's', { spec: { audiences: ['a', 'b'] } })).toContain('/[]string{"a", "b"}/0/');
  });

  it('[metamanager-5.3] say which pod they belong to', () => {
    const key = tokenKey('n', 's', { spec: { boundObjectRef: bound } });
    expect(isBoundTo(key, 'u')).toBe(true);
    expect(isBoundTo(key, 'uu')).toBe(false);
    expect(isBoundTo(key, '')).toBe(false);
  });
});

describe('rows of the local API', () => {
  it.each([
    ['pod', { metadata: { name: 'p1', namespace: 'default' } }, '/core/v1/pods/default/p1', '/v1, Resource=pods'],
    ['node', { metadata: { name: 'n1' } }, '/core/v1/nodes/null/n1', '/v1, Resource=nodes'],
    ['endpoints', { metadata: { name: 'e', namespace: 'x' } }, '/core/v1/endpoints/x/e', '/v1, Resource=endpoints'],
    ['device', { metadata: { name: 't', namespace: 'd' } }, '/devices.kubeedge.io/v1beta1/devices/d/t', 'devices.kubeedge.io/v1beta1, Resource=devices'],
    ['networkpolicy', { kind: 'NetworkPolicy', apiVersion: 'networking.k8s.io/v1', metadata: { name: 'a', namespace: 'b' } }, '/networking.k8s.io/v1/networkpolicies/b/a', 'networking.k8s.io/v1, Resource=networkpolicies'],
    ['ingressclass', { kind: 'IngressClass', apiVersion: 'networking.k8s.io/v1', metadata: { name: 'a' } }, '/networking.k8s.io/v1/ingressclasses/null/a', 'networking.k8s.io/v1, Resource=ingressclasses'],
  ])('[metamanager-8.4] of type %s lie where upstream puts them', (type, object, key, groupVersionResource) => {
    expect(metaV2Place(type, object)).toMatchObject({ key, groupVersionResource });
  });

  it('[metamanager-8.5] are completed with kind and apiVersion, sorted and ended with a newline', () => {
    const row = metaV2Row('pod', { metadata: { name: 'p', namespace: 'd', resourceVersion: '12' }, spec: {} });
    expect(row).toMatchObject({ resource_version: 12, namespace: 'd', name: 'p' });
    expect(row?.value).toBe('{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"d","resourceVersion":"12"},"spec":{}}\n');
  });

  it('[metamanager-8.6] are not made of leases, tokens, patches, and objects that do not say what they are', () => {
    const object = { metadata: { name: 'x' } };
    for (const type of ['lease', 'serviceaccounttoken', 'podpatch', 'nodepatch', 'podstatus', 'whatever']) {
      expect(metaV2Row(type, object)).toBeUndefined();
    }
  });

  it('[metamanager-8.7] keep the kind that an object carries, and complete only half a type', () => {
    const own = { kind: 'Pod', apiVersion: 'v2', metadata: { name: 'x' } };
    expect(completeObject('pod', own)).toBe(own);
    expect(completeObject('pod', { kind: 'Odd', metadata: {} })).toMatchObject({ kind: 'Odd', apiVersion: 'v1' });
  });
});
