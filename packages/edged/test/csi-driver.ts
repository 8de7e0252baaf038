import { mkdir, rmdir } from 'node:fs/promises';
import { Server, ServerCredentials, status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { CAPABILITIES, CONTROLLER, EMPTY, NODE_PUBLISH, NODE_STAGE, NODE_UNPUBLISH, NODE_UNSTAGE, PLUGIN_INFO, REGISTRATION_STATUS } from '../src/volumes/csi/messages.js';
import { decode, encode, type Fields, type Schema } from '../src/volumes/csi/wire.js';
import { isMountPoint, readMountTable } from '../src/volumes/mount-table.js';
import type { Mounter } from '../src/volumes/mounter.js';

/** A CSI driver with its registrar on one socket: volumes are directories, staging and publishing are bind mounts. */
export class TestDriver {
  readonly calls: [method: string, request: Fields][] = [];
  /** Method that fails, with what text. */
  failing: { readonly method: string; readonly text: string } | undefined;
  nodeCapabilities = [1];
  readonly #server = new Server();
  readonly #disk: string;
  readonly #mounter: Mounter;

  /** @param deps.disk directory of all volumes, one folder for each handle */
  constructor(deps: { name: string; disk: string; mounter: Mounter }) {
    this.#disk = deps.disk;
    this.#mounter = deps.mounter;
    const capabilities = (types: readonly number[]): Fields => ({ capabilities: types.map((type) => ({ rpc: { type } })) });
    this.#serve('pluginregistration.Registration', {
      GetInfo: [EMPTY, PLUGIN_INFO, () => ({ type: 'CSIPlugin', name: deps.name, supported_versions: ['1.0.0'] })],
      NotifyRegistrationStatus: [REGISTRATION_STATUS, EMPTY, () => ({})],
    });
    this.#serve('csi.v1.Node', {
      NodeGetCapabilities: [EMPTY, CAPABILITIES, () => capabilities(this.nodeCapabilities)],
      NodeStageVolume: [NODE_STAGE, EMPTY, (request) => this.#bind(`${this.#disk}/${text(request, 'volume_id')}`, text(request, 'staging_target_path'))],
      NodeUnstageVolume: [NODE_UNSTAGE, EMPTY, (request) => this.#unmount(text(request, 'staging_target_path'), false)],
      NodePublishVolume: [NODE_PUBLISH, EMPTY, (request) => this.#bind(text(request, 'staging_target_path') || `${this.#disk}/${text(request, 'volume_id')}`, text(request, 'target_path'))],
      NodeUnpublishVolume: [NODE_UNPUBLISH, EMPTY, (request) => this.#unmount(text(request, 'target_path'), true)],
    });
    this.#serve('csi.v1.Controller', {
      ControllerGetCapabilities: [EMPTY, CAPABILITIES, () => capabilities([1])],
      CreateVolume: [CONTROLLER.CreateVolume.request, CONTROLLER.CreateVolume.answer, (request) => ({ volume: { volume_id: `id-of-${text(request, 'name')}`, capacity_bytes: 5e10, volume_context: { of: 'test' } } })],
      DeleteVolume: [CONTROLLER.DeleteVolume.request, EMPTY, () => ({})],
    });
  }

  listen(socket: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve()));
    });
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  methods(): string[] {
    return this.calls.map(([method]) => method).filter((method) => !method.includes('Capabilities'));
  }

  async #bind(source: string, target: string): Promise<Fields> {
    await mkdir(source, { recursive: true });
    await mkdir(target, { recursive: true });
    // Every call may be repeated.
    if (!isMountPoint(await readMountTable(), target)) await this.#mounter.mount({ source, target, options: ['bind'] });
    return {};
  }

  async #unmount(target: string, remove: boolean): Promise<Fields> {
    await this.#mounter.unmount(target);
    if (remove) await rmdir(target);
    return {};
  }

  #serve(service: string, methods: Readonly<Record<string, readonly [Schema, Schema, (request: Fields) => Fields | Promise<Fields>]>>): void {
    const definition = Object.entries(methods).map(([method, [request, answer]]) => [
      method,
      {
        path: `/${service}/${method}`,
        requestStream: false as const,
        responseStream: false as const,
        requestSerialize: (value: Fields) => encode(request, value),
        requestDeserialize: (bytes: Buffer) => decode(request, bytes),
        responseSerialize: (value: Fields) => encode(answer, value),
        responseDeserialize: (bytes: Buffer) => decode(answer, bytes),
      },
    ]);
    const handlers = Object.entries(methods).map(([method, [, , work]]) => [
      method,
      (call: ServerUnaryCall<Fields, Fields>, done: sendUnaryData<Fields>) => {
        this.calls.push([method, call.request]);
        const answer = async (): Promise<Fields> => {
          if (this.failing?.method === method) throw new Error(this.failing.text);
          return work(call.request);
        };
        answer().then(
          (value) => done(null, value),
          (error: Error) => done({ code: status.INTERNAL, details: error.message }),
        );
      },
    ]);
    this.#server.addService(Object.fromEntries(definition) as never, Object.fromEntries(handlers) as never);
  }
}

function text(fields: Fields, name: string): string {
  return (fields[name] as string | undefined) ?? '';
}
