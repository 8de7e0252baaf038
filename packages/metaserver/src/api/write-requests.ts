import {
  apiVersionOf, badRequest, type DeleteOptions, type DraftObject, type PatchRequest, type PatchType, type ResourceRef, type ResourceType, type WriteOptions,
} from '@edge/kubeapi';
import { applicationKey, type ApplicationRequest } from '../cloud/application.js';
import type { ObjectCopy } from '../copy/object-copy.js';
import { cloudVersionOf, keyOfRef, stepsWithCloudVersion, withCloudVersion } from './cloud-versions.js';

const PATCH_TYPES: Readonly<Record<PatchType, string>> = {
  json: 'application/json-patch+json', merge: 'application/merge-patch+json', strategic: 'application/strategic-merge-patch+json', apply: 'application/apply-patch+yaml',
};

/** What the cloud is asked for a change, with its versions in place of ours. All throw ApiError BadRequest and Conflict. */
export const writeRequests = {
  create(type: ResourceType, ref: ResourceRef, draft: DraftObject, options: WriteOptions): ApplicationRequest {
    // The object's own name tells the cloud nothing that the body does not; upstream's key has none either.
    const key = applicationKey(ref.subresource === undefined ? { ...ref, name: undefined as never } : ref);
    return { key, verb: 'create', option: optionsOf(options), body: complete(type, ref, draft), subresource: ref.subresource ?? '' };
  },

  update(copy: ObjectCopy, type: ResourceType, ref: ResourceRef, draft: DraftObject, options: WriteOptions): ApplicationRequest {
    const body = withCloudVersion(copy, type, keyOfRef(type, ref), complete(type, ref, draft));
    return { key: applicationKey(ref), verb: ref.subresource === 'status' ? 'updatestatus' : 'update', option: optionsOf(options), body, subresource: ref.subresource ?? '' };
  },

  patch(copy: ObjectCopy, type: ResourceType, ref: ResourceRef, patch: PatchRequest, options: WriteOptions): ApplicationRequest {
    const key = keyOfRef(type, ref);
    const body = patch.type === 'json' ? stepsWithCloudVersion(copy, type, key, patch.body) : withCloudVersion(copy, type, key, patch.body);
    const option = {
      Name: ref.name ?? '', PatchType: PATCH_TYPES[patch.type], Data: Buffer.from(JSON.stringify(body), 'utf8').toString('base64'),
      Options: { kind: 'PatchOptions', apiVersion: 'meta.k8s.io/v1', ...optionsOf(options), ...(patch.force === undefined ? {} : { force: patch.force }) },
      Subresources: [ref.subresource ?? ''],
    };
    return { key: applicationKey(ref), verb: 'patch', option, subresource: ref.subresource ?? '' };
  },

  delete(copy: ObjectCopy, type: ResourceType, ref: ResourceRef, options: DeleteOptions): ApplicationRequest {
    const { preconditions, dryRun, ...rest } = options;
    const version = cloudVersionOf(copy, type, keyOfRef(type, ref), preconditions?.resourceVersion);
    const only = { ...(preconditions?.uid === undefined ? {} : { uid: preconditions.uid }), ...(version === undefined ? {} : { resourceVersion: version }) };
    const option = { ...rest, ...(Object.keys(only).length > 0 ? { preconditions: only } : {}), ...(dryRun === true ? { dryRun: ['All'] } : {}) };
    return { key: applicationKey(ref), verb: 'delete', option };
  },
};

function optionsOf({ dryRun, fieldManager, fieldValidation }: WriteOptions): Readonly<Record<string, unknown>> {
  return {
    ...(dryRun === true ? { dryRun: ['All'] } : {}), ...(fieldManager === undefined ? {} : { fieldManager }), ...(fieldValidation === undefined ? {} : { fieldValidation }),
  };
}

/** With what the path says and the body may leave out. @throws ApiError BadRequest */
function complete(type: ResourceType, ref: ResourceRef, draft: DraftObject): DraftObject {
  if (typeof draft !== 'object' || draft === null || Array.isArray(draft)) throw badRequest('the body must be an object');
  const ofSubresource = type.subresources?.find(({ name }) => name === ref.subresource)?.kind;
  const kind = ofSubresource ?? { group: type.group, version: type.version, kind: type.kind };
  const metadata = { ...(type.namespaced && ref.namespace !== undefined ? { namespace: ref.namespace } : {}), ...draft.metadata };
  if (ref.name !== undefined && metadata.name !== undefined && metadata.name !== ref.name) throw badRequest(`the name of the object (${JSON.stringify(metadata.name)}) is not that of the path (${JSON.stringify(ref.name)})`);
  return { ...draft, apiVersion: draft.apiVersion ?? apiVersionOf(kind), kind: draft.kind ?? kind.kind, metadata: { ...metadata, ...(ref.name === undefined ? {} : { name: ref.name }) } };
}
