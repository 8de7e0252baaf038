import type { KubeObject } from '@edge/kubeapi';
import { createCertificateRequest } from '@edge/core';
import { X509Certificate } from 'node:crypto';
import { expect, it } from 'vitest';
import { openCloud } from './cloud-fixture.js';

const RBAC = 'rbac.authorization.k8s.io/v1';
const ACCESS = 'default/serviceaccountaccess/reader';

it('[minicloud-16.1] nodes are told what the service accounts of their pods may do, and of changes, and of the end', async () => {
  await using fixture = await openCloud({ requireAuthorization: true });
  const { api } = fixture.cloud;
  const [node, other] = [await fixture.connect('e1'), await fixture.connect('e2')];
  const create = (apiVersion: string, plural: string, kind: string, name: string, rest: object, namespace: object = { namespace: 'default' }): Promise<KubeObject> =>
    api.resource(apiVersion, plural).create({ apiVersion, kind, metadata: { name, ...namespace }, ...rest });
  const account = await create('v1', 'serviceaccounts', 'ServiceAccount', 'reader', {});
  const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
  const subjects = [{ kind: 'ServiceAccount', name: 'reader', namespace: 'default' }];
  await create(RBAC, 'clusterroles', 'ClusterRole', 'reads', { rules }, {});
  await create(RBAC, 'rolebindings', 'RoleBinding', 'local', { subjects, roleRef: { kind: 'ClusterRole', name: 'reads' } });
  await create(RBAC, 'rolebindings', 'RoleBinding', 'of-another', { subjects: [{ kind: 'ServiceAccount', name: 'writer' }], roleRef: { kind: 'ClusterRole', name: 'reads' } });
  await create('v1', 'pods', 'Pod', 'p', { spec: { nodeName: 'e1', serviceAccountName: 'reader', containers: [{ name: 'c', image: 'i' }] } });
  const told = await node.waitForPush('insert', ACCESS);
  expect(told.route).toMatchObject({ source: 'policycontroller', group: 'resource' });
  expect(told.content).toMatchObject({
    kind: 'ServiceAccountAccess', apiVersion: 'policy.kubeedge.io/v1alpha1', status: { nodeList: [] },
    spec: { serviceAccountUid: account.metadata.uid, serviceAccount: { metadata: { name: 'reader' } }, accessRoleBinding: [{ roleBinding: { metadata: { name: 'local' }, subjects }, rules }] },
  });
  expect(api.resource('policy.kubeedge.io/v1alpha1', 'serviceaccountaccesses').find('reader', 'default')).toMatchObject({ status: { nodeList: ['e1'] } });

  await create(RBAC, 'clusterrolebindings', 'ClusterRoleBinding', 'wide', { subjects: [{ kind: 'Group', name: 'system:serviceaccounts:default' }], roleRef: { kind: 'ClusterRole', name: 'reads' } }, {});
  expect((await node.waitForPush('update', ACCESS)).content).toMatchObject({ spec: { accessClusterRoleBinding: [{ clusterRoleBinding: { metadata: { name: 'wide' } }, rules }] } });
  await api.resource('v1', 'serviceaccounts').delete('reader', 'default');
  await node.waitForPush('delete', ACCESS);
  expect(other.received.filter(({ route }) => route.resource.includes('serviceaccountaccess'))).toEqual([]);
});

it('[minicloud-16.2] a node gets the serving certificate that it asks for in its own name, and in no other', async () => {
  await using fixture = await openCloud();
  const node = await fixture.connect('e1');
  const ask = async (name: string, commonName: string, signerName = 'kubernetes.io/kubelet-serving'): Promise<string | undefined> => {
    const { der } = createCertificateRequest([['organization', 'system:nodes'], ['commonName', commonName]], ['127.0.0.1', '169.254.30.10', 'fd00::10', 'edge.local']);
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    const resource = `default/certificatesigningrequest/${name}`;
    const spec = { request: Buffer.from(pem).toString('base64'), signerName, usages: ['digital signature', 'key encipherment', 'server auth'] };
    expect((await node.ask('insert', resource, { metadata: { name }, spec })).content).toMatchObject({ Err: null });
    return ((await node.ask('query', resource)).content as { status?: { certificate?: string } }).status?.certificate;
  };
  const certificate = new X509Certificate(Buffer.from((await ask('mine', 'system:node:e1')) ?? '', 'base64'));
  expect(certificate.subject).toBe('O=system:nodes\nCN=system:node:e1');
  expect(certificate.subjectAltName).toBe('IP Address:127.0.0.1, IP Address:169.254.30.10, IP Address:FD00:0:0:0:0:0:0:10, DNS:edge.local');
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  expect(await ask('other', 'system:node:e2')).toBeUndefined();
  expect(await ask('client', 'system:node:e1', 'kubernetes.io/kube-apiserver-client-kubelet')).toBeUndefined();
});
