import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { containerChapter } from './chapters/containers.js';
import { execChapter } from './chapters/exec.js';
import { generalChapter } from './chapters/general.js';
import { logChapter } from './chapters/logs.js';
import { reopeningChapter } from './chapters/reopening.js';
import { sandboxChapter } from './chapters/sandboxes.js';
import { stoppingChapter } from './chapters/stopping.js';
import type { RuntimeSuiteOptions } from './suite-kit.js';
import { RuntimeScene } from './suite-kit.js';

/**
 * The behaviours that every `ContainerRuntime` must show, as numbered tests. One runtime serves them all; each test has
 * pods of its own, which are removed after it.
 */
export function runtimeSuite(name: string, options: RuntimeSuiteOptions): void {
  describe(`${name} as a container runtime`, () => {
    const scene = new RuntimeScene(options);
    beforeAll(() => scene.open());
    afterEach(() => scene.removeAll());
    afterAll(() => scene.subject.dispose());

    describe('sandboxes', () => sandboxChapter(scene));
    describe('containers', () => containerChapter(scene));
    describe('stopping', () => stoppingChapter(scene));
    if (options.abilities.logs) describe('logs', () => logChapter(scene));
    if (options.abilities.execSync) describe('exec', () => execChapter(scene));
    describe('a new instance', () => reopeningChapter(scene));
    describe('in general', () => generalChapter(scene));
  });
}
