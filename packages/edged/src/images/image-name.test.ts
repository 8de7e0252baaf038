import { describe, expect, it } from 'vitest';
import { parseImageName } from './image-name.js';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe('names of images', () => {
  it.each([
    ['busybox', 'docker.io', 'docker.io/library/busybox', 'busybox:latest', 'latest'],
    ['team/app:1.2', 'docker.io', 'docker.io/team/app', 'team/app:1.2', '1.2'],
    ['index.docker.io/nginx', 'docker.io', 'docker.io/library/nginx', 'index.docker.io/nginx:latest', 'latest'],
    ['localhost/edge/busybox:1', 'localhost', 'localhost/edge/busybox', 'localhost/edge/busybox:1', '1'],
    ['127.0.0.1:5000/a/b_c/d--e', '127.0.0.1:5000', '127.0.0.1:5000/a/b_c/d--e', '127.0.0.1:5000/a/b_c/d--e:latest', 'latest'],
    [`quay.io/x@${digest}`, 'quay.io', 'quay.io/x', `quay.io/x@${digest}`, undefined],
    [`quay.io/x:v1@${digest}`, 'quay.io', 'quay.io/x', `quay.io/x:v1@${digest}`, 'v1'],
  ])('[edged-23.1] %s is read as people mean it', (text, registry, repository, asked, tag) => {
    expect(parseImageName(text)).toEqual({ asked, registry, repository, tag });
  });

  it.each(['', 'Busybox', 'a//b', 'a:b:c', 'a@sha256:12', '-a', 'a/b:', 'registry.example/', '0123456789abcdef'.repeat(4), `a@${digest}@${digest}`, 'x'.repeat(300)])(
    '[edged-23.2] "%s" is no name',
    (text) => {
      expect(() => parseImageName(text)).toThrow(expect.objectContaining({ code: 'edged.image-name' }));
    },
  );
});
