import { readFileSync } from 'node:fs';
import type { Lease } from '@edge/protocol';
import { subject, type CaptureStep } from '@edge/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { compare, type Verdict } from './compare.js';
import { differences } from './differences.js';
import { mutations } from './mutations.js';
import { playLife, playOutages, type Played } from './play.js';
import { cloudMessages, edgeMessages, objectIn, readRecording, typeOf } from './recordings.js';

const PLAY_MS = 180_000;

/** Recorded times of the first and the last step. */
const spanOf = (steps: readonly CaptureStep[]): [number, number] => [steps[0]?.at ?? 0, steps.at(-1)?.at ?? 0];

function expectUpstreamsHandshake({ handshakes, recordings }: Played, node: string): void {
  const [recorded] = recordings.flat().filter((step) => step.kind === 'open');
  if (recorded?.kind !== 'open') throw new Error('no handshake in the recording');
  for (const { url, headers, clientCn } of handshakes) {
    expect(url).toBe(recorded.url);
    // These two are another text in each connection.
    const { host: _host, 'sec-websocket-key': _key, ...others } = recorded.headers;
    const { host, 'sec-websocket-key': key, ...own } = headers;
    expect(own).toEqual(others);
    expect(host).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(Buffer.from(key ?? '', 'base64')).toHaveLength(16);
    expect(clientCn).toBe(`system:node:${node}`);
  }
}

/** A renewal with a version that the cloud did not give last would be a conflict. */
function expectTrueLeaseVersions({ heard, sent }: Played): void {
  const told = sent.flatMap((message) => (typeOf(message) === 'lease' ? (objectIn<Lease>(message)?.metadata.resourceVersion ?? []) : []));
  const used = heard.flatMap(({ message }) =>
    typeOf(message) === 'lease' && message.route.operation === 'update' ? ((message.content as Lease).metadata.resourceVersion ?? '') : [],
  );
  expect(used.length).toBeGreaterThan(3);
  expect(new Set(used).size).toBe(used.length);
  expect(told).toEqual(expect.arrayContaining(used));
}

function expectUpstreamsPeriods({ heard, recordings }: Played): void {
  for (const [capture, steps] of recordings.entries()) {
    const [from, to] = spanOf(steps);
    for (const name of ['update kube-node-lease', 'keepalive node']) {
      const theirs = edgeMessages(steps).filter(({ message }) => subject(message).startsWith(name)).length;
      const ours = heard.filter((one) => one.capture === capture && subject(one.message).startsWith(name) && one.message.header.timestamp >= from && one.message.header.timestamp <= to).length;
      expect(Math.abs(ours - theirs), `recording ${capture}: ${name}: ${ours}, upstream ${theirs}`).toBeLessThanOrEqual(2);
    }
  }
}

/** Characters on the wire, within the time of the recordings. */
function expectLessOnTheWire({ heard, recordings }: Played): void {
  const inTime = heard.filter(({ capture, message }) => {
    const [from, to] = spanOf(recordings[capture] ?? []);
    return message.header.timestamp >= from && message.header.timestamp <= to;
  });
  const sum = (texts: readonly { text: string }[]): number => texts.reduce((total, { text }) => total + text.length, 0);
  expect(sum(inTime)).toBeLessThan(sum(recordings.flatMap(edgeMessages)));
}

function expectNoTrouble({ missed, log }: Played): void {
  expect(missed).toEqual([]);
  // That the link cannot be opened while the cloud is away is what an outage is.
  expect(log.filter(({ level, name }) => level === 'error' && name !== 'link')).toEqual([]);
}

/** What was played, for the tests that look at all of it. */
const evidence: Played[] = [];

