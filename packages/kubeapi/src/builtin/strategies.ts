import { isFields, sameData, timestamp, type Fields } from '@edge/protocol';
import { definitionErrors } from '../crd/definition.js';
import type { FieldError } from '../errors.js';
import { labelProblem, pathSegmentProblem } from '../resource/names.js';
import { labelSelectorOf, type LabelSelectorObject } from '../selector/label-selector.js';
import type { KubeObject } from '../types/object.js';
import type { ResourceStrategy } from '../types/strategy.js';
import { at, listAt, textAt } from './columns.js';
import { defaultPodSpec, setDefault } from './pod-defaults.js';
import { podSpecErrors } from './pod-strategy.js';

export const namespaceStrategy: ResourceStrategy = {
  validateName: labelProblem,
  prepareForCreate(namespace) {
    const spec = isFields(namespace.spec) ? namespace.spec : {};
    namespace.spec = { ...spec, finalizers: ['kubernetes'] };
    namespace.status = { phase: 'Active' };
    namespace.metadata.labels = { ...namespace.metadata.labels, 'kubernetes.io/metadata.name': namespace.metadata.name };
  },
  prepareForUpdate(next, current, subresource) {
    // The collector takes the finalizer away through `finalize`; nobody else may.
    if (subresource !== 'finalize' && current.spec !== undefined) next.spec = current.spec;
  },
  isHeld: (namespace) => listAt(namespace, 'spec', 'finalizers').length > 0,
  generation: false,
};

export const serviceStrategy: ResourceStrategy = {
  validateName: labelProblem,
  generation: false,
  setDefaults(service) {
    if (!isFields(service.spec)) return;
    setDefault(service.spec, 'type', 'ClusterIP');
    setDefault(service.spec, 'sessionAffinity', 'None');
    if (service.spec.type !== 'ExternalName') setDefault(service.spec, 'internalTrafficPolicy', 'Cluster');
    for (const port of listAt(service, 'spec', 'ports')) {
      if (!isFields(port)) continue;
      setDefault(port, 'protocol', 'TCP');
      setDefault(port, 'targetPort', port.port);
    }
  },
  prepareForCreate(service) {
    service.status = { loadBalancer: {} };
  },
  prepareForUpdate(next, current) {
    // A client that sends its own file again does not mean to give the address back.
    for (const field of ['clusterIP', 'clusterIPs']) {
      const value = at(current, 'spec', field);
      if (value !== undefined && isFields(next.spec)) setDefault(next.spec, field, value);
    }
  },
};

function dataErrors(object: KubeObject): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ['data', 'binaryData']) {
    const data = object[field];
    if (data === undefined) continue;
    if (!isFields(data)) {
      errors.push({ reason: 'FieldValueTypeInvalid', field, message: 'must be an object' });
      continue;
    }
    for (const [key, value] of Object.entries(data)) {
      if (!/^[-._a-zA-Z0-9]{1,253}$/.test(key) || key === '.' || key === '..') errors.push({ reason: 'FieldValueInvalid', field: `${field}[${key}]`, message: 'a key must be letters, digits, "-", "_" or "."' });
      if (typeof value !== 'string') errors.push({ reason: 'FieldValueTypeInvalid', field: `${field}[${key}]`, message: `must be text, is ${typeof value}` });
    }
  }
  return errors;
}

function immutableErrors(next: KubeObject, current: KubeObject): FieldError[] {
  if (current.immutable !== true) return [];
  const same = ['data', 'binaryData', 'immutable'].every((field) => sameData(next[field], current[field]));
  return same ? [] : [{ reason: 'FieldValueForbidden', field: 'data', message: 'may not change because `immutable` is set' }];
}

export const configMapStrategy: ResourceStrategy = { validate: dataErrors, validateUpdate: immutableErrors };

export const secretStrategy: ResourceStrategy = {
  setDefaults(secret) {
    setDefault(secret, 'type', 'Opaque');
    if (isFields(secret.stringData)) {
      const encoded = Object.entries(secret.stringData).map(([key, value]) => [key, typeof value === 'string' ? Buffer.from(value).toString('base64') : value]);
      secret.data = { ...(isFields(secret.data) ? secret.data : {}), ...Object.fromEntries(encoded) as Fields };
    }
    delete secret.stringData;
  },
  validate(secret) {
    const broken = Object.entries(isFields(secret.data) ? secret.data : {})
      .filter(([, value]) => typeof value === 'string' && !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value));
    return [...dataErrors(secret), ...broken.map(([key]): FieldError => ({ reason: 'FieldValueInvalid', field: `data[${key}]`, message: 'is not base64' }))];
  },
  validateUpdate(next, current) {
    const errors = immutableErrors(next, current);
    if (next.type !== current.type) errors.push({ reason: 'FieldValueForbidden', field: 'type', message: 'may not change' });
    return errors;
  },
};

