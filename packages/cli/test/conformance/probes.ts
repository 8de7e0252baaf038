import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Cluster } from './cluster.js';
import { startHealthServer, startHostServer } from './host-server.js';
import { idle, shell } from './pod-handle.js';

const HTTPD = 'mkdir -p /www; echo ok > /www/healthz; httpd -p 8080 -h /www;';
/** Long enough for a probe of every second to do harm. */
const QUIET_MS = 5000;

/** Probes of all kinds. */
export function probeSpecs(cluster: () => Cluster): void {
  it('[conf-3.1] a container is not ready before its initial delay, and is never restarted for that', async () => {
    await using pod = await cluster().start({
      restartPolicy: 'Always',
      containers: [shell(`${HTTPD} sleep 3600`, { readinessProbe: { httpGet: { path: '/healthz', port: 8080 }, initialDelaySeconds: 4, periodSeconds: 1 } })],
    });
    await pod.until('running', () => pod.container().state.running !== undefined);
    expect(pod.container().ready).toBe(false);
    const { status } = await pod.ready();
    const startedAt = Date.parse(pod.container().state.running?.startedAt ?? '');
    const readyAt = Date.parse(status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? '');
    expect(readyAt - startedAt).toBeGreaterThanOrEqual(3000);
    expect(pod.container().restartCount).toBe(0);
  });

  it('[conf-3.2] what keeps failing its readiness probe is never ready and never restarted', async () => {
    await using pod = await cluster().start({
      restartPolicy: 'Always',
      containers: [
        idle({ readinessProbe: { exec: { command: ['false'] }, periodSeconds: 1, failureThreshold: 1 } }),
        idle({ name: 'late', readinessProbe: { exec: { command: ['sleep', '20'] }, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 1 } }),
      ],
    });
    await pod.running();
    const until = Date.now() + QUIET_MS;
    while (Date.now() < until) {
      expect([pod.container().ready, pod.container('late').ready, pod.condition('Ready')]).toEqual([false, false, 'False']);
      await delay(200);
    }
    expect([pod.container().restartCount, pod.container('late').restartCount]).toEqual([0, 0]);
    await pod.told('Unhealthy', 'Readiness probe failed');
  });

  it('[conf-3.3] a container is restarted when its exec, HTTP or TCP liveness probe fails, and its count only grows', async () => {
    const often = { periodSeconds: 1, failureThreshold: 1 };
    await using pod = await cluster().start({
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 0,
      containers: [
        shell('touch /tmp/health; sleep 3; rm /tmp/health; sleep 3600', { livenessProbe: { exec: { command: ['cat', '/tmp/health'] }, initialDelaySeconds: 1, ...often } }),
        shell(`${HTTPD} sleep 3; rm /www/healthz; sleep 3600`, { name: 'http', livenessProbe: { httpGet: { path: '/healthz', port: 8080 }, initialDelaySeconds: 1, ...often } }),
        shell('nc -ll -p 9000 -e true & sleep 3; kill $!; sleep 3600', { name: 'tcp', livenessProbe: { tcpSocket: { port: 9000 }, initialDelaySeconds: 1, ...often } }),
        shell('sleep 3600', { name: 'timeout', livenessProbe: { exec: { command: ['sleep', '30'] }, timeoutSeconds: 1, ...often } }),
      ],
    });
    const counts: number[] = [];
    const note = (): true => (counts.push(pod.container().restartCount), true);
    for (const name of ['http', 'tcp', 'timeout']) await pod.until(`restarted in ${name}`, () => note() && pod.container(name).restartCount > 0);
    await pod.until('restarted twice', () => note() && pod.container().restartCount >= 2);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    await pod.told('Killing');
    await pod.told('Unhealthy', 'Liveness probe failed');
  });

  it('[conf-3.4] a container whose liveness probes succeed is left alone: exec, HTTP, TCP, gRPC', async () => {
    await using health = await startHealthServer();
    const often = { periodSeconds: 1, failureThreshold: 1 };
    await using pod = await cluster().start({
      restartPolicy: 'Always',
      containers: [
        shell(`${HTTPD} touch /tmp/health; sleep 3600`, { livenessProbe: { exec: { command: ['cat', '/tmp/health'] }, initialDelaySeconds: 1, ...often } }),
        idle({ name: 'http', livenessProbe: { httpGet: { path: '/healthz', port: 8080 }, initialDelaySeconds: 1, ...often } }),
        idle({ name: 'tcp', livenessProbe: { tcpSocket: { port: 8080 }, initialDelaySeconds: 1, ...often } }),
      ],
    });
    // A gRPC probe goes to the pod's own address: on the host's network that reaches the service of the test.
    await using host = await cluster().start({ hostNetwork: true, restartPolicy: 'Always', containers: [idle({ livenessProbe: { grpc: { port: health.port }, ...often } })] });
    await Promise.all([pod.ready(), host.ready()]);
    await delay(QUIET_MS);
    expect(['main', 'http', 'tcp'].map((name) => pod.container(name).restartCount)).toEqual([0, 0, 0]);
    expect(host.container().restartCount).toBe(0);
    health.serving = false;
    await host.restarted(1);
  });

  it('[conf-3.5] until the startup probe has succeeded nothing else is asked; when it never does the container is restarted', async () => {
    await using pod = await cluster().start({
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 0,
      containers: [
        shell('sleep 4; touch /tmp/up; sleep 3600', {
          startupProbe: { exec: { command: ['cat', '/tmp/up'] }, periodSeconds: 1, failureThreshold: 60 },
          livenessProbe: { exec: { command: ['cat', '/tmp/up'] }, periodSeconds: 1, failureThreshold: 1 },
          readinessProbe: { exec: { command: ['true'] }, periodSeconds: 1 },
        }),
        shell('sleep 3600', { name: 'never', startupProbe: { exec: { command: ['false'] }, periodSeconds: 1, failureThreshold: 2 } }),
      ],
    });
    await pod.until('running', () => pod.container().state.running !== undefined);
    expect(pod.container()).toMatchObject({ ready: false, started: false });
    await pod.until('started', () => pod.container().started === true && pod.container().ready);
    expect(pod.container().restartCount).toBe(0);
    expect(pod.container('never').started).toBe(false);
    await pod.restarted(1, 'never');
  });

  it('[conf-3.6] a probe\'s own grace period goes before the pod\'s: liveness and startup', async () => {
    const deaf = 'trap "" TERM; while true; do sleep 1; done';
    const fails = { exec: { command: ['false'] }, periodSeconds: 1, failureThreshold: 1, terminationGracePeriodSeconds: 2 };
    await using pod = await cluster().start({
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 500,
      containers: [shell(deaf, { livenessProbe: fails }), shell(deaf, { name: 'startup', startupProbe: fails })],
    });
    await pod.restarted(1, 'main');
    await pod.restarted(1, 'startup');
    await pod.remove(0);
  });

  it('[conf-3.7] HTTP probes follow redirects on the same host, take others for a success with a warning, and say who asks', async () => {
    await using server = await startHostServer('http');
    const probe = (path: string): object => ({ httpGet: { host: '127.0.0.1', port: server.port, path, httpHeaders: [{ name: 'X-Asked-By', value: 'spec' }] }, periodSeconds: 1, failureThreshold: 1 });
    await using pod = await cluster().start({
      restartPolicy: 'Always',
      containers: [
        idle({ livenessProbe: probe('/redirect?to=%2Fstatus%3Fcode%3D200') }),
        idle({ name: 'away', livenessProbe: probe('/redirect?to=http%3A%2F%2F192.0.2.1%2F') }),
        shell('sleep 3600', { name: 'broken', livenessProbe: probe('/redirect?to=%2Fstatus%3Fcode%3D500') }),
      ],
    });
    await pod.restarted(1, 'broken');
    await delay(2000);
    expect([pod.container().restartCount, pod.container('away').restartCount]).toEqual([0, 0]);
    const { headers } = await server.asked('/status?code=200');
    expect(headers['x-asked-by']).toBe('spec');
    expect(headers['user-agent']).toMatch(/^kube-probe\//);
    await pod.told('ProbeWarning');
  });

  it('[conf-3.8] an ending pod becomes not ready by its readiness probe, and failing probes do not disturb its end', async () => {
    const probe = { exec: { command: ['sh', '-c', '[ ! -e /tmp/ending ]'] }, periodSeconds: 1, failureThreshold: 1 };
    await using pod = await cluster().start({
      terminationGracePeriodSeconds: 30,
      restartPolicy: 'Always',
      containers: [shell('trap "touch /tmp/ending; sleep 4; exit 0" TERM; while true; do sleep 1; done', { readinessProbe: probe, livenessProbe: probe })],
    });
    await pod.ready();
    await pod.remove(30);
    await pod.until('not ready', () => pod.condition('Ready') === 'False' && pod.container().state.running !== undefined);
    expect(pod.container().restartCount).toBe(0);
    await pod.gone();
  });
}
