import type { ContainerModuleLoadOptions, ServiceIdentifier } from 'inversify';
import manifest from '../package.json' with { type: 'json' };

/** Major version of the contract; part of each token so that two majors never mix silently. */
const MAJOR = manifest.version.split('.')[0];

/** Names a dependency of type `T` in the container. */
export type Token<T> = ServiceIdentifier<T>;

/** inversify's bind function; the only piece of it that modules see. */
export type Bind = ContainerModuleLoadOptions['bind'];

/** A token; equal for every copy of a package that stands on the same major version of core. */
export function token<T>(packageName: string, name: string): Token<T> {
  return Symbol.for(`@edge/${packageName}@${MAJOR}:${name}`) as Token<T>;
}

/**
 * Says how `token` is made: one instance of `type` per container, with the named needs as its `deps` object.
 * @example provide(bind, CloudChannel, WebSocketChannel, { config: EdgeHubConfig, log: Logger });
 */
export function provide<T, D extends object>(
  bind: Bind,
  target: Token<T>,
  type: new (deps: D) => T,
  needs: { readonly [K in keyof D]: Token<D[K]> },
): void {
  const names = Object.keys(needs) as (keyof D & string)[];
  bind(target)
    .toResolvedValue(
      (...values: unknown[]) => new type(Object.fromEntries(names.map((name, index) => [name, values[index]])) as D),
      names.map((name) => needs[name]) as Token<unknown>[],
    )
    .inSingletonScope();
}

/** Binds a ready-made value. */
export function provideValue<T>(bind: Bind, target: Token<T>, value: T): void {
  bind(target).toConstantValue(value);
}
