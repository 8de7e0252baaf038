import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
let made = 0;

/** Where a pod is: its node, and its number on it. */
export interface Pod {
  readonly network: string;
  readonly address: string;
  readonly address6: string;
}

/**
 * Three nodes on one network, each with a bridge and pods on it, and nothing beyond: there is no default route anywhere. Of
 * node N: 192.168.50.N and fd50::N; of pod M on it 10.244.N.M and fd44:N::M.
 */
export class Network implements AsyncDisposable {
  readonly #prefix = `mesh-${process.pid}-${(made += 1)}`;
  readonly #networks: string[] = [];
  readonly #pods = new Map<string, Pod>();

  static async make(podsOfNodes: readonly number[]): Promise<Network> {
    const network = new Network();
    await network.#make(podsOfNodes);
    return network;
  }

  node(number: number): string {
    return `${this.#prefix}-n${number}`;
  }

  pod(node: number, number: number): Pod {
    return this.#pods.get(`${node}.${number}`) as Pod;
  }

  /** The node is off the network, or on it again. */
  async cable(node: number, state: 'up' | 'down'): Promise<void> {
    await run('ip', ['-n', `${this.#prefix}-sw`, 'link', 'set', `n${node}`, state]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const network of this.#networks) await run('ip', ['netns', 'delete', network]).catch(() => undefined);
  }

  async #make(podsOfNodes: readonly number[]): Promise<void> {
    const middle = await this.#network(`${this.#prefix}-sw`, ['link add sw type bridge', 'link set sw up']);
    const nodes = podsOfNodes.map((_, index) => index + 1);
    for (const node of nodes) {
      const name = await this.#network(this.node(node), [
        `link add uplink type veth peer name n${node} netns ${middle}`,
        `address add 192.168.50.${node}/24 dev uplink`, `address add fd50::${node}/64 dev uplink nodad`, 'link set uplink up',
        'link add cni0 type bridge', `address add 10.244.${node}.1/24 dev cni0`, `address add fd44:${node}::1/64 dev cni0 nodad`, 'link set cni0 up',
        ...nodes.filter((other) => other !== node).flatMap((other) => [`route add 10.244.${other}.0/24 via 192.168.50.${other}`, `route add fd44:${other}::/64 via fd50::${other}`]),
      ], ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']);
      await batch(middle, [`link set n${node} master sw`, `link set n${node} up`]);
      for (let pod = 2; pod < 2 + (podsOfNodes[node - 1] as number); pod += 1) {
        const network = await this.#network(`${this.#prefix}-p${node}-${pod}`, []);
        await batch(name, [`link add pod${pod} type veth peer name eth0 netns ${network}`, `link set pod${pod} master cni0`, `link set pod${pod} up`]);
        // A pod may call itself.
        await batch(name, [`link set pod${pod} type bridge_slave hairpin on`]);
        await batch(network, [`address add 10.244.${node}.${pod}/24 dev eth0`, `address add fd44:${node}::${pod}/64 dev eth0 nodad`, 'link set eth0 up', `route add default via 10.244.${node}.1`, `route add default via fd44:${node}::1`]);
        this.#pods.set(`${node}.${pod}`, { network, address: `10.244.${node}.${pod}`, address6: `fd44:${node}::${pod}` });
      }
    }
  }

  async #network(name: string, lines: readonly string[], settings: readonly string[] = []): Promise<string> {
    await run('ip', ['netns', 'add', name]);
    this.#networks.push(name);
    if (settings.length > 0) await run('ip', ['netns', 'exec', name, 'sysctl', '-qw', ...settings]);
    await batch(name, ['link set lo up', ...lines]);
    return name;
  }
}

async function batch(network: string, lines: readonly string[]): Promise<void> {
  const work = run('ip', ['-n', network, '-batch', '-']);
  work.child.stdin?.end(`${lines.join('\n')}\n`);
  await work;
}
