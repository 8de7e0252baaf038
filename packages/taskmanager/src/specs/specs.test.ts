import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readConfigUpdateSpec, readPrePullSpec, readUpgradeSpec } from './specs.js';

describe('specs of jobs', () => {
  it('[taskmanager-3.1] reads those of the recordings; what is absent or null is as Go has it', () => {
    const recorded = { version: 'v1.23.2', timeoutSeconds: 30, nodeNames: ['edge-node'], imageDigestGatter: null, concurrency: 1, checkItems: ['cpu', 'mem', 'disk'], failureTolerate: '1' };
    expect(readUpgradeSpec(recorded)).toEqual({ version: 'v1.23.2', image: '', digests: undefined, checkItems: ['cpu', 'mem', 'disk'], requireConfirmation: false, timeoutSeconds: 30 });
    expect(readPrePullSpec({ imagePrePullTemplate: { images: ['busybox:1.35'], retryTimes: 1, imageSecrets: 'default/reg' } })).toEqual({ images: ['busybox:1.35'], checkItems: [], secret: 'default/reg', retryTimes: 1 });
    expect(readConfigUpdateSpec({ updateFields: { 'modules.edgeHub.heartbeat': '20' } })).toEqual({ fields: { 'modules.edgeHub.heartbeat': '20' } });
    expect(readConfigUpdateSpec({})).toEqual({ fields: {} });
    expect(readUpgradeSpec({ imageDigestGatter: { amd64: 'sha256:a', arm64: '', registryAPI: { host: 'h' } } }).digests).toEqual({ amd64: 'sha256:a' });
  });

  it.each([
    [() => readUpgradeSpec('x'), 'the spec is "x", it must be an object'],
    [() => readUpgradeSpec(null), 'the spec is null, it must be an object'],
    [() => readUpgradeSpec({ version: 7 }), 'the spec.version is 7, it must be a text'],
    [() => readUpgradeSpec({ checkItems: 'cpu' }), 'the spec.checkItems is "cpu", it must be a list of texts'],
    [() => readUpgradeSpec({ requireConfirmation: 'yes' }), 'the spec.requireConfirmation is "yes", it must be true or false'],
    [() => readPrePullSpec({ imagePrePullTemplate: { images: [1] } }), 'the spec.imagePrePullTemplate.images is [1], it must be a list of texts'],
    [() => readPrePullSpec({ imagePrePullTemplate: { retryTimes: -1 } }), 'the spec.imagePrePullTemplate.retryTimes is -1, it must be a whole number of 0 or more'],
    [() => readPrePullSpec({ imagePrePullTemplate: [] }), 'the spec.imagePrePullTemplate is [], it must be an object'],
    [() => readConfigUpdateSpec({ updateFields: { a: 1 } }), 'the spec.updateFields is {"a":1}, it must be texts by name'],
  ])('[taskmanager-3.2] %# says what is wrong and what would be right', (read, text) => {
    expect(read).toThrow(text);
  });

  it('[taskmanager-3.3] whatever comes, it is a spec or a bad one', () => {
    const member = fc.constantFrom('version', 'image', 'imageDigestGatter', 'checkItems', 'imagePrePullTemplate', 'images', 'retryTimes', 'updateFields', '__proto__');
    const content = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.dictionary(member, fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.dictionary(member, fc.jsonValue({ maxDepth: 1 })))));
    fc.assert(
      fc.property(content, fc.constantFrom(readUpgradeSpec, readPrePullSpec, readConfigUpdateSpec), (value, read) => {
        try {
          read(value);
        } catch (error) {
          expect(error).toMatchObject({ code: 'taskmanager.bad-spec' });
        }
      }),
    );
  });
});
