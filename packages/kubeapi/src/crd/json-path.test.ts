import { describe, expect, it } from 'vitest';
import { compileJsonPath } from './json-path.js';

const object = {
  metadata: { annotations: { 'a.b/c': 'deep' } },
  spec: { size: 3, items: [{ name: 'x', port: 80, on: true }, { name: 'y', port: 443 }, { name: "it's" }] },
  status: { conditions: [{ type: 'Ready', status: 'True' }, { type: 'Synced', status: 'False' }] },
};

describe('paths of columns', () => {
  it.each([
    ['.spec.size', [3]],
    ['spec.size', [3]],
    ['.metadata.annotations.a\\.b/c', ['deep']],
    [".metadata.annotations['a.b/c']", ['deep']],
    ['.spec.items[0].name', ['x']],
    ['.spec.items[-1].name', ["it's"]],
    ['.spec.items[1:].name', ['y', "it's"]],
    ['.spec.items[*].name', ['x', 'y', "it's"]],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    ['.status.conditions[?(@.type == \'Synced\')].status', ['False']],
    ['.status.conditions[?(@.type!="Ready")].type', ['Synced']],
    ['.spec.items[?(@.port>=443)].name', ['y']],
    ['.spec.items[?(@.on==true)].name', ['x']],
    ['.spec.items[?(@.on)].name', ['x']],
    ['.spec.items[?(@.name=="it\'s")].name', ["it's"]],
    ['.spec.size[*]', []],
    ['.nothing.there', []],
    ['.spec.constructor', []],
    ['.__proto__.toString', []],
    ['.spec.items[7].name', []],
  ])('[kubeapi-6.8] %s', (path, found) => {
    expect(compileJsonPath(path)?.(object)).toEqual(found);
  });

  it.each(['.spec[', '.spec]]x[', '.a..b', '.a[?(x)]', '.a[?(@.b==)]', '.a[b]', '.a[]', '.'])('[kubeapi-6.10] %s is none', (path) => {
    const find = compileJsonPath(path);
    expect(find === undefined || find(object).length === 0).toBe(true);
  });
});
