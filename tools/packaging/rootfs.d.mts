export declare function laySkeleton(folder: string): void;
export declare function layProgramWithLibraries(folder: string, program: string, target?: string): boolean;
export declare function layBusybox(folder: string): boolean;
