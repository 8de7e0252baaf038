import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NamesScene, rawQuery, service, slice } from './names-scene.js';

let scene: NamesScene;
const code = async (asked: Promise<unknown>): Promise<string> => asked.then(() => 'answered', (error: { code?: string }) => String(error.code));
const said = async (name: string, type: number, options: object = {}): Promise<Buffer> => (await scene.resolver.answer(rawQuery(name, type, options), false, scene.stop.signal)) as Buffer;
const SUFFIX = 'default.svc.cluster.local';

beforeAll(async () => {
  scene = await NamesScene.open();
  const hosts = [{ addresses: ['10.0.0.1'], hostname: 'db-0' }, { addresses: ['10.0.0.2'] }, { addresses: ['10.0.0.3'], conditions: { ready: false } }];
  const many = Array.from({ length: 120 }, (_, index) => ({ addresses: [`10.1.0.${index}`] }));
  scene.put(
    service('web', { clusterIPs: ['10.96.0.5', 'fd00::5'], ports: [{ name: 'http', port: 80 }, { name: 'dns', port: 53, protocol: 'UDP' }] }),
    service('db', { clusterIP: 'None', ports: [{ name: 'sql', port: 5432 }] }), slice('db', hosts, [{ name: 'sql', port: 15_432 }]),
    service('down', { clusterIP: 'None', ports: [{ port: 1 }] }),
    service('many', { clusterIP: 'None' }), slice('many', many, null),
    service('near', { type: 'ExternalName', externalName: `web.${SUFFIX}` }),
    service('round', { type: 'ExternalName', externalName: `round.${SUFFIX}` }),
    service('number', { type: 'ExternalName', externalName: '192.0.2.7' }),
  );
});
afterAll(() => scene[Symbol.asyncDispose]());