describe('the cloud of recordings 01, 03, 04 and 10: a node joins, runs a pod, loses it, starts anew', () => {
  let played: Played;
  let verdict: Verdict;
  beforeAll(async () => {
    played = await playLife();
    evidence.push(played);
    verdict = compare(played, differences);
  }, PLAY_MS);

  it('[recorded-1.1] hears from our agent what it heard from the Go agent, but for the named differences', () => {
    expect(verdict.problems).toEqual([]);
    expectNoTrouble(played);
  });

  it('[recorded-1.2] sees the path and the headers of the Go agent', () => {
    expect(played.handshakes).toHaveLength(2);
    expectUpstreamsHandshake(played, 'edge-go');
  });

  it('[recorded-1.3] is told all that it needs: nothing of this is covered by a difference', () => {
    expect(Object.fromEntries(verdict.compared)).toMatchObject({
      'query kube-node-lease/lease/edge-go': 2,
      'insert null/node/edge-go': 2,
      'insert kube-node-lease/lease/edge-go': 1,
      'patch null/nodepatch/edge-go': 2,
      'query default/configmap/cm1': 1,
      'query default/secret/sec1': 1,
      'patch default/podpatch/p1': 3,
      'delete default/pod/p1': 1,
      'response null/node/edge-go': 5,
      'response default/pod/p1': 7,
      'response default/configmap/cm1': 2,
      'response default/secret/sec1': 1,
    });
  });

  it('[recorded-1.4] sees leases renewed and keepalives in the periods of the recording, with the version given last, and fewer bytes', () => {
    expectUpstreamsPeriods(played);
    expectTrueLeaseVersions(played);
    expectLessOnTheWire(played);
  });

  it.each(mutations.life)('[recorded-1.5] notices $what', ({ change, problem }) => {
    const { problems } = compare({ ...played, heard: change(played.heard) }, differences);
    expect(problems.join('\n')).toMatch(problem);
  });
});

describe('the cloud of recordings 14, 13 and 15: killed and back, a pod with a token, the link cut', () => {
  let played: Played;
  let verdict: Verdict;
  beforeAll(async () => {
    played = await playOutages();
    evidence.push(played);
    verdict = compare(played, differences);
  }, PLAY_MS);

  it('[recorded-2.1] hears from our agent what it heard from the Go agent, but for the named differences', () => {
    expect(verdict.problems).toEqual([]);
    expectNoTrouble(played);
  });

  it('[recorded-2.2] sees the path and the headers of the Go agent in each connection', () => {
    expect(played.handshakes).toHaveLength(3);
    expectUpstreamsHandshake(played, 'edge-node');
  });

  it('[recorded-2.3] is told all that it needs: nothing of this is covered by a difference', () => {
    expect(Object.fromEntries(verdict.compared)).toMatchObject({
      'query default/serviceaccounttoken/default': 1,
      'query default/configmap/kube-root-ca.crt': 1,
      'patch default/podpatch/tok': 3,
      'patch default/podpatch/web-59bc799bd9-4f88n': 1,
      'delete default/pod/tok': 1,
      'response default/pod/tok': 7,
      'response default/pod/web-59bc799bd9-4f88n': 2,
    });
  });

  it('[recorded-2.4] sees a sign of life and the node status at the beginning of each session, and fewer bytes', () => {
    for (const session of [2, 3]) {
      const first = played.heard.filter((one) => one.session === session).map(({ message }) => typeOf(message));
      expect(first.slice(0, 6)).toContain('lease');
      expect(first).toContain('nodepatch');
    }
    expectTrueLeaseVersions(played);
    expectLessOnTheWire(played);
  });

  it.each(mutations.outages)('[recorded-2.5] notices $what', ({ change, problem }) => {
    const { problems } = compare({ ...played, heard: change(played.heard) }, differences);
    expect(problems.join('\n')).toMatch(problem);
  });
});

describe('the differences', () => {
  it.each(differences)('[recorded-3.1] $name is real: without it the comparison fails', ({ name }) => {
    expect(evidence).toHaveLength(2);
    const others = differences.filter((one) => one.name !== name);
    expect(evidence.flatMap((one) => compare(one, others).problems)).not.toEqual([]);
  });

  it.each(differences)('[recorded-3.2] $name stands in docs/parity/wire.md in the same words', ({ name, where, why }) => {
    const document = readFileSync(new URL('../../../../docs/parity/wire.md', import.meta.url), 'utf8');
    expect(document).toContain(`| ${name} | ${where} | ${why} |`);
  });

  it('[recorded-3.3] a recording equals itself without any', () => {
    const names = ['01-join-ready-pod', '03-configmap-update', '04-pod-delete', '10-restart-with-certs', '14-cloud-restart-resync', '15-link-cut-resync'] as const;
    const recordings = names.map(readRecording);
    const heard = recordings.flatMap((steps, capture) => edgeMessages(steps).map((one) => ({ ...one, capture, session: capture })));
    // The Go agent repeats one of its messages with the same id.
    const problems = compare({ recordings, starts: [0, 3], heard, sent: recordings.flatMap(cloudMessages) }, []).problems.filter((text) => !text.includes('membership/detail'));
    expect(problems).toEqual([]);
  });
});
