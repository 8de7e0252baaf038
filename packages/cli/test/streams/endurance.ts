import { randomUUID } from 'node:crypto';
import { loops } from '@edge/testing';
import { expect, it } from 'vitest';
import { eventually } from '../support/agent.js';
import { countInside, footprint } from './footprint.js';
import type { StreamScene } from './stream-scene.js';

const COMMANDS = loops(1000, 160);
const AT_ONCE = 20;
/** Of these one in so many is kubectl's, which costs more to start than the command. */
const KUBECTL_EACH = 20;
/** What may come and go beside: a timer's descriptor, a connection that is kept for the next question. */
const SPARE_HANDLES = 8;
/** Memory that is not given back at once; a leak of a session's buffers would be more. */
const SPARE_MEMORY = 60;

/** Many commands, commands cut off, and what is left of them: nothing. */
export function enduranceTests(scene: () => StreamScene): void {
  it(`[cli-stream-1.9] ${COMMANDS} short commands, ${AT_ONCE} at a time, and nothing is left of them: no descriptor, no process, no memory`, { timeout: 900_000 }, async () => {
    const { exec, kubectl, containerd, agentPid, cloudPid } = scene();
    await exec(['true']);
    const pids = { agent: agentPid, cloud: cloudPid, containerd: containerd.pid ?? 0 };
    const look = (): [string, ReturnType<typeof footprint>][] => Object.entries(pids).map(([name, pid]) => [name, footprint(pid)]);
    const before = new Map(look());
    let started = 0;
    const worker = async (): Promise<void> => {
      while (started < COMMANDS) {
        const number = (started += 1);
        if (number % KUBECTL_EACH === 0) expect(await kubectl.text('exec', 'p', '--', 'echo', String(number))).toBe(`${number}\n`);
        else expect(await exec(['sh', '-c', `echo ${number}; exit ${number % 2}`])).toMatchObject({ stdout: `${number}\n`, status: number % 2 === 0 ? 'Success' : expect.stringContaining('exit code 1') as string });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    const more = (): string[] =>
      look().flatMap(([name, now]) => {
        const then = before.get(name) ?? now;
        const grown = now.handles > then.handles + SPARE_HANDLES || now.memory > then.memory * 1.5 + SPARE_MEMORY;
        return grown ? [`${name} had ${then.handles} descriptors and ${then.memory.toFixed(0)} MiB, has ${now.handles} and ${now.memory.toFixed(0)} MiB`] : [];
      });
    await eventually(() => more().length === 0, 120_000, () => more().join('; '));
    // The same agent all along.
    expect(scene().agentPid).toBe(pids.agent);
  });

  it('[cli-stream-1.4] commands cut off in the middle end alone: the agent serves on and keeps no connection of theirs', { timeout: 300_000 }, async () => {
    const { kubectl, spdy, dev, exec, agentPid } = scene();
    const before = footprint(agentPid).handles;
    const mark = randomUUID();
    const running = [kubectl, spdy].flatMap((client) => Array.from({ length: 4 }, () => client.start('exec', '-i', 'p', '--', 'sh', '-c', `echo began; cat > /dev/null; : ${mark}`)));
    await Promise.all(running.map((one) => one.shows('began')));
    await eventually(() => countInside(mark) === running.length, 60_000, () => `${countInside(mark)} commands run`);
    await Promise.all(running.map((one) => one.kill()));
    await eventually(() => countInside(mark) === 0, 120_000, () => `${countInside(mark)} commands of callers that were killed still run`);
    await eventually(() => footprint(agentPid).handles <= before + SPARE_HANDLES, 120_000, () => `the agent has ${footprint(agentPid).handles} descriptors, it had ${before}`);
    expect(dev.output).not.toContain('is started again');
    expect(await exec(['echo', 'still here'])).toMatchObject({ stdout: 'still here\n' });
  });
}
