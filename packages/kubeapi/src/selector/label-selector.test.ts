import { describe, expect, it } from 'vitest';
import { isApiError } from '../errors.js';
import { labelSelectorOf, labelSelectorText, matchesLabels, parseLabelSelector } from './label-selector.js';

const labels = { app: 'web', tier: 'front', level: '7', empty: '' };

describe('label selectors', () => {
  it.each([
    ['app=web', true], ['app==web', true], ['app=db', false], ['app!=db', true], ['app!=web', false], ['missing!=x', true],
    ['app in (web,db)', true], ['app in (db)', false], ['app notin (db, cache)', true], ['app notin (web)', false], ['missing notin (x)', true],
    ['app', true], ['missing', false], ['!missing', true], ['!app', false], ['level>6', true], ['level>7', false], ['level<8', true], ['app>1', false],
    ['app=web,tier=front', true], ['app=web,tier=back', false], [' app = web , !missing ', true], ['empty=', true], ['empty in ()', true],
    ['app=', false], ['missing in ()', false], ['', true],
  ])('[kubeapi-1.1] "%s" matches: %s', (text, expected) => {
    expect(matchesLabels(parseLabelSelector(text), labels)).toBe(expected);
  });

  it.each(['app=web,', ',app', 'app in web', 'app in (web', 'app=web tier=front', '=x', 'app in', 'a b', '-bad=x', 'app=bad value!', 'x>y', '(', 'app=a=b', '!'])(
    '[kubeapi-1.2] refuses "%s" as a bad request', (text) => {
      expect(() => parseLabelSelector(text)).toThrowError(expect.toSatisfy((error) => isApiError(error, 'BadRequest')));
    });

  it('[kubeapi-1.3] matches in object form: empty matches all, absent matches nothing', () => {
    expect(labelSelectorOf({})(labels)).toBe(true);
    expect(labelSelectorOf(undefined)(labels)).toBe(false);
    expect(labelSelectorOf({ matchLabels: { app: 'web' }, matchExpressions: [{ key: 'x', operator: 'DoesNotExist' }] })(labels)).toBe(true);
    expect(labelSelectorOf({ matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web'] }] })(labels)).toBe(false);
    expect(labelSelectorText({ matchLabels: { b: '1', a: '2' }, matchExpressions: [{ key: 'c', operator: 'In', values: ['x', 'y'] }, { key: 'd', operator: 'DoesNotExist' }] })).toBe('a=2,b=1,c in (x,y),!d');
  });
});
