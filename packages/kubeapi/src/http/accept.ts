import { ApiError } from '../errors.js';

/** The form an answer takes. */
export interface AnswerForm {
  encoding: 'json' | 'yaml';
  /** Objects are turned into this; undefined leaves them as they are. */
  as: 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList' | undefined;
  /** Version of meta.k8s.io for `as`. */
  version: 'v1' | 'v1beta1';
}

interface Range {
  type: string;
  parameters: ReadonlyMap<string, string>;
  quality: number;
}

function parseAccept(header: string): Range[] {
  return header.split(',').map((part) => {
    const [type = '', ...rest] = part.split(';').map((text) => text.trim());
    const parameters = new Map(rest.map((text) => {
      const equals = text.indexOf('=');
      return [text.slice(0, equals).toLowerCase(), text.slice(equals + 1)] as const;
    }));
    return { type: type.toLowerCase(), parameters, quality: Number(parameters.get('q') ?? 1) };
  }).filter((range) => range.type !== '' && range.quality > 0).sort((a, b) => b.quality - a.quality);
}

const FORMS = ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'] as const;

const PLAIN: AnswerForm = { encoding: 'json', as: undefined, version: 'v1' };

/** Picks the first form that is asked for and served; Protobuf is not. Throws NotAcceptable. */
export function negotiate(header: string | undefined): AnswerForm {
  // By far the most: programs that want the objects, and curl.
  if (header === undefined || header === 'application/json' || header === '*/*' || header.trim() === '') return PLAIN;
  for (const { type, parameters } of parseAccept(header)) {
    const encoding = ['application/json', '*/*', 'application/*'].includes(type) ? 'json' : type === 'application/yaml' ? 'yaml' : undefined;
    if (encoding === undefined) continue;
    const wanted = parameters.get('as');
    if (wanted === undefined) return { encoding, as: undefined, version: 'v1' };
    const as = FORMS.find((form) => form === wanted);
    const version = parameters.get('v');
    if (as !== undefined && parameters.get('g') === 'meta.k8s.io' && (version === 'v1' || version === 'v1beta1')) return { encoding, as, version };
  }
  throw new ApiError('NotAcceptable', `none of the asked media types is served (${header.slice(0, 200)}): ask for application/json or application/yaml`);
}

/** The version of aggregated discovery that is asked for before the plain form, if any. */
export function aggregatedDiscovery(header: string | undefined): 'v2' | 'v2beta1' | undefined {
  for (const { type, parameters } of parseAccept(header ?? '')) {
    if (type !== 'application/json') continue;
    const version = parameters.get('v');
    if (parameters.get('as') === 'APIGroupDiscoveryList' && (version === 'v2' || version === 'v2beta1')) return version;
    if (parameters.get('as') === undefined) return undefined;
  }
  return undefined;
}
