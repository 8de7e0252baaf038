/** An archive of a folder that depends on nothing but the files in it: sorted, of root, without their times. */
export declare function archive(folder: string, out: string): void;
