import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig, problemText, warningText } from '../src/index.js';
import { host } from './help.js';

/** Everything that could be printed about a text. */
function everythingSaid(text: string): string {
  try {
    const { warnings } = loadConfig(text, host);
    return warnings.map(warningText).join('\n');
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [error.message, String(error.stack), JSON.stringify(error), ...error.problems.map(problemText), ...error.warnings.map(warningText), JSON.stringify(error.problems)].join('\n');
  }
}

const SECRET = 'Xq7-hush-hush';
const HOW = [
  `modules:\n  edgeHub:\n    token: ${SECRET}\n    heartbeat: x\n`,
  `modules:\n  edgeHub:\n    token: [${SECRET}]\n`,
  `modules:\n  edgeHub:\n    token:\n      ${SECRET}: 1\n`,
  `modules:\n  edgeHub:\n    token:${SECRET}\n    heartbeat: 3\n`,
  `modules:\n  edgeHub:\n    token:${SECRET}\n`,
  `modules:\n  edgeHub:\n    heartbeat: 3\n    token:${SECRET}\n`,
  `modules:\n  edgeHub:\n    heartbeat: 3\n      token: ${SECRET}\n`,
  `modules:\n  edgeHub:\n    token: "${SECRET}\n`,
  `modules:\n  edgeHub:\n    token: *${SECRET}\n`,
  `modules:\n  edgeHub:\n    token: !${SECRET} x\n    heartbeat: x\n`,
  `modules:\n  edgeHub:\n    token: @${SECRET}\n`,
  `modules:\n  edgeHub:\n    token: ${SECRET}\n    token: ${SECRET}\n    heartbeat: ${SECRET}\n`,
  `modules:\n  edgeHub:\n    tokem: ${SECRET}\n    x: ${SECRET}\n`,
  `modules:\n  edgeHub:\n    token: ${SECRET}\n    ${SECRET}: 1\n`,
  `modules:\n  edgeHub: "token: ${SECRET}"\n`,
  `token: ${SECRET}\nmodules: 3\n`,
  `modules:\n  eventBus:\n    mqttPassword: ${SECRET}\n    mqttMode: 9\n`,
  `modules:\n  eventBus:\n    mqttMode: "mqttPassword: ${SECRET}"\n`,
  `modules:\n  eventBus:\n    mqttServerExternal: nope://user:${SECRET}@broker\n`,
  `apiVersion: edgecore.config.kubeedge.io/v1alpha1\nmodules:\n  edgeHub:\n    token: ${SECRET}\n    heartbeat: x\n  edged:\n    runtimeType: ${SECRET}\n`,
];

describe('secrets', () => {
  it.each(HOW)('[config-6.1] nothing secret is said about %j', (text) => {
    expect(everythingSaid(text)).not.toContain(SECRET);
  });

  it('[config-6.2] nothing secret is said, wherever a line of a valid file is damaged', () => {
    const lines = ['modules:', '  edgeHub:', '    heartbeat: 3', `    token: ${SECRET}`, '  eventBus:', `    mqttPassword: ${SECRET}`, '    mqttMode: 1'];
    const damage = fc.record({ line: fc.nat(lines.length - 1), at: fc.nat(40), remove: fc.nat(6), put: fc.string({ maxLength: 6 }) });
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (damages) => {
        const broken = [...lines];
        for (const { line, at, remove, put } of damages) {
          const old = broken[line] ?? '';
          // The secret itself stays whole: a part of it is another secret.
          const limit = old.includes(SECRET) ? old.indexOf(SECRET) : old.length;
          const start = Math.min(at, limit);
          broken[line] = old.slice(0, start) + put + old.slice(Math.min(start + remove, limit));
        }
        expect(everythingSaid(broken.join('\n'))).not.toContain(SECRET);
      }),
      { numRuns: 1000 },
    );
  });

  it('[config-6.3] a join token is hidden also where it stands at a wrong place', () => {
    const token = `${'ab12'.repeat(16)}.eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.c2lnbmF0dXJl`;
    const said = everythingSaid(`modules:\n  edged:\n    hostnameOverride: ${token}\n    tailoredKubeletConfig: {maxPods: ${token}}\n`);
    expect(said).toContain('***');
    expect(said).not.toContain('c2lnbmF0dXJl');
  });

  it('[config-6.4] control characters of the file do not reach the terminal', () => {
    expect(everythingSaid('"k\\e[31m": 1\nmodules: {edged: {hostnameOverride: "\\e]0;x\\a"}}\n')).not.toMatch(/[\u0007\u001b]/);
  });
});
