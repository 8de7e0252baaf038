import { describe, expect, it } from 'vitest';
import type { InstallationReport } from '../installation.js';
import { planGoBack } from './go-back.js';
import { handedOutcome, type HandedFacts } from './handed-outcome.js';
import { checkImage, checkVersion, digestFor } from './order.js';

const A = `sha256:${'a'.repeat(64)}`;

describe('orders of upgrade jobs', () => {
  it.each(['v1.23.1', 'v0.0.0', 'v1.23.1-beta.0', 'v1.23.1-rc.1-edge_2'])('[taskmanager-4.1] %s is a version', (version) => {
    expect(() => checkVersion(version)).not.toThrow();
  });
  it.each(['', '1.23.1', 'v1.23', 'v1.23.1;reboot', 'v1.23.1-', 'v1.23.1 ', 'latest', 'v1.23.1/../x'])('[taskmanager-4.2] %j is none', (version) => {
    expect(() => checkVersion(version)).toThrow('it must be of the form v1.23.1');
  });
  it.each(['kubeedge/installation-package', 'docker.io/kubeedge/installation-package', 'localhost:5000/a/b:tag', `quay.io/a/b@${A}`])('[taskmanager-4.3] %s names an image', (image) => {
    expect(() => checkImage(image, 'v1.24.0')).not.toThrow();
  });
  it.each(['', 'installation-package', 'a//b', '/a/b', 'a/b@sha256:short', 'a/b;c', 'a/b c'])('[taskmanager-4.4] %j names none', (image) => {
    expect(() => checkImage(image, 'v1.23.2')).toThrow(`image ${JSON.stringify(`${image}:v1.23.2`)} has an invalid reference format`);
  });
  it('[taskmanager-4.5] the digest is that of the processor, by Go\'s name for it', () => {
    const digests = { amd64: A, arm: `sha512:${'b'.repeat(128)}` };
    expect(digestFor(undefined, 'x64')).toBeUndefined();
    expect(digestFor(digests, 'x64')).toBe(A);
    expect(digestFor(digests, 'arm')).toBe(digests.arm);
    expect(() => digestFor(digests, 'arm64')).toThrow('no digest for processor arm64, so the version cannot be verified; digests given: amd64, arm');
    expect(() => digestFor({}, 'x64')).toThrow('digests given: none');
    expect(() => digestFor({ amd64: 'md5:1' }, 'x64')).toThrow('it must be sha256: with 64');
  });
});

const LIMIT = 100_000;
const facts = (given: Partial<HandedFacts>): HandedFacts => ({ action: 'Upgrade', from: 'v1.0.0', wanted: 'v2.0.0', running: 'v1.0.0', report: undefined, busy: true, waitedMs: 0, limitMs: LIMIT, ...given });
const report = (event: InstallationReport['event'], success: boolean, errorMessage?: string): InstallationReport => ({ event, success, fromVersion: 'v1.0.0', toVersion: 'v2.0.0', ...(errorMessage ? { errorMessage } : {}) });
const LATE = { waitedMs: LIMIT };

describe('what came of an action that another process did', () => {
  it.each<readonly [string, Partial<HandedFacts>, object]>([
    ['nothing yet', {}, { kind: 'wait' }],
    ['a report of something else', { report: report('Backup', true) }, { kind: 'wait' }],
    ['upgraded', { report: report('Upgrade', true), running: 'v2.0.0' }, { succeeded: true, reason: '', from: 'v1.0.0', to: 'v2.0.0', keepReport: false }],
    ['not ready in time', { report: report('Upgrade', false, 'not Ready within 300 s') }, { succeeded: false, reason: 'not Ready within 300 s', keepReport: false }],
    ['failed without words', { report: report('Upgrade', false) }, { succeeded: false, reason: 'it failed, and nobody said why' }],
    ['what is reported is the way back', { report: report('Rollback', true, 'it never came up') }, { succeeded: false, reason: 'it never came up', from: 'v1.0.0', to: 'v2.0.0', keepReport: true }],
    ['no report, and the new version runs', { ...LATE, running: 'v2.0.0' }, { succeeded: true, from: 'v1.0.0', to: 'v2.0.0' }],
    ['no report, and the old version runs', LATE, { succeeded: false, reason: 'it is not done after 100 s; the node runs v1.0.0' }],
    ['nobody is at it any more, and there may be a report in a moment', { busy: false, waitedMs: 2_000 }, { kind: 'wait' }],
    ['nobody is at it, and there is no report', { busy: false, waitedMs: 3_000 }, { succeeded: false, reason: 'nobody says what came of it; the node runs v1.0.0' }],
    ['rolled back', { action: 'RollBack', from: 'v2.0.0', wanted: 'v1.0.0', report: report('Rollback', true) }, { succeeded: true, keepReport: false }],
    ['roll-back failed', { action: 'RollBack', from: 'v2.0.0', wanted: 'v1.0.0', running: 'v2.0.0', report: report('Rollback', false, 'disk full') }, { succeeded: false, reason: 'disk full' }],
    ['no report of a roll-back, and the old version runs', { action: 'RollBack', from: 'v2.0.0', wanted: 'v1.0.0', ...LATE }, { succeeded: true }],
    ['no report of a roll-back, and the new version runs', { action: 'RollBack', from: 'v2.0.0', wanted: 'v1.0.0', running: 'v2.0.0', ...LATE }, { succeeded: false }],
    ['configured', { action: 'Update', wanted: undefined, report: report('ConfigUpdate', true) }, { succeeded: true, reason: '' }],
    ['not configured', { action: 'Update', wanted: undefined, report: report('ConfigUpdate', false, 'it did not start') }, { succeeded: false, reason: 'it did not start' }],
    ['no report of a configuration', { action: 'Update', wanted: undefined, ...LATE }, { succeeded: false, reason: 'it is not done after 100 s; the node runs v1.0.0' }],
  ])('[taskmanager-4.6] %s', (_name, given, outcome) => {
    expect(handedOutcome(facts(given))).toMatchObject(outcome);
  });

  it('[taskmanager-4.7] there is a way back only from another version than the one before', () => {
    expect(planGoBack('', 'v1.0.0')).toEqual({ kind: 'nothing' });
    expect(planGoBack('v1.0.0', 'v1.0.0')).toEqual({ kind: 'nothing' });
    expect(planGoBack('v1.0.0', 'v2.0.0')).toEqual({ kind: 'roll-back', version: 'v1.0.0' });
  });
});
