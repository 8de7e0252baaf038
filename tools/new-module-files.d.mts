/** The files of a new module package: path below its folder → text. */
export function moduleFiles(name: string, contract: string): Readonly<Record<string, string>>;
