import { expect, it } from 'vitest';
import type { ConfigMap, Pod, Secret, Volume } from '@edge/protocol';
import type { Cluster } from './cluster.js';
import { shell } from './pod-handle.js';

const MOUNT = { volumeMounts: [{ name: 'v', mountPath: '/v' }] };
/** Mode, group and content of every file, links followed; one a line. */
const SHOW = 'cd /v; for f in $(find -L . -type f | grep -v "/[.][.]" | sort); do echo "$f $(stat -L -c %a:%g $f) $(cat $f)"; done';
const WATCH = 'while true; do for f in /v/*/*; do [ -e $f ] && echo "$f=$(cat $f)"; done; echo .; sleep 0.5; done';

type Kind = 'configMap' | 'secret';
type Items = readonly { key: string; path: string; mode?: number }[];
interface SourceOptions {
  readonly items?: Items;
  readonly defaultMode?: number;
  readonly optional?: boolean;
}

/** The two ways to mount an object: by itself and as a part of a projected volume. */
const FORMS = [['configMap', 'plain'], ['secret', 'plain'], ['configMap', 'projected'], ['secret', 'projected']] as const;

function volume(form: 'plain' | 'projected', kind: Kind, object: string, { defaultMode, ...options }: SourceOptions = {}, name = 'v'): Volume {
  const mode = defaultMode === undefined ? {} : { defaultMode };
  if (form === 'projected') return { name, projected: { ...mode, sources: [{ [kind]: { name: object, ...options } }] } };
  return { name, [kind]: { [kind === 'secret' ? 'secretName' : 'name']: object, ...mode, ...options } };
}

