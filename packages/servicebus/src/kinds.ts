import { defineKind, Sources } from '@edge/protocol';

const source = Sources.routerServiceBus;

/** A rule lets programs on this node call a URL; the resource is the URL. Source: KubeEdge v1.23. */
export const start = defineKind<string>('startUrl', { source, operation: 'start' }, (_content, { route }) => route.resource);
/** No rule does any more; the resource is the URL as Go's path cleaning leaves it. Source: KubeEdge v1.23. */
export const stop = defineKind<string>('stopUrl', { source, operation: 'stop' }, (_content, { route }) => route.resource);
/** A rule calls a service of this node; the operation is the method. Source: KubeEdge v1.23, capture 06. */
export const call = defineKind('callService', { source });
/** What the group `bus` is told and is not for here: publications, the link's notices. */
export const others = defineKind('others', {});
