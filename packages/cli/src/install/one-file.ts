/** Set when the program is built as one file (`npm run bundle`); not there otherwise. */
declare const EDGECORE_IS_ONE_FILE: boolean | undefined;

/** Whether this program is one file that may lie anywhere, without a package around it. */
export const IS_ONE_FILE: boolean = typeof EDGECORE_IS_ONE_FILE !== 'undefined';
