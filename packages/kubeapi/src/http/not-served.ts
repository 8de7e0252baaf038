import { ApiError } from '../errors.js';

/** For a path under which there is nothing at all. */
export function notServed(path: string): ApiError {
  return new ApiError('NotFound', `nothing is served under ${path.slice(0, 200)}`);
}
