/** What the node is short of, as its conditions name it. */
export type Pressure = 'MemoryPressure' | 'DiskPressure' | 'PIDPressure';