/** ConfigMaps, Secrets, the pod's own fields and tokens as files. */
export function configVolumeSpecs(cluster: () => Cluster): void {
  const make = (kind: Kind, data: Record<string, string>, namespace?: string): Promise<string> =>
    kind === 'secret' ? cluster().make('secrets', { stringData: data }, namespace) : cluster().make('configmaps', { data }, namespace);
  const show = async (source: Volume, more: Partial<Pod['spec']> = {}): Promise<string[]> => {
    await using pod = await cluster().run({ containers: [shell(SHOW, MOUNT)], volumes: [source], ...more });
    await pod.succeeded();
    return pod.output().split('\n');
  };

  it.each(FORMS)('[conf-6.1] %s (%s): files with the modes and paths that are asked for', async (kind, form) => {
    const name = await make(kind, { 'data-1': 'value-1', 'data-2': 'value-2' });
    const items: Items = [{ key: 'data-2', path: 'path/to/data-2' }];
    const withMode: Items = [{ key: 'data-2', path: 'path/to/data-2', mode: 0o400 }];
    const [plain, mode, mapped, mappedMode] = await Promise.all([
      show(volume(form, kind, name)),
      show(volume(form, kind, name, { defaultMode: 0o400 })),
      show(volume(form, kind, name, { items })),
      show(volume(form, kind, name, { items: withMode })),
    ]);
    expect(plain).toEqual(['./data-1 644:0 value-1', './data-2 644:0 value-2']);
    expect(mode).toEqual(['./data-1 400:0 value-1', './data-2 400:0 value-2']);
    expect(mapped).toEqual(['./path/to/data-2 644:0 value-2']);
    expect(mappedMode).toEqual(['./path/to/data-2 400:0 value-2']);
  });

  it.each(FORMS)('[conf-6.2] %s (%s): others than root read it, by their group when there is one', async (kind, form) => {
    const name = await make(kind, { 'data-1': 'value-1' });
    const items: Items = [{ key: 'data-1', path: 'sub/data-1' }];
    const [any, group] = await Promise.all([
      show(volume(form, kind, name, { items }), { securityContext: { runAsUser: 1000 } }),
      show(volume(form, kind, name, { defaultMode: 0o440 }), { securityContext: { runAsUser: 1000, fsGroup: 1001 } }),
    ]);
    expect(any).toEqual(['./sub/data-1 644:0 value-1']);
    expect(group).toEqual(['./data-1 440:1001 value-1']);
  });

  it.each(FORMS)('[conf-6.3] %s (%s): several volumes of one object, and the one of the own namespace', async (kind, form) => {
    const other = await cluster().make('namespaces', {});
    const name = await make(kind, { k: 'mine' });
    const body = kind === 'secret' ? { stringData: { k: 'theirs' } } : { data: { k: 'theirs' } };
    await cluster().resource('v1', `${kind.toLowerCase()}s`).create({ apiVersion: 'v1', metadata: { name, namespace: other }, ...body } as never);
    await using pod = await cluster().run({
      containers: [shell('cat /v/k /w/k; touch /v/new 2>&1 || true', { volumeMounts: [{ name: 'v', mountPath: '/v', readOnly: true }, { name: 'w', mountPath: '/w' }] })],
      volumes: [volume(form, kind, name), volume(form, kind, name, {}, 'w')],
    });
    await pod.succeeded();
    expect(pod.output()).toMatch(/^minemine/);
    expect(pod.output()).toContain('Read-only');
  });

  it.each(FORMS)('[conf-6.4] %s (%s): what is changed, made and taken away later shows in a running pod', async (kind, form) => {
    const [deleted, updated] = await Promise.all([make(kind, { k: 'old' }), make(kind, { k: 'old' })]);
    const created = cluster().unique('created');
    const optional = { optional: true };
    await using pod = await cluster().start({
      containers: [shell(WATCH, { volumeMounts: ['deleted', 'updated', 'created'].map((part) => ({ name: part, mountPath: `/v/${part}` })) })],
      volumes: [volume(form, kind, deleted, optional, 'deleted'), volume(form, kind, updated, optional, 'updated'), volume(form, kind, created, optional, 'created')],
    });
    await pod.said('/v/deleted/k=old\n/v/updated/k=old\n.');
    const plural = `${kind.toLowerCase()}s`;
    const encoded = (text: string): string => (kind === 'secret' ? Buffer.from(text).toString('base64') : text);
    const objects = cluster().resource<ConfigMap & Secret>('v1', plural);
    await objects.delete(deleted, 'default');
    await objects.modify(updated, 'default', (copy) => void (copy.data = { more: encoded('new') }));
    await objects.create({ apiVersion: 'v1', metadata: { name: created, namespace: 'default' }, data: { k: encoded('born') } } as never);
    await pod.said(/\.\n\/v\/created\/k=born\n\/v\/updated\/more=new\n\./, 'main', 90_000);
    expect(pod.container().restartCount).toBe(0);
  }, 120_000);

  it('[conf-6.5] binary data stays as it is', async () => {
    const bytes = Buffer.from([0xff, 0xfe, 0, 0x0a, 0xc3, 0x28]);
    const name = await cluster().make('configmaps', { data: { text: 'value' }, binaryData: { blob: bytes.toString('base64') } });
    await using pod = await cluster().run({ containers: [shell('cat /v/text; echo; base64 /v/blob', MOUNT)], volumes: [volume('plain', 'configMap', name)] });
    await pod.succeeded();
    expect(pod.output().split('\n')).toEqual(['value', bytes.toString('base64')]);
  });

  it('[conf-6.6] a pod whose object is missing waits, says so, and runs when the object comes', async () => {
    const name = cluster().unique('missing');
    await using pod = await cluster().start({ containers: [shell('cat /v/k', MOUNT)], volumes: [volume('plain', 'configMap', name)] });
    await pod.told('FailedMount', name);
    expect(pod.now?.status?.phase).toBe('Pending');
    await cluster().resource('v1', 'configmaps').create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data: { k: 'here' } });
    await pod.succeeded();
  }, 120_000);

  it.each(['plain', 'projected'] as const)('[conf-6.7] the pod\'s own fields as files (%s), with their modes, and anew when they change', async (form) => {
    const fields = (...items: object[]): Volume => (form === 'plain' ? { name: 'v', downwardAPI: { items } } : { name: 'v', projected: { sources: [{ downwardAPI: { items } }] } });
    const resource = (path: string, what: string, divisor?: string): object => ({ path, resourceFieldRef: { containerName: 'main', resource: what, ...(divisor ? { divisor } : {}) } });
    const resources = { requests: { cpu: '250m', memory: '32Mi' }, limits: { cpu: '1250m', memory: '64Mi' } };
    const items = [
      { path: 'name', fieldRef: { fieldPath: 'metadata.name' } },
      { path: 'sub/mode', mode: 0o400, fieldRef: { fieldPath: 'metadata.namespace' } },
      resource('cpu_limit', 'limits.cpu'), resource('memory_limit', 'limits.memory'), resource('cpu_request', 'requests.cpu', '1m'), resource('memory_request', 'requests.memory', '1Mi'),
    ];
    await using known = await cluster().run({ containers: [shell(SHOW, { ...MOUNT, resources })], volumes: [fields(...items)] });
    await known.succeeded();
    expect(known.output().split('\n').sort()).toEqual(
      ['./cpu_limit 644:0 2', './cpu_request 644:0 250', './memory_limit 644:0 67108864', './memory_request 644:0 32', `./name 644:0 ${known.name}`, './sub/mode 400:0 default'].sort(),
    );
    await using free = await cluster().run({ containers: [shell(SHOW, MOUNT)], volumes: [fields(resource('cpu', 'limits.cpu'), resource('memory', 'limits.memory'))] });
    await free.succeeded();
    const { allocatable = {} } = cluster().node.status ?? {};
    expect(free.output().split('\n')).toEqual([`./cpu 644:0 ${allocatable['cpu']}`, `./memory 644:0 ${Number(allocatable['memory']?.replace('Ki', '')) * 1024}`]);

    const live = fields({ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }, { path: 'annotations', fieldRef: { fieldPath: 'metadata.annotations' } });
    await using pod = await cluster().start(
      { containers: [shell('while true; do cat /v/labels; echo; cat /v/annotations; echo; sleep 0.5; done', MOUNT)], volumes: [live] },
      { labels: { b: 'two', a: 'one' }, annotations: { note: 'say "hi"' } },
    );
    await pod.said('a="one"\nb="two"');
    await pod.said('note="say \\"hi\\""');
    await pod.change((copy) => {
      copy.metadata.labels = { a: 'changed' };
      copy.metadata.annotations = { note: 'bye' };
    });
    await pod.said('a="changed"\n', 'main', 90_000);
    await pod.said('note="bye"', 'main', 90_000);
  }, 150_000);

  it('[conf-6.8] a projected volume joins all its sources, a token of the service account among them', async () => {
    const [map, secret] = await Promise.all([cluster().make('configmaps', { data: { m: 'map' } }), cluster().make('secrets', { stringData: { s: 'secret' } })]);
    const sources = [
      { configMap: { name: map, items: [{ key: 'm', path: 'all/map' }] } },
      { secret: { name: secret, items: [{ key: 's', path: 'all/secret' }] } },
      { downwardAPI: { items: [{ path: 'all/name', fieldRef: { fieldPath: 'metadata.name' } }] } },
      { serviceAccountToken: { path: 'all/token', expirationSeconds: 600, audience: 'spec' } },
    ];
    await using pod = await cluster().run({ containers: [shell('cd /v/all; cat map secret name; echo; stat -L -c %a token; cat token', MOUNT)], volumes: [{ name: 'v', projected: { sources } }] });
    await pod.succeeded();
    const [joined, mode, token = ''] = pod.output().split('\n');
    expect([joined, mode]).toEqual([`mapsecret${pod.name}`, '644']);
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
    expect(claims).toMatchObject({ aud: ['spec'], sub: 'system:serviceaccount:default:default', 'kubernetes.io': { pod: { name: pod.name, uid: pod.uid } } });
  });
}
