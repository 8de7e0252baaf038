import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Cluster } from './cluster.js';
import { idle, shell } from './pod-handle.js';

const MODES = ['0644', '0666', '0777'] as const;
/** Kind of file system, mode of the folder (without the sticky bit, which is the kernel's choice for memory), then mode and content of a file made with each mode. */
const TRY = `for d in /disk /memory; do echo "$(grep " $d " /proc/mounts | cut -d' ' -f3 | sed 's/tmpfs/memory/;t;s/.*/disk/') $(stat -c %a $d | sed 's/^1//')"; for m in ${MODES.join(' ')}; do echo hi > $d/$m && chmod $m $d/$m && echo "$(stat -c %a:%u $d/$m) $(cat $d/$m)"; done; done`;

/** Folders of pods and of the host. */
export function directorySpecs(cluster: () => Cluster): void {
  it.each([['root', 0], ['non-root', 1000]] as const)('[conf-7.1] emptyDir for %s: on disk and in memory, for everybody, files of every mode', async (_who, user) => {
    await using pod = await cluster().run({
      securityContext: { runAsUser: user },
      containers: [shell(TRY, { volumeMounts: [{ name: 'disk', mountPath: '/disk' }, { name: 'memory', mountPath: '/memory' }] })],
      volumes: [{ name: 'disk', emptyDir: {} }, { name: 'memory', emptyDir: { medium: 'Memory' } }],
    });
    await pod.succeeded();
    const files = MODES.map((mode) => `${Number(mode)}:${user} hi`);
    expect(pod.output().split('\n')).toEqual(['disk 777', ...files, 'memory 777', ...files]);
  });

  it('[conf-7.2] emptyDir: the containers of a pod share it, it outlives them and belongs to the pod\'s group', async () => {
    const mounts = { volumeMounts: [{ name: 'd', mountPath: '/d' }] };
    await using pod = await cluster().start({
      restartPolicy: 'Always',
      securityContext: { fsGroup: 2002, runAsUser: 1000 },
      containers: [
        shell('echo run >> /d/log; stat -c %a:%g /d; touch /d/mine; stat -c %g /d/mine; [ $(wc -l < /d/log) -gt 1 ] && sleep 3600; exit 1', mounts),
        shell('until [ -e /d/log ]; do sleep 0.1; done; echo seen; sleep 3600', { name: 'other', ...mounts }),
      ],
      volumes: [{ name: 'd', emptyDir: { sizeLimit: '10Mi' } }],
    });
    await pod.restarted(1);
    await pod.until('running again', () => pod.container().state.running !== undefined);
    await pod.said('seen', 'other');
    // A container that runs may not have come to its first command yet.
    expect(await pod.sh('for i in $(seq 300); do [ $(wc -l < /d/log) -gt 1 ] && break; sleep 0.1; done; cat /d/log')).toBe('run\nrun');
    expect(pod.output().split('\n').slice(0, 2)).toEqual(['2777:2002', '2002']);
  });

  it('[conf-7.3] emptyDir in memory is as large as its limit', async () => {
    await using pod = await cluster().run({
      containers: [shell('df -k /d | tail -1 | awk \'{print $2}\'; dd if=/dev/zero of=/d/f bs=1M count=8 2>&1 | grep -o "No space left"', { volumeMounts: [{ name: 'd', mountPath: '/d' }] })],
      volumes: [{ name: 'd', emptyDir: { medium: 'Memory', sizeLimit: '4Mi' } }],
    });
    expect(pod.output().split('\n')).toEqual(['4096', 'No space left']);
  });

  it('[conf-7.4] hostPath: read and written on both sides, read-only where asked, with its own mode', async () => {
    const path = join(cluster().shared, cluster().unique('host'));
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'in'), 'from the host');
    await using pod = await cluster().run({
      containers: [
        shell('cat /h/in; echo; echo -n back > /h/out; stat -c %a /h; touch /r/no 2>&1 | grep -o Read-only; cat /s/deep', {
          volumeMounts: [{ name: 'h', mountPath: '/h' }, { name: 'h', mountPath: '/r', readOnly: true }, { name: 'h', mountPath: '/s', subPath: 'sub' }],
        }),
      ],
      initContainers: [shell('mkdir -p /h/sub; echo below > /h/sub/deep', { name: 'init', volumeMounts: [{ name: 'h', mountPath: '/h' }] })],
      volumes: [{ name: 'h', hostPath: { path } }],
    });
    await pod.succeeded();
    expect(pod.output().split('\n')).toEqual(['from the host', (statSync(path).mode & 0o777).toString(8), 'Read-only', 'below']);
    expect(readFileSync(join(path, 'out'), 'utf8')).toBe('back');
  });

  it('[conf-7.5] hostPath: what must be there is checked, what may be made is made', async () => {
    const base = join(cluster().shared, cluster().unique('types'));
    mkdirSync(base, { recursive: true });
    await using good = await cluster().run({
      containers: [shell('stat -c "%F" /dir /file /log', { volumeMounts: [{ name: 'dir', mountPath: '/dir' }, { name: 'file', mountPath: '/file' }, { name: 'log', mountPath: '/log' }] })],
      volumes: [
        { name: 'dir', hostPath: { path: join(base, 'new', 'dir'), type: 'DirectoryOrCreate' } },
        { name: 'file', hostPath: { path: join(base, 'file'), type: 'FileOrCreate' } },
        { name: 'log', hostPath: { path: '/dev/null', type: 'CharDevice' } },
      ],
    });
    await good.succeeded();
    expect(good.output().split('\n')).toEqual(['directory', 'regular empty file', 'character special file']);
    await using bad = await cluster().start({ containers: [idle({ volumeMounts: [{ name: 's', mountPath: '/s' }] })], volumes: [{ name: 's', hostPath: { path: base, type: 'Socket' } }] });
    await bad.told('FailedMount', base);
    expect(bad.now?.status?.phase).toBe('Pending');
  });

  it('[conf-7.6] subPath: a file of a ConfigMap, a folder by the pod\'s own name, the same folder in every run', async () => {
    const map = await cluster().make('configmaps', { data: { 'a.conf': 'one line', other: 'x' } });
    await using pod = await cluster().start({
      restartPolicy: 'Always',
      containers: [
        shell('cat /etc/a.conf; echo; ls /etc/a.conf /mine; echo again >> /mine/log; [ $(wc -l < /mine/log) -gt 1 ] && sleep 3600; exit 1', {
          env: [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
          volumeMounts: [{ name: 'c', mountPath: '/etc/a.conf', subPath: 'a.conf' }, { name: 'd', mountPath: '/mine', subPathExpr: 'logs/$(POD_NAME)' }, { name: 'd', mountPath: '/all' }],
        }),
      ],
      volumes: [{ name: 'c', configMap: { name: map } }, { name: 'd', emptyDir: {} }],
    });
    await pod.restarted(1);
    await pod.until('running again', () => pod.container().state.running !== undefined);
    expect(pod.output()).toContain('one line\n/etc/a.conf');
    expect(await pod.sh('find /all -type f')).toBe(`/all/logs/${pod.name}/log`);
  });

  it('[conf-7.7] a sub path that leads out of its volume, or is none, keeps the container from starting until it is right', async () => {
    const where = { name: 'WHERE', valueFrom: { fieldRef: { fieldPath: "metadata.annotations['where']" } } };
    const mounts = (subPathExpr: string): object => ({ env: [where], volumeMounts: [{ name: 'd', mountPath: '/d', subPathExpr }] });
    await using pod = await cluster().start(
      { containers: [idle({ name: 'absolute', ...mounts('$(WHERE)') }), idle({ name: 'odd', ...mounts('`ls`$(UNSET)') })], volumes: [{ name: 'd', emptyDir: {} }] },
      { annotations: { where: '/absolute' } },
    );
    await pod.until('refused', () => ['absolute', 'odd'].every((name) => /CreateContainer(Config)?Error/.test(pod.container(name).state.waiting?.reason ?? '')));
    await pod.change((copy) => void (copy.metadata.annotations = { where: 'inside' }));
    await pod.until('running as the path is right', () => pod.container('absolute').state.running !== undefined);
    const link = join(cluster().shared, cluster().unique('link'));
    mkdirSync(link, { recursive: true });
    await using out = await cluster().start({
      initContainers: [shell('ln -s / /h/out', { name: 'init', volumeMounts: [{ name: 'h', mountPath: '/h' }] })],
      containers: [shell('ls /d', { volumeMounts: [{ name: 'h', mountPath: '/d', subPath: 'out/etc' }] })],
      volumes: [{ name: 'h', hostPath: { path: link } }],
    });
    await out.until('refused', () => /CreateContainer(Config)?Error/.test(out.container().state.waiting?.reason ?? ''));
  });
}
