import { MapperError, MapperErrors } from '../errors.js';

/** Loads a library that not every mapper needs. Exchanged in tests. */
export type LoadLibrary = (name: string) => Promise<unknown>;

/** @throws MapperError `mapper.missing-package` naming what to install */
export const loadLibrary: LoadLibrary = async (name) => {
  try {
    return await import(name);
  } catch (error) {
    const [packageName = name] = name.split('/');
    throw new MapperError(MapperErrors.missingPackage, `a push method of a device needs the package "${packageName}": npm install ${packageName}`, { cause: error });
  }
};