describe('names of services', () => {
  it('[edgemesh-4.1] a service has its cluster addresses, of both families, in whatever case it is asked for', async () => {
    expect(await scene.client.resolve4(`web.${SUFFIX}`, { ttl: true })).toEqual([{ address: '10.96.0.5', ttl: 5 }]);
    expect(await scene.client.resolve6(`WEB.Default.svc.CLUSTER.local`)).toEqual(['fd00::5']);
    expect(await scene.client.resolveAny(`web.${SUFFIX}`)).toHaveLength(2);
  });

  it('[edgemesh-4.2] a headless service has the addresses of its ready hosts, and each host a name', async () => {
    expect((await scene.client.resolve4(`db.${SUFFIX}`)).sort()).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(await scene.client.resolve4(`db-0.db.${SUFFIX}`)).toEqual(['10.0.0.1']);
    expect(await scene.client.resolve4(`10-0-0-2.db.${SUFFIX}`)).toEqual(['10.0.0.2']);
    expect(await code(scene.client.resolve4(`10-0-0-3.db.${SUFFIX}`))).toBe('ENOTFOUND');
    expect(await code(scene.client.resolve4(`down.${SUFFIX}`))).toBe('ENOTFOUND');
  });

  it('[edgemesh-4.3] ports are found by name and protocol: the service under its own, hosts under theirs', async () => {
    expect(await scene.client.resolveSrv(`_http._tcp.web.${SUFFIX}`)).toEqual([{ name: `web.${SUFFIX}`, port: 80, priority: 0, weight: 100 }]);
    expect((await scene.client.resolveSrv(`_sql._tcp.db.${SUFFIX}`)).map(({ name, port }) => `${name}:${port}`).sort()).toEqual([`10-0-0-2.db.${SUFFIX}:15432`, `db-0.db.${SUFFIX}:15432`]);
    expect((await scene.client.resolveSrv(`web.${SUFFIX}`)).map(({ port }) => port).sort()).toEqual([53, 80]);
    for (const name of [`_http._udp.web.${SUFFIX}`, `_none._tcp.web.${SUFFIX}`, `http._tcp.web.${SUFFIX}`]) expect(await code(scene.client.resolveSrv(name))).toBe('ENOTFOUND');
  });

  it('[edgemesh-4.4] addresses of services and of hosts have names; those of others are asked for elsewhere', async () => {
    expect(await scene.client.reverse('10.96.0.5')).toEqual([`web.${SUFFIX}`]);
    expect(await scene.client.reverse('fd00::5')).toEqual([`web.${SUFFIX}`]);
    expect(await scene.client.reverse('10.0.0.1')).toEqual([`db-0.db.${SUFFIX}`]);
    expect((await said('9.9.9.10.in-addr.arpa', 12)).readUInt16BE(2)).toBe(0x8182);
  });

  it('[edgemesh-4.5] pods have names made of their addresses', async () => {
    expect(await scene.client.resolve4('10-7-0-9.default.pod.cluster.local')).toEqual(['10.7.0.9']);
    expect(await scene.client.resolve6('fd00--9.default.pod.cluster.local')).toEqual(['fd00::9']);
    expect(await code(scene.client.resolve4('web.default.pod.cluster.local'))).toBe('ENOTFOUND');
  });

  it('[edgemesh-4.6] a name elsewhere is followed within the cluster, and not in circles', async () => {
    expect(await scene.client.resolve4(`near.${SUFFIX}`)).toEqual(['10.96.0.5']);
    expect(await scene.client.resolveCname(`near.${SUFFIX}`)).toEqual([`web.${SUFFIX}`]);
    expect(await scene.client.resolve4(`number.${SUFFIX}`)).toEqual(['192.0.2.7']);
    expect(await code(scene.client.resolve4(`round.${SUFFIX}`))).toBe('ESERVFAIL');
  });

  it.each([
    ['no such service', `nope.${SUFFIX}`, 1, 3], ['no such kind', 'web.default.srv.cluster.local', 1, 3], ['too many labels', `a.b.web.${SUFFIX}`, 1, 3],
    ['no such namespace', 'none.svc.cluster.local', 1, 3], ['a type that it has not', `web.${SUFFIX}`, 15, 0], ['a namespace', SUFFIX, 1, 0], ['between', `_tcp.web.${SUFFIX}`, 1, 0],
    ['the zone', 'cluster.local', 1, 0], ['a search path on a name elsewhere', `example.com.${SUFFIX}`, 1, 3],
  ])('[edgemesh-4.7] what is not there is denied with the life of the denial: %s', async (_title, name, type, rcode) => {
    const answer = await said(name, type);
    expect(answer.readUInt16BE(2)).toBe(0x8580 | rcode);
    expect([answer.readUInt16BE(6), answer.readUInt16BE(8)]).toEqual([0, 1]);
    expect(answer.readUInt32BE(answer.length - 4)).toBe(5);
  });

  it('[edgemesh-4.8] what does not fit is cut, and whole over TCP', async () => {
    const cut = await said(`many.${SUFFIX}`, 1);
    expect(cut.length).toBeLessThanOrEqual(512);
    expect(cut.readUInt16BE(2) & 0x0200).toBe(0x0200);
    const larger = await said(`many.${SUFFIX}`, 1, { payload: 4096 });
    expect(larger.length).toBeLessThanOrEqual(1232);
    expect(larger.readUInt16BE(6)).toBeGreaterThan(cut.readUInt16BE(6));
    expect((await said(`db.${SUFFIX}`, 1, { payload: 4096 })).readUInt16BE(10)).toBe(1);
    expect(await scene.client.resolve4(`many.${SUFFIX}`)).toHaveLength(120);
  });

  it('[edgemesh-4.9] transfers, unknown versions, operations and answers are refused or not answered at all', async () => {
    expect((await said('cluster.local', 252)).readUInt16BE(2) & 0xf).toBe(5);
    expect((await said(`web.${SUFFIX}`, 1, { flags: 0x2900 })).readUInt16BE(2) & 0xf).toBe(4);
    expect(await said(`web.${SUFFIX}`, 1, { flags: 0x8100 })).toBeUndefined();
    const version = rawQuery(`web.${SUFFIX}`, 1, { payload: 1232 });
    version[version.length - 5] = 1;
    const refused = (await scene.resolver.answer(version, false, scene.stop.signal)) as Buffer;
    expect([refused.readUInt16BE(2) & 0xf, refused[12 + 5]]).toEqual([0, 1]);
    expect((await scene.client.resolveTxt('dns-version.cluster.local'))[0]).toEqual(['1.1.0']);
    expect((await scene.client.resolveSoa('cluster.local')).nsname).toBe('ns.dns.cluster.local');
  });

  it('[edgemesh-4.10] a change counts from the next question on', async () => {
    scene.put(service('new', { clusterIP: '10.96.0.77' }));
    expect(await scene.client.resolve4(`new.${SUFFIX}`)).toEqual(['10.96.0.77']);
    scene.table.apply([{ key: '/core/v1/services/default/new', object: undefined }]);
    expect(await code(scene.client.resolve4(`new.${SUFFIX}`))).toBe('ENOTFOUND');
  });
});
