import { expect, it } from 'vitest';
import { DmiScene, until } from './dmi-scene.js';
import { callManager, Refusal } from './fake-mapper.js';
import { device, model } from './objects.js';

const one = { protocol: 'modbus' };

async function withDevice(scene: DmiScene): Promise<void> {
  await scene.logged('mappers are served');
  scene.push('insert', 'default/devicemodel/thermo-model', model());
  scene.push('insert', 'default/device/thermo-1', device());
}

const quiet = (scene: DmiScene): Promise<void> => until(() => scene.dmi.health().some(({ connected, pending }) => connected && pending === 0), 'the mapper has all');

it('[dmi-6.1] after a restart of the agent a mapper is left alone, reports go on, and what has changed meanwhile is sent', async () => {
  await using scene = await DmiScene.start();
  await withDevice(scene);
  await using mapper = scene.mapper();
  await mapper.serve();
  await mapper.register(scene.socket, one);
  await quiet(scene);
  await scene.agentStops();
  await scene.agentStarts();
  await quiet(scene);
  expect(mapper.calls).toEqual([]);
  await callManager(scene.socket, 'reportDeviceStates', { deviceName: 'thermo-1', deviceNamespace: 'default', state: 'online' });
  expect(scene.reported).toHaveLength(1);
  await scene.agentStops();
  // Stored, but the agent died before the mapper heard of it.
  scene.rows.set('default/device/thermo-1', device('thermo-1', '30'));
  await scene.agentStarts();
  await until(() => mapper.calls.length === 1, 'a call');
  expect(mapper.calls).toEqual(['UpdateDevice']);
});

it('[dmi-6.2] a device that was removed while the agent was away is removed from the mapper; it is not asked twice', async () => {
  await using scene = await DmiScene.start();
  await withDevice(scene);
  await using mapper = scene.mapper();
  await mapper.serve();
  await mapper.register(scene.socket, one);
  await quiet(scene);
  await scene.agentStops();
  scene.rows.delete('default/device/thermo-1');
  await scene.agentStarts();
  await until(() => mapper.calls.length === 1, 'a call');
  await scene.agentStops();
  await scene.agentStarts();
  await quiet(scene);
  expect(mapper.calls).toEqual(['RemoveDevice']);
});

it('[dmi-6.3] an agent of upstream left only the registration: the mapper is called, and gets its devices', async () => {
  await using scene = await DmiScene.start();
  await scene.logged('mappers are served');
  await scene.agentStops();
  await using mapper = scene.mapper();
  await mapper.serve();
  scene.rows.set('node/nodeID/namespace/devicemapper/old', { name: 'old', version: 'v1', api_version: 'v1', protocol: 'modbus', address: Buffer.from(mapper.socket).toString('base64'), state: 'ok' });
  scene.rows.set('node/nodeID/namespace/devicemapper/broken', { name: 'broken' });
  scene.rows.set('default/devicemodel/thermo-model', model());
  scene.rows.set('default/device/thermo-1', device());
  await scene.agentStarts();
  await until(() => mapper.devices.size === 1, 'the device');
  expect(mapper.calls).toEqual(['CreateDeviceModel', 'RegisterDevice']);
});

it('[dmi-6.4] a mapper that starts anew and registers gets all with the answer and is not called', async () => {
  await using scene = await DmiScene.start();
  await withDevice(scene);
  await using mapper = scene.mapper();
  await mapper.serve();
  await mapper.register(scene.socket, one);
  await quiet(scene);
  mapper.kill();
  await scene.logged('the mapper is gone; it is tried again until it is back');
  // As the framework of upstream: first it registers, then it listens.
  await mapper.register(scene.socket, one);
  await mapper.serve();
  await quiet(scene);
  scene.push('update', 'default/device/thermo-1', device('thermo-1', '26'));
  await until(() => mapper.calls.length > 0, 'a call');
  expect(mapper.calls).toEqual(['UpdateDevice']);
  expect(mapper.needless).toEqual([]);
});

it('[dmi-6.5] a mapper that starts anew and says nothing is given its devices again', async () => {
  await using scene = await DmiScene.start();
  await withDevice(scene);
  await using mapper = scene.mapper();
  await mapper.serve();
  await mapper.register(scene.socket, one);
  await quiet(scene);
  mapper.kill();
  await mapper.serve();
  await until(() => mapper.devices.size === 1, 'the device');
  expect(mapper.calls).toEqual(['CreateDeviceModel', 'RegisterDevice']);
});

it('[dmi-6.6] a removal while the mapper is away is made when it is back, after a question whether the device is there', async () => {
  await using scene = await DmiScene.start();
  await withDevice(scene);
  await using mapper = scene.mapper();
  await mapper.serve();
  await mapper.register(scene.socket, one);
  await quiet(scene);
  const [known] = [...mapper.devices.values()];
  mapper.kill();
  await scene.logged('the mapper is gone; it is tried again until it is back');
  scene.push('delete', 'default/device/thermo-1', device());
  if (known) mapper.devices.set('default/thermo-1', known);
  await mapper.serve();
  await until(() => mapper.devices.size === 0, 'the device goes');
  await quiet(scene);
  expect(mapper.calls).toEqual(['GetDevice', 'RemoveDevice', 'CreateDeviceModel']);
});

