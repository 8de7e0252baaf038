import { describe, expect, it } from 'vitest';
import { destinationOf, filterCovers, filtersMeet, isFilter, isTopic, topicMatches } from './topics.js';
import { TopicTree } from './topic-tree.js';
import { widest } from './external/subscriber.js';

const MATCHES: readonly (readonly [string, string, boolean])[] = [
  ['a/b', 'a/b', true],
  ['a/b', 'a/B', false],
  ['a/b', 'a/b/', false],
  ['a/+', 'a/b', true],
  ['a/+', 'a/', true],
  ['a/+', 'a', false],
  ['a/+', 'a/b/c', false],
  ['+/+', '/b', true],
  ['a/#', 'a', true],
  ['a/#', 'a/b/c', true],
  ['a/#', 'ab', false],
  ['#', 'a/b', true],
  ['#', '$SYS/a', false],
  ['+/a', '$SYS/a', false],
  ['$SYS/#', '$SYS/a', true],
  ['+/user/#', 'default/user', true],
  ['+/user/#', 'default/user/a/b', true],
  ['+/user/#', '$x/user/y', false],
  ['a/+/#', 'a/$b/c', true],
  ['$hw/events/device/+/+/twin/+', '$hw/events/device/default/dev1/twin/update', true],
  ['$hw/events/device/+/+/twin/+', '$hw/events/device/default/dev1/twin/update/result', false],
  ['$hw/events/device/+/+/twin/+', '$hw/events/device/dev1/twin/update', false],
];

describe('topics', () => {
  it.each(MATCHES)('[topic-1] %s and %s: %s', (filter, topic, fits) => {
    expect(topicMatches(filter, topic)).toBe(fits);
    const tree = new TopicTree<string>();
    tree.add(filter, 'x');
    expect(tree.matches(topic)).toBe(fits);
    tree.remove(filter, 'x');
    expect(tree.matches(topic)).toBe(false);
  });

  it.each([
    ['a', true], ['+', true], ['#', true], ['a/+/b', true], ['a/#', true], ['/', true],
    ['', false], ['a#', false], ['a+/b', false], ['a/#/b', false], ['a\0b', false], ['x'.repeat(65_536), false], ['ü'.repeat(40_000), false], ['a/'.repeat(200), false],
  ])('[topic-2] %s can be subscribed to: %s', (filter, fits) => expect(isFilter(filter)).toBe(fits));

  it.each([['a/b', true], ['/', true], ['$a', true], ['', false], ['a/+', false], ['a/#', false], ['\0', false]])('[topic-3] %j can be published to: %s', (topic, fits) =>
    expect(isTopic(topic)).toBe(fits),
  );

  it.each([
    ['#', 'a/b', true], ['#', '#', true], ['#', '$a', false], ['a/#', 'a', true], ['a/+', 'a/b', true], ['a/+', 'a/+', true], ['a/+', 'a/#', false], ['a/b', 'a/+', false], ['a/+/#', 'a/#', false], ['+/user/#', 'default/user/x/+', true], ['a/b', 'a/b/c', false],
  ])('[topic-4] %s takes in all of %s: %s', (outer, inner, fits) => expect(filterCovers(outer, inner)).toBe(fits));

  it.each([
    ['a/+', '+/secret', true], ['a/#', '+/b', true], ['a/#', 'a', true], ['a', 'a/#', true], ['a/b', 'a/b', true], ['#', 'a/b', true], ['a/+/c', 'a/b/#', true], ['$a/+', '$a/#', true],
    ['a/+', 'a', false], ['a/+', 'a/b/c', false], ['a/b', 'a/c', false], ['a/+/c', '+/b/d', false], ['#', '$a', false], ['+/a', '$a/#', false], ['+/b/#', 'a', false],
  ])('[topic-9] %s and %s have a topic in common: %s', (one, other, meet) => expect([filtersMeet(one, other), filtersMeet(other, one)]).toEqual([meet, meet]));

  it('[topic-5] a tree finds all that match, once for each filter, and the others stay when one goes', () => {
    const tree = new TopicTree<number>();
    ['a/b', 'a/+', '#', '+/b', 'a/#', 'c'].forEach((filter, number) => tree.add(filter, number));
    const found = (topic: string): number[] => {
      const all: number[] = [];
      tree.match(topic, (number) => all.push(number));
      return all.sort();
    };
    expect(found('a/b')).toEqual([0, 1, 2, 3, 4]);
    tree.remove('a/+', 1);
    tree.remove('a/+', 1);
    tree.remove('not/there', 9);
    expect(found('a/b')).toEqual([0, 2, 3, 4]);
    expect(found('c')).toEqual([2, 5]);
  });

  it('[topic-6] a published level that is a wildcard character is a level like any other', () => {
    const tree = new TopicTree<string>();
    for (const filter of ['a/+', 'a/#', 'a/b']) tree.add(filter, filter);
    const found: string[] = [];
    tree.match('a/+', (filter) => found.push(filter));
    expect(found.sort()).toEqual(['a/#', 'a/+']);
  });

  it('[topic-7] a subscription that another takes in is left out', () => {
    expect(widest(['+/user/#', 'default/user/x', 'a', 'a', 'b/+', 'b/c'])).toEqual(['+/user/#', 'a', 'b/+']);
  });

  it.each([
    ['$hw/events/device/ns/d/twin/update', 'twin'],
    ['$hw/events/device', 'twin'],
    ['$hw/events/node/n/membership/get', 'twin'],
    ['$hw/events/devices/x', 'cloud'],
    ['$hw/events/upload/x', 'cloud'],
    ['a/user/b', 'cloud'],
    ['$hw/events/device/ns/d/twin/cloud_updated', 'refused'],
    ['$hw/events/device/ns/d/twin/cloud_updated/x', 'twin'],
  ])('[topic-8] %s is for: %s', (topic, where) => expect(destinationOf(topic)).toBe(where));
});
