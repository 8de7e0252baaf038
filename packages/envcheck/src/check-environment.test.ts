import { describe, expect, it } from 'vitest';
import { checkEnvironment } from './check-environment.js';
import { EnvironmentError } from './errors.js';

const lists = (...names: readonly string[]) => () => Promise.resolve(names.map((name, i) => ({ pid: 100 + i, name })));
const mustNotLook = (): never => {
  throw new Error('looked');
};

describe('the environment check', () => {
  it.each(['kubelet', 'kube-proxy'])('[envcheck-4.1] a running %s is refused, with its pid and what to do', async (name) => {
    const error: unknown = await checkEnvironment({ env: {}, metaServerEnabled: false, listProcesses: lists('systemd', name) }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(EnvironmentError);
    expect(error).toMatchObject({ code: 'envcheck.conflicting-process', processes: [{ pid: 101, name }] });
    expect(String(error)).toContain(`${name} (pid 101) is running`);
    expect(String(error)).toContain('CHECK_EDGECORE_ENVIRONMENT=false');
  });

  it('[envcheck-4.2] both are named at once', async () => {
    await expect(checkEnvironment({ env: {}, metaServerEnabled: false, listProcesses: lists('kube-proxy', 'kubelet') })).rejects.toThrow('kube-proxy (pid 100), kubelet (pid 101) are running');
  });

  it('[envcheck-4.3] other programs are no hindrance, whatever they are called', async () => {
    expect(await checkEnvironment({ env: {}, metaServerEnabled: false, listProcesses: lists('kubelet-check', 'mykubelet', 'Kubelet', 'edgecore') })).toBe('passed');
  });

  it('[envcheck-4.4] is skipped by the variable, only with exactly false', async () => {
    expect(await checkEnvironment({ env: { CHECK_EDGECORE_ENVIRONMENT: 'false' }, metaServerEnabled: false, listProcesses: mustNotLook })).toBe('skipped-by-env');
    for (const value of ['False', '0', '', 'true']) {
      await expect(checkEnvironment({ env: { CHECK_EDGECORE_ENVIRONMENT: value }, metaServerEnabled: false, listProcesses: lists('kubelet') })).rejects.toMatchObject({ code: 'envcheck.conflicting-process' });
    }
  });

  it('[envcheck-4.5] is skipped when the MetaServer is on', async () => {
    expect(await checkEnvironment({ env: {}, metaServerEnabled: true, listProcesses: mustNotLook })).toBe('skipped-by-meta-server');
  });
});