/** Kinds with a pod template; `defaults` are put into spec where it says nothing. */
export function workloadStrategy(defaults: Readonly<Fields>, options: { selector: boolean } = { selector: true }): ResourceStrategy {
  return {
    setDefaults(object) {
      if (!isFields(object.spec)) return;
      for (const [field, value] of Object.entries(defaults)) setDefault(object.spec, field, structuredClone(value));
      const strategy = object.spec.strategy;
      if (isFields(strategy)) setDefault(strategy, 'type', 'RollingUpdate');
      if (isFields(strategy) && strategy.type === 'RollingUpdate') setDefault(strategy, 'rollingUpdate', { maxUnavailable: '25%', maxSurge: '25%' });
      defaultPodSpec(at(object, 'spec', 'template', 'spec'));
    },
    prepareForCreate(object) {
      object.status = {};
    },
    validate(object) {
      const errors = podSpecErrors(at(object, 'spec', 'template', 'spec'), 'spec.template.spec');
      if (!options.selector) return errors;
      const selector = at(object, 'spec', 'selector');
      if (!isFields(selector)) return [...errors, { reason: 'FieldValueRequired', field: 'spec.selector', message: 'is required' }];
      const labels = at(object, 'spec', 'template', 'metadata', 'labels') as Record<string, string> | undefined;
      if (!labelSelectorOf(selector as LabelSelectorObject)(labels)) {
        errors.push({ reason: 'FieldValueInvalid', field: 'spec.template.metadata.labels', message: 'spec.selector does not select the pods of this template' });
      }
      return errors;
    },
    validateUpdate(next, current) {
      return !options.selector || sameData(at(next, 'spec', 'selector'), at(current, 'spec', 'selector')) ? []
        : [{ reason: 'FieldValueForbidden', field: 'spec.selector', message: 'may not change' }];
    },
  };
}

export const signingRequestStrategy: ResourceStrategy = {
  prepareForCreate(request) {
    request.status = {};
  },
  generation: false,
};

export const pathNameStrategy: ResourceStrategy = { validateName: pathSegmentProblem, generation: false };
/** A node registers together with its first status. */
export const nodeStrategy: ResourceStrategy = { statusOnCreate: true, generation: false };
export const plainStrategy: ResourceStrategy = { generation: false };

export const definitionStrategy: ResourceStrategy = {
  setDefaults(definition) {
    const { spec } = definition;
    if (!isFields(spec)) return;
    setDefault(spec, 'conversion', { strategy: 'None' });
    if (isFields(spec.names) && typeof spec.names.kind === 'string') {
      setDefault(spec.names, 'singular', spec.names.kind.toLowerCase());
      setDefault(spec.names, 'listKind', `${spec.names.kind}List`);
    }
  },
  prepareForCreate(definition) {
    // It is served as soon as it is committed, so it says so from the start.
    const at = definition.metadata.creationTimestamp || timestamp(0);
    const versions = listAt(definition, 'spec', 'versions').filter((v) => isFields(v) && v.storage === true).map((v) => textAt(v, 'name'));
    definition.status = {
      acceptedNames: isFields(definition.spec) ? definition.spec.names : {},
      storedVersions: versions,
      conditions: [
        { type: 'NamesAccepted', status: 'True', lastTransitionTime: at, reason: 'NoConflicts', message: 'no conflicts found' },
        { type: 'Established', status: 'True', lastTransitionTime: at, reason: 'InitialNamesAccepted', message: 'served' },
      ],
    };
  },
  validate: definitionErrors,
  validateUpdate(next, current) {
    return ['group', 'scope'].filter((field) => at(next, 'spec', field) !== at(current, 'spec', field))
      .map((field): FieldError => ({ reason: 'FieldValueForbidden', field: `spec.${field}`, message: 'may not change' }));
  },
};