it('[dmi-6.7] a device that is refused is tried again, and holds up no other; a removal that is refused counts as done', async () => {
  await using scene = await DmiScene.start();
  await withDevice(scene);
  await using mapper = scene.mapper();
  await mapper.serve();
  await mapper.register(scene.socket, one);
  await quiet(scene);
  let refused = 0;
  mapper.before = ({ method, request }) => {
    const name = (request['device'] as { name?: string } | undefined)?.name;
    if (method === 'RegisterDevice' && name === 'bad' && refused < 2) {
      refused += 1;
      throw new Refusal('parse device bad protocol failed');
    }
  };
  scene.push('insert', 'default/device/bad', device('bad'));
  scene.push('insert', 'default/device/good', device('good'));
  await until(() => mapper.devices.has('default/good'), 'the good one');
  expect(scene.lines.filter(({ message }) => message.startsWith('the mapper refused a call'))).toHaveLength(1);
  await until(() => mapper.devices.has('default/bad'), 'the bad one, after two refusals');
  mapper.devices.delete('default/bad');
  scene.push('delete', 'default/device/bad', device('bad'));
  await quiet(scene);
  expect(mapper.calls.filter((call) => call === 'RemoveDevice')).toHaveLength(1);
});

it('[dmi-6.8] a mapper that never answers harms nobody, not even the end of the agent', async () => {
  await using scene = await DmiScene.start();
  await withDevice(scene);
  await using mute = scene.mapper('mute');
  await using other = scene.mapper('other');
  for (const mapper of [mute, other]) await mapper.serve();
  mute.before = () => new Promise(() => undefined);
  await mute.register(scene.socket, { name: 'mute', protocol: 'mute' });
  await other.register(scene.socket, { name: 'other', protocol: 'modbus' });
  scene.push('insert', 'default/device/m', device('m', '1', { protocol: { protocolName: 'mute' } }));
  await until(() => mute.calls.length === 1, 'the mute one is called');
  scene.push('update', 'default/device/thermo-1', device('thermo-1', '26'));
  await until(() => other.calls.length === 1, 'the other one is called');
  await callManager(scene.socket, 'reportDeviceStates', { deviceName: 'm', deviceNamespace: 'default', state: 'online' });
  await scene.agentStops();
  expect(new Set(mute.calls)).toEqual(new Set(['CreateDeviceModel']));
});

it('[dmi-6.9] twenty mappers at once, five devices each', async () => {
  await using scene = await DmiScene.start();
  await scene.logged('mappers are served');
  scene.push('insert', 'default/devicemodel/thermo-model', model());
  const mappers = Array.from({ length: 20 }, (_, i) => scene.mapper(`m${i}`));
  await using _all = { [Symbol.asyncDispose]: async () => void (await Promise.all(mappers.map((mapper) => mapper[Symbol.asyncDispose]()))) };
  await Promise.all(mappers.map((mapper) => mapper.serve()));
  await Promise.all(mappers.map((mapper, i) => mapper.register(scene.socket, { name: `m${i}`, protocol: `p${i}` })));
  for (let i = 0; i < 100; i += 1) scene.push('insert', `default/device/d${i}`, device(`d${i}`, '1', { protocol: { protocolName: `p${i % 20}` } }));
  await until(() => mappers.every(({ devices }) => devices.size === 5), 'all devices');
  for (const { calls } of mappers) expect(calls).toEqual(['CreateDeviceModel', ...Array.from({ length: 5 }, () => 'RegisterDevice')]);
});

function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

it.each([1, 2, 3])('[dmi-6.10] restarts of both sides and changes in random order (%i): in the end the mapper has what it is to have, and no device was started anew without a reason', async (seed) => {
  const random = randoms(seed);
  await using scene = await DmiScene.start();
  await withDevice(scene);
  await using mapper = scene.mapper();
  const wanted = new Map([['thermo-1', '25']]);
  let agent = true;
  let serving = false;
  for (let turn = 0; turn < 24; turn += 1) {
    const event = random();
    const name = `d${Math.floor(random() * 3)}`;
    if (event < 0.15) {
      if (agent) await scene.agentStops();
      else await scene.agentStarts();
      agent = !agent;
    } else if (event < 0.35) {
      if (serving) mapper.kill();
      else {
        // It cannot start without the agent.
        if (!agent) await scene.agentStarts();
        agent = true;
        await mapper.register(scene.socket, one);
        await mapper.serve();
      }
      serving = !serving;
    } else if (event < 0.8) {
      const value = String(Math.floor(random() * 4));
      wanted.set(name, value);
      if (agent) scene.push('update', `default/device/${name}`, device(name, value));
      else scene.rows.set(`default/device/${name}`, device(name, value));
    } else {
      wanted.delete(name);
      if (agent) scene.push('delete', `default/device/${name}`, device(name));
      else scene.rows.delete(`default/device/${name}`);
    }
    if (random() < 0.3) await new Promise((resolve) => setImmediate(resolve));
  }
  if (!agent) await scene.agentStarts();
  if (!serving) {
    await mapper.register(scene.socket, one);
    await mapper.serve();
  }
  const has = (): Record<string, string> => Object.fromEntries([...mapper.devices.values()].map(({ name, spec }) => [name, spec?.properties[0]?.desired?.value ?? '']));
  await until(() => JSON.stringify(Object.entries(has()).sort()) === JSON.stringify([...wanted].sort()), `the mapper has ${JSON.stringify([...wanted])}`);
  await quiet(scene);
  expect(mapper.needless).toEqual([]);
});

it('[dmi-6.11] a fault of ours ends the interface with its cause, and leaves nothing behind, so that the supervisor starts it anew', async () => {
  await using scene = await DmiScene.start();
  await withDevice(scene);
  await using mapper = scene.mapper();
  await mapper.serve();
  await mapper.register(scene.socket, one);
  await quiet(scene);
  scene.objects.models.set('default/impossible', { metadata: {} } as never);
  scene.push('update', 'default/device/thermo-1', device('thermo-1', '26'));
  await expect(scene.running).rejects.toThrow(TypeError);
  await scene.agentStops();
  await scene.agentStarts();
  await until(() => mapper.calls.length > 0, 'a call');
  expect(mapper.calls).toEqual(['UpdateDevice']);
});
