import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readActionStatus } from './action-status.js';
import { flowStep, NODE_JOB_FLOWS, nextAction } from './flow.js';
import { isNodeJobType, NODE_JOBS_API, NodeJobTypes, type NodeJobAction, type NodeJobType } from './names.js';
import { formatNodeJob, isNodeJobResource, parseNodeJob } from './resource.js';

describe('node jobs', () => {
  it('[protocol-jobs-1.1] a resource has six segments, and comes back as it was', () => {
    const text = 'operations.kubeedge.io/v1alpha2/imageprepulljob/pp1/node/edge-node';
    expect(parseNodeJob(text)).toEqual({ type: 'imageprepulljob', job: 'pp1', node: 'edge-node' });
    expect(formatNodeJob(parseNodeJob(text))).toBe(text);
    expect(isNodeJobResource(text)).toBe(true);
    expect(isNodeJobResource('upgrade/a/node/n')).toBe(false);
  });

  it.each([
    '',
    `${NODE_JOBS_API}/imageprepulljob/pp1/node`,
    `${NODE_JOBS_API}/imageprepulljob/pp1/node/`,
    `${NODE_JOBS_API}/imageprepulljob/pp1/pod/n`,
    `${NODE_JOBS_API}//pp1/node/n`,
    `${NODE_JOBS_API}/imageprepulljob/pp1/node/n/more`,
    'operations.kubeedge.io/v1alpha1/imageprepulljob/pp1/node/n',
  ])('[protocol-jobs-1.2] refuses %j', (text) => {
    expect(() => parseNodeJob(text)).toThrow('is not operations.kubeedge.io/v1alpha2/<type>/<job>/node/<node>');
  });

  it('[protocol-jobs-1.3] whatever a resource is, it is read or refused in words', () => {
    const segment = fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom('operations.kubeedge.io', 'v1alpha2', 'node', 'nodeupgradejob', ''));
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 8 }), (segments) => {
        const text = segments.join('/');
        try {
          expect(formatNodeJob(parseNodeJob(text))).toBe(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'protocol.resource' });
        }
      }),
    );
  });

  it.each<readonly [NodeJobType, readonly NodeJobAction[]]>([
    ['nodeupgradejob', ['Check', 'WaitingConfirmation', 'BackUp', 'Upgrade']],
    ['imageprepulljob', ['Check', 'Pull']],
    ['configupdatejob', ['Check', 'BackUp', 'Update']],
  ])('[protocol-jobs-2.1] the successful way of a %s is %j', (type, actions) => {
    const walked: NodeJobAction[] = [];
    for (let action: NodeJobAction | undefined = 'Check'; action; action = nextAction(type, action, true)) walked.push(action);
    expect(walked).toEqual(actions);
  });

  it('[protocol-jobs-2.2] only a failed Upgrade and a failed Update are followed by anything, which is RollBack', () => {
    const followed = Object.values(NodeJobTypes).flatMap((type) =>
      NODE_JOB_FLOWS[type].flatMap(({ action }) => {
        const next = nextAction(type, action, false);
        return next ? [`${type} ${action} ${next}`] : [];
      }),
    );
    expect(followed).toEqual(['nodeupgradejob Upgrade RollBack', 'configupdatejob Update RollBack']);
    expect(nextAction('nodeupgradejob', 'RollBack', false)).toBeUndefined();
    expect(flowStep('imageprepulljob', 'Upgrade')).toBeUndefined();
    expect(isNodeJobType('nodeupgradejobs')).toBe(false);
  });

  it('[protocol-jobs-3.1] reads reports as leniently as Go, and nothing else as one', () => {
    expect(readActionStatus({ action: 'Check', succ: true })).toEqual({ action: 'Check', succ: true, finishTime: '', reason: '', extend: '' });
    for (const odd of [null, 'x', [], {}, { action: 1 }, { action: 'Check', succ: 'true' }, { action: 'Check', reason: 3 }]) expect(readActionStatus(odd)).toBeUndefined();
  });
});
